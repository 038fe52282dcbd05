"""Running a program, in a process that may be left behind: the child that reads for us."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import NoReturn

#: Nobody: what is run only has to speak of itself.
_NOBODY = 65534
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def run(program: str, arguments: tuple[str, ...], limit: int) -> bytes:
    """The first ``limit`` bytes that a program prints. It has no rights, no input, and none of our pipes.

    Raises OSError where it can't be run, or fails. Waits for as long as it takes: the caller's deadline ends
    this very process, and its group with it.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(program, arguments, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as opened:
        printed = opened.read(limit)
    _, status = os.waitpid(pid, 0)
    if status:
        raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))
    return printed


def _nothing() -> int:
    return os.open(os.devnull, os.O_RDWR)


def _become(program: str, arguments: tuple[str, ...], writing: int) -> NoReturn:
    """Never returns: the program runs in our place, or nothing does."""
    try:
        # The process that reads for us has closed its three streams: any of these may stand in their place.
        nothing, writing = (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 3) for one in (_nothing(), writing))
        for stream, one in enumerate((nothing, writing, nothing)):
            os.dup2(one, stream)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        os.execve(program, [program, *arguments], _ENVIRONMENT)  # noqa: S606 - no shell is meant
    finally:
        os._exit(127)
