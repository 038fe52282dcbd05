"""What a guest takes of this host: how much memory, on which pages, on which nodes."""

from __future__ import annotations

import pytest
from judging import HOSTB, judged
from lxml import etree

from libhooks.requirements.capacity import Cell, cells, short


def pages(inner: str) -> str:
    return f"<memoryBacking><hugepages>{inner}</hugepages></memoryBacking>"


PLAIN = "<memory unit='KiB'>4096</memory>"
NUMA = "<cpu><numa><cell id='0' memory='2' unit='MiB'/><cell id='1' memory='2048'/></numa></cpu>"


def of(inner: str) -> tuple[Cell, ...]:
    return cells(etree.fromstring(f"<domain>{inner}</domain>"))


@pytest.mark.parametrize(
    ("memory", "kib"),
    [
        ("<memory>8</memory>", 8),
        ("<memory unit='b'>8192</memory>", 8),
        ("<memory unit='KB'>1024</memory>", 1000),
        ("<memory unit='M'>1</memory>", 1024),
        ("<memory unit='GiB'>2</memory>", 2 << 20),
        ("<memory unit='T'>1</memory>", 1 << 30),
        ("<memory unit='pounds'>8</memory>", 8),
        ("<memory>x</memory>", 0),
        ("", 0),
    ],
)
def test_units(memory: str, kib: int) -> None:
    """All of libvirt's units; what is no number is none."""
    assert of(memory) == (Cell(0, kib, None, None),)


@pytest.mark.parametrize(
    ("inner", "sizes"),
    [
        (PLAIN, [None]),
        (PLAIN + "<memoryBacking><hugepages/></memoryBacking>", [0]),
        (PLAIN + pages("<page size='1' unit='G'/>"), [1 << 20]),
        (NUMA, [None, None]),
        (NUMA + "<memoryBacking><hugepages/></memoryBacking>", [0, 0]),
        (NUMA + pages("<page size='2048' nodeset='1'/>"), [None, 2048]),
        (NUMA + pages("<page size='4'/><page size='2' unit='M' nodeset='0'/>"), [2048, 4]),
    ],
)  # fmt: skip
def test_pages(inner: str, sizes: list[int | None]) -> None:
    """A page that names a cell counts before one that names none; 0 is the host's usual size."""
    assert [cell.page for cell in of(inner)] == sizes


@pytest.mark.parametrize(
    ("tuning", "nodes"),
    [
        ("", [None, None]),
        ("<memory mode='strict' nodeset='1-2'/>", [{1, 2}, {1, 2}]),
        ("<memory nodeset='1'/><memnode cellid='0' nodeset='0'/>", [{0}, {1}]),
        (
            "<memory mode='preferred' nodeset='1'/><memnode cellid='0' mode='strict' nodeset='0'/>",
            [{0}, None],
        ),
        ("<memory mode='restrictive' placement='auto'/>", [None, None]),
    ],
)
def test_nodes(tuning: str, nodes: list[object]) -> None:
    """Where a cell's memory has to be, its own binding before the guest's."""
    assert [cell.nodes for cell in of(f"{NUMA}<numatune>{tuning}</numatune>")] == nodes


def guest(inner: str) -> str:
    return f"<domain type='kvm'><name>web1</name>{inner}</domain>"


def test_hugepages_on_no_numa() -> None:
    """Pages on any node count for a guest that is bound to none."""
    backing = pages("<page size='2' unit='M'/>")
    assert not judged("capacity.hugepages", guest(f"<memory unit='MiB'>3072</memory>{backing}"))
    (unmet,) = judged("capacity.hugepages", guest(f"<memory unit='KiB'>3145729</memory>{backing}"))
    assert (unmet.wanted, unmet.found) == ("1537 free pages of 2 MiB", "1536 free")


def test_partly_on_hugepages() -> None:
    """Only what is not on huge pages has to be available otherwise."""
    backing = pages("<page size='2048' nodeset='1'/>")
    numa = "<cpu><numa><cell id='0' memory='{}'/><cell id='1' memory='99999999'/></numa></cpu>"
    assert not judged("capacity.memory", guest(numa.format(16777216) + backing))
    (unmet,) = judged("capacity.memory", guest(numa.format(17825792) + backing))
    assert (unmet.wanted, unmet.found) == ("17 GiB available", "16 GiB")


def test_dimms_are_bound_too() -> None:
    """A memory device names nodes of the host as well."""
    dimm = "<devices><memory model='dimm'><source><nodemask>1-2</nodemask></source></memory></devices>"
    (unmet,) = judged("capacity.nodes", guest(dimm), HOSTB)
    assert (unmet.wanted, unmet.found) == ("node 2", "this host has nodes 0-1")


def test_for_preflight() -> None:
    """What libvirt says of another host's memory is judged alike."""
    assert not list(short(1024, 1024))
    assert [one.found for one in short(1025, 1024)] == ["1 MiB"]
