"""A captured tree: a directory that stands for a host, for tests and ``--root DIR``.

What a directory can't hold stands in its ``stat.toml``; tests/trees/README.md has the form.
"""

from __future__ import annotations

import errno
import os
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, entries
from libhooks.facts.reading.root import Garbage, LiveRoot, NoAnswer, Node, OutOfTime

_KEYS = frozenset(
    (
        *("kind", "size", "device", "uid", "gid", "mode", "inode", "link", "text"),
        *("acl", "as_root", "as_qemu", "hangs", "denied", "error", "changed", "prints"),
    )
)
#: Seconds that what hangs takes of a decision, before it is given up.
_WAIT = 2.0
_NO_ANSWER = f"no answer in {_WAIT:g} s"
#: A checkout's owners and modes are whoever's it is: only stat.toml's count.
_MODES = {"dir": 0o755}
_MODE = 0o644


class _Entry(NamedTuple):
    """What stat.toml says of a path."""

    settings: dict[str, Any]
    text: bytes | None
    link: str | None
    error: OSError | None


class TreeRoot:
    """A Root below a directory. Raises Garbage where its stat.toml is none.

    No time passes in it but what hangs would take of the ``deadline`` of a decision: once for all that is
    expected, which is waited for side by side, and once for whatever else hangs.
    """

    def __init__(self, directory: str, deadline: float = 10.0) -> None:
        self._directory = directory.rstrip("/")
        self._deadline = deadline
        self._hung: dict[str, bool] = {}
        self._expected: tuple[str, ...] = ()
        self._live = LiveRoot()
        self._entries = _entries(f"{self._directory}/stat.toml")
        self._children: dict[str, set[str]] = {}
        self._children = _children(tuple(self._entries), self._mount_points())

    def expect(self, paths: tuple[str, ...]) -> None:
        """What hangs of these hangs side by side."""
        self._expected += paths

    def lstat(self, path: str) -> Node:
        """What the tree has, with what stat.toml says of it on top."""
        entry = self._entry(path)
        found = self._captured(path)
        if found is None and entry is None and path not in self._children:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        found = found or Node("dir" if path in self._children else "file")
        found = found._replace(uid=0, gid=0, mode=_MODES.get(found.kind, _MODE), inode=0, changed=0)
        return found if entry is None else _node(entry, found)

    def readlink(self, path: str) -> str:
        """The target of a link, stat.toml's or the tree's own."""
        entry = self._entry(path)
        if entry is not None and entry.link is not None:
            return entry.link
        return self._live.readlink(self._below(path))

    def listdir(self, path: str) -> tuple[str, ...]:
        """What stands in a directory of the tree, and what stat.toml adds to it."""
        self._entry(path)
        names = set(self._children.get(path, ()))
        found = self._captured(path)
        if found is not None and found.kind == "dir":
            names.update(self._live.listdir(self._below(path)))
        return tuple(sorted(names - {"stat.toml"} if path == "/" else names))

    def read(self, path: str, limit: int) -> bytes:
        """A file's contents, stat.toml's or the tree's own."""
        entry = self._entry(path)
        if entry is not None and entry.text is not None:
            return entry.text[:limit]
        kind = self.lstat(path).kind
        if kind not in ("file", "block"):
            raise OSError(errno.EINVAL, f"a {kind}, not a file")
        return self._live.read(self._below(path), limit)

    def attribute(self, path: str, name: str) -> bytes:
        """The ACL that stat.toml gives a path, in hexadecimal digits; nothing else has attributes."""
        entry = self._entry(path)
        return bytes.fromhex(entry.settings.get("acl", "")) if entry is not None else b""

    def allows(self, path: str, uid: int, gids: tuple[int, ...]) -> str:
        """What stat.toml says of this path or of the nearest one above: all, where it says nothing."""
        key = "as_qemu" if uid else "as_root"
        parts = path.split("/")
        for end in range(len(parts), 0, -1):
            entry = self._entries.get("/".join(parts[:end]) or "/")
            if entry is not None and key in entry.settings:
                return str(entry.settings[key])
            if entry is not None and entry.error is not None:
                raise entry.error
        return "rw"

    def run(self, path: str, *arguments: str) -> bytes:
        """What stat.toml says that a program prints, whatever it is asked. Nothing is ever run."""
        entry = self._entry(path)
        if entry is None or "prints" not in entry.settings:
            raise Garbage("nothing runs in a captured tree")
        return str(entry.settings["prints"]).encode()

    def _mount_points(self) -> tuple[str, ...]:
        """What is mounted has a directory to be mounted on, in a tree too."""
        try:
            table = self.read(TABLE, TABLE_LIMIT)
        except OSError:
            return ()
        return tuple(entry.point for entry in entries(table.decode("utf-8", "surrogateescape")))

    def _captured(self, path: str) -> Node | None:
        try:
            return self._live.lstat(self._below(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _below(self, path: str) -> str:
        """The path in the tree. Roots are only asked about bare paths; the tree holds them to it."""
        if not path.startswith("/") or ".." in path.split("/"):
            raise Garbage(f"not a bare path: {path}")
        return self._directory + path

    def _entry(self, path: str) -> _Entry | None:
        """What stat.toml says of a path, after the errors that it has for it or for a parent."""
        parts = path.rstrip("/").split("/")
        for end in range(1, len(parts) + 1):
            place = "/".join(parts[:end]) or "/"
            above = self._entries.get(place)
            if above is not None and above.error is not None:
                raise above.error if self._waited(place, above.error) else OutOfTime(place)
        return self._entries.get(path)

    def _waited(self, place: str, error: OSError) -> bool:
        """Whether there was time to wait for what hangs; other errors take none."""
        if not isinstance(error, NoAnswer):
            return True
        left = self._deadline - _WAIT * sum(self._hung.values())
        return self._hung.setdefault("" if self._is_expected(place) else place, left > 0)

    def _is_expected(self, place: str) -> bool:
        return any(f"{path}/".startswith(f"{place}/") for path in self._expected)


def _node(entry: _Entry, found: Node) -> Node:
    if entry.link is not None:
        return Node("link", len(entry.link))
    settings = entry.settings
    size = settings.get("size", found.size if entry.text is None else len(entry.text))
    device = _device(settings["device"]) if "device" in settings else found.device
    found = found._replace(mode=_MODES.get(settings.get("kind", found.kind), _MODE))
    ids = [settings.get(key, getattr(found, key)) for key in ("uid", "gid", "mode", "inode", "changed")]
    return Node(settings.get("kind", found.kind), size, device, *ids)


def _entries(file: str) -> dict[str, _Entry]:
    if not os.path.exists(file):
        return {}
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    try:
        tables = _toml().loads(text)
    except ValueError as error:
        raise Garbage(f"{file}: {error}") from None
    return {path.rstrip("/") or "/": _entry(file, path, table) for path, table in tables.items()}


def _toml() -> ModuleType:
    try:
        return import_module("tomllib")
    except ImportError:  # Python 3.9 and 3.10
        return import_module("tomli")


def _entry(file: str, path: str, table: object) -> _Entry:
    if not path.startswith("/") or not isinstance(table, dict) or not table.keys() <= _KEYS:
        raise Garbage(f"{file}: [{path}] is not an absolute path with any of {', '.join(sorted(_KEYS))}")
    text = table.get("text")
    _device(table.get("device", "0:0"))
    return _Entry(table, None if text is None else text.encode(), table.get("link"), _error(table))


def _device(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(":")
    if not (major.isdigit() and minor.isdigit()):
        raise Garbage(f"{text} is no device")
    return int(major), int(minor)


def _error(table: dict[str, Any]) -> OSError | None:
    if table.get("hangs"):
        return NoAnswer(_NO_ANSWER)
    name = "EACCES" if table.get("denied") else table.get("error")
    if not name:
        return None
    code = getattr(errno, name, None)
    if code is None:
        raise Garbage(f"{name} is no error")
    return OSError(code, os.strerror(code))


def _children(added: tuple[str, ...], directories: tuple[str, ...]) -> dict[str, set[str]]:
    """What paths add to each directory; the directories above a path exist with it."""
    found: dict[str, set[str]] = {directory: set() for directory in directories}
    for path in (*added, *directories):
        below = path
        while below != "/":
            above, _, name = below.rpartition("/")
            below = above or "/"
            found.setdefault(below, set()).add(name)
    return found
