"""The answerer by itself: who may ask, what it says to systemd, how many it is, what it keeps."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Iterator

import pytest
from answering import SERVE, Answerer, answering, memory, soon
from golden_cases import CHECKOUT, GOLDEN, PYTHON

from libhooks import protocol

GUEST = (GOLDEN / "resolve-prefix" / "domain.xml").read_bytes()
REWRITTEN = (GOLDEN / "resolve-prefix" / "expect.xml").read_bytes()
WORDS = ("web1", "migrate", "begin", "-")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that everybody may enter."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def trial(tmp_path: Path) -> tuple[str, ...]:
    """What a hook is called with where it is to look at hostb's files and a policy of the test's."""
    policy = tmp_path / "policy.d"
    policy.mkdir(mode=0o755)
    shutil.copyfile(GOLDEN / "resolve-prefix" / "policy.toml", policy / "policy.toml")
    shutil.copytree(GOLDEN / "hosts" / "hostb", tmp_path / "root", symlinks=True)
    return (*WORDS, f"policy={policy}", f"root={tmp_path / 'root'}")


# Who may ask, and what.

ASK = f"""\
import posix, sys, time
sys.path.insert(0, {str(CHECKOUT)!r})
from libhooks import client, protocol
posix.setuid(int(sys.argv[2]))  # only now: that user may have no way to the checkout
try:
    print(client.ask(sys.argv[1], ["web1", "migrate"], b"<domain/>", time.monotonic())[0])
except (OSError, ValueError) as error:
    print(error)
"""


def test_users(directory: Path) -> None:
    """Whoever is not root is not heard, even where the socket lets him in; nor is its answer by him."""
    with answering(directory) as answerer:
        assert answerer.socket.stat().st_mode & 0o077 == 0
        answerer.socket.chmod(0o666)
        command = [PYTHON, "-I", "-S", "-c", ASK, str(answerer.socket)]
        told = [
            subprocess.run([*command, user], capture_output=True, check=True, text=True).stdout
            for user in ("0", "65534")
        ]
    assert told[0] in ("0\n", "1\n")
    assert told[1] in (
        "it ended without an answer\n", "[Errno 32] Broken pipe\n", "[Errno 104] Connection reset by peer\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"GET / HTTP/1.0\r\n\r\n",
        protocol.request(["web1", "migrate"], 0, b"<domain/>")[:-1],
        protocol.request(["web1"], 0, b"<domain/>"),
        protocol.request(["web1", "reconnect"], 0, b"<domain/>"),
        protocol.request([*WORDS, "policy=/tmp"], 0, b"<domain/>"),
        protocol.request([*WORDS], 0, b"<domain/>").replace(protocol.version().encode(), b"x"),
        protocol.MAGIC + b"\xff" * 12,
    ],
    ids=["nothing", "http", "half", "no operation", "another", "a trial", "another version", "boundless"],
)
def test_requests(directory: Path, request_: bytes) -> None:
    """What is no request of a hook of this version gets no answer, and keeps nobody from getting his."""
    with answering(directory) as answerer:
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(str(answerer.socket))
            visitor.settimeout(20)
            visitor.sendall(request_)
            visitor.shutdown(socket.SHUT_WR)
            said = b""
            with suppress(ConnectionResetError):  # not all of it was read
                while chunk := visitor.recv(1 << 16):
                    said += chunk
        assert protocol.ANSWER not in said[: len(said) - len(protocol.version())].replace(b"libhooks", b"")
        assert answerer.ask("web1", "restore", document=b"<domain/>")[0] == 0
        assert answerer.process.poll() is None


def test_silent_visitors(directory: Path) -> None:
    """Who connects and says nothing is soon forgotten."""
    with answering(directory) as answerer:
        visitors = [socket.socket(socket.AF_UNIX) for _ in range(6)]
        for visitor in visitors:
            visitor.connect(str(answerer.socket))
        soon(lambda: _answers(answerer))
        for visitor in visitors:
            visitor.close()


def _answers(answerer: Answerer) -> bool:
    try:
        return answerer.ask("web1", "restore", document=b"<domain/>")[0] == 0
    except OSError:
        return False


# systemd.


def test_states(directory: Path) -> None:
    """It tells systemd that it is ready, again and again that it lives, and that it ends."""
    with answering(directory, watchdog=0.6) as answerer:
        for _ in range(3):
            began = time.monotonic()
            assert answerer.states() == {"WATCHDOG=1"}
            assert time.monotonic() - began < 5
        answerer.process.terminate()
        soon(lambda: "STOPPING=1" in answerer.states())
        assert answerer.process.wait(20) == 0
    assert not answerer.socket.exists()


def test_activation(directory: Path) -> None:
    """It answers at the socket that systemd listens on, and leaves it there."""
    path = directory / "answer.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        start = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{listening.fileno()}'
        command = ["bash", "-c", start, "bash", *SERVE]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as process:
            answerer = Answerer(process, path, listening)
            try:
                soon(lambda: _answers(answerer))
            finally:
                process.terminate()
            assert process.wait(20) == 0
    assert path.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "systemd has to start this (libhooks-answer.socket); for a trial, give --socket PATH"),
        (["--socket", "{busy}"], "{busy}: Address already in use; name a socket in a directory of yours"),
        (
            ["--socket", "{none}/s"],
            "{none}/s: No such file or directory; name a socket in a directory of yours",
        ),
    ],
    ids=["no socket", "one that is in use", "no directory"],
)
def test_misuse(trial_answerer: Answerer, directory: Path, options: list[str], said: str) -> None:
    """Where there is nothing to listen on it says so, and leaves others' sockets alone."""
    names = {"busy": str(trial_answerer.socket), "none": str(directory / "none")}
    command = [*SERVE, *(option.format(**names) for option in options)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env={})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"libhooks: {said.format(**names)}\n"
    assert trial_answerer.socket.exists()


# How many it is, and what it keeps.


def test_workers(directory: Path) -> None:
    """A worker that breaks is replaced, and all end with the one who looks after them."""
    with answering(directory) as answerer:
        seen: set[int] = set()
        while len(seen) < 5:
            soon(lambda: len(set(answerer.workers) - seen) == 2)
            seen.add(answerer.workers[0])
            os.kill(answerer.workers[0], signal.SIGKILL)
        soon(lambda: len(set(answerer.workers) - seen) == 2)
        soon(lambda: _answers(answerer))
        last = answerer.workers
        answerer.process.kill()
        soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in last))


def test_memory(directory: Path, trial: tuple[str, ...]) -> None:
    """After thousands of guests it holds no more memory than after hundreds, and never libvirt."""
    with answering(directory, "--trial") as answerer:

        def decide(times: int) -> int:
            """What the largest worker holds then."""
            for _ in range(times):
                assert answerer.ask(*trial, document=GUEST)[3] == REWRITTEN
            return max(map(memory, answerer.workers))

        before = decide(300)
        assert decide(2000) < before + 2000
        assert memory(answerer.process.pid, *answerer.workers) < 70_000
        mapped = Path(f"/proc/{answerer.workers[0]}/maps").read_text()
        assert "lxml" in mapped
        assert "libvirt" not in mapped
