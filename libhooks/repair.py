"""Repairing a saved definition by the record of its guest's arrival.

With ``--persistent`` libvirt takes the definition that it saves here from the source and shows it to no hook.
So it has the source's names, and the guest would look for them at its next start.
"""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple

from libhooks import adjust, edits, engine, guard, names, references
from libhooks.arrivals import Told
from libhooks.decision import PLACES, Change, Kind, Undecidable
from libhooks.domain import Domain
from libhooks.facts.model import Facts
from libhooks.guard import Violation
from libhooks.names import Name
from libhooks.places import Outcome, Resolution
from libhooks.policy.model import Place, Policy
from libhooks.references.model import Reference


class Repair(NamedTuple):
    """What of a record's changes still has to be made of a definition, and what the definition then is.

    ``violations`` are those of the guard, where the policy has it refuse: the definition must stay as it is.
    """

    changes: tuple[Change, ...]
    after: Domain
    violations: tuple[Violation, ...]


def repair(
    definition: Domain, told: tuple[Told, ...], running: Domain | None, policy: Policy, facts: Facts
) -> Repair:
    """The changes that a record tells of, made of a definition where what they changed still stands.

    What stands there otherwise somebody has changed since, and it stays. ``running`` is the guest as it runs
    here, if it does: it shows what a record says in a word (the hosts of a network disk).
    Raises Undecidable where an ``[edit]`` of the policy cannot be made of the definition.
    """
    recorded = {_key(one.kind, one.where, one.old): one for one in told if one.kind in PLACES}
    renamed = engine.renamed(definition, _resolver(recorded, _names(running)), facts)
    changes = _edited(definition, (*renamed, *_tuned(definition, told, policy, facts)), told, policy)
    if not any(one.edits for one in changes):  # where only the word is the same: another secret of a store
        return Repair((), definition, ())
    after = _applied(definition, changes)
    violations = tuple(guard.check(changes, after)) if engine.guarded(policy) else ()
    return Repair(changes, after, violations)


_Key = tuple[Kind, str, str]
_Resolve = Callable[[Reference], Resolution]


def _key(kind: Kind, where: str, old: str) -> _Key:
    return kind, where.lower() if kind is Kind.NETWORK else where, old


def _resolver(recorded: Mapping[_Key, Told], known: Mapping[tuple[str, str], Name]) -> _Resolve:
    """Resolves as the record says: what it does not tell of is kept."""

    def resolve(reference: Reference) -> Resolution:
        kinds, label = reference.row.kinds, reference.spot.label
        for kind in kinds if reference.name is not None else ():
            one = recorded.get(_key(kind, label, str(reference.name)))
            new = None if one is None else known.get((label, one.new)) or _name(one.new)
            if one is not None and new is not None and new.form in reference.row.forms:
                place = Place(kind, one.place, {}, "", one.rule, {})
                return Resolution(reference, Outcome.RENAMED, kind, place, new, one.rule)
        return Resolution(reference, Outcome.NO_PLACE, kinds[0])

    return resolve


def _names(running: Domain | None) -> dict[tuple[str, str], Name]:
    if running is None:
        return {}
    found = references.find(running)
    return {(one.spot.label, str(one.name)): one.name for one in found if one.name is not None}


_WORDS: Mapping[str, Callable[..., Name]] = {
    "bridge": names.bridge,
    "ovs": names.ovs,
    "network": names.network,
    "direct": names.direct,
    "pool": names.pool,
    "pci": names.pci,
    "mdev": names.mdev,
    "usb": names.usb,
}


def _name(text: str) -> Name | None:
    """The name that a record's word is; None for network disks, whose word does not say all."""
    form, colon, rest = text.partition(":")
    try:
        if text.startswith("/"):
            return names.path(text)
        if colon and form in _WORDS:
            return (
                _WORDS[form](*rest.split("/", 1))
                if form not in ("usb", "pci", "mdev")
                else _WORDS[form](rest)
            )
        return names.address(text)
    except (ValueError, TypeError):
        return None


def _tuned(definition: Domain, told: tuple[Told, ...], policy: Policy, facts: Facts) -> tuple[Change, ...]:
    """The adjustments that the policy has now, where the record tells of the very same."""
    keys = {
        one.place: policy.adjust[one.place]
        for one in told
        if one.kind is Kind.ADJUST and one.place in policy.adjust
    }
    return tuple(one for one in adjust.adjust(definition, keys, facts).changes if _recorded(one, told))


def _edited(
    definition: Domain, changes: tuple[Change, ...], told: tuple[Told, ...], policy: Policy
) -> tuple[Change, ...]:
    """The changes, and on top the direct edits that the policy has now where the record tells of the same."""
    if not any(one.kind is Kind.EDIT for one in told):
        return changes
    before = _applied(definition, changes)
    direct, after = edits.made(before, policy.edits)
    found = edits.told(definition, changes, direct, after)
    return tuple(one for one in found if one.kind is not Kind.EDIT or _recorded(one, told))


def _recorded(change: Change, told: tuple[Told, ...]) -> bool:
    made = (change.kind, change.place, change.spot.label, change.old, change.new)
    return any(made == one[:5] for one in told)


def _applied(domain: Domain, changes: tuple[Change, ...]) -> Domain:
    try:
        return domain.edited(edit for change in changes for edit in change.edits) if changes else domain
    except LookupError as error:
        raise Undecidable(f"the record's changes do not fit together any more: {error}") from error
