"""What the tests of install.sh share: running it, on a copy of the checkout, and looking at a tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
LIB = "usr/lib/libhooks"
COMMAND = "usr/bin/libhooks"
HOOKS = "etc/libvirt/hooks"
HOOK = f"{HOOKS}/qemu.d/50-libhooks"
EXAMPLE = "etc/libhooks/policy.d/00-example.toml"
ROTATION = "etc/logrotate.d/libhooks"
JOURNAL = "var/log/libhooks"
ZSH = "vendor-completions" if Path("/etc/debian_version").exists() else "site-functions"
#: What people, editors and shells read, by what it is made of in share/.
DOCUMENTS = {
    "usr/share/libhooks/libhooks-policy.schema.json": "libhooks-policy.schema.json",
    "usr/share/man/man5/libhooks-policy.5": "man/man5/libhooks-policy.5",
    "usr/share/man/man8/libhooks.8": "man/man8/libhooks.8",
    "usr/share/bash-completion/completions/libhooks": "completions/libhooks.bash",
    f"usr/share/zsh/{ZSH}/_libhooks": "completions/_libhooks",
    "usr/share/fish/vendor_completions.d/libhooks.fish": "completions/libhooks.fish",
}
UNITS = "usr/lib/systemd/system"
SOCKET, SERVICE = f"{UNITS}/libhooks-answer.socket", f"{UNITS}/libhooks-answer.service"
COMPANION = f"{UNITS}/libhooks-companion.service"

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DOMAIN = b"<domain type='qemu'><name>web1</name></domain>"


class Done(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str


def call(*command: object, stdin: bytes = b"", cwd: str = "/", **environment: str) -> Done:
    done = subprocess.run(list(map(str, command)), check=False, input=stdin, capture_output=True, cwd=cwd,
                          env={"PATH": PATH, **environment})  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Source(NamedTuple):
    """A checkout to install from, the project's own or a copy of it that a test changes."""

    path: Path = CHECKOUT

    def run(self, *arguments: object, path: str = PATH, cwd: str = "/") -> Done:
        return call("sh", self.path / "install.sh", *arguments, cwd=cwd, PATH=path)

    def install(self, root: Path, *arguments: str) -> str:
        return succeeded(self.run("--root", root, *arguments))

    def uninstall(self, root: Path, *arguments: str) -> str:
        return succeeded(self.run("--uninstall", "--root", root, *arguments))

    def release(self, version: str) -> None:
        """Make it another version of libhooks."""
        (self.path / "libhooks" / "__init__.py").write_text(f'"""libhooks."""\n\n__version__ = "{version}"\n')


def succeeded(done: Done) -> str:
    assert (done.code, done.err) == (0, "")
    return done.out


def failed(done: Done) -> str:
    assert done.code == 1, done
    return done.err


def copy_checkout(directory: Path) -> Source:
    for part in ("hooks", "share", "libhooks"):
        shutil.copytree(CHECKOUT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "install.sh", directory)
    return Source(directory)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A copy that a test may change, released as 1.0."""
    source = copy_checkout(tmp_path / "checkout")
    source.release("1.0")
    return source


def tree(directory: Path) -> dict[str, str]:
    """Everything below a directory: what it is, its mode and what it holds."""

    def describe(path: Path) -> str:
        mode = f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        if path.is_symlink():
            return f"link {os.readlink(path)}"
        return f"{mode} {'directory' if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()}"

    return {str(path.relative_to(directory)): describe(path) for path in directory.rglob("*")}


def modes(directory: Path) -> dict[str, str]:
    return {path: words.split()[0] for path, words in tree(directory).items()}


def current(root: Path) -> str:
    return os.readlink(root / LIB / "current")


def versions(root: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in (root / LIB).glob("*-*")}


def stand_in(directory: Path, name: str, script: str) -> str:
    """A search path where a command is a script of the test's; the path of the real one is in $REAL."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\nREAL='{shutil.which(name, path=PATH)}'\n{script}\n")
    (directory / name).chmod(0o755)
    return f"{directory}:{PATH}"
