"""The schema that editors check a policy by while it is written."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Mapping

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libhooks.documents.editor import PATH, schema
from libhooks.documents.shapes import shape
from libhooks.documents.words import TABLES
from libhooks.policy.diagnostic import Wrong
from libhooks.policy.load import diagnose
from libhooks.policy.schema import KEYS, TREE, Key, Node

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TESTS = Path(__file__).parent
SCHEMA = json.loads(schema())
#: Broken policies whose mistake lies between values, keys or files, where a schema does not look.
BEYOND = {
    "edit-by-position",
    "edit-guest-abi",
    "edit-incomplete",
    "edit-select",
    "guest-without-match",
    "host-twice-in-capitals",
    "two-places-in-two-files",
    "two-places-of-one-name",
}


def wrong(table: Mapping[str, object]) -> list[str]:
    """What the schema says of a file's contents."""
    found = jsonschema.Draft7Validator(SCHEMA).iter_errors(table)
    return [error.message for error in found]


def contents(file: Path) -> dict[str, Any] | None:
    """A file's tables; None where it is no TOML."""
    try:
        found: dict[str, Any] = tomllib.loads(file.read_bytes().decode())
    except ValueError:
        return None
    return found


def valid(file: Path) -> bool:
    """Whether a file is a policy by itself, whoever may write it in this checkout."""
    return not [one for one in diagnose(str(file))[1] if one.code not in ("owner", "writable")]


def test_the_schema_is_one() -> None:
    """It says of itself that it is draft-07, and is."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)


EXAMPLE = TESTS.parent / "share/policy/00-example.toml"
VALID = [*(TESTS / "golden").glob("*/policy.toml"), *(TESTS / "policies").glob("*/policy.d/*.toml")]
CASES = sorted(one for one in (TESTS / "policies").iterdir() if one.is_dir())


@pytest.mark.parametrize(
    "file", [one for one in sorted(VALID) if valid(one)], ids=lambda one: str(one.relative_to(TESTS))
)
def test_valid_policies_pass(file: Path) -> None:
    """What libhooks takes, no editor underlines."""
    assert wrong(tomllib.loads(file.read_text())) == []


def test_the_example_passes() -> None:
    """The example names the schema, and is what it demands, its comment signs gone."""
    said = re.findall(r"^# (\[.*|[\w.*\"-]+ += .*)$", EXAMPLE.read_text(), re.MULTILINE)
    assert wrong(tomllib.loads("\n".join(said))) == []
    assert EXAMPLE.read_text().startswith(f"#:schema file:///{PATH}\n")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistakes_are_seen_while_typing(case: Path) -> None:
    """Of the mistakes that ``policy check`` finds in TOML, the schema misses only those between keys."""
    files = sorted((case / "policy.d").iterdir())
    tables = [table for table in map(contents, files) if table is not None]
    if len(tables) == len(files):
        mistaken = not all(map(valid, files))
        seen = any(map(wrong, tables))
        assert seen == (mistaken and case.name not in BEYOND)


def sample(value: object) -> st.SearchStrategy[str]:
    """A text like a valid one: some of its characters gone, doubled or another."""
    known = str(value)
    pieces = st.sampled_from(["", "/", ".", ":", "-", "0", "f", "%", " ", "*", "[", "]", "\n", "1", "::"])
    return st.tuples(st.integers(0, len(known)), st.integers(0, 3), pieces).map(
        lambda cut: known[: cut[0]] + cut[2] + known[cut[0] + cut[1] :]
    )


EXAMPLES = {
    "storage": ["/srv/images", "pool:images", "pool:a b", "/srv/./x//y", "/srv/...", "/"],
    "network": ["bridge:br0", "network:prod/web", "direct:eth0/bridge", "ovs:ovsbr0", "network:a b"],
    "address": ["192.0.2.11", "2001:db8::11", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "fe80::", "::1:2"],
    "device": ["pci:0000:41:1f.7", "usb:1-2.3", "usb:046d:c52b", "mdev:c7a5fdbd-cdaf-9455-926a-d65c16db1809"],
    "file": ["/usr/share/OVMF/OVMF_CODE.fd", "/a"],
    "platform": ["rhel 8.6+ -> rhel 9", "debian 12<->debian 13", "arch -> arch"],
    "guest": ["c7a5fdbd-cdaf-9455-926a-d65c16db1809", "db-*", "web1"],
    "journal": ["/var/log/x.jsonl", "/"],
}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ".".join(key.path))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_editor_underlines_what_is_right(key: Key, data: st.DataObject) -> None:
    """Whatever a key's parser takes, its shape takes: the schema is never stricter than libhooks."""
    known = EXAMPLES.get(key.path[0], ["enforce", "refuse", "keep", "devices/disk/@cache"])
    value: Any = data.draw(
        st.sampled_from(known).flatmap(sample) | st.sampled_from([True, 1, 2.5, [], "off"])
    )
    try:
        key.form.parse(value)
    except Wrong:
        return
    assert jsonschema.Draft7Validator(shape(key.form)).is_valid(value)


def test_every_table_is_described() -> None:
    """An editor says of each table what it is for; nothing is said of tables that are not there."""

    def tables(node: Mapping[str, Node], path: tuple[str, ...]) -> set[tuple[str, ...]]:
        below = [(inner, (*path, word)) for word, inner in node.items() if not isinstance(inner, Key)]
        return {found for _, found in below} | {one for inner, found in below for one in tables(inner, found)}

    assert tables(TREE, ()) == set(TABLES)
