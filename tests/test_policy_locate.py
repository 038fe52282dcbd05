"""Where keys stand in a TOML text: what the scanner finds is what tomllib reads."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libhooks.policy.locate import KeyPath, locate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TRICKY = Path(__file__).parent / "policies" / "tricky.toml"


def paths(data: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all keys and items of what tomllib returns."""
    items: Iterator[Any] = iter(())
    if isinstance(data, dict):
        items = iter(data.items())
    elif isinstance(data, list):
        items = iter(enumerate(data))
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def agrees(text: str) -> None:
    """The scanner finds each key that tomllib reads, where that key is written."""
    located = locate(text)
    assert located.whole
    assert set(located.keys) == set(paths(tomllib.loads(text)))
    assert located.again == ()
    for path, offset in located.keys.items():
        if isinstance(path[-1], str):
            token = re.match(r"""[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*'""", text[offset:], re.ASCII)
            assert token, (path, text[offset:])
            assert tomllib.loads(f"{token.group()} = 1") == {path[-1]: 1}


def test_every_notation_is_understood() -> None:
    """Comments, all kinds of strings, nested values, dotted and quoted keys, arrays of tables."""
    agrees(TRICKY.read_text())


def test_positions_count_lines_and_characters_from_one() -> None:
    """A key stands at its first character, a table where it is first mentioned."""
    text = 'version = 1\n[ storage."größe".at ]\n  "ä".b   = [\n    "x",\n    "y"]\n'
    located = locate(text)
    assert {path: tuple(located.key(path)) for path in located.keys} == {
        ("version",): (1, 1),
        ("storage",): (2, 3),
        ("storage", "größe"): (2, 11),
        ("storage", "größe", "at"): (2, 19),
        ("storage", "größe", "at", "ä"): (3, 3),
        ("storage", "größe", "at", "ä", "b"): (3, 7),
        ("storage", "größe", "at", "ä", "b", 0): (4, 5),
        ("storage", "größe", "at", "ä", "b", 1): (5, 5),
    }
    assert tuple(located.value(("storage", "größe", "at", "ä", "b"))) == (3, 13)
    assert tuple(located.value(("version",))) == (1, 11)


def test_a_path_that_is_not_there_is_where_its_table_is() -> None:
    """A position is found for whatever is asked, the text's start at worst."""
    located = locate("a = 1\n[b]\n")
    assert tuple(located.key(("b", "missing"))) == (2, 2)
    assert tuple(located.key(("missing",))) == (1, 1)
    assert tuple(located.value(("b",))) == (2, 2)
    assert tuple(locate("").key(())) == (1, 1)


@pytest.mark.parametrize(
    ("text", "path", "first", "second"),
    [
        ("a = 1\nb = 2\na = 3\n", ("a",), (1, 1), (3, 1)),
        ("[a]\nx = 1\n[b]\n[a]\n", ("a",), (1, 2), (4, 2)),
        ("a.b = 1\na.b.c = 2\n", ("a", "b"), (1, 3), (2, 3)),
        ("a = 1\n[a]\n", ("a",), (1, 1), (2, 2)),
        ("a = {b = 1, b = 2}\n", ("a", "b"), (1, 6), (1, 13)),
        ("[[a]]\n[a]\n", ("a",), (1, 3), (2, 2)),
    ],
)
def test_what_is_defined_twice_is_found(
    text: str, path: KeyPath, first: tuple[int, int], second: tuple[int, int]
) -> None:
    """tomllib says that something is defined twice, the scanner says where both are."""
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    located = locate(text)
    found = located.again[0]
    assert found.path == path
    assert (located.position(found.first), located.position(found.second)) == (first, second)


@pytest.mark.parametrize(
    "text", ["a = ", "a", "[a", "a = [1", 'a = "x', "a = {b = 1", '"\\q', "[a]]\n= 1", "a = " + "[" * 9999]
)
def test_a_broken_text_stops_the_scan(text: str) -> None:
    """What was found up to the mistake is kept; nothing is raised."""
    assert not locate(text).whole


NAMES = st.one_of(
    st.sampled_from(
        ["a", "b", "at", "images", "1", "-", "rack2-*", "a.b", "", "ä", '"', "'", "\\", "\n", "#"]
    ),
    st.text(max_size=4),
)
TEXTS = st.one_of(
    st.sampled_from(['"""', "'''", "]", "}", "#", "\\", "\n", '""', "''", "a\n[b]\nc = 1\n", "x = {", '\\"']),
    st.text(max_size=12),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)
