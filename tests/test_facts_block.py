"""What block devices stand on, in the captured tree of a host with a storage network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.model import File, Leaf, Mount, Unknown

SAN = Path(__file__).parent / "trees" / "san"


@pytest.fixture
def facts() -> Iterator[HostFacts]:
    with open_facts(str(SAN)) as facts:
        yield facts


FC = (Leaf("/dev/sdb", "fc"), Leaf("/dev/sdc", "fc"))
ISCSI = (Leaf("/dev/sdd", "iscsi"), Leaf("/dev/sde", "iscsi"))
SATA = (Leaf("/dev/sda", "sata"),)
TCP = (Leaf("/dev/nvme1n1", "nvme-tcp"),)
LOOP = (Leaf("/dev/loop0", "loop", "/srv/nfs/disk.img"),)


@pytest.mark.parametrize(
    ("path", "leaves"),
    [
        ("/dev/sdb", FC[:1]),
        ("/dev/sdb1", FC[:1]),
        ("/dev/mapper/mpatha", FC),
        ("/dev/mapper/mpatha-part1", FC),
        ("/dev/mapper/san-web1", FC),
        ("/dev/san/web1", FC),
        ("/dev/dm-3", ISCSI),
        ("/dev/sde1", ISCSI[1:]),
        ("/dev/sdf", (Leaf("/dev/sdf", "srp"),)),
        ("/dev/sdf1", (Leaf("/dev/sdf", "srp"),)),
        ("/dev/nvme1n1", TCP),
        ("/dev/nvme1n1p1", TCP),
        ("/dev/nvme3n1", (Leaf("/dev/nvme3n1", "nvme-rdma"),)),
        ("/dev/nvme0n1", (Leaf("/dev/nvme0n1", "nvme-pcie"),)),
        ("/dev/nvme0n1p1", (Leaf("/dev/nvme0n1", "nvme-pcie"),)),
        ("/dev/sda", SATA),
        ("/dev/sda2", SATA),
        ("/dev/mapper/luks-root", SATA),
        ("/dev/sdg1", (Leaf("/dev/sdg", "sas"),)),
        ("/dev/sdh1", (Leaf("/dev/sdh", "usb"),)),
        ("/dev/vda1", (Leaf("/dev/vda", "virtio"),)),
        ("/dev/md0", (*SATA, Leaf("/dev/sdh", "usb"))),
        ("/dev/sdi", (Leaf("/dev/sdi", "other"),)),
        ("/dev/loop0", LOOP),
        ("/dev/loop0p1", LOOP),
        ("/dev/nbd0", (Leaf("/dev/nbd0", "nbd"),)),
        ("/dev/rbd0p1", (Leaf("/dev/rbd0", "rbd"),)),
        ("/dev/drbd0", (Leaf("/dev/drbd0", "drbd"),)),
    ],
)
def test_leaves(facts: HostFacts, path: str, leaves: tuple[Leaf, ...]) -> None:
    """A device is reached as the disks at the bottom of its stack are, each disk once."""
    assert facts.block(path) == leaves


@pytest.mark.parametrize("path", ["/srv/nfs/disk.img", "/dev", "/dev/tty0", "/dev/none"])
def test_no_block_device(facts: HostFacts, path: str) -> None:
    """What is missing, or is no block device, has no devices below it."""
    assert facts.block(path) is None


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/dev/dm-8", "the devices below /sys/devices/virtual/block/dm-8 go in a circle"),
        ("/dev/dm-7", "/sys/devices/virtual/block/dm-7/slaves/sdx leads nowhere"),
        ("/dev/sdz", "/sys/dev/block has no 65:144"),
        ("/dev/nvme9n1", "/sys/devices/virtual/nvme-fabrics/ctl/nvme9/transport names no transport"),
    ],
)
def test_unknown(facts: HostFacts, path: str, why: str) -> None:
    """A stack that makes no sense is unknown."""
    assert facts.block(path) == Unknown(why)


def test_file(facts: HostFacts) -> None:
    """A block device is a file of its capacity; links to it are followed."""
    assert facts.file("/dev/san/web1") == File("block", "/dev/dm-2", 2097152 * 512, (254, 2))


def test_mount(facts: HostFacts) -> None:
    """A loop device's file lies on a mount like any other."""
    source = "filer.example.org:/export/vm"
    assert facts.mount(LOOP[0].file) == Mount("/srv/nfs", source, "nfs4", "/", "/srv/nfs/disk.img")
