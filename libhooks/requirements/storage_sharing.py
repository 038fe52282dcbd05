"""Storage: whether other hosts can reach what the guest writes to, and whether that is safe."""

from __future__ import annotations

from typing import Iterator

from libhooks.chain import location
from libhooks.decision import Level, Unmet
from libhooks.domain import around
from libhooks.facts.model import Facts, File, Unknown
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.requirements.model import GUIDE, LIBVIRT, MIGRATE, Requirement, Subject, unmet
from libhooks.requirements.others import left_to
from libhooks.requirements.sharing import Local, Shared, described, hidden, is_shared, mount_of, written

#: The protocols that Red Hat's guide lists.
LISTED = frozenset({"Fibre Channel", "iSCSI", "NFS", "GFS2", "SRP"})
_LISTED = "FC, iSCSI, NFS, GFS2 or SRP"
#: Cache modes that leave a disk's data in the memory of the host that the guest left.
CACHING = ("writeback", "writethrough", "unsafe")
#: What keeps the caches of several hosts alike (libvirt: virFileIsClusterFS; RBD's cache is its own affair).
COHERENT = frozenset(("gfs2", "ocfs2", "ceph", "fuse.ceph", "fuse.ceph-fuse", "fuse.glusterfs"))
_COHERENT_PROTOCOLS = ("rbd", "gluster")


def shared(subject: Subject) -> Iterator[Unmet]:
    """A disk that the guest writes to is on storage of this host alone.

    Red Hat's guide demands shared storage: FC LUNs, iSCSI, NFS, GFS2, SRP. libhooks also knows OCFS2,
    Ceph, GlusterFS, GPFS, Lustre, BeeGFS, SMB, NVMe over fabrics, and SAS shelves where a storage
    place says that several hosts are cabled to them; block devices are followed through LVM,
    multipath, encryption and partitions to the transport below. Paths in qemu.conf's
    shared_filesystems count as shared.

    To fix it: mount the shared storage at this path, map the path in a storage place, or exempt the
    guest if it migrates together with its storage.
    """
    for resolution, name in written(subject):
        answer = is_shared(subject, resolution, name)
        if isinstance(answer, Local):
            yield unmet(resolution, name, "on shared storage", answer.found, _sharing_hint(resolution))
        elif isinstance(answer, Unknown):
            yield unmet(
                resolution, name, "on shared storage", answer.why, "see that its storage answers", True
            )
    for chain in subject.chains:
        if chain.broken is not None and not left_to("storage.exists", subject):
            yield chain.broken


def _sharing_hint(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"mount {resolution.place.label} here, or correct its name ({resolution.rule})"
    return "name the store in a [storage.…] place of the policy, or exempt the guest"


def protocol(subject: Subject) -> Iterator[Unmet]:
    """A disk is on shared storage, by a protocol that Red Hat's guide does not list.

    The guide lists Fibre Channel, iSCSI, NFS, GFS2 and SRP. Others work with libvirt (Ceph, GlusterFS,
    OCFS2 ...), so this is a warning unless the policy says otherwise.
    """
    for resolution, name in written(subject):
        answer = is_shared(subject, resolution, name)
        if isinstance(answer, Shared) and not set(answer.protocol.split(" and ")) <= LISTED:
            hint = 'set "storage.protocol" = "off" in [require] if you rely on it'
            yield unmet(resolution, name, _LISTED, answer.protocol, hint)
        elif isinstance(answer, Unknown):
            yield unmet(resolution, name, _LISTED, answer.why, "see that its storage answers", True)


def cache(subject: Subject) -> Iterator[Unmet]:
    """A disk is cached by the host, on storage that does not keep the hosts' caches alike.

    With cache='writeback', 'writethrough' or 'unsafe' both hosts keep pages of the disk in memory: this
    host may go on reading what it read before the guest wrote there, and with 'unsafe' the source may not
    have written all of it. GFS2, OCFS2, Ceph and GlusterFS keep caches alike; elsewhere use cache='none' or
    'directsync' (virsh edit; it counts from the guest's next start), or <shareable/> for a cluster's disk.

    libvirt calls such a migration unsafe unless QEMU drops its cache on arrival, which it does since 3.0
    where it can. So this is a warning, and a disk that leaves the mode to QEMU is not reported.
    """
    for resolution, name in written(subject):
        mode = _cache_mode(resolution)
        if mode in CACHING:
            yield from _cached(resolution, name, mode, subject)


def _cache_mode(resolution: Resolution) -> str:
    """The cache mode that a disk asks for; "" for one that it shares with other guests."""
    source = resolution.reference.element
    disk = None if source is None else around(source)
    driver = None if disk is None or disk.tag != "disk" else disk.find("driver")
    if disk is None or driver is None or disk.find("shareable") is not None:
        return ""
    return driver.get("cache", "")


def _cached(resolution: Resolution, name: Name, mode: str, subject: Subject) -> Iterator[Unmet]:
    where = _caching(name, subject)
    wanted = "cache='none' or 'directsync', or a file system that keeps caches alike"
    if isinstance(where, Unknown):
        yield unmet(resolution, name, wanted, where.why, "see that its storage answers", True)
    elif where:
        hint = "virsh edit the guest, and restart it; QEMU 3.0 and later drop most of the cache on arrival"
        yield unmet(resolution, name, wanted, f"cache='{mode}' {where}", hint)


def _caching(name: Name, subject: Subject) -> str | Unknown:
    """What a disk's cache stands before, in words; "" where caches are kept alike, or nothing is there."""
    if name.form is Form.STORE:
        return "" if name.parts[0] in _COHERENT_PROTOCOLS else f"on {name.parts[0]}"
    path = location(name, subject.facts)
    if path is None or isinstance(path, Unknown):
        return path or ""
    return _cached_at(path, subject.facts)


def _cached_at(path: str, facts: Facts) -> str | Unknown:
    file = facts.file(path)
    if file is None:
        return ""
    if isinstance(file, File) and file.kind == "block":
        return "on a block device"
    if isinstance(file, Unknown) and not hidden(path, facts):
        return file
    mount = mount_of(path, facts)
    if isinstance(mount, Unknown):
        return mount
    return "" if mount.fstype in COHERENT else f"on {described(mount)}"


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "storage.shared", "writable disks are on shared storage", GUIDE, Level.REFUSE, MIGRATE, shared
    ),
    Requirement(
        "storage.protocol", "by a protocol of the guide's list", GUIDE, Level.WARN, MIGRATE, protocol
    ),
    Requirement("storage.cache", "disks are cached safely", LIBVIRT, Level.WARN, MIGRATE, cache),
)
