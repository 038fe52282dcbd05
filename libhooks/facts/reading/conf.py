"""libvirt's configuration files: ``name = value``, where a value can be a list (libvirt, util/virconf.c)."""

from __future__ import annotations

from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

#: Settings end with a line, or with a semicolon.
_BLANK = " \t\r\n;"


def string_list(text: str, name: str) -> tuple[str, ...]:
    """The strings of a setting, none where it is not set. Raises Garbage with the line of an error.

    Other settings are read past, so that a list which spans lines, or a ``#`` in a string, can't hide one.
    """
    if name not in text:
        return ()
    scanner = _Scanner(text)
    for setting, value in iter(scanner.setting, None):
        if setting != name:
            continue
        if isinstance(value, tuple):
            return value
        raise Garbage(f"line {scanner.line}: {name} is not a list")
    return ()


def settings(paths: Paths, path: str) -> dict[str, str | tuple[str, ...]]:
    """All settings of a file, numbers as strings; none where it is missing.

    Raises Garbage with the file and the line of an error.
    """
    scanner = _Scanner(paths.text(path) or "")
    try:
        return dict(iter(scanner.setting, None))
    except Garbage as error:
        raise Garbage(f"{path}: {error}") from None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def setting(self) -> tuple[str, str | tuple[str, ...]] | None:
        """The next setting; None at the end. Numbers are strings here."""
        if not self._skip():
            return None
        name = self._word()
        self._skip()
        self._expect("=")
        self._skip()
        return name, self._list() if self._take("[") else self._value()

    def _list(self) -> tuple[str, ...]:
        found: list[str] = []
        while self._skip() and not self._take("]"):
            found.append(self._value())
            self._skip()
            if not self._take(","):
                self._expect("]")
                return tuple(found)
        if self._text[self._at - 1 : self._at] != "]":
            raise self._wrong("a list without its end")
        return tuple(found)

    def _value(self) -> str:
        for quote in ('"""', '"', "'"):
            if self._take(quote):
                return self._until(quote)
        return self._word()

    def _until(self, quote: str) -> str:
        end = self._text.find(quote, self._at)
        value = self._text[self._at : end]
        if end < 0 or (quote != '"""' and "\n" in value):
            raise self._wrong("a string without its end")
        self._at = end + len(quote)
        return value

    def _word(self) -> str:
        start, text = self._at, self._text
        while self._at < len(text) and (text[self._at].isalnum() or text[self._at] in "_+-"):
            self._at += 1
        if start == self._at:
            raise self._wrong("not a setting")
        return text[start : self._at]

    def _skip(self) -> bool:
        """Past blanks and comments; False at the end of the text."""
        text = self._text
        while self._at < len(text) and (text[self._at] in _BLANK or text[self._at] == "#"):
            end = text.find("\n", self._at) if text[self._at] == "#" else self._at
            self._at = len(text) if end < 0 else end + 1
        return self._at < len(text)

    def _take(self, token: str) -> bool:
        found = self._text.startswith(token, self._at)
        self._at += len(token) * found
        return found

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._wrong(f"'{token}' expected")

    def _wrong(self, what: str) -> Garbage:
        return Garbage(f"line {self.line}: {what}")
