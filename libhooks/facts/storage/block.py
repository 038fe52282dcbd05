"""What a block device stands on, from sysfs: through multipath, LVM, crypt, md and partitions to leaves.

/sys/dev/block/MAJOR:MINOR leads to the device's directory. ``slaves/`` names the devices below it, the
directory above a partition is its disk, and the bus that a disk hangs on is in its path and in the
transport classes of its SCSI host (linux: Documentation/ABI/testing/sysfs-block, sysfs-class-*).
"""

from __future__ import annotations

import re

from libhooks.facts.model import Leaf
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

#: Transport classes of a SCSI host, in the order in which they are believed.
_HOST_CLASSES = (
    ("fc_host", "fc"),
    ("iscsi_host", "iscsi"),
    ("srp_host", "srp"),
    ("sas_host", "sas"),
)
#: Components of a device's path in sysfs, nearest to the device first in their say.
_BUSES = (
    ("session", "iscsi"),
    ("end_device-", "sas"),
    ("ata", "sata"),
    ("usb", "usb"),
    ("virtio", "virtio"),
)
#: Disks whose driver is their transport, by the names the kernel gives them. Whatever drbd stands on,
#: it is reached as drbd.
_DRIVERS = ("drbd", "loop", "nbd", "rbd", "rnbd", "mmcblk", "xvd", "zram", "pmem", "ram")
_NVME = {"pcie": "nvme-pcie", "tcp": "nvme-tcp", "rdma": "nvme-rdma", "fc": "nvme-fc", "loop": "nvme-loop"}
#: Stacks are a few devices deep; this only ends what is not a stack.
_DEEPEST = 32


def leaves(paths: Paths, device: tuple[int, int]) -> tuple[Leaf, ...]:
    """The devices at the bottom of a stack, each once, in sysfs's order.

    Raises OSError, or Garbage where sysfs does not know the device or goes in a circle.
    """
    found = (leaf for directory in directories(paths, device) for leaf in _leaf(paths, directory))
    return tuple(dict.fromkeys(found))


def directories(paths: Paths, device: tuple[int, int]) -> tuple[str, ...]:
    """The directories in sysfs of the devices at the bottom of a stack. Raises as ``leaves`` does."""
    place = paths.resolve(f"/sys/dev/block/{device[0]}:{device[1]}")
    if place.node is None:
        raise Garbage(f"/sys/dev/block has no {device[0]}:{device[1]}")
    return tuple(dict.fromkeys(_below(paths, place.real, ())))


def _below(paths: Paths, directory: str, above: tuple[str, ...]) -> list[str]:
    if directory in above or len(above) > _DEEPEST:
        raise Garbage(f"the devices below {above[0]} go in a circle")
    if paths.node(f"{directory}/partition") is not None:
        return _below(paths, directory.rpartition("/")[0], (*above, directory))
    name = _name(directory)
    slaves = () if _driver(name) else paths.names(f"{directory}/slaves")
    if not slaves:
        return [directory]
    found = []
    for slave in slaves:
        found += _below(paths, _followed(paths, f"{directory}/slaves/{slave}"), (*above, directory))
    return found


def _followed(paths: Paths, link: str) -> str:
    place = paths.resolve(link)
    if place.node is None:
        raise Garbage(f"{link} leads nowhere")
    return place.real


def _name(directory: str) -> str:
    # A device whose name has a slash in it (cciss/c0d0) has a '!' there in sysfs.
    return directory.rpartition("/")[2].replace("!", "/")


def _leaf(paths: Paths, directory: str) -> list[Leaf]:
    name = _name(directory)
    device = f"/dev/{name}"
    if name.startswith("nvme"):
        return [Leaf(device, transport) for transport in _nvme(paths, directory)]
    driver = _driver(name)
    if driver == "loop":
        return [Leaf(device, "loop", _backing(paths, directory))]
    return [Leaf(device, driver or _bus(paths, directory))]


def _backing(paths: Paths, directory: str) -> str:
    """The file behind a loop device, "" where there is none."""
    file = f"{directory}/loop/backing_file"
    found = paths.line(file)
    if found and not found.startswith("/"):
        raise Garbage(f"{file} names no file")
    return found


def _driver(name: str) -> str:
    return next((driver for driver in _DRIVERS if _numbered(name, driver)), "")


def _numbered(name: str, prefix: str) -> bool:
    """Whether a name is the prefix and a number; for xvd, a letter."""
    rest = name[len(prefix) :]
    return name.startswith(prefix) and (rest.isdigit() or (prefix == "xvd" and rest.isalpha()))


def _bus(paths: Paths, directory: str) -> str:
    """The transport of a SCSI or virtio disk; "other" where nothing tells it."""
    parts = directory.split("/")
    for host in (part for part in parts if _numbered(part, "host")):
        for kind, transport in _HOST_CLASSES:
            if paths.node(f"/sys/class/{kind}/{host}") is not None:
                return transport
    for part in reversed(parts):
        for prefix, transport in _BUSES:
            if part.startswith(prefix) and part[len(prefix) : len(prefix) + 1].isdigit():
                return transport
    return "other"


def _nvme(paths: Paths, directory: str) -> list[str]:
    """The transports of a namespace: that of its controller, or of all below its subsystem (multipath)."""
    parent = directory.rpartition("/")[0]
    if _numbered(parent.rpartition("/")[2], "nvme"):
        controllers = [parent]
    else:
        controllers = [f"{parent}/{name}" for name in paths.names(parent) if _numbered(name, "nvme")]
    if not controllers:
        raise Garbage(f"{directory} has no controller")
    return [_transport(paths, f"{controller}/transport") for controller in controllers]


def _transport(paths: Paths, file: str) -> str:
    found = paths.line(file)
    if not re.fullmatch("[a-z-]{1,16}", found):
        raise Garbage(f"{file} names no transport")
    return _NVME.get(found, f"nvme-{found}")
