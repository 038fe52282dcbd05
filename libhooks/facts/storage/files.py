"""Storage: files, the mounts they lie on, what qcow2 headers name, and what block devices stand on."""

from __future__ import annotations

from libhooks.facts.model import File, Image, Leaf, Mount, Unknown
from libhooks.facts.reading import conf, mounts
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage
from libhooks.facts.storage import block, qcow2

_QEMU_CONF = "/etc/libvirt/qemu.conf"
_SECTOR = 512


def table(paths: Paths) -> mounts.Mounts:
    """The host's mounts now. Raises OSError or Garbage."""
    text = paths.text(mounts.TABLE, mounts.TABLE_LIMIT)
    if text is None:
        raise Garbage(f"there is no {mounts.TABLE}")
    return mounts.parse(text)


def file(paths: Paths, path: str) -> File | None:
    """What ``path`` leads to; a block device's size is its capacity, and only files have another."""
    place = paths.resolve(path)
    if place.node is None:
        return None
    kind, size, device = place.node[:3]
    if kind == "block" and device is not None:
        size = _capacity(paths, device)
    return File(kind, place.real, size if kind in ("file", "block") else 0, device)


def _capacity(paths: Paths, device: tuple[int, int]) -> int:
    size = f"/sys/dev/block/{device[0]}:{device[1]}/size"
    return paths.number(size) * _SECTOR if paths.node(size) is not None else 0


def mount(on: mounts.Mounts, real: str) -> Mount:
    """The mount of a path already resolved."""
    found = on.of(real)
    return Mount(found.point, found.source, found.fstype, found.root, real)


def image(paths: Paths, path: str) -> Image | None | Unknown:
    """The qcow2 header at ``path``. Only its first cluster is ever read."""
    node = paths.node(path)
    if node is None:
        return None
    # What can't be an image is not opened either: to read some files of /proc and /sys is to do something.
    if node.kind not in ("file", "block") or (node.kind == "file" and node.size < qcow2.SMALLEST):
        return qcow2.NONE
    head = paths.read(path, qcow2.FIRST_READ) or b""
    wanted = qcow2.extent(head)
    if wanted > len(head) == qcow2.FIRST_READ:
        head = paths.read(path, wanted) or b""
    return qcow2.parse(head)


def leaves(paths: Paths, path: str) -> tuple[Leaf, ...] | None:
    """The devices below the block device that ``path`` leads to."""
    node = paths.node(path)
    if node is None or node.kind != "block" or node.device is None:
        return None
    return block.leaves(paths, node.device)


def shared_filesystems(paths: Paths) -> tuple[str, ...]:
    """qemu.conf's ``shared_filesystems`` (libvirt 10.8); none where the file or the setting is missing."""
    text = paths.text(_QEMU_CONF)
    try:
        return conf.string_list(text, "shared_filesystems") if text else ()
    except Garbage as error:
        raise Garbage(f"{_QEMU_CONF}: {error}") from None
