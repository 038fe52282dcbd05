"""A host of a test's: this machine's /etc, /usr and /var, with all changes kept apart."""

from __future__ import annotations

import contextlib
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest
from installer import PATH, Done, Source, call


class Host(NamedTuple):
    """A mount namespace in which this machine can be changed without changing it."""

    process: int
    changes: Path
    source: Source

    def run(self, *command: object, stdin: bytes = b"", **environment: str) -> Done:
        inside = f"--mount=/proc/{self.process}/ns/mnt"
        return call("nsenter", inside, "--wd=/", *command, stdin=stdin, **environment)

    def install_sh(self, *arguments: str, **environment: str) -> Done:
        return self.run("sh", self.source.path / "install.sh", *arguments, stdin=b"", **environment)

    def path(self, inside: str) -> Path:
        return Path(f"/proc/{self.process}/root") / inside.lstrip("/")

    def script(self, inside: str, text: str) -> str:
        """A program on the host; returns a search path that finds it first."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return f"{inside.rpartition('/')[0]}:{PATH}"

    def changed(self) -> set[str]:
        """The files that were made or changed here."""
        files = (path for path in self.changes.rglob("*") if stat.S_ISREG(path.lstat().st_mode))
        return {"/" + str(path.relative_to(self.changes)) for path in files}


OVERLAY = """
for directory in etc usr var; do
    mkdir -p "$1/upper/$directory" "$1/work/$directory"
    options="lowerdir=/$directory,upperdir=$1/upper/$directory,workdir=$1/work/$directory"
    mount -t overlay -o "$options" overlay "/$directory"
done
mount -t tmpfs run /run
"""
# As if nothing of libhooks had ever been on this machine.
EMPTY = """
rm -rf /etc/libhooks /usr/lib/libhooks /usr/bin/libhooks /var/log/libhooks /etc/logrotate.d/libhooks
rm -rf /etc/libvirt/hooks /usr/lib/systemd/system/libhooks-*
mkdir /etc/libvirt/hooks
echo ready
exec cat >/dev/null
"""
UNSHARE = ("unshare", "--mount", "--propagation", "private", "sh", "-euc")


def host_missing() -> str:
    """Why there can be no such host, or nothing."""
    for command in ("unshare", "nsenter", "libvirtd"):
        if not shutil.which(command, path=PATH):
            return f"{command} is not here"
    if call(*UNSHARE, f"mount -t tmpfs changes /mnt; set -- /mnt; {OVERLAY}").code != 0:
        return "no right or support to mount an overlay"
    return ""


@contextlib.contextmanager
def apart(source: Source, directory: Path) -> Iterator[Host]:
    """Such a host, its changes below a directory; skips the test where there can be none."""
    missing = host_missing()
    if missing:
        pytest.skip(missing)
    (directory / "changes").mkdir()
    script = f'mount -t tmpfs changes "$1"\n{OVERLAY}{EMPTY}'
    command = [*UNSHARE, script, "sh", str(directory / "changes")]
    # It lives until its standard input ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"ready\n"
        yield Host(keeper.pid, Path(f"/proc/{keeper.pid}/root{directory}/changes/upper"), source)
        assert keeper.stdin is not None
        keeper.stdin.close()
