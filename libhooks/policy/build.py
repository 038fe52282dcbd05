"""All documents' settings become one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Container, Mapping, Sequence, cast

from libhooks.decision import PLACES, Rule
from libhooks.names import Name
from libhooks.policy import edits, forms
from libhooks.policy.diagnostic import Diagnostic, dotted
from libhooks.policy.document import Document
from libhooks.policy.model import (
    Adjustment,
    Guests,
    How,
    Identification,
    Journal,
    Mode,
    OnInvalid,
    Place,
    Policy,
    Setting,
)
from libhooks.policy.settings import Leaf, Path, Settings

if TYPE_CHECKING:
    from libhooks.releases import Pair

_KINDS = {kind.value: kind for kind in PLACES}


class Merged:
    """The settings of all documents; leaf by leaf, the last one counts."""

    def __init__(self, documents: Sequence[Settings]) -> None:
        self.leaves: dict[Path, Leaf] = {}
        self.tables: dict[Path, Document] = {}
        self._under: dict[Path, dict[str, Leaf]] = {}
        for one in documents:
            self.leaves.update(one.leaves)
            for path, document in one.tables.items():
                self.tables.setdefault(path, document)
        for path, leaf in self.leaves.items():
            self._under.setdefault(path[:-1], {})[path[-1]] = leaf

    def value(self, path: Path, default: object) -> object:
        """A setting's value."""
        return self.leaves[path].value if path in self.leaves else default

    def under(self, *table: str) -> Mapping[str, Leaf]:
        """The settings that stand directly in a table."""
        return self._under.get(table, {})

    def ids(self, kinds: Container[str]) -> Sequence[Path]:
        """The ``[KIND.ID]`` tables of some kinds, in the order of the files."""
        return [path for path in self.tables if len(path) == 2 and path[0] in kinds]

    def rule(self, path: Path) -> Rule:
        """The line that first mentions a table."""
        return self.tables[path].rule(path)


def policy(documents: Sequence[Settings]) -> Policy:
    """The policy that valid documents make. ``files`` and ``digest`` are the loader's to add."""
    if not any(one.present for one in documents):
        return Policy()
    merged = Merged(documents)
    return Policy(
        present=True,
        mode=cast(Mode, merged.value(("mode",), Mode.ENFORCE)),
        places=tuple(_place(merged, path) for path in merged.ids(_KINDS)),
        require=_require(merged.under("require")),
        guests=tuple(_guests(merged, path) for path in merged.ids(("guest",))),
        adjust=_adjust(merged.under("adjust")),
        edits=tuple(edits.edit(merged, path) for path in merged.ids(("edit",))),
        journal=_journal(merged),
        deadline=cast(float, merged.value(("hook", "deadline"), Policy().deadline)),
        releases=cast("tuple[Pair, ...]", merged.value(("platform", "releases"), ())),
        origin=cast(Identification, merged.value(("origin",), Policy().origin)),
        waivers=cast(bool, merged.value(("waivers",), Policy().waivers)),
        on_invalid=cast(OnInvalid, merged.value(("policy", "on-invalid"), OnInvalid.REFUSE)),
    )


def _place(merged: Merged, path: Path) -> Place:
    at = merged.under(*path, "at")
    names = {host: cast("tuple[Name, ...]", leaf.value) for host, leaf in at.items()}
    source = cast(str, merged.value((*path, "source"), ""))
    return Place(_KINDS[path[0]], path[1], names, source, merged.rule(path), _rules(at))


def _guests(merged: Merged, path: Path) -> Guests:
    names = cast("tuple[str, ...]", merged.value((*path, "match", "name"), ()))
    uuids = cast("tuple[str, ...]", merged.value((*path, "match", "uuid"), ()))
    mode = cast("Mode | None", merged.value((*path, "mode"), None))
    return Guests(path[1], names, uuids, mode, _require(merged.under(*path, "require")), merged.rule(path))


def _journal(merged: Merged) -> Journal:
    given = {key: leaf.value for key, leaf in merged.under("journal").items()}
    return Journal()._replace(**given)  # type: ignore[arg-type]  # the schema's forms see to that


def _require(leaves: Mapping[str, Leaf]) -> Mapping[str, Setting]:
    rules = _rules(leaves)
    levels = {code: cast("forms.Demand", leaf.value) for code, leaf in leaves.items()}
    return {code: Setting(one.level, rules[code], one.audited) for code, one in levels.items()}


def _adjust(leaves: Mapping[str, Leaf]) -> Mapping[str, Adjustment]:
    found = {key: (cast(How, leaf.value), leaf.document.rule(leaf.path)) for key, leaf in leaves.items()}
    return {key: Adjustment(*told) for key, told in found.items() if told[0] is not How.KEEP}


def _rules(leaves: Mapping[str, Leaf]) -> Mapping[str, Rule]:
    return {word: leaf.document.rule(leaf.path) for word, leaf in leaves.items()}


def gaps(documents: Sequence[Settings]) -> tuple[Diagnostic, ...]:
    """What is missing from documents that are each valid: a ``[guest.ID]`` must say which guests."""
    merged = Merged(documents)
    unmatched = tuple(
        merged.tables[path].at_key("match", path, f"{dotted(path)} does not say which guests", _MATCH)
        for path in merged.ids(("guest", "edit"))
        if not merged.under(*path, "match")
    )
    wrong = (one for path in merged.ids(("edit",)) for one in edits.problems(merged, path))
    return (*unmatched, *wrong)


_MATCH = 'add match.name = ["db-*"], or match.uuid'


def conflicts(documents: Sequence[Settings]) -> tuple[Diagnostic, ...]:
    """Names that stand in two places for one host: a name has one meaning there."""
    seen: dict[tuple[str, str, Name], Leaf] = {}
    found = []
    for path, leaf in Merged(documents).leaves.items():
        for name in cast("tuple[Name, ...]", leaf.value) if path[2:3] == ("at",) else ():
            first = seen.setdefault((path[0], path[3], name), leaf)
            if first is not leaf:
                found.append(_conflict(name, first, leaf))
    return tuple(found)


def _conflict(name: Name, first: Leaf, second: Leaf) -> Diagnostic:
    message = f"{name} on {second.path[3]} is {dotted(first.path[:2])} already"
    rule = first.document.rule(first.path)
    return second.document.at_value("same-name", second.path, message, f"see {rule}")
