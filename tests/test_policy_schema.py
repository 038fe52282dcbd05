"""The table of all keys of a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from libhooks.policy.diagnostic import dotted
from libhooks.policy.load import load
from libhooks.policy.model import Policy
from libhooks.policy.schema import KEYS, Key


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ".".join(key.path))
def test_every_key_is_explained(key: Key) -> None:
    """Its help is a sentence, which says more than its name."""
    assert key.help.endswith(".")
    assert len(key.help.split()) >= 4
    assert [one.help for one in KEYS if one.path[0] == key.path[0]].count(key.help) == 1


def told(file: Path, text: str) -> Policy:
    """The policy of a text that sets something else as well, without what tells texts apart."""
    file.write_text(f"version = 1\n{text}\n[storage.images]\nat.hosta = '/srv'\n")
    file.chmod(0o644)
    policy = load(str(file))
    places = tuple(place._replace(rule=None, rules={}) for place in policy.places)  # type: ignore[arg-type]
    return policy._replace(digest="", places=places)


@pytest.mark.parametrize("key", [one for one in KEYS if one.default], ids=lambda key: ".".join(key.path))
def test_the_default_is_what_holds_without_the_key(key: Key, tmp_path: Path) -> None:
    """Writing a key with its default means what leaving it out means."""
    written = told(tmp_path / "policy.toml", f"{dotted(key.path)} = {key.default}")
    assert written == told(tmp_path / "policy.toml", "")


@pytest.mark.parametrize(
    "line",
    [
        'mode = "audit"',
        'adjust.numa = "drop"',
        'journal.path = "/j"',
        "journal.required = true",
        "hook.deadline = 9",
        'policy.on-invalid = "last-good"',
    ],
)
def test_another_value_is_another_policy(line: str, tmp_path: Path) -> None:
    """What differs from the default makes a difference."""
    assert told(tmp_path / "policy.toml", line) != told(tmp_path / "policy.toml", "")
