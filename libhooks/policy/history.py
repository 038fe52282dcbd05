"""What a policy's files say in force, where each line of it stands, and what it was said over.

The merge keeps the last word alone, and that is all that a decision needs. What is told to people is found
again here, from the same documents, when somebody asks.
"""

from __future__ import annotations

import sys
from typing import Iterator, Mapping, NamedTuple, Sequence

from libhooks.decision import DEFAULT, PLACES, Rule
from libhooks.policy import schema
from libhooks.policy.build import Merged
from libhooks.policy.diagnostic import Diagnostic, Severity, dotted, shown
from libhooks.policy.load import documents
from libhooks.policy.schema import Key
from libhooks.policy.settings import Leaf, Path, Settings
from libhooks.secrecy import HIDDEN, may_select_secret

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Setting(NamedTuple):
    """A setting in force: its value as TOML has it, and its rule.

    ``over`` are the rules of earlier definitions that gave way to this one, the latest first. ``items`` are
    those of what is in a list or table. ``told`` is False for what is not set, and is for people only.
    """

    path: Path
    value: object
    rule: Rule
    over: tuple[Rule, ...] = ()
    items: tuple[Rule, ...] = ()
    told: bool = True


class Table(NamedTuple):
    """A table of the policy, its settings in the order of the schema, and the line that first mentions it."""

    path: Path
    rule: Rule
    settings: tuple[Setting, ...]


def effective(found: Sequence[Settings], levels: Sequence[tuple[str, str]] = ()) -> tuple[Table, ...]:
    """The policy that valid documents make, all defaults included; what an edit gives a password is hidden.

    ``levels`` are the requirements' own ones: they are told where no file sets others. Where no file sets
    anything there is no policy, and nothing but the version is told as if a file had set it.
    """
    merged, present = Merged(found), any(one.present for one in found)
    leaves = _history(found)
    settings = [_setting(own, history) for own, history in leaves.items()]
    settings = [one._replace(value=HIDDEN) if _may_be_secret(one.path, leaves) else one for one in settings]
    settings += [one for one in _defaults(present) if one.path not in leaves]
    settings += [one for one in _levels(levels) if one.path not in leaves]
    if not present:
        settings = [one._replace(told=one.path == ("version",)) for one in settings]
    return tuple(_tables(merged, settings))


def overrides(*paths: str) -> tuple[Diagnostic, ...]:
    """A note for each setting of a valid policy that a later file sets again: which is no mistake."""
    histories = _history(documents(*paths))
    return tuple(
        _hidden(_note(earlier, later)) if _is_given(own) else _note(earlier, later)
        for own, history in histories.items()
        if own != ("version",)
        for earlier, later in zip(history, history[1:])
    )


def _note(earlier: Leaf, later: Leaf) -> Diagnostic:
    first = earlier.document.rule(earlier.path)
    if earlier.value == later.value:
        code, message, help = "repeated", f"says what {first} says", "one of them is enough"
    else:
        code, message = "override", f"overrides {first}"
        help = f"it is {shown(_raw(earlier))} there; the later file counts"
    found = later.document.at_key(code, later.path, f"{dotted(later.path)} {message}", help)
    return found._replace(severity=Severity.NOTE)


def _hidden(note: Diagnostic) -> Diagnostic:
    """A note that shows no value: what an edit gives may be a password."""
    return note._replace(help="the later file counts", source_line="")


def _history(found: Sequence[Settings]) -> dict[Path, list[Leaf]]:
    """All definitions of each setting, in the order of the files."""
    history: dict[Path, list[Leaf]] = {}
    for one in found:
        for own, leaf in one.leaves.items():
            history.setdefault(own, []).append(leaf)
    return history


def _setting(own: Path, history: list[Leaf]) -> Setting:
    *earlier, leaf = history[:1] if own == ("version",) else history
    over = tuple(one.document.rule(one.path) for one in reversed(earlier))
    return Setting(leaf.path, _raw(leaf), leaf.document.rule(leaf.path), over, tuple(_items(leaf)))


def _may_be_secret(own: Path, leaves: Mapping[Path, list[Leaf]]) -> bool:
    """Whether a setting is what an edit gives a password or the like."""
    select = leaves.get((*own[:2], "select"))
    return _is_given(own) and select is not None and may_select_secret(str(select[-1].value))


def _is_given(own: Path) -> bool:
    return own[0] == "edit" and own[-1] == "value"


def _items(leaf: Leaf) -> Iterator[Rule]:
    value = _raw(leaf)
    within = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
    for one in within:
        yield leaf.document.rule((*leaf.path, one))


def _raw(leaf: Leaf) -> object:
    value: object = leaf.document.table
    for word in leaf.path:
        assert isinstance(value, dict), leaf.path
        value = value[word]
    return value


def _defaults(present: bool) -> Iterator[Setting]:
    """What the schema says of keys that stand in one place only."""
    for key in schema.KEYS:
        if key.path == ("version",):
            yield Setting(key.path, 1, DEFAULT)
        elif key.path == ("mode",) and not present:
            yield Setting(key.path, "audit", DEFAULT)
        elif key.default and not set(key.path) & set(schema.SORTS):
            yield Setting(key.path, tomllib.loads(f"value = {key.default}")["value"], DEFAULT)


def _levels(levels: Sequence[tuple[str, str]]) -> Iterator[Setting]:
    for code, level in levels:
        yield Setting(("require", code), level, DEFAULT, told=False)


def _tables(merged: Merged, settings: Sequence[Setting]) -> Iterator[Table]:
    """The tables: places and other IDs in the files' order, which has a meaning; else in the schema's."""
    within: dict[Path, list[Setting]] = {(): []}
    for path in merged.tables:
        if _is_whole(path):
            within.setdefault(path, [])
    for one in settings:
        within.setdefault(_table(one.path), []).append(one)
    kinds = list(dict.fromkeys(path[0] for path in within if path))
    for path in sorted(within, key=lambda one: _rank(one, kinds)):
        rule = merged.rule(path) if path in merged.tables else DEFAULT
        yield Table(
            path, rule, tuple(sorted(within[path], key=lambda one: (not one.told, _number(one.path))))
        )


def _table(path: Path) -> Path:
    """The table that a setting is written in: ``[storage.images]``, ``[require]``; none at the top."""
    node = schema.TREE[path[0]]
    if isinstance(node, Key):
        return ()
    return path[:2] if "ID" in node else path[:1]


def _is_whole(path: Path) -> bool:
    return _table((*path, "")) == path


_PLACES = tuple(kind.value for kind in PLACES)


def _rank(table: Path, kinds: Sequence[str]) -> tuple[int, int]:
    if not table:
        return 0, 0
    if table[0] in _PLACES:
        return 1, kinds.index(table[0])
    return 2, next(number for number, key in enumerate(schema.KEYS) if key.path[0] == table[0])


def _number(path: Path) -> int:
    """The number of a setting's key in the schema."""
    node: schema.Node = schema.TREE
    for word in path:
        step = None if isinstance(node, Key) else schema.step(node, word)
        assert step is not None, path
        node = step[1]
    return next(number for number, key in enumerate(schema.KEYS) if key is node)
