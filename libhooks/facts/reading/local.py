"""What can be read without fear that it never answers: the kernel's own file systems, and local disks.

A file system on a LUN hangs as one on a dead server does, while its paths are down and multipath queues.
"""

from __future__ import annotations

from libhooks.facts.reading.mounts import Entry
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage
from libhooks.facts.storage import block

#: File systems that live in memory or in the kernel itself.
_KERNEL = frozenset(
    (
        *("proc", "sysfs", "tmpfs", "devtmpfs", "devpts", "ramfs", "rootfs", "cgroup", "cgroup2", "bpf"),
        *("securityfs", "debugfs", "tracefs", "configfs", "hugetlbfs", "mqueue", "pstore", "efivarfs"),
    )
)
#: File systems on a block device.
_DISK = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "iso9660", "udf", "squashfs"))
#: Transports whose devices fail, but do not fall silent for ever: SAS can have multipath queue without end.
_LOCAL = frozenset(("sata", "usb", "virtio", "nvme-pcie", "mmcblk", "xvd", "zram", "pmem", "ram"))


class Locality:
    """Tells what is local, from sysfs. What can't be told is not."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[tuple[int, int], bool] = {}

    def mount(self, mount: Entry, top: Entry) -> bool:
        """Whether a mount is local; ``top`` is the mount of "/"."""
        # Where "/" hangs, this very code does; and of ZFS only its own tools know the devices.
        if mount.fstype in _KERNEL or mount.fstype == "zfs" or mount.device == top.device:
            return True
        if mount.fstype not in _DISK:
            return False
        if mount.device not in self._known:
            self._known[mount.device] = self._disk(mount)
        return self._known[mount.device]

    def _disk(self, mount: Entry) -> bool:
        if mount.device[0]:
            return self.device(mount.device)
        try:  # btrfs has no device number of its own; its source is one of its devices.
            node = self._paths.node(mount.source)
        except (OSError, Garbage):
            return False
        return node is not None and node.device is not None and self.device(node.device)

    def device(self, device: tuple[int, int]) -> bool:
        """Whether all that a block device stands on is in or at this host."""
        try:
            leaves = block.leaves(self._paths, device)
        except (OSError, Garbage):
            return False
        return all(leaf.transport in _LOCAL for leaf in leaves)
