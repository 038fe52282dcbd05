"""Guests as people make them: what virt-install writes, told all that it can be told of a host.

A command takes a third of a second, so each guest is made once, whoever asks how often.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator

import pytest
from virt_install_options import OPTIONS

#: How many guests there are: each value of each option below has its turn among them.
COUNT = 24

_PROGRAM = "virt-install"
_BASE = (
    _PROGRAM, "--connect", "test:///default", "--print-xml", "--dry-run", "--import", "--check", "all=off",
    "--osinfo", "detect=off,require=off", "--virt-type", "test",
)  # fmt: skip
#: What libvirt's test driver has no notion of is said afterwards.
_KVM = ("./@type=kvm", "./os/type/@arch=x86_64", "./devices/emulator=/opt/qemu/bin/qemu-system-x86_64")
_MACHINES = ("pc-q35-7.2", "pc-i440fx-7.2", "q35")


@functools.cache
def guests() -> tuple[bytes, ...]:
    """The documents of all guests."""
    if shutil.which(_PROGRAM) is None:
        pytest.skip(f"{_PROGRAM} is not installed")
    with ThreadPoolExecutor(2) as pool:
        return tuple(pool.map(_made, map(command, range(COUNT))))


def command(number: int) -> tuple[str, ...]:
    """What virt-install is called with for a guest."""
    words = ["--name", f"guest{number}", "--uuid", f"8a3b0c1d-4e2f-4e5f-8a3b-{number:012}"]
    for ordinal, (option, value) in enumerate(chosen(number)):
        more = OPTIONS[option].more.format(number, ordinal)
        words += [f"{option}={_value(value, more)}"] if value else []
    for xpath in (*_KVM, f"./os/type/@machine={_MACHINES[number % len(_MACHINES)]}"):
        words += ["--xml", xpath]
    return (*_BASE, *words)


def chosen(number: int) -> Iterator[tuple[str, str]]:
    """A guest's options, each with a value of its table."""
    for pace, (option, told) in enumerate(OPTIONS.items()):
        # Each round begins elsewhere: what stood beside something once stands beside other things then.
        first = number * told.at_once + pace * (number * told.at_once // len(told.values))
        for one in range(told.at_once):
            yield option, told.values[(first + one) % len(told.values)]


def _value(told: str, more: str) -> str:
    first, *xpaths = told.split(" | ")
    edits = (f"delete={one[2:]}" if one.startswith("- ") else f"set={one}" for one in xpaths)
    return ",".join((first + more, *(f"xpath{number}.{edit}" for number, edit in enumerate(edits))))


def _made(words: tuple[str, ...]) -> bytes:
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.decode()}"
    return done.stdout
