"""Accompanying guests that arrive: saved definitions are repaired, and what became of them is recorded."""

from __future__ import annotations

import os
import time

import libhooks.repair as repairs
from libhooks import journal, process
from libhooks.arrivals import Arrival, Result, Unfinished
from libhooks.decision import Undecidable
from libhooks.domain import parse
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.libvirtd.errors import NoGuest, Rejected
from libhooks.libvirtd.events import Happening, What
from libhooks.libvirtd.guests import Guest
from libhooks.libvirtd.hosts import Host
from libhooks.originals import Original, Originals
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Mode, Policy
from libhooks.service.tail import Tail
from libhooks.service.telling import Speaker

#: Where libvirtd saves definitions; when, tells which migration one is from.
_SAVED = "/etc/libvirt/qemu"
#: Seconds after which a guest that was let in and of which nothing is seen will not come any more.
_PATIENCE = 600.0

_ENDS = {What.STOPPED: Result.FAILED, What.DESTROYED: Result.CANCELLED, What.LEFT: Result.COMPLETED}


class Accompaniment:
    """What the companion knows of arrivals, from the journal and from libvirtd.

    All raise Unreachable where libvirtd went away.
    """

    def __init__(self, policy: str, originals: Originals, tell: Speaker) -> None:
        self._directory = policy
        self._good = Policy(mode=Mode.ENFORCE)
        self._complaint = ""
        self._originals = originals
        self._tell = tell
        self._tail = Tail()
        self._open = Unfinished()
        self._since = ""

    def begin(self, host: Host) -> None:
        """From now on all is seen that happens. What has happened until now is caught up with."""
        self._read()
        self._since = journal.rfc3339(time.time())
        for arrival in self._open.all:
            try:
                self._catch_up(host, host.by_uuid(arrival.uuid), arrival)
            except NoGuest:
                continue  # it may be about to come, or have gone again

    def happened(self, host: Host, happening: Happening) -> None:
        """Something happened to a guest."""
        self._read()
        arrival = self._open.of(happening.uuid)
        if arrival is None:
            return
        if happening.what in _ENDS:
            self._finish(arrival, _ENDS[happening.what])
        elif happening.what in (What.ARRIVED, What.DEFINED):
            guest = host.by_uuid(happening.uuid)
            done = self._repaired(host, guest, arrival)
            if happening.what is What.ARRIVED or not guest.runs:
                self._finish(arrival, Result.COMPLETED, done)

    def look(self, host: Host) -> None:
        """Give up on those that do not come: libvirt says nothing where it could not begin."""
        self._read()
        expired = journal.rfc3339(time.time() - _PATIENCE)
        for arrival in self._open.all:
            if self._since < arrival.time < expired and not _is_here(host, arrival):
                self._finish(arrival, Result.FAILED)

    def _policy(self) -> Policy:
        """The policy; where it is invalid, the last good one. The record says what is to be done."""
        try:
            self._good = load(self._directory)
        except PolicyError as error:
            self._complain(str(error.diagnostics[0]))
        else:
            self._complaint = ""
        return self._good

    def _complain(self, why: str) -> None:
        if why != self._complaint:
            self._complaint = why
            self._tell.warning("the policy is invalid; going by the one before", because=why)

    def _read(self) -> None:
        self._open.learn(self._tail.fresh(self._policy().journal.path))
        for arrival in self._open.superseded:
            self._open.finish(arrival.id)
            if self._since and arrival.time > self._since:  # it never came, or it would have its outcome
                self._finish(arrival, Result.FAILED)

    def _catch_up(self, host: Host, guest: Guest, arrival: Arrival) -> None:
        if guest.is_arriving or not (guest.runs or _saved_since(guest, arrival)):
            return
        self._finish(arrival, Result.COMPLETED, self._repaired(host, guest, arrival), late=True)

    def _repaired(self, host: Host, guest: Guest, arrival: Arrival) -> str:
        """What was made of the saved definition: "repaired", "left", or "" where there was nothing to do."""
        if self._originals.has(arrival.id):
            return "repaired"
        if not arrival.changes or not guest.is_saved or not _saved_since(guest, arrival):
            return ""
        try:
            return self._repair(host, guest, arrival)
        except (Rejected, Undecidable, OSError) as error:
            self._left(arrival, str(error))
            return "left"

    def _repair(self, host: Host, guest: Guest, arrival: Arrival) -> str:
        document, running = guest.definition(), parse(guest.running()) if guest.runs else None
        definition, policy = parse(document), self._policy().for_guest(arrival.name, arrival.uuid)
        with open_facts("/", policy.deadline) as facts:
            made = repairs.repair(definition, arrival.changes, running, policy, Memo(facts))
        if not made.changes:
            return ""
        if made.violations:
            first = made.violations[0]
            raise Rejected(f"{first.change.spot.label}: {first.because}; wanted: {first.wanted}")
        now = journal.rfc3339(time.time())
        original = Original(arrival.id, now, arrival.name, arrival.uuid, document)
        self._define(host, original, made.after.serialise())
        names = ", ".join(f"{one.spot.label}: {one.old} -> {one.new}" for one in made.changes)
        self._tell.info("repaired a saved definition", guest=arrival.name, record=arrival.id, changes=names)
        return "repaired"

    def _define(self, host: Host, original: Original, document: bytes) -> None:
        self._originals.keep(original)
        try:
            host.define(document)
        except Rejected:
            self._originals.drop(original.id)
            raise
        self._originals.confirm(original)

    def _left(self, arrival: Arrival, why: str) -> None:
        self._tell.warning("a saved definition is left as it came from the source, and the guest will not "
                           "start by it", guest=arrival.name, record=arrival.id, because=why)  # fmt: skip

    def _finish(self, arrival: Arrival, result: Result, definition: str = "", late: bool = False) -> None:
        """Record an outcome; where that fails, it is known here at least."""
        self._open.finish(arrival.id)
        line = journal.encode(journal.outcome(arrival.id, result.value, time.time(), definition, late))
        try:
            process.append(self._policy().journal.path, line)
        except OSError as error:
            self._tell.warning("an outcome cannot be recorded", guest=arrival.name, record=arrival.id,
                               outcome=result.value, because=str(error))  # fmt: skip
        process.tell_system_log(line)


def _is_here(host: Host, arrival: Arrival) -> bool:
    try:
        guest = host.by_uuid(arrival.uuid)
        return guest.runs or _saved_since(guest, arrival)
    except NoGuest:
        return False


def _saved_since(guest: Guest, arrival: Arrival) -> bool:
    """Whether the guest's definition was saved after the guest was let in: else it is not from the source."""
    try:
        saved = os.stat(f"{_SAVED}/{guest.name}.xml").st_mtime
    except OSError:
        return guest.is_saved  # libvirtd keeps it elsewhere
    return journal.rfc3339(saved) >= arrival.time
