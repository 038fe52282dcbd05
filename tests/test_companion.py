"""The companion's own files: the journal as it grows, and the definitions that it keeps."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import libvirt
import pytest
from golden_cases import CHECKOUT

from libhooks.libvirtd.events import What, meaning
from libhooks.originals import Original, Originals
from libhooks.service.tail import Tail


def add(file: Path, text: str) -> None:
    with file.open("a") as stream:
        stream.write(text)


def test_tail(tmp_path: Path) -> None:
    """Every whole line is read once, whenever it comes."""
    file, tail = tmp_path / "decisions.jsonl", Tail()
    assert tail.fresh(str(file)) == []
    add(file, "one\ntwo\nthr")
    assert tail.fresh(str(file)) == [b"one", b"two"]
    add(file, "ee\n")
    assert tail.fresh(str(file)) == [b"three"]
    assert tail.fresh(str(file)) == []


def test_tail_of_a_rotated_journal(tmp_path: Path) -> None:
    """What was written just before a rotation is not lost, nor what comes after it."""
    file, old, tail = tmp_path / "decisions.jsonl", tmp_path / "decisions.jsonl.1", Tail()
    add(old, "zero\n")
    add(file, "one\n")
    assert tail.fresh(str(file)) == [b"zero", b"one"]
    add(file, "two\n")
    file.rename(old)
    assert tail.fresh(str(file)) == [b"two"]
    add(file, "three\n")
    assert tail.fresh(str(file)) == [b"three"]
    file.write_text("x\n")
    assert tail.fresh(str(file)) == [b"x"]


def test_another_journal(tmp_path: Path) -> None:
    """Where the policy names another journal, that one counts."""
    first, second, tail = tmp_path / "a.jsonl", tmp_path / "b.jsonl", Tail()
    add(first, "one\n")
    add(second, "two\n")
    assert tail.fresh(str(first)) == [b"one"]
    assert tail.fresh(str(second)) == [b"two"]


KEPT = Original("01K1", "2031-06-15T12:00:00.000Z", "web1", "7f3a", b"<domain/>\n")


def test_originals(tmp_path: Path) -> None:
    """An original counts from when its repair is done; it is root's alone."""
    directory = tmp_path / "lib" / "definitions"
    originals = Originals(str(directory))
    assert list(originals.all()) == []
    originals.keep(KEPT)
    assert (originals.has("01K1"), list(originals.all())) == (False, [])
    originals.confirm(KEPT)
    assert (originals.has("01K1"), list(originals.all())) == (True, [KEPT])
    assert {one.name: oct(one.stat().st_mode & 0o777) for one in directory.iterdir()} == {
        "01K1.json": "0o600",
        "01K1.xml": "0o600",
    }
    assert directory.stat().st_mode & 0o777 == 0o700


def test_dropped_original(tmp_path: Path) -> None:
    """Where libvirt does not take the repaired definition, nothing is left of it."""
    originals = Originals(str(tmp_path))
    originals.keep(KEPT)
    originals.drop("01K1")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("event", "detail", "what"),
    [
        ("DEFINED", "DEFINED_ADDED", What.DEFINED),
        ("DEFINED", "DEFINED_UPDATED", What.DEFINED),
        ("STARTED", "STARTED_BOOTED", What.STARTED),
        ("STARTED", "STARTED_RESTORED", What.STARTED),
        ("STARTED", "STARTED_MIGRATED", None),
        ("RESUMED", "RESUMED_MIGRATED", What.ARRIVED),
        ("RESUMED", "RESUMED_POSTCOPY", None),
        ("RESUMED", "RESUMED_UNPAUSED", None),
        ("STOPPED", "STOPPED_FAILED", What.STOPPED),
        ("STOPPED", "STOPPED_DESTROYED", What.DESTROYED),
        ("STOPPED", "STOPPED_MIGRATED", What.LEFT),
        ("SUSPENDED", "SUSPENDED_PAUSED", None),
    ],
)
def test_meaning(event: str, detail: str, what: What | None) -> None:
    """Of libvirt's events those count that tell how an arrival ends, or that a guest has begun to run."""
    numbers = (getattr(libvirt, f"VIR_DOMAIN_EVENT_{one}") for one in (event, detail))
    assert meaning(*numbers) is what


def test_systemd(tmp_path: Path) -> None:
    """systemd is told that it is there, and that it lives, though libvirtd is not there; SIGTERM ends it."""
    address = str(tmp_path / "notify")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "NOTIFY_SOCKET": address}
    uri = f"qemu+unix:///system?socket={tmp_path}/nobody"
    command = [sys.executable, "-B", "-m", "libhooks", "serve", "companion", "-c", uri]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(20)
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(1000).startswith(b"STATUS=waiting for libvirtd: ")
            assert b"WATCHDOG=1" in {systemd.recv(1000) for _ in range(3)}
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.startswith("libvirtd cannot be reached; trying again  because: ")
    assert said.count("\n") == 1