Choose = Callable[[int], int]

#: Machines differ in speed, and a checkout stays clean.
settings.register_profile("policy", deadline=None, database=None)
PROFILE = settings.get_profile("policy")


@PROFILE
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.randoms(use_true_random=False))
def test_the_scanner_agrees_with_tomllib(data: dict[str, Any], random: Any) -> None:
    """Whatever the notation, the keys found are the keys that tomllib reads."""
    text = _Writer(random.randrange).document(data)
    assert tomllib.loads(text) == data
    agrees(text)


@PROFILE
@given(st.text(alphabet="ab.=[]{}\"'#\\,\n 1-", max_size=40))
def test_whatever_tomllib_reads_is_located(text: str) -> None:
    """The scanner gives up on no valid text."""
    try:
        tomllib.loads(text)
    except ValueError:
        locate(text)
    else:
        agrees(text)


class _Writer:
    """Writes a document in a notation that ``choose`` picks."""

    def __init__(self, choose: Choose) -> None:
        self.choose = choose

    def document(self, data: dict[str, Any], path: tuple[str, ...] = ()) -> str:
        """A table's pairs first, then the tables that it heads."""
        heads = {key for key, value in data.items() if self._is_table(value) and self.choose(2)}
        pairs = "".join(self._pair(key, value) for key, value in data.items() if key not in heads)
        return pairs + "".join(self._head((*path, key), data[key]) for key in heads)

    def _is_table(self, value: Any) -> bool:
        tables = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        return isinstance(value, dict) or bool(tables)

    def _head(self, path: tuple[str, ...], value: Any) -> str:
        name = f"{self._blank()}.{self._blank()}".join(self._key(part) for part in path)
        if isinstance(value, list):
            return "".join(f"[[{name}]]{self._end()}{self.document(item, path)}" for item in value)
        return f"{self._blank()}[{self._blank()}{name}]{self._end()}{self.document(value, path)}"

    def _pair(self, key: str, value: Any, table: str = "") -> str:
        name = table + self._key(key)
        if isinstance(value, dict) and value and self.choose(2):
            return "".join(self._pair(inner, one, f"{name}.") for inner, one in value.items())
        return f"{name}{self._blank()}={self._blank()}{self._value(value)}{self._end()}"

    def _value(self, value: Any) -> str:
        if isinstance(value, dict):
            pairs = (f"{self._key(key)} = {self._value(one)}" for key, one in value.items())
            return "{" + self._blank() + ", ".join(pairs) + "}"
        if isinstance(value, list):
            items = "".join(f"{self._gap()}{self._value(item)}{self._gap()}," for item in value)
            return f"[{items if self.choose(2) else items[:-1]}{self._gap()}]"
        return self._text(value) if isinstance(value, str) else json.dumps(value).replace("Infinity", "inf")

    def _text(self, text: str) -> str:
        plain = all(one.isprintable() for one in text)
        if plain and "'" not in text and self.choose(2):
            return f"'{text}'"
        if plain and "'''" not in text and not text.endswith("'") and self.choose(2):
            return f"'''{text}'''"
        if self.choose(2):
            return '"""\n' + self._escaped(text.replace("\\", "\\\\").replace('"""', '""\\"'), "\n") + '"""'
        return '"' + self._escaped(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'

    def _escaped(self, text: str, allowed: str = "") -> str:
        return "".join(one if one.isprintable() or one in allowed else f"\\U{ord(one):08x}" for one in text)

    def _key(self, key: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_-]+", key) and self.choose(2):
            return key
        if "'" not in key and all(one.isprintable() for one in key) and self.choose(2):
            return f"'{key}'"
        return '"' + self._escaped(key.replace("\\", "\\\\").replace('"', '\\"')) + '"'

    def _blank(self) -> str:
        return ("", " ", "\t ")[self.choose(3)]

    def _gap(self) -> str:
        return ("", "\n", " # a ] in a = comment\n\t")[self.choose(3)]

    def _end(self) -> str:
        return ("\n", " # [comment] = 1\n", "\n\n   \n")[self.choose(3)]
