"""Network segments, which only a stamp of where the guest comes from can tell apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import judged, tree

from libhooks import names
from libhooks.decision import Kind, Rule
from libhooks.origin import Entry, Identity, Origin
from libhooks.policy.model import Place, Policy

MAC = "52:54:00:12:34:56"
GUEST = f"""\
<domain type='kvm'><name>web1</name><devices>
  <interface type='bridge'><mac address='{MAC}'/><source bridge='br0'/></interface>
</devices></domain>"""
ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
br0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
br0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eno9	000A000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""
VLAN = """\
eno1.42  VID: 42	 REORDER_HDR: 1  dev->priv_flags: 1021
         total frames received            0
"""
BRIDGE = """
["/sys/class/net/br0"]
link = "../../devices/virtual/net/br0"

["/sys/devices/virtual/net/br0/bridge/bridge_id"]
text = "8000.525400123456"

["/sys/devices/virtual/net/br0/brif/eno1.42"]
link = "../../eno1.42/brport"
"""
HERE = "vlan 42, subnet 192.0.2.0/24, gateway 192.0.2.1"


def stamp(segment: str, mac: str = MAC, name: str = "bridge:br0") -> Origin:
    return Origin("hosta", entries=(Entry(mac, name, Identity(segment=segment)),))


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with a bridge on a VLAN that it has an address in."""
    return tree(tmp_path, proc__net__route=ROUTES, **{"proc__net__vlan__eno1.42": VLAN}, stat=BRIDGE)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (HERE, []),
        ("vlan 42", []),
        ("subnet 192.0.2.0/24", []),
        ("", []),
        ("something, else", []),
        ("vlan 43, subnet 192.0.2.0/24", ["vlan 42"]),
        ("subnet 198.51.100.0/24, gateway 198.51.100.1", ["subnet 192.0.2.0/24", "gateway 192.0.2.1"]),
    ],
)
def test_segment(host: Path, there: str, found: list[str]) -> None:
    """What both hosts know of a segment must be the same; what one of them does not know says nothing."""
    unmet = judged("network.segment", GUEST, host, stamp(there))
    assert [one.found for one in unmet] == found


def test_nothing_known_here(tmp_path: Path) -> None:
    """A bridge without an address, on an untagged port, is a segment of which a host knows nothing."""
    root = tree(tmp_path, stat=BRIDGE)
    assert judged("network.segment", GUEST, root, stamp(HERE)) == []


@pytest.mark.parametrize(
    "origin", [stamp("vlan 1", mac="52:54:00:00:00:00"), stamp("vlan 1", name="bridge:br1")]
)
def test_stale_stamps_do_not_count(host: Path, origin: Origin) -> None:
    """An entry counts only if it says exactly what the document says."""
    assert judged("network.segment", GUEST, host, origin) == []


def test_the_policy_knows_better(host: Path) -> None:
    """Where a place names the bridge, its word counts: one segment may have two VLANs' numbers."""
    place = Place(Kind.NETWORK, "prod", {"hostb": (names.bridge("br0"),)}, "", Rule("x", 1), {})
    tree(host, etc__libhooks__host="hostb\n")
    assert judged("network.segment", GUEST, host, stamp("vlan 43")) != []
    assert judged("network.segment", GUEST, host, stamp("vlan 43"), Policy(places=(place,))) == []


@pytest.mark.parametrize(
    "garbage", ["Iface\nbr0 x y z 0 0 0 w\n", "Iface\nbr0 000200C0 00000000 1 0 0 0 00FFFFFG\n"]
)
def test_garbage(host: Path, garbage: str) -> None:
    """Routes that make no sense are unknown, with the file's name."""
    (unmet,) = judged(
        "network.segment", GUEST, tree(host, proc__net__route=garbage), stamp("subnet 192.0.2.0/24")
    )
    assert (unmet.unknown, unmet.found) == (True, "/proc/net/route makes no sense")
