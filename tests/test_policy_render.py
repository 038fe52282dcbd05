"""Diagnostics as people read them."""

from __future__ import annotations

import pytest

from libhooks.policy.diagnostic import Diagnostic, PolicyError, Severity, closest, dotted, shown
from libhooks.policy.render import concise, counted, render

ERROR = Diagnostic(
    "unknown-key", Severity.ERROR, "a.toml", 12, 4, 'unknown key "x"', 'did you mean "y"?', "\tat.x = 1"
)
BARE = Diagnostic("owner", Severity.ERROR, "/etc/libhooks/policy.d", 0, 0, "owned by user 7")
WARNING = Diagnostic("one-host", Severity.WARNING, "a.toml", 3, 0, "names one host", "name more")


def test_a_diagnostic_shows_place_line_caret_and_help() -> None:
    """The caret stands below the column, tabs and all; what is not known is left out."""
    assert render([ERROR, BARE, WARNING]) == (
        'a.toml:12:4: error: unknown key "x" [unknown-key]\n'
        "12 | \tat.x = 1\n"
        "   | \t  ^\n"
        'help: did you mean "y"?\n'
        "\n"
        "/etc/libhooks/policy.d: error: owned by user 7 [owner]\n"
        "\n"
        "a.toml:3: warning: names one host [one-host]\n"
        "help: name more\n"
    )


def test_concise_is_one_line_each() -> None:
    """For editors and logs."""
    assert concise([ERROR, WARNING]) == (
        'a.toml:12:4: error: unknown key "x" [unknown-key]\na.toml:3: warning: names one host [one-host]\n'
    )


@pytest.mark.parametrize(
    ("diagnostics", "words"),
    [
        ([], "no errors"),
        ([ERROR], "1 error"),
        ([ERROR, BARE, WARNING], "2 errors, 1 warning"),
        ([WARNING], "1 warning"),
    ],
)
def test_diagnostics_are_counted(diagnostics: list[Diagnostic], words: str) -> None:
    """The last line of a check."""
    assert counted(diagnostics) == words


def test_nothing_is_nothing() -> None:
    """No diagnostics, no text."""
    assert render([]) == ""
    assert concise([]) == ""


def test_an_error_is_one_line() -> None:
    """The first mistake stands for all."""
    assert str(PolicyError([ERROR])) == 'a.toml:12: unknown key "x" (did you mean "y"?)'
    assert str(PolicyError([BARE, ERROR, WARNING])) == "/etc/libhooks/policy.d: owned by user 7 (and 2 more)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (7, "7"),
        ('say "x"\\\n\x1b', '"say \\"x\\"\\\\\\u000A\\u001B"'),
        ("x" * 61, '"' + "x" * 57 + '..."'),
        ([1], "a list"),
        ({}, "a table"),
    ],
)
def test_values_are_shown_on_one_line(value: object, text: str) -> None:
    """Whatever a file holds, a message stays short and harmless to a terminal."""
    assert shown(value) == text


def test_key_paths_are_written_as_toml_does() -> None:
    """Quotes where TOML needs them."""
    assert dotted(("storage", "größe", "at", "rack2-*", "", 0)) == 'storage."größe".at."rack2-*"."".0'


def test_help_knows_what_is_near() -> None:
    """A misspelt word has a neighbour, an unknown one has none."""
    assert closest("Storge", ["storage", "network"]) == 'did you mean "storage"?'
    assert closest("xyzzy", ["storage", "network"]) == ""
