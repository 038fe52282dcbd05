"""Direct edits: what ``[edit.ID]`` tables make of a domain that places and adjustments are done with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from lxml import etree

from libhooks.decision import Change, Edit, Kind, Undecidable
from libhooks.domain import Domain
from libhooks.ledger import Ledger, is_element
from libhooks.policy.diagnostic import Wrong
from libhooks.policy.model import Action, DirectEdit
from libhooks.secrecy import HIDDEN, holds_secret, is_secret
from libhooks.spots import Spots

if TYPE_CHECKING:
    from libhooks.selection import Target


def made(domain: Domain, edits: tuple[DirectEdit, ...]) -> tuple[tuple[Change, ...], Domain]:
    """The changes of all edits, each made on what the one before left, and the domain that comes of them.

    Raises Undecidable where an edit selects what cannot be edited.
    """
    changes: list[Change] = []
    for edit in edits:
        found = tuple(_changes(domain, edit))
        changes += found
        domain = domain.edited(one for change in found for one in change.edits) if found else domain
    return tuple(changes), domain


def told(
    before: Domain, changes: tuple[Change, ...], direct: tuple[Change, ...], after: Domain
) -> tuple[Change, ...]:
    """All changes, those of direct edits on top of the others: what differs in the end, and by whom.

    What places and adjustments did to a spot that an edit then changed is the edit's, and none where it is
    as it was.
    """
    if after.serialise() == before.serialise():
        return ()
    ledger = Ledger(before, changes)
    for change in direct:
        ledger.add(change)
    return tuple(map(_worded, ledger.changes(after)))


def _changes(domain: Domain, edit: DirectEdit) -> Iterator[Change]:
    from libhooks.selection import Selection  # few policies have an edit

    try:
        selection = Selection(edit.select)
        targets = selection.targets(domain.root)
    except Wrong as wrong:
        raise Undecidable(f"edit.{edit.id} ({edit.rule}): {wrong}") from wrong
    spots = Spots()
    for target in _removable(targets) if edit.action is Action.REMOVE else targets:
        made = _set(target, edit, spots) if edit.action is Action.SET else _removed(target, spots)
        if made is not None:
            yield Change(Kind.EDIT, edit.id, made.spot, "", "", edit.rule, (made,))


def _set(target: Target, edit: DirectEdit, spots: Spots) -> Edit | None:
    last = target.last or "text()"
    if last == "text()" and any(True for _ in target.element.iterchildren(tag=etree.Element)):
        raise Undecidable(f"edit.{edit.id} ({edit.rule}): it would set the text of what has elements in it")
    return _valued(target, last, edit.value, spots)


def _removed(target: Target, spots: Spots) -> Edit | None:
    if target.last:
        return _valued(target, target.last, None, spots)
    return spots.gone(target.element, secret=holds_secret(target.element))


def _removable(targets: list[Target]) -> list[Target]:
    """What is to go, without what goes with it, and of siblings the last first: so ordinals stay true."""
    going = {target.element for target in targets if not target.last}
    kept = [one for one in targets if not any(above in going for above in one.element.iterancestors())]
    kept = [one for one in kept if not one.last or one.element not in going]
    siblings: dict[etree._Element | None, list[Target]] = {}
    for target in kept:
        siblings.setdefault(target.element.getparent(), []).append(target)
    return [target for family in siblings.values() for target in family[::-1]]


def _worded(change: Change) -> Change:
    """A direct edit with what a record tells of it: values, an element by its tag alone, and no secret."""
    if change.kind is not Kind.EDIT:
        return change
    (edit,) = change.edits
    if is_element(edit):
        return change._replace(old=f"<{edit.spot.xpath.rpartition('/')[2].partition('[')[0]}>")
    if edit.secret:
        return change._replace(old=HIDDEN if edit.old else "", new=HIDDEN if edit.new else "")
    return change._replace(old=edit.old or "", new=edit.new or "")


def _valued(target: Target, last: str, new: str | None, spots: Spots) -> Edit | None:
    """The edit that gives an attribute or text a value; none where it has it. A blank text is none."""
    text = last == "text()"
    old = target.element.text if text else target.element.get(last[1:])
    new = (new or None) if text else new
    if old == new or (text and new is None and not (old or "").strip()):
        return None
    spot = spots.of(target.element, last)
    steps = tuple(step.partition("[")[0] for step in spot.xpath.split("/")[2:])
    return Edit(spot, old, new, is_secret(steps))
