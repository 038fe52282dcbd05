"""Networks, pools and addresses."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from libhooks import names
from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.model import Link, StoragePool, Unknown, VirtualNetwork
from libhooks.facts.network import links

HOSTA = Path(__file__).parent / "trees" / "hosta"


@pytest.fixture
def facts() -> Iterator[HostFacts]:
    with open_facts(str(HOSTA)) as facts:
        yield facts


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("br0", Link("br0", "bridge")),
        ("eno1", Link("eno1", "other")),
        ("lo", Link("lo", "other")),
        ("ovsbr0", Link("ovsbr0", "ovs")),
        ("vlan42", Link("vlan42", "other")),
        ("ovs-system", Link("ovs-system", "other")),
        ("br9", None),
        ("bonding_masters", None),
        ("ovsgone", None),
    ],
)
def test_link(facts: HostFacts, name: str, link: Link | None) -> None:
    """A device is a bridge by sysfs, one of Open vSwitch by its daemon's socket, else another."""
    assert facts.link(name) == link


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("prod", VirtualNetwork("prod", True, ("web", "db"), "bridge", "br0")),
        ("lab", VirtualNetwork("lab", False, (), "nat", "virbr1")),
        ("isolated", VirtualNetwork("isolated", False, (), "", "virbr2")),
        ("none", None),
        ("broken", Unknown("/etc/libvirt/qemu/networks/broken.xml is not well-formed")),
        ("wrong", Unknown("/etc/libvirt/qemu/networks/wrong.xml holds no network")),
    ],
)
def test_network(facts: HostFacts, name: str, found: VirtualNetwork | Unknown | None) -> None:
    """A network is as it runs; one that does not run is as it is defined."""
    assert facts.network(name) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("images", StoragePool("images", "netfs", "/srv/images", True)),
        ("ceph", StoragePool("ceph", "rbd", "", False)),
        ("none", None),
    ],
)
def test_pool(facts: HostFacts, name: str, found: StoragePool | None) -> None:
    """A pool is as it runs; one that does not run is as it is defined."""
    assert facts.pool(name) == found


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "/etc/passwd", "a\0b", "x" * 300])
def test_names_of_nothing(facts: HostFacts, name: str) -> None:
    """A name that can't be a file's is the name of nothing, and no path is made of it."""
    assert (facts.link(name), facts.network(name), facts.pool(name)) == (None, None, None)


def test_entities(tmp_path: Path) -> None:
    """Entities in libvirt's files are not resolved."""
    text = '<!DOCTYPE n [<!ENTITY x SYSTEM "/etc/passwd">]><network><bridge name="b"/>&x;</network>'
    directory = tmp_path / "etc/libvirt/qemu/networks"
    directory.mkdir(parents=True)
    (directory / "n.xml").write_text(text)
    assert open_facts(str(tmp_path)).network("n") == VirtualNetwork("n", False, (), "", "b")


def test_addresses(facts: HostFacts) -> None:
    """The host's addresses are those the kernel delivers to itself, each once."""
    assert facts.addresses() == (
        *("192.0.2.11", "127.0.0.1"),
        *("2001:db8::11", "fe80::5054:ff:fe12:3456", "::1"),
    )


def test_no_addresses(tmp_path: Path) -> None:
    """Without the kernel's table, addresses are unknown."""
    assert open_facts(str(tmp_path)).addresses() == Unknown("there is no /proc/net/fib_trie")


def test_ipv6_form() -> None:
    """IPv6 addresses are spelt as a policy's and a guest's are, so that they compare as text."""
    dice = random.Random(4711)
    for _ in range(2000):
        digits = "".join(dice.choice(("0000", "0000", "0001", "00ab", "fffe")) for _ in range(8))
        expected = str(names.address(ipaddress.IPv6Address(int(digits, 16)).exploded))
        assert links.local_ipv6(f"{digits} 02 40 00 80 br0\n") == (expected,)


def test_garbage_tables() -> None:
    """Lines that make no sense have no addresses."""
    assert links.local_ipv4("/32 host LOCAL\n|--\n|-- a b\n /32 host LOCAL\nLocal:\n") == ()
    assert links.local_ipv6("\n0 1 2\n" + "g" * 32 + " 02\n") == ()
