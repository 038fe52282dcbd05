"""Where each key of a TOML text stands.

tomllib forgets positions. This scanner finds them again in a text that tomllib has read. It is exact
for valid TOML 1.0; on anything else it stops where it no longer understands the text.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple, Union

#: The keys and indices that lead to a value, as one would index what tomllib returns.
KeyPath = tuple[Union[str, int], ...]

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class Position(NamedTuple):
    """A line and a column, both from 1, the column in characters."""

    line: int
    column: int


class Again(NamedTuple):
    """A key that is defined although it had been: its path and the offsets of both."""

    path: KeyPath
    first: int
    second: int


class Located(NamedTuple):
    """The offsets of all keys and values of a text, and the starts of its lines.

    A table stands where it is first mentioned, be it as a part of a dotted key or header.
    ``again`` is what makes the text invalid, in its order. ``whole`` is False where the scan stopped.
    """

    keys: dict[KeyPath, int]
    values: dict[KeyPath, int]
    again: tuple[Again, ...]
    lines: tuple[int, ...]
    whole: bool = True

    def position(self, offset: int) -> Position:
        """The line and column of an offset."""
        line = bisect_right(self.lines, offset)
        return Position(line, offset - self.lines[line - 1] + 1)

    def key(self, path: KeyPath) -> Position:
        """Where a key stands, or else the nearest one around it, or else the text's start."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.position(self.keys.get(path, 0))

    def value(self, path: KeyPath) -> Position:
        """Where a key's value begins; where the key stands if it is a table."""
        return self.position(self.values[path]) if path in self.values else self.key(path)


def locate(text: str) -> Located:
    """The positions of all keys, values and array items of a TOML text with ``\\n`` line ends."""
    scan = _Scan(text)
    try:
        scan.document()
    except (_Stop, RecursionError):
        return Located(scan.keys, scan.values, tuple(scan.again), line_starts(text), whole=False)
    return Located(scan.keys, scan.values, tuple(scan.again), line_starts(text))


def line_starts(text: str) -> tuple[int, ...]:
    """The offset at which each line begins."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return tuple(starts[:-1])


class _Stop(Exception):
    pass


class _Scan:
    """One pass over a text; ``at`` is the offset that has been reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.again: list[Again] = []
        self._headers: set[KeyPath] = set()
        self._arrays: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        path: KeyPath = ()
        parts = self._dotted()
        for key, offset in parts[:-1]:
            path = self._current(self._note((*path, key), offset))
        path = self._note((*path, parts[-1][0]), parts[-1][1])
        self._expect("]]" if array else "]")
        return self._item(path, parts[-1][1]) if array else self._table(path, parts[-1][1])

    def _table(self, path: KeyPath, offset: int) -> KeyPath:
        if path in self._headers or path in self._arrays:
            self.again.append(Again(path, self.keys[path], offset))
        self._headers.add(path)
        return path

    def _item(self, path: KeyPath, offset: int) -> KeyPath:
        """The path of a new table in an array of tables."""
        index = self._arrays.get(path, 0)
        self._arrays[path] = index + 1
        return self._note((*path, index), offset)

    def _current(self, path: KeyPath) -> KeyPath:
        """The table that a header's inner part leads to: in an array of tables, the last one."""
        return (*path, self._arrays[path] - 1) if path in self._arrays else path

    def _pair(self, table: KeyPath) -> None:
        parts = self._dotted()
        path = table
        for key, offset in parts:
            path = self._note((*path, key), offset)
        if self.keys[path] != parts[-1][1]:
            self.again.append(Again(path, self.keys[path], parts[-1][1]))
        self._expect("=")
        self._skip()
        self._value(path)

    def _note(self, path: KeyPath, offset: int) -> KeyPath:
        first = self.keys.setdefault(path, offset)
        if path in self.values and first != offset:
            self.again.append(Again(path, first, offset))
        return path

    def _dotted(self) -> list[tuple[str, int]]:
        parts = []
        while True:
            self._skip()
            offset = self.at
            parts.append((_unquoted(self._key()), offset))
            self._skip()
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        self.values[path] = self.at
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline(path)
        elif opening in ('"', "'"):
            self._text(opening)
        else:
            self._bare()

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while not self._closes("]"):
            item = (*path, index)
            self.keys[item] = self.at
            self._value(item)
            self._comma("]")
            index += 1

    def _inline(self, path: KeyPath) -> None:
        self.at += 1
        while not self._closes("}"):
            self._pair(path)
            self._comma("}")

    def _closes(self, bracket: str) -> bool:
        self._skip()
        closed = self.text.startswith(bracket, self.at)
        self.at += closed
        return closed

    def _comma(self, bracket: str) -> None:
        self._skip()
        if not self.text.startswith(bracket, self.at):
            self._expect(",")

    def _expect(self, token: str) -> None:
        self._skip()
        if not self.text.startswith(token, self.at):
            raise _Stop
        self.at += len(token)

    def _key(self) -> str:
        start = self.at
        if self.text[start : start + 1] in ('"', "'"):
            self._line(self.text[start])
        while self.at < len(self.text) and self.text[self.at] in _BARE and self.text[start] in _BARE:
            self.at += 1
        if self.at == start:
            raise _Stop
        return self.text[start : self.at]

    def _bare(self) -> None:
        """A number, date or truth: up to whatever ends a value."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
            self.at += 1
        if self.at == start:
            raise _Stop

    def _text(self, quote: str) -> None:
        if not self.text.startswith(quote * 3, self.at):
            self._line(quote)
            return
        self._quoted(quote * 3)
        for _ in range(2):  # one or two quotes may stand before the closing three
            self.at += self.text.startswith(quote, self.at)

    def _line(self, quote: str) -> None:
        start = self.at
        self._quoted(quote)
        if "\n" in self.text[start : self.at]:
            raise _Stop

    def _quoted(self, quotes: str) -> None:
        """Over a text to behind its closing quotes: those without a backslash of their own before them."""
        start = end = self.at + len(quotes)
        while True:
            end = self.text.find(quotes, end)
            if end < 0:
                raise _Stop
            before = self.text[start:end]
            if quotes[0] == "'" or (len(before) - len(before.rstrip("\\"))) % 2 == 0:
                break
            end += 1
        self.at = end + len(quotes)

    def _skip(self) -> None:
        """Over blanks, line ends and comments: in valid TOML they stand only where they may."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
            elif self.text[self.at] in " \t\n":
                self.at += 1
            else:
                return


def _unquoted(key: str) -> str:
    if key[0] not in ('"', "'"):
        return key
    return _unescaped(key[1:-1]) if key[0] == '"' and "\\" in key else key[1:-1]


def _unescaped(text: str) -> str:
    """A basic string's text. Escapes in keys are rare, so nothing is compiled for them."""
    plain, backslash, rest = text.partition("\\")
    if not backslash:
        return plain
    size = {"u": 5, "U": 9}.get(rest[:1], 1)
    try:
        one = chr(int(rest[1:size], 16)) if size > 1 else _ESCAPES.get(rest[:1], rest[:1])
    except (ValueError, OverflowError):
        raise _Stop from None
    return plain + one + _unescaped(rest[size:])
