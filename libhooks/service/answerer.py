"""The answerer: decides for the hook, in processes that are up already. Never imports libvirt."""

from __future__ import annotations

import os
import socket

from libhooks.service.pool import Pool
from libhooks.service.systemd import Notifier, listening


class NoSocket(Exception):
    """There is nothing to listen on; the text says why and what to do."""


def serve(path: str = "", trial: bool = False) -> None:
    """Answer at the socket that systemd hands over, or at ``path``, until SIGTERM. Raises NoSocket.

    With ``trial`` a request may name another policy, host and root.
    """
    os.umask(0o077)
    found = _listen(path) if path else listening(os.environ)
    if found is None:
        raise NoSocket("systemd has to start this (libhooks-answer.socket); for a trial, give --socket PATH")
    os.chdir("/")
    try:
        with found:
            Pool(found, Notifier(os.environ), trial).run()
    finally:
        if path:
            os.unlink(path)


def _listen(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        made.bind(path)
    except OSError as error:
        raise NoSocket(f"{path}: {error.strerror}; name a socket in a directory of yours") from error
    made.listen(socket.SOMAXCONN)
    return made


def _clear(path: str) -> None:
    """Remove a socket that nobody listens on any more; another one stays, and binding fails."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        try:
            visitor.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except FileNotFoundError:
            return
