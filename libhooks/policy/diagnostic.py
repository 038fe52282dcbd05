"""What is wrong with a policy, where, and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import Iterable, NamedTuple


class Severity(Enum):
    """An ``ERROR`` makes the policy invalid; a ``WARNING`` is for people only, a ``NOTE`` no reproach."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnostic(NamedTuple):
    """One mistake. ``code`` is stable; ``message`` stands alone; ``help`` says what to do, or is "".

    ``line`` and ``column`` count from 1 and in characters; 0 where the whole file is meant.
    ``source_line`` is the text of that line, "" where it is not known.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    help: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.help})" if self.help else "")


class PolicyError(Exception):
    """A policy that can't be used. All its mistakes are in ``diagnostics``; the text is one line."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        more = len(self.diagnostics) - 1
        super().__init__(str(self.diagnostics[0]) + (f" (and {more} more)" if more else ""))


class Wrong(ValueError):
    """A value that a key can't take; ``within`` leads to the part of it that is wrong."""

    def __init__(self, message: str, help: str = "", within: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.within = within


def errors(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics that make a policy invalid."""
    return tuple(one for one in diagnostics if one.severity is Severity.ERROR)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that a misspelt one is nearest to, "" if none is close."""
    from difflib import get_close_matches  # paid only where something is wrong

    return next(iter(get_close_matches(word.lower(), list(known), n=1)), "")


def closest(word: str, known: Iterable[str]) -> str:
    """The help for a misspelt word: ``did you mean "storage"?``, or "" if nothing is close."""
    found = nearest(word, known)
    return f'did you mean "{found}"?' if found else ""


def shown(value: object) -> str:
    """A value of a policy file as messages show it: short, on one line, quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a table"
    return str(value)[:60]


def quoted(text: str) -> str:
    """Text as a TOML string, whatever it holds."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else _escaped(ord(one)) for one in plain) + '"'


def _escaped(code: int) -> str:
    if 0xD800 <= code < 0xE000:  # half a surrogate pair, of a name that is no UTF-8: no TOML has that
        return "\ufffd"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def dotted(path: Iterable[str | int]) -> str:
    """A key path as TOML writes it: ``storage.images.at."rack2-*"``."""
    return ".".join(part if is_bare(part) else quoted(part) for part in map(str, path))


def is_bare(key: str) -> bool:
    """Whether TOML takes the key without quotes."""
    return key.isascii() and bool(key) and all(one.isalnum() or one in "-_" for one in key)
