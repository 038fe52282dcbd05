"""The mount table: which file system a path lies on (/proc/self/mountinfo, see proc(5))."""

from __future__ import annotations

from typing import NamedTuple

from libhooks.facts.reading.root import Garbage

TABLE = "/proc/self/mountinfo"
#: A host with many containers has thousands of mounts; each is a line of some 200 bytes.
TABLE_LIMIT = 1 << 24


class Entry(NamedTuple):
    """A line of the table. ``device`` is (major, minor) of the file system; major 0 has no device.

    ``options`` are those of the mount and, behind them, those of the file system.
    """

    id: int
    parent: int
    device: tuple[int, int]
    root: str
    point: str
    fstype: str
    source: str
    options: tuple[str, ...] = ()


class Mounts:
    """The mounts of one moment, as a tree.

    A path is looked up as the kernel does: from the root mount, at each component, into what is mounted
    there on the mount reached so far. Mounts that another one covers are therefore never found, and of
    two on one point the later wins.
    """

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._on = {(entry.parent, entry.point): entry for entry in entries}
        ids = {entry.id for entry in entries}
        tops = [entry for entry in entries if entry.point == "/" and entry.parent not in ids - {entry.id}]
        if not tops:
            raise Garbage(f"{TABLE} names no root mount")
        self._top = self._covering(tops[0], "/")

    def of(self, path: str) -> Entry:
        """The mount that ``path`` lies on: absolute, normalised, its links already followed."""
        at, end = self._top, path.find("/", 1)
        while end > 0:
            at = self._covering(at, path[:end])
            end = path.find("/", end + 1)
        return self._covering(at, path) if path != "/" else at

    def _covering(self, at: Entry, point: str) -> Entry:
        """What is mounted at ``point`` on ``at``, on top of that, and so on."""
        seen = {at.id}
        while True:
            above = self._on.get((at.id, point))
            if above is None or above.id in seen:
                return at
            seen.add(above.id)
            at = above


def parse(text: str) -> Mounts:
    """The table from its text. Raises Garbage where no line of it names the root."""
    return Mounts(entries(text))


def entries(text: str) -> tuple[Entry, ...]:
    """The lines of the table that make sense."""
    return tuple(entry for entry in map(_entry, text.split("\n")) if entry is not None)


def _entry(line: str) -> Entry | None:
    """``36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw``; None for what is no mount."""
    fields = line.split(" ")
    try:
        dash = fields.index("-", 6)
        major, minor = fields[2].split(":")
        ids = int(fields[0]), int(fields[1]), (int(major), int(minor))
        fstype, source = fields[dash + 1], fields[dash + 2]
    except (ValueError, IndexError):
        return None
    options = (*fields[5].split(","), *",".join(fields[dash + 3 :]).split(","))
    root, point, fstype, source = map(unescape, (fields[3], fields[4], fstype, source))
    return Entry(*ids, root, point, fstype, source, options)


def unescape(text: str) -> str:
    r"""The kernel writes blanks, newlines and backslashes as octal: ``\040``."""
    if "\\" not in text:
        return text
    first, *rest = text.split("\\")
    return first + "".join(_character(part) for part in rest)


def _character(part: str) -> str:
    code = part[:3]
    if len(code) == 3 and not code.strip("01234567"):
        return chr(int(code, 8)) + part[3:]
    return "\\" + part
