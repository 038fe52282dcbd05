"""A child process that reads what may never answer, and is left behind when its time is over.

A call on a dead NFS server does not return, and no signal ends it. The child is forked when first needed and
asked over pipes. When it does not answer in time it is killed, as far as it can be, and never waited for.
"""

from __future__ import annotations

import contextlib
import errno
import marshal  # Fast and always loaded; both ends of the pipes are this very process and its copy.
import os
import select
import time
from typing import Any, Callable, NoReturn, cast

from libhooks.facts.reading.root import LiveRoot, NoAnswer, Node

_SIGKILL = 9
_LENGTH = 4
_ENDED = "the process that was to read it ended"
#: Children left behind, to be reaped if they ever end. Matters only to a process that lives long.
_abandoned: set[int] = set()


class Prober:
    """A process that reads for us: requests go down one pipe, answers come up another."""

    def __init__(self) -> None:
        _reap()
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _live(theirs_in, theirs_out)
        _lead_a_group(self._pid)
        os.close(theirs_in)
        os.close(theirs_out)

    def ask(self, request: tuple[Any, ...], until: float, silence: str) -> object:
        """As ``send``, and then ``answer``."""
        self.send(request)
        return self.answer(until, silence)

    def send(self, request: tuple[Any, ...]) -> None:
        """A request is a method of LiveRoot and its arguments. One at a time; its answer is waited for."""
        try:
            _send(self._requests, request)
        except BrokenPipeError:
            raise NoAnswer(_ENDED) from None

    def answer(self, until: float, silence: str) -> object:
        """What the method returns or raises.

        Raises NoAnswer(``silence``) where nothing has come at ``until`` (monotonic seconds).
        """
        size = int.from_bytes(self._exactly(_LENGTH, until, silence), "big")
        code, answer = marshal.loads(self._exactly(size, until, silence))  # noqa: S302 - our own child
        if code:
            raise OSError(code, os.strerror(code))
        return cast(object, answer)

    def alive(self) -> bool:
        """Whether it can be asked."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        return not poll.poll(0)  # an end of the pipe, or an answer to nothing

    def _exactly(self, size: int, until: float, silence: str) -> bytes:
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        data = b""
        while len(data) < size:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise NoAnswer(silence)
            chunk = os.read(self._answers, size - len(data))
            if not chunk:
                raise NoAnswer(_ENDED)
            data += chunk
        return data

    def abandon(self) -> None:
        """Kills it, as far as it can be killed, and never waits: it may hang in the kernel for ever."""
        os.close(self._requests)
        os.close(self._answers)
        os.killpg(self._pid, _SIGKILL)
        _abandoned.add(self._pid)
        _reap()


class Spare:
    """Keeps a child from one decision to the next, in a process that makes many."""

    def __init__(self) -> None:
        self._prober: Prober | None = None

    def take(self) -> Prober:
        """The child that was kept, if it still lives, or a new one."""
        kept, self._prober = self._prober, None
        if kept is not None and not kept.alive():
            kept.abandon()
            kept = None
        return kept or Prober()

    def give(self, prober: Prober) -> None:
        """Keep a child whose answers have all been read."""
        if self._prober is not None:
            self._prober.abandon()
        self._prober = prober


def _reap() -> None:
    for pid in tuple(_abandoned):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid
        if ended:
            _abandoned.discard(pid)


def _lead_a_group(pid: int) -> None:
    """A child is killed with what it runs. Both sides do this: whichever comes first, it is done in time."""
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)


def _live(requests: int, answers: int) -> NoReturn:
    """Never returns. Holds nothing but its two pipes: libvirt waits until nobody has the hook's output."""
    try:
        os.chdir("/")
        _lead_a_group(os.getpid())
        _close_all_but(requests, answers)
        _serve(requests, answers)
    finally:
        os._exit(0)


def _close_all_but(*kept: int) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _serve(requests: int, answers: int) -> NoReturn:
    """Answers until the parent is gone, which closes the pipe."""
    live = LiveRoot()
    while True:
        size = int.from_bytes(_received(requests, _LENGTH), "big")
        question, *arguments = marshal.loads(_received(requests, size))  # noqa: S302 - our parent
        ask: Callable[..., Any] = getattr(live, question)
        try:
            found = ask(*arguments)
            _send(answers, (0, tuple(found) if isinstance(found, Node) else found))
        except OSError as error:
            _send(answers, (error.errno or errno.EIO, None))


def _received(pipe: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(pipe, size - len(data))
        if not chunk:
            os._exit(0)
        data += chunk
    return data


def _send(pipe: int, message: tuple[Any, ...]) -> None:
    data = marshal.dumps(message)
    data = len(data).to_bytes(_LENGTH, "big") + data
    while data:
        data = data[os.write(pipe, data) :]
