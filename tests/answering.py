"""An answerer as a process, for tests: started as systemd starts it, or at a socket of the test's."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, TypeVar

import pytest
from golden_cases import CHECKOUT, PYTHON

from libhooks import client
from libhooks.protocol import Answer

#: From the checkout, as /usr/bin/libhooks runs the installed one.
SERVE = (PYTHON, "-I", "-c", f"""\
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from libhooks.cli.main import main
sys.exit(main(["serve", "answer", *sys.argv[1:]]))
""")  # fmt: skip

_Found = TypeVar("_Found")


def soon(find: Callable[[], _Found], seconds: float = 20) -> _Found:
    """What is found, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, find
        time.sleep(0.01)
    return found


class Answerer(NamedTuple):
    """A running answerer: its process, its socket, and what it has told systemd."""

    process: subprocess.Popen[bytes]
    socket: Path
    notes: socket.socket

    def ask(self, *words: str, document: bytes) -> Answer:
        """What it answers to a hook that is called with these words."""
        return client.ask(str(self.socket), list(words), document, time.monotonic())

    def states(self) -> set[str]:
        """What it has told systemd since this was last asked, waiting for the first of it."""
        told = self.notes.recv(4096)
        self.notes.setblocking(False)
        try:
            while True:
                told += b"\n" + self.notes.recv(4096)
        except BlockingIOError:
            self.notes.settimeout(30)
        return set(told.decode().split())

    @property
    def workers(self) -> tuple[int, ...]:
        return children(self.process.pid)

    def signal(self, number: int) -> None:
        """Send all of its processes a signal."""
        for pid in (self.process.pid, *self.workers):
            os.kill(pid, number)


def children(pid: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def memory(*pids: int) -> int:
    """What processes hold in memory, together, in kB: what they share counts once."""
    maps = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids]
    return sum(int(line.split()[1]) for lines in maps for line in lines if line.startswith("Pss:"))


@contextmanager
def answering(directory: Path, *options: str, watchdog: float = 0) -> Iterator[Answerer]:
    """An answerer at a socket in a directory, up and ready."""
    path = directory / "answer.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes:
        notes.bind(str(directory / "notify"))
        notes.settimeout(30)
        environment = {"NOTIFY_SOCKET": str(directory / "notify"), "WATCHDOG_USEC": str(int(watchdog * 1e6))}
        command = [*SERVE, "--socket", str(path), *options]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
            answerer = Answerer(process, path, notes)
            try:
                assert "READY=1" in answerer.states()
                yield answerer
            finally:
                process.kill()


@pytest.fixture(scope="session")
def trial_answerer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answerer]:
    """An answerer that many tests share, each with its own policy and root."""
    with answering(tmp_path_factory.mktemp("answerer"), "--trial") as answerer:
        yield answerer
