"""TOML syntax: a file's bytes become a document, or the one mistake that prevents it."""

from __future__ import annotations

import sys

from libhooks.policy.diagnostic import Diagnostic, dotted, quoted
from libhooks.policy.document import Document, Text
from libhooks.policy.locate import Again, Located, Position, locate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: What tomllib says, what we say, and what would help.
_MEANINGS = (
    ("\\n'", "a text without its closing quote", "close it on its line; longer texts stand in three quotes"),
    ("Invalid value", "expected a value", ""),
    ("Expected newline or end of document after a statement", "more on this line than one value", ""),
    ("Expected '=' after a key", "expected = after the key", ""),
    ("Invalid statement", "expected KEY = VALUE or [TABLE]", ""),
    ("Unescaped '\\' in a string", "a lone backslash in a text", "double it, or use single quotes"),
    ("Unterminated string", "a text without its closing quotes", ""),
    ('Expected "\'"', "a text without its closing quote", ""),
    ("Unclosed array", "a list without its closing ]", ""),
    ("Invalid initial character for a key part", "expected a key", ""),
    ("Unclosed inline table", "a table without its closing }", "keep it on one line"),
)


def document(name: str, data: bytes) -> Document | Diagnostic:
    """Read a file's contents; ``name`` is what people call it."""
    try:
        text = Text(name, _decoded(data))
    except UnicodeDecodeError as error:
        return _undecodable(name, data, error.start)
    if text.text.startswith("\ufeff"):
        help = "save the file as UTF-8 without a byte order mark"
        return text.error("encoding", Position(1, 1), "a byte order mark", help)
    if "\0" in text.text:
        return text.error("encoding", _end(text.text.partition("\0")[0]), "a NUL byte", "the file is damaged")
    return _parsed(text)


def _decoded(data: bytes, errors: str = "strict") -> str:
    return data.decode("utf-8", errors).replace("\r\n", "\n")


def _undecodable(name: str, data: bytes, start: int) -> Diagnostic:
    text = Text(name, _decoded(data, "replace"))
    message = f"not UTF-8: byte 0x{data[start]:02X}"
    return text.error("encoding", _end(_decoded(data[:start])), message, "save the file as UTF-8")


def _end(text: str) -> Position:
    """The position after a text."""
    lines = text.split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


def _parsed(text: Text) -> Document | Diagnostic:
    try:
        table = tomllib.loads(text.text)
    except RecursionError:
        return text.error("syntax", Position(1, 1), "nested too deeply")
    except ValueError as error:
        return _syntax_error(text, str(error))
    return Document(text, table, locate(text.text))


def _syntax_error(text: Text, said: str) -> Diagnostic:
    message, at = _position(text.text, said)
    located = locate(text.text)
    if located.again and located.position(located.again[0].second).line <= at.line:
        return _duplicate(text, located, located.again[0])
    for sign, words, help in _MEANINGS:
        if sign in message:
            return text.error("syntax", at, words, help or _help(text.line(at.line), at.column, sign))
    return text.error("syntax", at, message[:1].lower() + message[1:])


def _position(text: str, said: str) -> tuple[str, Position]:
    """Split tomllib's ``MESSAGE (at line 3, column 4)``."""
    message, _, place = said.rpartition(" (at ")
    numbers = [int(word.strip(",)")) for word in place.split() if word.strip(",)").isdecimal()]
    if len(numbers) == 2:
        return message, Position(*numbers)
    return message or said, _end(text.rstrip())


def _duplicate(text: Text, located: Located, again: Again) -> Diagnostic:
    first = located.position(again.first)
    message = f"{dotted(again.path)} stands here again, first on line {first.line}"
    host = again.path[-2:-1] == ("at",) and located.position(again.second).line != first.line
    help = "one line a host; a host name with dots needs quotes" if host else "delete one of them"
    return text.error("duplicate", located.position(again.second), message, help)


def _help(line: str, column: int, sign: str) -> str:
    """What a person may have meant by a line."""
    key, equals, value = line.partition("=")
    if sign in ("Invalid value", "Expected newline or end of document after a statement"):
        return _value_help(value.partition("#")[0].strip())
    if sign == "Invalid initial character for a key part":
        return "a table in braces stands on one line" if "{" in line else ""
    if sign == "Expected '=' after a key":
        if line[column - 1 : column] == ":":
            return "TOML writes KEY = VALUE"
        return _key_help(key.strip()) if equals else ""
    return ""


def _value_help(word: str) -> str:
    if word.lower() in ("true", "false"):
        return f"write {word.lower()}"
    return f"text needs quotes: {quoted(word)}" if word and not set(word) & set("\"'[]{}") else ""


def _key_help(key: str) -> str:
    table, at, host = key.partition("at.")
    wanted = f"at.{quoted(host)}" if at and not table else quoted(key)
    return f"a key with other characters than letters, digits, - and _ needs quotes: {wanted}"
