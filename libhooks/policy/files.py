"""The files of a policy directory: which count, who may have written them, and their bytes."""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from libhooks.policy.diagnostic import Diagnostic, Severity

#: More than anybody writes, little enough to read at each migration.
LIMIT = 4 * 1024 * 1024


class Source(NamedTuple):
    """A file's bytes, and its name as people see it: without directories."""

    name: str
    data: bytes


def read(path: str) -> tuple[tuple[Source, ...], tuple[Diagnostic, ...]]:
    """The files of a policy directory in byte order of their names, or one file.

    A directory that is not there has none.
    """
    try:
        names = _names(path)
        owned = _owned(path, os.stat(path))
    except NotADirectoryError:
        return _all([path])
    except OSError as error:
        absent = error.errno == errno.ENOENT and not path.endswith(".toml")
        return (), (() if absent else (_unreadable(path, error),))
    sources, problems = _all([os.path.join(path, name) for name in names])
    return sources, (*owned, *problems)


def untrusted(path: str) -> bool:
    """Whether others than root, or whoever runs this, can write what is there. Raises OSError."""
    return bool(_owned(path, os.stat(path)))


def identity(path: str) -> tuple[int, tuple[object, ...]]:
    """What tells whether a policy was touched: when it last was (nanoseconds), and what its files are.

    Two that are equal have the same text, unless it was touched within a tick of the clock before this.
    """
    try:
        files = [path, *(os.path.join(path, name) for name in _names(path))]
    except OSError:  # one file, or nothing
        files = [path]
    seen = [_status(file) for file in files]
    return max(changed for changed, _ in seen), tuple(zip(files, (one for _, one in seen)))


def _status(file: str) -> tuple[int, object]:
    try:
        found = os.stat(file)
    except OSError as error:
        return 0, error.errno
    times = found.st_mtime_ns, found.st_ctime_ns
    return found.st_ctime_ns, (found.st_dev, found.st_ino, found.st_size, *times)


def _names(directory: str) -> list[str]:
    names = [name for name in os.listdir(directory) if name.endswith(".toml") and not name.startswith(".")]
    return sorted(names, key=os.fsencode)


def _all(paths: list[str]) -> tuple[tuple[Source, ...], tuple[Diagnostic, ...]]:
    sources: list[Source] = []
    problems: list[Diagnostic] = []
    for path in paths:
        try:
            data, found = _contents(path)
        except OSError as error:
            problems.append(_unreadable(path, error))
        else:
            problems += found
            sources += [] if found else [Source(_shown(os.path.basename(path)), data)]
    return tuple(sources), tuple(problems)


def _contents(path: str) -> tuple[bytes, tuple[Diagnostic, ...]]:
    """What is checked is the file that is open, wherever links led to, not a path."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b"", (_error("not-a-file", path, "not a regular file", "rename it if it is not policy"),)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(LIMIT + 1)
    finally:
        os.close(descriptor)
    if len(data) > LIMIT:
        return b"", (_error("too-large", path, f"larger than {LIMIT >> 20} MiB", "a policy is text"),)
    return data, _owned(path, status)


def _owned(path: str, status: os.stat_result) -> tuple[Diagnostic, ...]:
    """Who may write a policy may redirect every guest's disks."""
    found = []
    if status.st_uid not in (0, os.geteuid()):
        owner = f"owned by user {status.st_uid}, not by root"
        found.append(_error("owner", path, owner, f"chown root {path}"))
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        found.append(_error("writable", path, f"others may write it (mode {mode:04o})", f"chmod go-w {path}"))
    return tuple(found)


def _unreadable(path: str, error: OSError) -> Diagnostic:
    if os.path.islink(path) and not os.path.exists(path):
        return _error("unreadable", path, "a link to nothing", f"it points to {os.readlink(path)}")
    return _error("unreadable", path, f"cannot be read: {error.strerror}")


def _error(code: str, path: str, message: str, help: str = "") -> Diagnostic:
    """An error about a whole file. Directories have their path for a name, files go without theirs."""
    name = path if os.path.isdir(path) and not path.endswith(".toml") else os.path.basename(path)
    return Diagnostic(code, Severity.ERROR, _shown(name), 0, 0, message, _shown(help))


def _shown(name: str) -> str:
    """A file's name as text: names are bytes, and may hold anything."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
