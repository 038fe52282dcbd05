"""The host itself, read without ever waiting for what does not answer.

Only a file system that is local for certain is read in this process; all others by a child that may hang in
our place. What did not answer once is not asked again, and the next question gets a fresh child.
"""

from __future__ import annotations

import time
from typing import Any, Callable, cast

from libhooks.facts import block
from libhooks.facts.mounts import TABLE, TABLE_LIMIT, Entry, Mounts, parse
from libhooks.facts.paths import Paths
from libhooks.facts.prober import Prober
from libhooks.facts.root import Garbage, LiveRoot, NoAnswer, Node

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


class Guarded:
    """The host itself, read without ever waiting longer than allowed."""

    def __init__(self) -> None:
        self._live = LiveRoot()
        self._prober: Prober | None = None
        self._mounts: Mounts | None = None
        self._silent: dict[tuple[int, int], str] = {}
        self._local: dict[tuple[int, int], bool] = {}
        self._allowed = 0.0
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        """From now on, until the next call, everything that can hang has this long together."""
        self._allowed = seconds
        self._until = time.monotonic() + seconds

    def close(self) -> None:
        """Ends the child, without waiting for it."""
        if self._prober is not None:
            self._prober.abandon()
            self._prober = None

    def mounts(self) -> Mounts:
        """The mount table, read when first needed, and again after an automount may have changed it."""
        if self._mounts is None:
            text = self._live.read(TABLE, TABLE_LIMIT).decode("utf-8", "surrogateescape")
            self._mounts = parse(text)
        return self._mounts

    def lstat(self, path: str) -> Node:
        """As LiveRoot's; so are the others."""
        return Node(*cast("tuple[Any, ...]", self._ask("lstat", path)))

    def readlink(self, path: str) -> str:
        """The target of a link."""
        return cast(str, self._ask("readlink", path))

    def listdir(self, path: str) -> tuple[str, ...]:
        """The names in a directory."""
        return cast("tuple[str, ...]", self._ask("listdir", path))

    def read(self, path: str, limit: int) -> bytes:
        """A file's contents; those of a device can hang though its node, in /dev, is local."""
        device = self.lstat(path).device
        if device is not None and not self._is_local_device(device):
            return cast(bytes, self._ask_child(device, ("read", path, limit)))
        return cast(bytes, self._ask("read", path, limit))

    def _ask(self, question: str, path: str, *more: int) -> object:
        mount = self.mounts().of(path)
        if self._is_local(mount):
            ask: Callable[..., object] = getattr(self._live, question)
            return ask(path, *more)
        try:
            return self._ask_child(mount.device, (question, path, *more))
        finally:
            if mount.fstype == "autofs":
                self._mounts = None

    def _ask_child(self, device: tuple[int, int], request: tuple[object, ...]) -> object:
        """The child's answer; where it has none, whatever is on the device is silent from now on."""
        if device in self._silent:
            raise NoAnswer(self._silent[device])
        if time.monotonic() >= self._until:
            raise NoAnswer("no time was left to ask")
        if self._prober is None:
            self._prober = Prober()
        try:
            return self._prober.ask(request, self._until, f"no answer in {round(self._allowed, 1):g} s")
        except NoAnswer as error:
            self._silent[device] = str(error)
            self.close()
            raise

    def _is_local(self, mount: Entry) -> bool:
        # Where "/" hangs, this very code does; and of ZFS only its own tools know the devices.
        if mount.fstype in _KERNEL or mount.fstype == "zfs" or mount.point == "/":
            return True
        if mount.fstype not in _DISK:
            return False
        if mount.device not in self._local:
            self._local[mount.device] = self._on_local_disk(mount)
        return self._local[mount.device]

    def _on_local_disk(self, mount: Entry) -> bool:
        if mount.device == self.mounts().of("/").device:
            return True
        if mount.device[0]:
            return self._is_local_device(mount.device)
        try:  # btrfs has no device number of its own; its source is one of its devices.
            node = Paths(self._live).node(mount.source)
        except (OSError, Garbage):
            return False
        return node is not None and node.device is not None and self._is_local_device(node.device)

    def _is_local_device(self, device: tuple[int, int]) -> bool:
        try:
            leaves = block.leaves(Paths(self._live), device)
        except (OSError, Garbage):
            return False
        return all(leaf.transport in _LOCAL for leaf in leaves)
