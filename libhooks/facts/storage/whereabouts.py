"""Where this host has what an identity describes: the other way round than ``identity``.

Only strong identity counts: of a file the server or file system, its path there and its number; of a block
device its world-wide name or UUID.
"""

from __future__ import annotations

from typing import Iterator

from libhooks.facts.reading.mounts import Entry, Mounts
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import NoAnswer, OutOfTime
from libhooks.facts.storage.identity import identity
from libhooks.origin import Identity

_BY_ID = "/dev/disk/by-id"
#: Names that mean the same on every host, the plainest first.
_STABLE = ("wwn-", "dm-uuid-", "scsi-", "nvme-")


def paths(host: Paths, on: Mounts, wanted: Identity) -> tuple[str, ...]:
    """The paths that lead to it here, the plainest first; none where it is not here."""
    if wanted.subpath:
        found = _files(host, on, wanted) if wanted.inode else iter(())
    else:
        found = _devices(host, on, wanted) if wanted.wwid or wanted.uuid else iter(())
    return tuple(sorted(found, key=lambda path: (len(path), path)))


def _files(host: Paths, on: Mounts, wanted: Identity) -> Iterator[str]:
    for entry in on.entries:
        below = _below(entry, wanted)
        if below is not None:
            path = f"{entry.point.rstrip('/')}{below}"
            if _is(host, on, path, wanted):
                yield path


def _below(entry: Entry, wanted: Identity) -> str | None:
    """The path below a mount of what lies at ``wanted`` on its server or file system, if it shows it."""
    whole, shown = _whole(wanted.mount_source, wanted.subpath), _whole(entry.source, entry.root)
    if entry.device[0] != 0:  # /dev/sdb1 there is /dev/sdc1 here: the UUID tells
        whole, shown = ("", wanted.subpath), ("", entry.root)
    prefix = shown[1].rstrip("/")
    return whole[1][len(prefix) :] if whole[0] == shown[0] and whole[1].startswith(f"{prefix}/") else None


def _whole(source: str, below: str) -> tuple[str, str]:
    """A server and a path on it: parts of what it exports can be mounted by themselves."""
    server, colon, path = source.partition(":/") if ":/" in source else source.partition(":")
    if not colon:
        return source, below
    parts = [part for part in f"{path}/{below}".split("/") if part]
    return server.lower(), "/" + "/".join(parts)


def _is(host: Paths, on: Mounts, path: str, wanted: Identity) -> bool:
    """Whether a path leads to it: another mount may cover it, or another file stand there now."""
    try:
        here = identity(host, on, path)
    except (NoAnswer, OutOfTime):
        return False  # a mount that does not answer is no place to move a guest to
    if here is None or here.inode != wanted.inode:
        return False
    return here.uuid == wanted.uuid if here.uuid or here.wwid else here.inode != 0


def _devices(host: Paths, on: Mounts, wanted: Identity) -> Iterator[str]:
    for prefix in _STABLE:
        for name in host.names(_BY_ID):
            path = f"{_BY_ID}/{name}"
            here = identity(host, on, path) if name.startswith(prefix) else None
            if here is not None and _same_device(here, wanted):
                yield path
                return


def _same_device(here: Identity, wanted: Identity) -> bool:
    if wanted.wwid:
        return here.wwid == wanted.wwid
    return not here.subpath and here.uuid == wanted.uuid
