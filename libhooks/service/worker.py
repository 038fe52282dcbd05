"""A worker: a process that takes one guest after the other, and answers each through the door.

Processes, not threads: one that hangs or breaks is ended without harm to the others, and the child that
reads for it is forked by a process that has nothing else going on.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from contextlib import contextmanager
from typing import Any, Iterator

from libhooks import journal, protocol
from libhooks.door import Answer, Settings, answer
from libhooks.event import Event, Operation
from libhooks.policy.model import OnInvalid
from libhooks.service.kept import Kept

#: Guests after which a worker makes room for a fresh one, whatever lxml or Python may have piled up.
_ENOUGH = 2000
#: Seconds for a hook to send what it has to say, and to take what it is told.
_REQUEST, _TAKEN = 1.0, 5.0
#: Seconds between signs of life: several in the time that the hook waits for one.
ALIVE = 0.25
#: With a call comes when it came, in monotonic seconds; what is said when it is answered.
CALL, DONE, RELOADED, LEAVES = struct.Struct("d"), b"d", b"p", b"l"
_CREDENTIALS = struct.Struct("3i")
_TRIAL_OPTIONS = ("policy", "host", "root")


def work(channel: socket.socket, trial: bool, kept: Kept) -> None:
    """Answer the calls that come over a socket, until there is enough of it, or its other end is gone.

    With ``trial`` a request may say which policy, host and root it is about.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # who has the other end says when to leave
    for left in reversed(range(_ENOUGH)):
        came, descriptors, *_ = socket.recv_fds(channel, CALL.size, 1)
        if not came:
            return
        loads = kept.policy.loads
        with socket.socket(fileno=descriptors[0]) as call:
            try:
                _serve(call, CALL.unpack(came)[0], trial, kept)
            except (OSError, ValueError):  # the hook is gone, or was none: it decides itself, if it still can
                pass
        channel.send(LEAVES if not left else DONE if loads == kept.policy.loads else RELOADED)


def _serve(connection: socket.socket, came: float, trial: bool, kept: Kept) -> None:
    """Answer one hook. Raises OSError or ValueError where that cannot be done."""
    connection.settimeout(_REQUEST)
    sizes = protocol.request_sizes(_received(connection, protocol.REQUEST_HEAD))
    words = protocol.request_words(_received(connection, sizes[0]))
    document = _received(connection, sizes[2])
    event, settings = _asked(words, trial)
    with _signs_of_life(connection):
        spent = sizes[1] + time.monotonic() - came
        given = answer(event, document, settings._replace(spent=spent), means=kept.means)
        told = protocol.answer(_told(given, settings))
    connection.settimeout(_TAKEN)
    connection.sendall(told)


def check_peer(connection: socket.socket) -> None:
    """Raise PermissionError for users that are neither root nor ours: they would read others' guests."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    if user not in (0, os.geteuid()):
        raise PermissionError(f"user {user} asks")


def _received(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(min(size - len(data), 1 << 18))
        if not chunk:
            raise ValueError("half a request")
        data += chunk
    return bytes(data)


def _asked(words: list[str], trial: bool) -> tuple[Event, Settings]:
    """What is to be decided, and where. Raises ValueError for what makes no sense."""
    if len(words) < 2 or (len(words) > 4 and not trial):
        raise ValueError("not what libvirt calls a hook with")
    name, operation, *details = words[:4]
    options: dict[str, Any] = dict(word.partition("=")[::2] for word in words[4:])
    if not options.keys() <= set(_TRIAL_OPTIONS):
        raise ValueError("no such options")
    return Event(name, Operation(operation), *details), Settings(path="service")._replace(**options)


def _told(given: Answer, settings: Settings) -> protocol.Answer:
    """The answer as it is sent. Raises ValueError where more than a record is to be kept, by the hook."""
    if given.case or given.caseless:
        raise ValueError("the hook keeps the case")
    if given.policy.on_invalid is OnInvalid.LAST_GOOD or os.path.isdir(settings.last_good):
        raise ValueError("the hook keeps the policy")
    stderr = given.stderr.encode("utf-8", "replace")
    return given.code, given.policy.journal.path, journal.encode(given.record), given.stdout, stderr


@contextmanager
def _signs_of_life(connection: socket.socket) -> Iterator[None]:
    """Tell the hook again and again that we are at it, for as long as Python and nothing else is."""
    message = protocol.message(protocol.ALIVE)

    def tell(*_: object) -> None:
        try:
            connection.send(message, socket.MSG_DONTWAIT)
        except OSError:
            return  # nobody waits any more; the answer will find out

    before = signal.signal(signal.SIGALRM, tell)
    signal.setitimer(signal.ITIMER_REAL, ALIVE, ALIVE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
