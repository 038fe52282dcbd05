"""Running a program that asks the system for us, as ourselves, with a deadline. Never on the hook's path."""

from __future__ import annotations

import os
import subprocess

from libhooks.facts.reading.root import Garbage, NoAnswer

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
#: Seconds.
DEADLINE = 5.0


class Failed(Garbage):
    """A program that ended with an error; ``code`` is its exit code."""

    def __init__(self, program: str, code: int, told: str) -> None:
        super().__init__(f"{program} failed: {told or f'exit code {code}'}")
        self.code = code


def run(program: str, *arguments: str, data: bytes = b"") -> bytes:
    """What a program prints. Raises Garbage where there is none, Failed, or NoAnswer after DEADLINE."""
    pipe = subprocess.PIPE
    command = [program, *arguments]
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=_ENVIRONMENT, cwd="/")
    except FileNotFoundError:
        raise Garbage(f"there is no {program}") from None
    try:
        printed, complaint = process.communicate(data, DEADLINE)
    except subprocess.TimeoutExpired:
        # Not waited for: what hangs in the kernel can't be killed.
        process.kill()
        raise NoAnswer(f"no answer from {os.path.basename(program)} in {DEADLINE:g} s") from None
    if process.returncode:
        told = complaint.decode("utf-8", "replace").strip().splitlines()[:1]
        raise Failed(os.path.basename(program), process.returncode, "".join(told))
    return printed
