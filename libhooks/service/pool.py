"""Who takes the hooks' calls and looks after the workers: one is always to spare, none hangs for ever.

It acknowledges at once and never decides, so that many guests at a time only queue: if they all decided for
themselves, each would take ten times the work, and none would be in time.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import select
import signal
import sys
import time
from importlib import import_module
from socket import MSG_DONTWAIT, send_fds, socket, socketpair
from typing import NoReturn

import libhooks
from libhooks import protocol
from libhooks.door import POLICY_DIRECTORY
from libhooks.service.kept import Kept
from libhooks.service.systemd import Notifier
from libhooks.service.worker import ALIVE, CALL, LEAVES, RELOADED, check_peer, work

#: Workers that always stay, and how many there can be; hooks that may wait: the next one decides itself.
_STAY, _MOST, _QUEUE = 2, 16, 512
#: Seconds that all may be busy with the same guests before there are more of them: those wait for something.
_PATIENCE = 0.25
#: Seconds beyond the deadline after which a decision is not coming any more.
_OVERDUE = 10.0
#: Seconds without work after which a worker beyond those that stay may go.
_LINGER = 10.0
#: Seconds before a worker that broke is replaced, and between two looks at how things are.
_PAUSE, _LOOK = 1.0, 5.0
_FACES = {
    f"libhooks.{name}" for name in ("__main__", "cases", "cli", "client", "inline", "libvirtd", "service")
}


class _Worker:
    """A worker, the socket that we talk over, and since when it has been busy, or has not."""

    def __init__(self, pid: int, channel: socket) -> None:
        self.pid = pid
        self.channel = channel
        self.busy = False
        self.since = time.monotonic()

    def turn(self, busy: bool) -> None:
        """It begins or ends its work on a guest."""
        self.busy = busy
        self.since = time.monotonic()


class Pool:
    """Answers at a socket until told to end."""

    def __init__(self, listening: socket, notifier: Notifier, trial: bool = False) -> None:
        self._listening = listening
        self._notifier = notifier
        self._trial = trial
        self._kept = Kept()
        self._workers: list[_Worker] = []
        self._processes: set[int] = set()
        self._queue: list[tuple[socket, float]] = []
        self._signals = os.pipe()
        self._ending = False
        self._paused = 0.0
        self._told_alive = 0.0

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; guests in hand get their answers."""
        self._listening.setblocking(False)
        for end in self._signals:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._signals[1], warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._warm()
        self._hire_enough()
        self._notifier.tell("READY=1")
        while not self._ending or self._queue or any(worker.busy for worker in self._workers):
            self._wait()
            self._reap()
            self._hire_enough()
            self._assign()
            self._comfort()
            self._dismiss()
            self._notifier.live()

    def _end(self, *_: object) -> None:
        if not self._ending:
            self._ending = True
            self._notifier.tell("STOPPING=1")

    def _warm(self) -> None:
        """What workers begin with: it is read once, and its memory is shared."""
        _import_all()
        if not self._trial:
            self._kept.warm(POLICY_DIRECTORY)
        gc.collect()
        gc.freeze()

    def _wait(self) -> None:
        """Until something happens, or is to be done."""
        timeout = min(self._notifier.interval or _LOOK, _LOOK)
        if self._queue or self._paused:
            timeout = ALIVE
        channels = {worker.channel.fileno(): worker for worker in self._workers}
        watched = [self._signals[0], *channels]
        if not self._ending and len(self._queue) < _QUEUE:
            watched.append(self._listening.fileno())
        poll = select.poll()
        for descriptor in watched:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(timeout * 1000):
            if descriptor == self._signals[0]:
                os.read(descriptor, 4096)
            elif descriptor in channels:
                self._heard(channels[descriptor])
            else:
                self._take_calls()

    def _heard(self, worker: _Worker) -> None:
        """A worker is done with its guest; or gone: then nothing more is handed to it."""
        try:
            said = worker.channel.recv(16)
        except ConnectionResetError:
            said = b""
        if said in (LEAVES, b""):
            self._part(worker)
        worker.turn(False)
        if said == RELOADED and not self._trial:
            self._warm()

    def _take_calls(self) -> None:
        while len(self._queue) < _QUEUE:
            try:
                call, _ = self._listening.accept()
            except BlockingIOError:
                return
            try:
                check_peer(call)
                call.send(protocol.acknowledgement(self._kept.policy.deadline), MSG_DONTWAIT)
            except OSError:  # nobody whom we answer, or gone already
                call.close()
            else:
                self._queue.append((call, time.monotonic()))
                self._assign()

    def _assign(self) -> None:
        for worker in self._workers:
            if self._queue and not worker.busy:
                call, came = self._queue.pop(0)
                with call:
                    self._hand_over(worker, call, came)

    def _hand_over(self, worker: _Worker, call: socket, came: float) -> None:
        worker.turn(True)
        try:
            send_fds(worker.channel, [CALL.pack(came)], [call.fileno()])
        except OSError:  # it has just ended, and the hook sees its call end
            return

    def _comfort(self) -> None:
        """Tell those who wait that they are not forgotten."""
        now = time.monotonic()
        if not self._queue or now < self._told_alive + ALIVE:
            return
        self._told_alive = now
        for call, _ in self._queue:
            try:
                call.send(protocol.message(protocol.ALIVE), MSG_DONTWAIT)
            except OSError:  # it did not wait; who gets its call finds out
                continue

    def _reap(self) -> None:
        """Part with the workers that have ended, and end those whose guest is not coming any more."""
        overdue = time.monotonic() - self._kept.policy.deadline - _OVERDUE
        for worker in self._workers:
            if worker.busy and worker.since < overdue:
                os.kill(worker.pid, signal.SIGKILL)
        while self._processes:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid in self._processes:  # else one that read a fact for us
                self._processes.discard(pid)
                self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        for worker in [worker for worker in self._workers if worker.pid == pid]:
            self._part(worker)
        if code:
            print(f"<4>libhooks: a worker ended with {code}", file=sys.stderr, flush=True)
            self._paused = time.monotonic() + _PAUSE

    def _part(self, worker: _Worker) -> None:
        """Hand nothing more to a worker; where it waits, it ends."""
        self._workers.remove(worker)
        worker.channel.close()

    def _hire_enough(self) -> None:
        now = time.monotonic()
        if self._ending or now < self._paused:
            return
        self._paused = 0.0
        while len(self._workers) < _STAY:
            self._hire()
        stuck = all(worker.busy and worker.since < now - _PATIENCE for worker in self._workers)
        for _ in range(min(len(self._queue), _MOST - len(self._workers)) if stuck else 0):
            self._hire()

    def _dismiss(self) -> None:
        """Let go, one at a time, of workers beyond those that stay which have had nothing to do."""
        for worker in self._workers[_STAY:]:
            if not worker.busy and worker.since < time.monotonic() - _LINGER:
                self._part(worker)
                return

    def _hire(self) -> None:
        ours, theirs = socketpair()
        pid = os.fork()
        if pid == 0:
            self._become_worker(theirs, ours)
        theirs.close()
        self._processes.add(pid)
        self._workers.append(_Worker(pid, ours))

    def _become_worker(self, channel: socket, other: socket) -> NoReturn:
        """Never returns. Others' sockets are closed: their other ends have to see when we let go of them."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            waiting = [call for call, _ in self._queue]
            for one in (self._listening, other, *waiting, *(worker.channel for worker in self._workers)):
                one.close()
            work(channel, self._trial, self._kept)
            code = 0
        finally:
            os._exit(code)


def _import_all() -> None:
    """What the hook's process imports only for the guests that need it: whatever decides, and no face."""
    for found in pkgutil.iter_modules(libhooks.__path__, "libhooks."):
        if found.name in _FACES:
            continue
        module = import_module(found.name)
        below = pkgutil.walk_packages(module.__path__, found.name + ".") if found.ispkg else ()
        for one in below:
            import_module(one.name)
