"""TOML syntax: a file's bytes become a document, or the one mistake that prevents it."""

from __future__ import annotations

import sys

from libhooks.policy.diagnostic import Diagnostic, dotted, quoted
from libhooks.policy.document import Document, mistake
from libhooks.policy.locate import Again, Located, Position, line_starts, locate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: What tomllib says, what we say, and what would help.
_MEANINGS = (
    ("\\n'", "a text without its closing quote", "close it on its line; longer texts stand in three quotes"),
    ("Invalid value", "this is no value", "text needs quotes"),
    ("Expected newline or end of document after a statement", "one thing too many on this line", ""),
    ("Expected '=' after a key", "expected = after the key", ""),
    ("Invalid statement", "expected KEY = VALUE or [TABLE]", ""),
    ("Unescaped '\\' in a string", "a lone backslash in a text", "double it, or use single quotes"),
    ("Unterminated string", "a text without its closing quotes", ""),
    ("Unclosed array", "a list without its closing ]", ""),
    ("Unclosed inline table", "an inline table that does not end on its line", "keep {...} on one line"),
)


def document(name: str, data: bytes) -> Document | Diagnostic:
    """Read a file's contents; ``name`` is what people call it."""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return _undecodable(name, data, error.start)
    for foreign, words, help in _FOREIGN:
        if foreign in text:
            at = Located({}, {}, (), line_starts(text)).position(text.index(foreign))
            return mistake("encoding", name, text, at, words, help)
    return _parsed(name, text)


_FOREIGN = (
    ("\ufeff", "a byte order mark", "save the file as UTF-8 without a byte order mark"),
    ("\0", "a NUL byte", "the file is damaged, or not UTF-8"),
)


def _undecodable(name: str, data: bytes, start: int) -> Diagnostic:
    before = data[:start].decode("utf-8").replace("\r\n", "\n")
    at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    return mistake("encoding", name, text, at, f"not UTF-8: byte 0x{data[start]:02X}", "save the file as UTF-8")


def _parsed(name: str, text: str) -> Document | Diagnostic:
    try:
        table = tomllib.loads(text)
    except RecursionError:
        return mistake("syntax", name, text, Position(1, 1), "nested too deeply")
    except ValueError as error:
        return _syntax_error(name, text, str(error))
    return Document(name, text, table, locate(text))


def _syntax_error(name: str, text: str, said: str) -> Diagnostic:
    message, at = _position(text, said)
    located = locate(text)
    for again in located.again:
        if located.position(again.second).line <= at.line:
            return _duplicate(name, text, located, again)
    line = text.split("\n")[at.line - 1]
    for sign, words, help in _MEANINGS:
        if sign in message:
            return mistake("syntax", name, text, at, words, _help(line, at.column, sign) or help)
    return mistake("syntax", name, text, at, message[:1].lower() + message[1:])


def _position(text: str, said: str) -> tuple[str, Position]:
    """Split tomllib's ``MESSAGE (at line 3, column 4)``."""
    message, _, place = said.rpartition(" (at ")
    numbers = [int(word) for word in place.replace(",", " ").replace(")", " ").split() if word.isdigit()]
    if len(numbers) == 2:
        return message, Position(*numbers)
    lines = text.rstrip().split("\n")
    return message or said, Position(len(lines), len(lines[-1]) + 1)


def _duplicate(name: str, text: str, located: Located, again: Again) -> Diagnostic:
    first = located.position(again.first)
    message = f"{dotted(again.path)} is set twice, first on line {first.line}"
    help = "delete one of them; a later file may override it"
    if again.path in located.values and again.path[-2:-1] == ("at",):
        help = "a host name with dots needs quotes, and a host has one line"
    return mistake("duplicate", name, text, located.position(again.second), message, help)


def _help(line: str, column: int, sign: str) -> str:
    """What a person may have meant by the text at a column."""
    key, _, value = line.partition("=")
    if sign in ("Invalid value", "Expected newline or end of document after a statement"):
        word = value.partition("#")[0].strip()
        if word.lower() in ("true", "false"):
            return f"write {word.lower()}"
        return f"text needs quotes: {quoted(word)}" if word and '"' not in word and "'" not in word else ""
    if sign == "Expected '=' after a key":
        if line[column - 1 : column] == ":":
            return "TOML writes KEY = VALUE"
        return _quoted_key(key.strip()) if "=" in line else ""
    return ""


def _quoted_key(key: str) -> str:
    table, at, host = key.partition("at.")
    wanted = f"at.{quoted(host)}" if at and not table else quoted(key)
    return f"a key with other characters than letters, digits, - and _ needs quotes: {wanted}"
