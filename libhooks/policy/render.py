"""Diagnostics as text, the way compilers show them: place, message, the line, a caret, help."""

from __future__ import annotations

from typing import Sequence

from libhooks.policy.diagnostic import Diagnostic, Severity

#: Of a long line, this many characters are shown around the caret.
_WIDTH = 100


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """All diagnostics, a blank line between them; ends with a line end unless there are none."""
    return "\n".join(_one(diagnostic) for diagnostic in diagnostics)


def concise(diagnostics: Sequence[Diagnostic]) -> str:
    """One line each: ``10-fleet.toml:12:2: error: unknown key "storge" [unknown-key]``."""
    return "".join(_head(diagnostic) + "\n" for diagnostic in diagnostics)


def counted(diagnostics: Sequence[Diagnostic]) -> str:
    """How many there are: ``2 errors, 1 warning``."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severity.value, severities.count(severity)) for severity in Severity]
    told = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts if count]
    return ", ".join(told) or "no errors"


def _one(diagnostic: Diagnostic) -> str:
    help = f"help: {diagnostic.help}\n" if diagnostic.help else ""
    return f"{_head(diagnostic)}\n{_quote(diagnostic)}{help}"


def _head(diagnostic: Diagnostic) -> str:
    numbers = [str(number) for number in (diagnostic.line, diagnostic.column) if number]
    place = ":".join([diagnostic.file, *numbers])
    return f"{place}: {diagnostic.severity.value}: {diagnostic.message} [{diagnostic.code}]"


def _quote(diagnostic: Diagnostic) -> str:
    if not diagnostic.source_line.strip() or not diagnostic.column:
        return ""
    start = max(0, diagnostic.column - _WIDTH + 20)
    line = _printable(diagnostic.source_line[start : start + _WIDTH])
    blanks = "".join("\t" if one == "\t" else " " for one in line[: diagnostic.column - 1 - start])
    number = str(diagnostic.line)
    return f"{number} | {line.rstrip()}\n{' ' * len(number)} | {blanks}^\n"


def _printable(line: str) -> str:
    """The line as a terminal may see it: nothing but text and tabs."""
    return "".join(one if one.isprintable() or one == "\t" else "?" for one in line)
