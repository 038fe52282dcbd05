"""Programs that are asked about themselves: without rights, input or our pipes, and not for ever."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable

import pytest

from libhooks.facts.reading import command
from libhooks.facts.reading.guarded import Guarded
from libhooks.facts.reading.root import NoAnswer


def script(directory: Path, name: str, text: str) -> str:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def open_to_all(directory: Path) -> None:
    """pytest's directories are root's alone, and what is run here is nobody's."""
    for one in (directory, *directory.parents):
        if one.stat().st_uid == os.geteuid() and one.stat().st_mode & 0o5 != 0o5:
            one.chmod(one.stat().st_mode | 0o055)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    open_to_all(tmp_path)
    return tmp_path


def test_a_program(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program has its arguments, no input, no rights, and nothing of our environment."""
    monkeypatch.setenv("LIBHOOKS_TEST", "1")
    told = script(
        programs, "qemu", 'read line; echo "$@ $(id -u) ${LIBHOOKS_TEST-unset} $LC_ALL [$line]"; echo x >&2'
    )
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    assert command.run(told, ("-machine", "help"), 1000) == f"-machine help {uid} unset C []\n".encode()
    assert command.run(told, ("-machine", "help"), 4) == b"-mac"
    guarded = Guarded()
    guarded.allow(10)
    assert guarded.run(told, "-version") == f"-version {uid} unset C []\n".encode()
    guarded.close()


@pytest.mark.parametrize("text", ["exit 1", "kill -9 $$"])
def test_a_program_that_fails(programs: Path, text: str) -> None:
    """What fails says nothing that counts; nor does what can't be run at all."""
    with pytest.raises(OSError, match="Exec format error"):
        command.run(script(programs, "qemu", text), (), 1000)
    with pytest.raises(OSError, match="Exec format error"):
        command.run(str(programs / "none"), (), 1000)


def test_a_program_that_hangs(programs: Path) -> None:
    """It is given up at its deadline, ended with all that it started, and says nothing of its disk."""
    pids = programs / "pids"
    pids.touch()
    pids.chmod(0o666)
    hangs = script(programs, "qemu-hangs", f"sleep 600 & echo $$ $! >{pids}; wait")
    guarded = Guarded()
    guarded.allow(0.5)
    with pytest.raises(NoAnswer, match=r"no answer in 0\.5 s"):
        guarded.run(hangs)
    with pytest.raises(NoAnswer, match=r"no answer in 0\.5 s"):
        guarded.run(hangs)
    assert guarded.lstat(hangs).kind == "file"
    started = pids.read_text().split()
    assert len(started) == 2
    assert eventually(lambda: not any(alive(pid) for pid in started))


def alive(pid: str) -> bool:
    """Whether a process runs: what is killed may wait for whoever inherited it to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()
