"""Arrivals: what the journal tells of guests that came to this host, and what became of that."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Iterable, Mapping, NamedTuple

from libhooks.decision import Kind, Rule


class Result(Enum):
    """How a migration ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Told(NamedTuple):
    """A change as a record tells of it: everything but the edits."""

    kind: Kind
    place: str
    where: str
    old: str
    new: str
    rule: Rule


class Arrival(NamedTuple):
    """A guest that was let in, by the record with this ``id``. ``time`` is the record's, RFC 3339 in UTC.

    ``changes`` are those that were made of it; none in audit mode.
    """

    id: str
    time: str
    name: str
    uuid: str
    changes: tuple[Told, ...]


class Unfinished:
    """The guests whose latest arrival has no outcome yet, as far as the journal was read."""

    def __init__(self) -> None:
        self._latest: dict[str, Arrival] = {}
        self._superseded: list[Arrival] = []

    def learn(self, lines: Iterable[bytes]) -> None:
        """Read on in the journal. A line that makes no sense is none."""
        for line in lines:
            entry = _entry(line)
            if "outcome" in entry:
                self.finish(str(entry.get("id")))
            elif entry.get("operation") == "migrate" and entry.get("uuid"):
                self._begin(str(entry["uuid"]).lower(), _arrival(entry))

    def finish(self, id: str) -> None:
        """An arrival has its outcome."""
        self._latest = {uuid: one for uuid, one in self._latest.items() if one.id != id}
        self._superseded = [one for one in self._superseded if one.id != id]

    def of(self, uuid: str) -> Arrival | None:
        """The arrival of a guest that has no outcome yet."""
        return self._latest.get(uuid.lower())

    @property
    def all(self) -> tuple[Arrival, ...]:
        """All of them."""
        return tuple(self._latest.values())

    @property
    def superseded(self) -> tuple[Arrival, ...]:
        """Those without an outcome whose guest has come again since."""
        return tuple(self._superseded)

    def _begin(self, uuid: str, arrival: Arrival | None) -> None:
        before = self._latest.pop(uuid, None)
        if before is not None:
            self._superseded.append(before)
        if arrival is not None:
            self._latest[uuid] = arrival


def _entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:  # cut off by a crash or a full disk
        return {}
    return entry if isinstance(entry, dict) else {}


def _arrival(entry: Mapping[str, Any]) -> Arrival | None:
    """The arrival that a record tells of; None where the guest was refused, or the record makes no sense."""
    try:
        enforced = bool(entry["enforced"])
        if enforced and entry["verdict"] == "refused":
            return None
        changes = tuple(_told(one) for one in entry["changes"]) if enforced else ()
        id, time, name, uuid = (str(entry[key]) for key in ("id", "time", "domain", "uuid"))
        return Arrival(id, time, name, uuid, changes)
    except (KeyError, TypeError, ValueError):
        return None


def _told(change: Mapping[str, Any]) -> Told:
    file, _, line = str(change["rule"]).rpartition(":")
    rule = Rule(file, int(line)) if file else Rule(line, 0)
    place, where, old, new = (str(change[key]) for key in ("place", "where", "old", "new"))
    return Told(Kind(change["kind"]), place, where, old, new, rule)
