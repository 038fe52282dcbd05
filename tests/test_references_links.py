"""Interfaces that become another type, because their place has a name of another form here."""

from __future__ import annotations

import itertools

import pytest
from test_references_rows import complaint
from test_references_types import bare

from libhooks import names
from libhooks.decision import DEFAULT, Kind
from libhooks.domain import parse
from libhooks.event import Operation
from libhooks.names import Name
from libhooks.places import Index, Outcome
from libhooks.policy.model import Place
from libhooks.references import find

OVS = "<virtualport type='openvswitch'/>"
LINKS = {
    "bridge": (names.bridge("b"), "type='bridge'", "<source bridge='b'/>"),
    "ovs": (names.ovs("o"), "type='bridge'", f"<source bridge='o'/>{OVS}"),
    "network": (names.network("n"), "type='network'", "<source network='n'/>"),
    "portgroup": (names.network("m", "g"), "type='network'", "<source network='m' portgroup='g'/>"),
}
LINK_PAIRS = list(itertools.permutations(LINKS, 2))
BESIDE = {
    "nothing": "",
    "target": "<target dev='tap7'/>",
    "filter": "<filterref filter='clean-traffic'/>",
    "bandwidth": "<bandwidth><inbound average='1000'/></bandwidth>",
    "floor": "<bandwidth><inbound average='1000' floor='1'/></bandwidth>",
    "vlan": "<vlan><tag id='42'/></vlan>",
    "isolation": "<port isolated='yes'/>",
    "link": "<model type='virtio'/><mtu size='9000'/><link state='up'/>",
}
#: What the guest would miss, and the forms that do not take it.
NOT_THERE = {
    "floor": ("its bandwidth floor would be lost: only a libvirt network keeps one", ("bridge", "ovs")),
    "vlan": ("its <vlan> would be lost: a Linux bridge takes none", ("bridge",)),
    "isolation": ("its isolation from other ports would be lost: an OVS bridge has none", ("ovs",)),
}


def link(kind: str, beside: str = "", attributes: str = "") -> bytes:
    source = LINKS[kind][2].replace("<source", f"<source{attributes}", 1)
    return (
        "<domain type='kvm'><name>g</name><memory>1024</memory><os><type>hvm</type></os><devices>"
        f"<interface {LINKS[kind][1]}><mac address='52:54:00:00:00:01'/>{source}{beside}</interface>"
        "</devices></domain>"
    ).encode()


def relinked(document: bytes, a: str, b: str) -> bytes | str:
    return _relinked(document, LINKS[a][0], LINKS[b][0])


def _relinked(document: bytes, there: Name, here: Name) -> bytes | str:
    place = Place(Kind.NETWORK, "p", {"hosta": (there,), "hostb": (here,)}, "", DEFAULT, {})
    reference = next(
        one for one in find(parse(document)) if one.name and one.name.remainder(there) is not None
    )
    resolution = Index((place,), ("hostb",)).resolve(reference, Operation.MIGRATE)
    if resolution.outcome is Outcome.UNFIT:
        return resolution.why
    assert resolution.new is not None
    assert reference.element is not None
    edits = reference.row.write(reference.spot, reference.element, resolution.new)
    return parse(document).edited(edits).serialise()


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize(("a", "b"), LINK_PAIRS)
def test_interfaces(a: str, b: str, beside: str) -> None:
    """Bridge, network and OVS bridge stand in for each other, with what is beside them, or not at all."""
    before = link(a, BESIDE[beside])
    if complaint(before):
        return  # this type has no such thing
    after = relinked(before, a, b)
    if isinstance(after, str):
        assert (after, b in NOT_THERE[beside][1]) == (NOT_THERE[beside][0], True)
        return
    assert complaint(after) == ""
    assert bare(after) == bare(link(b, BESIDE[beside]))


DIRECT = (
    "<domain type='kvm'><name>g</name><memory>1024</memory><os><type>hvm</type></os><devices>"
    "<interface type='direct'><mac address='52:54:00:00:00:01'/><source dev='{}'{}/>{}</interface>"
    "</devices></domain>"
)
NO_DIRECT = "a direct interface can only be mapped to another direct one"


@pytest.mark.parametrize("b", LINKS)
def test_direct_is_nothing_else(b: str) -> None:
    """A direct interface is on the wire by itself: it becomes no bridge or network, nor they one."""
    direct = names.direct("eth0")
    assert _relinked(DIRECT.format("eth0", " mode='bridge'", "").encode(), direct, LINKS[b][0]) == NO_DIRECT
    assert _relinked(link(b), LINKS[b][0], direct) == NO_DIRECT


@pytest.mark.parametrize(
    ("there", "here", "mode", "after"),
    [
        (names.direct("eth0"), names.direct("eno1"), "", ""),
        (names.direct("eth0"), names.direct("eno1"), " mode='vepa'", " mode='vepa'"),
        (names.direct("eth0", "vepa"), names.direct("eno1", "bridge"), " mode='vepa'", " mode='bridge'"),
        (names.direct("eth0"), names.direct("eno1", "bridge"), "", " mode='bridge'"),
    ],
)
@pytest.mark.parametrize(
    "beside", ["", "<virtualport type='802.1Qbh'><parameters profileid='p'/></virtualport>"]
)
def test_direct_to_direct(there: Name, here: Name, mode: str, after: str, beside: str) -> None:
    """From one direct interface to another all stays but the device, and the mode where a place has one."""
    got = _relinked(DIRECT.format("eth0", mode, beside).encode(), there, here)
    assert isinstance(got, bytes)
    assert bare(got) == bare(DIRECT.format("eno1", after, beside).encode())
    assert complaint(got) == ""


@pytest.mark.parametrize(("a", "b"), LINK_PAIRS)
def test_bridge_options(a: str, b: str) -> None:
    """How libvirt keeps a bridge's table is said of a Linux bridge alone."""
    if a == "bridge":
        after = relinked(link(a, "", " macTableManager='libvirt'"), a, b)
        assert isinstance(after, bytes)
        assert complaint(after) == ""
        assert bare(after) == bare(link(b))


def test_same_bridge_option() -> None:
    """From one Linux bridge to another it stays."""
    document = link("bridge", "", " macTableManager='libvirt'")
    (reference,) = find(parse(document))
    assert reference.element is not None
    edits = list(reference.row.write(reference.spot, reference.element, names.bridge("c")))
    assert [(one.spot.xpath.rpartition("/")[2], one.old, one.new) for one in edits] == [("@bridge", "b", "c")]
