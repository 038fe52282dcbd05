"""Following links, one component at a time, within a root that is only asked about bare paths."""

from __future__ import annotations

import errno
import os
from typing import Iterator, NamedTuple

from libhooks.facts.reading.root import SMALL, Garbage, NoAnswer, Node, Root, missing, words
from libhooks.numbers import decimal

#: As many links as Linux follows in one path (path_resolution(7)).
_LINKS = 40


class Place(NamedTuple):
    """Where a path leads. ``node`` is None where nothing is; ``real`` then is the nearest parent that is."""

    real: str
    node: Node | None


class Paths:
    """A root that follows links. Directories seen once are not looked at again: it lives for a decision."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._directories: dict[str, Node] = {}

    def resolve(self, path: str) -> Place:
        """Where ``path`` leads. Raises OSError for whatever is neither there nor plainly missing."""
        if not path.startswith("/") or "\0" in path:
            raise Garbage("not an absolute path")
        todo, links = path.split("/")[::-1], 0
        real, node = "/", self._look("/")
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            below = _step(real, part)
            found = self._find(below)
            if found is None:
                return Place(real, None)
            if found.kind != "link":
                real, node = below, found
                continue
            links += 1
            target = self._target(below, links)
            if target.startswith("/"):
                real, node = "/", self._look("/")
            todo.extend(target.split("/")[::-1])
        return Place(real, node)

    def _find(self, path: str) -> Node | None:
        try:
            return self._look(path)
        except OSError as error:
            if missing(error):
                return None
            raise

    def _target(self, link: str, links: int) -> str:
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return self._root.readlink(link)

    def _look(self, path: str) -> Node:
        known = self._directories.get(path)
        if known is not None:
            return known
        node = self._root.lstat(path)
        if node.kind == "dir":
            self._directories[path] = node
        return node

    def above(self, real: str) -> Iterator[tuple[str, Node]]:
        """The directories above a path that has been resolved, from the top, each with its node."""
        parts = real.split("/")
        for end in range(1, len(parts)):
            directory = "/".join(parts[:end]) or "/"
            yield directory, self._look(directory)

    def attribute(self, real: str, name: str) -> bytes:
        """An extended attribute of a path that has been resolved; b"" where there is none."""
        return self._root.attribute(real, name)

    def allows(self, path: str, uid: int, gids: tuple[int, ...]) -> str:
        """What a user may do with a file, asked as that user, whose way to it nobody else need see."""
        return self._root.allows(path, uid, gids)

    def node(self, path: str) -> Node | None:
        """What ``path`` leads to; None where nothing is."""
        return self.resolve(path).node

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a directory; none where it is missing. Raises Garbage where it is none."""
        place = self.resolve(path)
        if place.node is None:
            return ()
        if place.node.kind != "dir":
            raise Garbage(f"{path} is no directory")
        return self._root.listdir(place.real)

    def read(self, path: str, limit: int = SMALL) -> bytes | None:
        """The first ``limit`` bytes of what ``path`` leads to; None where it is missing."""
        place = self.resolve(path)
        if place.node is None:
            return None
        try:
            return self._root.read(place.real, limit)
        except OSError as error:
            if missing(error):
                return None
            raise

    def text(self, path: str, limit: int = SMALL) -> str | None:
        """A file of the host as text, whatever bytes are in it; None where it is missing.

        Raises Garbage, which names the file, where it can't be read, has a NUL in it, or is longer than
        ``limit``: half a file is not read.
        """
        data = self._text(path, limit + 1)
        if data is not None and len(data) > limit:
            raise Garbage(f"{path} is larger than {limit} bytes")
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def beginning(self, path: str, limit: int) -> str | None:
        """As ``text``, but of a file of any size its first ``limit`` bytes."""
        data = self._text(path, limit)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def _text(self, path: str, limit: int) -> bytes | None:
        try:
            data = self.read(path, limit)
        except NoAnswer:
            raise
        except OSError as error:
            raise Garbage(f"{path}: {words(error)}") from None
        if data is not None and b"\0" in data:
            raise Garbage(f"{path} is no text")
        return data

    def line(self, path: str) -> str:
        """The one line of an attribute of sysfs; "" where it is missing."""
        return (self.text(path) or "").strip("\n")

    def number(self, path: str) -> int:
        """The number in an attribute of sysfs. Raises Garbage where it is none, or missing."""
        text = self.text(path)
        found = decimal((text or "").strip())
        if found is None:
            raise Garbage(f"there is no {path}" if text is None else f"{path} is no number")
        return found


def _step(real: str, part: str) -> str:
    """One component on from a path without links; there is nothing above the root."""
    if part == "..":
        return real.rpartition("/")[0] or "/"
    return f"{real.rstrip('/')}/{part}"
