"""A policy file as TOML: its tables, and where each key stands."""

from __future__ import annotations

from typing import Mapping, NamedTuple

from libhooks.decision import Rule
from libhooks.policy.diagnostic import Diagnostic, Severity
from libhooks.policy.locate import KeyPath, Located, Position


class Document(NamedTuple):
    """One file's name, text and contents."""

    name: str
    text: str
    table: Mapping[str, object]
    located: Located

    def rule(self, path: KeyPath) -> Rule:
        """The line that sets a key."""
        return Rule(self.name, self.located.key(path).line)

    def at_key(self, code: str, path: KeyPath, message: str, help: str = "") -> Diagnostic:
        """An error that points at a key."""
        return mistake(code, self.name, self.text, self.located.key(path), message, help)

    def at_value(self, code: str, path: KeyPath, message: str, help: str = "") -> Diagnostic:
        """An error that points at a key's value."""
        return mistake(code, self.name, self.text, self.located.value(path), message, help)


def mistake(code: str, file: str, text: str, at: Position, message: str, help: str = "") -> Diagnostic:
    """An error at a position of a text."""
    line = text.split("\n")[at.line - 1]
    return Diagnostic(code, Severity.ERROR, file, at.line, at.column, message, help, line)
