"""Changes on top of changes, told as what differs in the end: each difference once, by whoever is last."""

from __future__ import annotations

from lxml import etree

from libhooks.decision import Change, Edit
from libhooks.domain import Domain


class _Entry:
    """An edit that counts, and its change."""

    def __init__(self, change: Change, edit: Edit) -> None:
        self.change = change
        self.edit = edit
        self.counts = True
        self.stale = False


class Ledger:
    """The changes to a domain, ``before`` any of them. Those that are added later have the last word."""

    def __init__(self, before: Domain, changes: tuple[Change, ...]) -> None:
        self._before = before
        self._entries: list[_Entry] = []
        self._at: dict[str, list[_Entry]] = {}
        self._in: dict[str, list[_Entry]] = {}
        for change in changes:
            for edit in change.edits:
                self._enter(_Entry(change, edit))

    def add(self, change: Change) -> None:
        """A change of one edit, made on what all others left."""
        (edit,) = change.edits
        made = self._removal(edit) if is_element(edit) else self._value(edit)
        if made is not None and made.old != made.new:
            self._enter(_Entry(change, made))

    def changes(self, after: Domain) -> tuple[Change, ...]:
        """All changes with what is left of their edits; ``after`` is the domain with all of them made."""
        found: dict[int, tuple[Change, list[Edit]]] = {}
        for entry in self._entries:
            if entry.counts:
                edits = found.setdefault(id(entry.change), (entry.change, []))[1]
                edits.append(_renewed(entry.edit, after) if entry.stale else entry.edit)
        return tuple(change._replace(edits=tuple(edits)) for change, edits in found.values())

    def _value(self, edit: Edit) -> Edit | None:
        for entry in _counting(self._at, _norm(edit)):
            entry.counts = False
            edit = edit._replace(old=entry.edit.old, secret=edit.secret or entry.edit.secret)
        for above in _above(_norm(edit)):
            for entry in _counting(self._at, above):
                if entry.edit.old is None:
                    entry.stale = True  # it stands in an element that was put there, and goes with it
                    return None
        return edit

    def _removal(self, edit: Edit) -> Edit | None:
        here, inside = _counting(self._at, _norm(edit)), _counting(self._in, _norm(edit))
        for entry in (*here, *inside):
            entry.counts = False
        if any(entry.edit.old is None for entry in here):
            return None  # it was put there by one of us
        return edit._replace(old=_xml(self._before.element(edit.spot.xpath))) if inside else edit

    def _enter(self, entry: _Entry) -> None:
        path = _norm(entry.edit)
        self._entries.append(entry)
        self._at.setdefault(path, []).append(entry)
        for above in _above(path):
            self._in.setdefault(above, []).append(entry)


def _counting(entries: dict[str, list[_Entry]], path: str) -> list[_Entry]:
    return [entry for entry in entries.get(path, ()) if entry.counts]


def is_element(edit: Edit) -> bool:
    """Whether an edit is about an element, not about an attribute or text."""
    last = edit.spot.xpath.rpartition("/")[2]
    return not last.startswith("@") and last != "text()"


def _norm(edit: Edit) -> str:
    return edit.spot.xpath.replace("[1]", "")


def _above(path: str) -> list[str]:
    """The paths of the elements around a spot, up to the devices: the domain itself comes and goes never."""
    steps = path.split("/")
    return ["/".join(steps[:size]) for size in range(len(steps) - 1, 2, -1)]


def _renewed(edit: Edit, after: Domain) -> Edit:
    return edit._replace(new=_xml(after.element(edit.spot.xpath)))


def _xml(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
