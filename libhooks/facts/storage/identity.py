"""What a file or block device is, told by what does not depend on what a host calls it.

Where the same thing has two spellings, this is where they become one: multipath's and SCSI's words for a
LUN, a mount's source and a path below it.
"""

from __future__ import annotations

from libhooks.facts.reading.mounts import Entry, Mounts
from libhooks.facts.reading.paths import Paths, Place
from libhooks.facts.reading.root import Garbage
from libhooks.origin import Identity

_BY_UUID = "/dev/disk/by-uuid"


def identity(paths: Paths, on: Mounts, path: str) -> Identity | None:
    """The identity of what ``path`` leads to; None where nothing is."""
    place = paths.resolve(path)
    if place.node is None:
        return None
    if place.node.kind == "block" and place.node.device is not None:
        return _device(paths, place.node.device)
    return _file(paths, on.of(place.real), place)


def _file(paths: Paths, entry: Entry, place: Place) -> Identity:
    below = place.real[len(entry.point.rstrip("/")) :]
    subpath = f"{entry.root.rstrip('/')}{below}"
    inode = place.node.inode if place.node is not None else 0
    found = Identity(entry.source, subpath, inode)
    if entry.device[0] == 0:  # a file system without a device: its source is all that names it
        return found
    return found._replace(wwid=_wwid(paths, _directory(paths, entry.device)), uuid=_uuid(paths, entry.device))


def _uuid(paths: Paths, device: tuple[int, int]) -> str:
    """The UUID of the file system on a device, as udev has read it."""
    for name in paths.names(_BY_UUID):
        node = paths.node(f"{_BY_UUID}/{name}")
        if node is not None and node.device == device:
            return name
    return ""


def _directory(paths: Paths, device: tuple[int, int]) -> str:
    place = paths.resolve(f"/sys/dev/block/{device[0]}:{device[1]}")
    if place.node is None:
        raise Garbage(f"/sys/dev/block has no {device[0]}:{device[1]}")
    return place.real


def _device(paths: Paths, device: tuple[int, int]) -> Identity:
    directory = _directory(paths, device)
    mapped = paths.line(f"{directory}/dm/uuid")
    kind, _, rest = mapped.partition("-")
    if kind == "LVM":
        return Identity(uuid=rest)
    if kind == "CRYPT":  # CRYPT-LUKS2-UUID-NAME: the name is this host's own
        return Identity(uuid="-".join(mapped.split("-")[:3]))
    return Identity(wwid=_wwid(paths, directory))


def _wwid(paths: Paths, directory: str) -> str:
    """The world-wide name of a disk, or of the disk and the number of a partition; "" where it has none."""
    number = paths.line(f"{directory}/partition")
    if number:
        return _part(_wwid(paths, directory.rpartition("/")[0]), number)
    mapped = paths.line(f"{directory}/dm/uuid")
    if mapped.startswith("mpath-"):
        return mapped[len("mpath-") :]
    part, _, disk = mapped.partition("-mpath-")
    if part.startswith("part") and disk:
        return _part(disk, part[len("part") :])
    return _scsi(paths.line(f"{directory}/device/wwid")) or paths.line(f"{directory}/wwid")


def _part(disk: str, number: str) -> str:
    return f"{disk}-part{number}" if disk else ""


def _scsi(text: str) -> str:
    """The kernel's word for a LUN in multipath's spelling (scsi_id: 2 is EUI-64, 3 is NAA)."""
    kind, _, digits = text.strip().partition(".")
    return {"naa": "3", "eui": "2"}[kind] + digits if kind in ("naa", "eui") and digits else ""
