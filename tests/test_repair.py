"""Saved definitions, repaired by the record of an arrival: in every golden case, and edited since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_cases import GOLDEN, Case, cases, settings

from libhooks import journal, stamp
from libhooks.arrivals import Arrival, Unfinished
from libhooks.decision import Rule
from libhooks.domain import Domain, parse
from libhooks.door import answer
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.policy.load import load
from libhooks.policy.model import Action, DirectEdit, Policy
from libhooks.repair import Repair, repair


def rewritten() -> list[Case]:
    """The golden cases of guests that migrate and are rewritten."""
    found = []
    for case in cases():
        told = json.loads((case.directory / "expect.json").read_text())
        if case.operation is Operation.MIGRATE and told["verdict"] == "rewritten" and told["enforced"]:
            found.append(case)
    return found


def arrival(record: journal.Record) -> Arrival:
    known = Unfinished()
    known.learn([journal.encode(record)])
    (found,) = known.all
    return found


def plain(document: bytes) -> bytes:
    """A document without the stamp that the hook puts into what it rewrites, and without its white space."""
    domain = parse(document)
    for mark in domain.root.findall(f"metadata/{stamp.TAG}"):
        metadata = mark.getparent()
        assert metadata is not None
        metadata.remove(mark)
    for metadata in domain.root.findall("metadata"):
        if len(metadata) == 0:
            domain.root.remove(metadata)
    for element in domain.root.iter():
        element.tail = (element.tail or "").strip() or None
        if len(element):
            element.text = (element.text or "").strip() or None
    return domain.serialise()


@pytest.mark.parametrize("case", rewritten(), ids=lambda case: case.name)
def test_as_the_hook(case: Case, tmp_path: Path) -> None:
    """The record makes of a definition what the hook made of the guest; and nothing more of the outcome."""
    where = settings(case, tmp_path)
    given = answer(Event(case.guest, Operation.MIGRATE), case.document, where)
    came, definition, running = arrival(given.record), parse(case.document), parse(given.stdout)
    policy = load(where.policy).for_guest(case.guest, definition.uuid)
    with open_facts(where.root) as host:
        facts = Memo(host, where.host)
        made = repair(definition, came.changes, running, policy, facts)
        again = repair(made.after, came.changes, running, policy, facts)
    assert plain(made.after.serialise()) == plain(given.stdout)
    assert made.violations == ()
    assert again.changes == ()


DISK, CARD = "disk vda", "interface 52:54:00:12:34:56"
DEFINITION = """\
<domain><name>web1</name><uuid>7f3a1c52-0000-4000-8000-000000000001</uuid><devices>
<disk type='file'><driver type='raw'/><source file='{disk}'/><target dev='vda'/></disk>
<disk type='file'><driver type='raw'/><source file='/srv/images/b.raw'/><target dev='vdb'/></disk>
<interface type='{kind}'><mac address='52:54:00:12:34:56'/><source {kind}='{plug}'/></interface>
</devices></domain>
"""


def record(*changes: dict[str, str], **more: Any) -> journal.Record:
    """A record with changes."""
    return {
        "id": "01K1", "time": "2031-06-15T12:00:00.000Z", "operation": "migrate", "domain": "web1",
        "uuid": "7f3a1c52-0000-4000-8000-000000000001", "verdict": "rewritten", "enforced": True,
        "changes": list(changes), **more,
    }  # fmt: skip


def change(kind: str, where: str, old: str, new: str, place: str = "p") -> dict[str, str]:
    return {"kind": kind, "place": place, "where": where, "old": old, "new": new, "rule": "10-fleet.toml:6"}


MOVED = change("storage", DISK, "/srv/images/a.raw", "/mnt/a.raw")
PLUGGED = change("network", CARD, "bridge:br0", "network:prod/web")


def repaired(
    *changes: dict[str, str], disk: str = "/srv/images/a.raw", plug: str = "br0", kind: str = "bridge",
    running: Domain | None = None,
) -> Repair:  # fmt: skip
    definition = parse(DEFINITION.format(disk=disk, plug=plug, kind=kind).encode())
    with open_facts(str(GOLDEN / "hosts" / "hostb")) as facts:
        return repair(definition, arrival(record(*changes)).changes, running, Policy(), Memo(facts))


def told(made: Repair) -> list[tuple[str, str]]:
    return [(one.spot.label, one.new) for one in made.changes]


def test_each_where_it_was() -> None:
    """Only what the record tells of is changed: another disk under the same path stays."""
    made = repaired(MOVED, PLUGGED)
    assert told(made) == [(DISK, "/mnt/a.raw"), (CARD, "network:prod/web")]
    after = made.after.serialise().decode()
    assert "<source file='/srv/images/b.raw'/>".replace("'", '"') in after
    assert '<source network="prod" portgroup="web"/>' in after


def test_edited() -> None:
    """Where something else stands than came, a person put it there."""
    assert told(repaired(MOVED, PLUGGED, disk="/srv/mine.raw")) == [(CARD, "network:prod/web")]
    assert told(repaired(MOVED, PLUGGED, plug="br7")) == [(DISK, "/mnt/a.raw")]
    assert told(repaired(MOVED, PLUGGED, plug="br0", kind="network")) == [(DISK, "/mnt/a.raw")]
    assert repaired(MOVED, disk="/mnt/a.raw").changes == ()


def test_hosts_of_a_store() -> None:
    """A record names a network disk in a word; its hosts and secret are those that the guest runs with."""
    store = change("storage", DISK, "/srv/images/a.raw", "rbd:vms/a.raw at mon1:6789")
    source = "<source protocol='rbd' name='vms/a.raw'><host name='mon1' port='6789'/></source>"
    disk = f"<disk type='network'>{source}<target dev='vda'/></disk>"
    running = f"<domain><devices>{disk}</devices></domain>"
    made = repaired(store, running=parse(running.encode()))
    assert '<host name="mon1" port="6789"/>' in made.after.serialise().decode()
    assert repaired(store).changes == ()


def test_without_its_rule() -> None:
    """A direct edit or an adjustment that the policy no longer has is not made of a definition either."""
    gone = (change("edit", "domain", "x", "y", "gone"), change("adjust", "vcpu", "0-3", "", "cpu-pinning"))
    assert repaired(*gone).changes == ()


def test_guarded() -> None:
    """What an edit would do to what the guest sees is told, for the definition to be left alone."""
    made = change("edit", "disk vda target/@dev", "vda", "vdz", "mine")
    edit = DirectEdit(
        "mine", (), (), "devices/disk[1]/target/@dev", Action.SET, "vdz", Rule("10-fleet.toml", 9)
    )
    definition = parse(DEFINITION.format(disk="/a", plug="br0", kind="bridge").encode())
    with open_facts(str(GOLDEN / "hosts" / "hostb")) as facts:
        came = arrival(record(made)).changes
        found = repair(definition, came, None, Policy(edits=(edit,)), Memo(facts))
    assert [one.edit.new for one in found.violations] == ["vdz"]


def lines(*entries: Any) -> list[bytes]:
    return [json.dumps(one).encode() for one in entries]


OUTCOME = {"id": "01K1", "outcome": {"result": "completed", "time": "2031-06-15T12:00:03.000Z"}}
UUID = "7F3A1C52-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "journal",
    [
        [],
        lines(record(MOVED), OUTCOME),
        lines(record(verdict="refused")),
        lines(record(operation="restore")),
        lines(record(MOVED), record(verdict="refused", id="01K2")),
        lines([], 7, "x", {"operation": "migrate", "uuid": UUID}, record({"kind": "storage"})),
        [b"", b"\xff", b'{"id": "01K1", "operation": "migrate"'],
    ],
)
def test_no_arrival(journal: list[bytes]) -> None:
    """Where a guest has its outcome, was refused, was restored or is told of in no sense, nothing is due."""
    known = Unfinished()
    known.learn(journal)
    assert known.of(UUID) is None
    assert known.all == ()


def test_arrival() -> None:
    """A guest that was let in is to be accompanied; what was only audited has no changes to be made."""
    known = Unfinished()
    known.learn(lines(record(MOVED)))
    found = known.of(UUID)
    assert found is not None
    assert (found.id, found.name, [one.new for one in found.changes]) == ("01K1", "web1", ["/mnt/a.raw"])
    known.learn(lines(record(MOVED, id="01K2", enforced=False, verdict="refused")))
    found = known.of(UUID)
    assert found is not None
    assert (found.id, found.changes) == ("01K2", ())
    assert [one.id for one in known.superseded] == ["01K1"]
    known.learn(lines(OUTCOME))
    assert known.superseded == ()
