"""``[edit.ID]`` tables: what they come to, and what is wrong with them before any guest has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, cast

from libhooks.policy.diagnostic import Diagnostic, dotted
from libhooks.policy.model import Action, DirectEdit

if TYPE_CHECKING:
    from libhooks.policy.build import Merged
    from libhooks.policy.settings import Path


def edit(merged: Merged, path: Path) -> DirectEdit:
    """The edit that a table without problems makes."""
    names = cast("tuple[str, ...]", merged.value((*path, "match", "name"), ()))
    uuids = cast("tuple[str, ...]", merged.value((*path, "match", "uuid"), ()))
    select = cast(str, merged.value((*path, "select"), ""))
    value = cast(str, merged.value((*path, "value"), ""))
    return DirectEdit(path[1], names, uuids, select, _action(merged, path), value, merged.rule(path))


def _action(merged: Merged, path: Path) -> Action:
    return cast(Action, merged.value((*path, "action"), Action.SET))


def problems(merged: Merged, path: Path) -> Iterator[Diagnostic]:
    """What a table lacks, has too much, or must not do."""
    table, told = merged.tables[path], merged.under(*path)
    for key, help in (("select", "devices/disk/driver/@cache"), ("action", "set")):
        if key not in told:
            yield table.at_key("missing", path, f"{dotted(path)} has no {key}", f'add {key} = "{help}"')
    if "action" in told and ("value" in told) != (_action(merged, path) is Action.SET):
        lacks = "value" not in told
        message = f"{dotted(path)} has {'no value to set' if lacks else 'a value, and removes'}"
        help = 'add value = "..."' if lacks else "delete the value, or set it"
        leaf = told["action" if lacks else "value"]
        yield leaf.document.at_key("value", leaf.path, message, help)
    if "select" in told and "action" in told:
        yield from _select(merged, path)


def _select(merged: Merged, path: Path) -> Iterator[Diagnostic]:
    """What is known of a selection before any guest has come."""
    from libhooks import abi, selection  # few policies have an edit

    leaf, setting = merged.leaves[(*path, "select")], _action(merged, path) is Action.SET
    selected = selection.Selection(cast(str, leaf.value))
    if selected.moves and not setting:
        message = f"{dotted(path)} removes by position, and each time another one"
        yield leaf.document.at_value("position", leaf.path, message, "tell it by what it has: [@vcpu='1']")
    steps = selected.steps(setting)
    altered = abi.Table().altered(steps) if steps else None
    if altered is not None:
        message = f"{dotted(path)} selects what the guest sees: {altered.because}"
        yield leaf.document.at_value("guest-abi", leaf.path, message, f"leave {altered.wanted}")
