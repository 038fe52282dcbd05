"""What a guest takes of this host: how much memory, on which pages, on which nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import HOSTB, judged, tree
from lxml import etree

from libhooks.facts.host import open_facts
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
        (NUMA + pages("<page size='4'/><page size='2' unit='M' nodeset='0'/>"), [2048, None]),
    ],
)  # fmt: skip
def test_pages(inner: str, sizes: list[int | None]) -> None:
    """A page that names a cell counts before one that names none; 0 is the host's usual size.

    Pages of 4 KiB are ordinary memory, whoever asks for them.
    """
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


def device(model: str, target: str, source: str = "") -> str:
    size = "<size>2048</size>"
    return f"<memory model='{model}'><source>{source}</source><target>{size}{target}</target></memory>"


DIMM = device("dimm", "<node>1</node>")
ALL_KINDS = "".join(
    (
        *(DIMM, device("virtio-mem", "<node>0</node><requested>1024</requested>")),
        *(device("nvdimm", "", "<path>/srv/nvdimm</path>"), device("virtio-pmem", ""), device("sgx-epc", "")),
    )
)


@pytest.mark.parametrize(
    ("inner", "plugged"),
    [
        (NUMA + f"<devices>{ALL_KINDS}</devices>", [2048, 2048, 2048, 1024]),
        (PLAIN + f"<devices>{DIMM}</devices>", [2048, 2048]),
        (f"<memory>1024</memory><devices>{DIMM}</devices>", [0, 2048]),
    ],
)
def test_memory_devices(inner: str, plugged: list[int]) -> None:
    """DIMMs and what is requested of virtio-mem are memory of this host; files' and the processor's are not.

    <memory> has them in it, nodes do not.
    """
    assert [cell.memory for cell in of(inner)] == plugged


def test_pages_of_memory_devices() -> None:
    """A device is made of the pages that it names, else of its node's, on the nodes that it names."""
    named = device("dimm", "<node>1</node>", "<pagesize unit='M'>2</pagesize><nodemask>1</nodemask>")
    small = device("dimm", "<node>1</node>", "<pagesize unit='KiB'>4</pagesize>")
    inner = NUMA + pages("<page size='1' unit='G' nodeset='1'/>") + f"<devices>{DIMM}{named}{small}</devices>"
    assert of(inner)[2:] == (
        Cell(1, 2048, 1 << 20, None),
        Cell(1, 2048, 2048, frozenset({1})),
        Cell(1, 2048, None, None),
    )


HUGETLBFS = "/dev/huge{0} rw - hugetlbfs hugetlbfs rw,{1}"


@pytest.mark.parametrize(
    ("mounts", "conf", "sizes"),
    [
        ((), "", set()),
        (("pagesize=2M", "pagesize=1024M"), "", {2048, 1 << 20}),
        (("pagesize=64K", "pagesize=1G"), "", {64, 1 << 20}),
        (("mode=0770",), "", {0}),
        (("pagesize=2M", "pagesize=1024M"), 'hugetlbfs_mount = "/dev/huge1/"', {1 << 20}),
        (("pagesize=2M", "pagesize=1024M"), 'hugetlbfs_mount = ["/dev/huge0", "/dev/huge9"]', {2048}),
        (("pagesize=2M",), 'hugetlbfs_mount = ""', set()),
    ],
)
def test_hugetlbfs(tmp_path: Path, mounts: tuple[str, ...], conf: str, sizes: set[int]) -> None:
    """libvirt uses what qemu.conf names, and where it names nothing, whatever is mounted."""
    lines = [f"{30 + at} 1 0:{30 + at} / {HUGETLBFS.format(at, one)}\n" for at, one in enumerate(mounts)]
    tree(tmp_path, proc__self__mountinfo="1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" + "".join(lines))
    tree(tmp_path, etc__libvirt__qemu_conf=conf)
    (tmp_path / "etc/libvirt/qemu_conf").rename(tmp_path / "etc/libvirt/qemu.conf")
    with open_facts(str(tmp_path)) as facts:
        assert facts.hugetlbfs() == frozenset(sizes)


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
