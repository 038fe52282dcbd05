"""A policy file as TOML: its text, its tables, and where each key stands."""

from __future__ import annotations

from typing import Mapping, NamedTuple

from libhooks.decision import Rule
from libhooks.policy.diagnostic import Diagnostic, Severity
from libhooks.policy.locate import KeyPath, Located, Position


class Text(NamedTuple):
    """A file's text, lines ending in ``\\n``, and its name as people see it."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """A line's text, counted from 1."""
        return self.text.split("\n")[number - 1]

    def error(self, code: str, at: Position, message: str, help: str = "") -> Diagnostic:
        """A mistake at a position."""
        line = self.line(at.line)
        return Diagnostic(code, Severity.ERROR, self.name, at.line, at.column, message, help, line)


class Document(NamedTuple):
    """One file's text and contents."""

    text: Text
    table: Mapping[str, object]
    located: Located

    def rule(self, path: KeyPath) -> Rule:
        """The line that sets a key."""
        return Rule(self.text.name, self.located.key(path).line)

    def at_key(self, code: str, path: KeyPath, message: str, help: str = "") -> Diagnostic:
        """A mistake in a key."""
        return self.text.error(code, self.located.key(path), message, help)

    def at_value(self, code: str, path: KeyPath, message: str, help: str = "") -> Diagnostic:
        """A mistake in a key's value."""
        return self.text.error(code, self.located.value(path), message, help)
