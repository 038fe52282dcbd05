"""A lab machine: namespaces and a private file system, kept by one process and gone with it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path, PurePosixPath
from subprocess import DEVNULL, PIPE
from typing import IO, Callable, Sequence, TypeVar

from .errors import LabError

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
CHECKOUT = Path(__file__).resolve().parents[2]
SETUP = Path(__file__).with_name("machine.sh")
UNSHARE = (
    "unshare",
    "--mount",
    "--uts",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--propagation",
    "private",
)
# Seconds that anything may last. It only ends what hangs: where others keep the machine busy, what is done
# in a second takes half a minute.
PATIENCE = 180.0
MAX_LINKS = 40  # as the kernel's own limit on symbolic links in one path

Answer = TypeVar("Answer")


class Machine:
    """One computer of the lab.

    Its processes, mounts and links live in namespaces that die when the pipe to their first process closes:
    at `close`, or when this process ends in any way.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._holder: subprocess.Popen[str] | None = None
        self._pid = 0

    @property
    def pid(self) -> int:
        """The machine's process 1, as a process id outside."""
        if not self._pid:
            raise LabError(f"{self.name} is not up")
        return self._pid

    def boot(self) -> None:
        """Make the namespaces and the file system; nothing runs in them yet."""
        self._holder = subprocess.Popen(
            [*UNSHARE, "/bin/sh", str(SETUP), self.name, str(CHECKOUT)],
            stdin=PIPE,
            stdout=PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=ENVIRONMENT,
            start_new_session=True,  # Ctrl-C is the lab's to handle
        )
        assert self._holder.stdout is not None
        self._pid = _announced_pid(self.name, self._holder.stdout)

    def close(self) -> None:
        """Kill all that runs in the machine; returns when its last process is gone."""
        if self._holder is None:
            return
        self._holder.communicate()
        self._holder, self._pid = None, 0

    def enter(self, *argv: str) -> list[str]:
        """The command line that runs `argv` in this machine; `argv` is killed when that command line is."""
        return [*self.door(), "setpriv", "--pdeathsig", "KILL", "--", *argv]

    def door(self) -> list[str]:
        """The command line prefix by which a person enters this machine."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--net", "--pid", "--"]

    def run(
        self, argv: Sequence[str], *, check: bool = True, input: str | None = None, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine, from /; LabError if it fails (`check`) or lasts over `timeout`."""
        command = " ".join(argv)
        with self.popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            try:
                stdout, stderr = process.communicate(input, timeout)
            except subprocess.TimeoutExpired:
                raise LabError(f"on {self.name}, no answer within {timeout:g} s: {command}") from None
            finally:
                process.kill()
        if check and process.returncode:
            raise LabError(f"on {self.name}, exit {process.returncode}: {command}", log=stdout + stderr)
        return subprocess.CompletedProcess(list(argv), process.returncode, stdout, stderr)

    def popen(
        self,
        argv: Sequence[str],
        *,
        stdin: int = DEVNULL,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in the machine and go on."""
        return subprocess.Popen(
            self.enter(*argv),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
            env=ENVIRONMENT,
        )

    def path(self, inside: str) -> Path:
        """Where the machine's own file `inside` is seen from outside, valid while the machine is up.

        Symbolic links are followed inside the machine: through /proc/PID/root an absolute one
        would lead to the real machine's file.
        """
        root = Path(f"/proc/{self.pid}/root")
        return root / _followed(root, PurePosixPath(inside)).relative_to("/")

    def write(self, inside: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file of the machine by rename, as an installer would, making its directories."""
        file = self.path(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        new.chmod(mode)
        new.rename(file)

    def log(self, inside: str, lines: int = 20) -> str:
        """The last lines of a log of the machine; empty when there is none."""
        try:
            return "\n".join(self.path(inside).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def wait_for(ask: Callable[[], Answer | None], what: str, timeout: float = PATIENCE) -> Answer:
    """The first true answer of `ask`, asked again and again for `timeout` seconds; or LabError."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise LabError(f"waited {timeout:g} s in vain for {what}")


def _announced_pid(name: str, output: IO[str]) -> int:
    """The pid from machine.sh's last line; all it prints before is a complaint."""
    said = []
    for line in output:
        word, _, pid = line.partition(" ")
        if word == "ready":
            return int(pid)
        said.append(line)
    raise LabError(f"could not set up the namespaces of {name}", log="".join(said))


def _followed(root: Path, path: PurePosixPath) -> PurePosixPath:
    """`path` with every symbolic link replaced as a process whose root directory is `root` would."""
    done, rest, links = PurePosixPath("/"), list(reversed(path.parts)), 0
    while rest:
        done = PurePosixPath(os.path.normpath(done / rest.pop()))
        seen = root / done.relative_to("/")
        if seen != root and seen.is_symlink():
            links += 1
            if links > MAX_LINKS:
                raise LabError(f"too many symbolic links in {path}")
            rest += reversed(PurePosixPath(os.readlink(seen)).parts)
            done = done.parent
    return done
