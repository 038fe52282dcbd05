"""Storage: what the guest's files need of this host."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from libhooks.chain import path_of
from libhooks.decision import Kind, Level, Unmet
from libhooks.facts.model import Facts, File, Leaf, Mount, StoragePool, Unknown
from libhooks.names import Form, Name
from libhooks.places import Outcome, Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, GUIDE, LIBVIRT, MIGRATE, Requirement, Subject

#: File systems that several hosts can have mounted at once, and what the field calls their protocol.
SHARED_FILESYSTEMS = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "gfs2": "GFS2",
    "ocfs2": "OCFS2",
    "ceph": "CephFS",
    "fuse.ceph": "CephFS",
    "fuse.ceph-fuse": "CephFS",
    "fuse.glusterfs": "GlusterFS",
    "fuse.quobyte": "Quobyte",
    "gpfs": "GPFS",
    "lustre": "Lustre",
    "beegfs": "BeeGFS",
    "beegfs_nodev": "BeeGFS",
    "afs": "AFS",
    "acfs": "ACFS",
    "cifs": "SMB",
    "smb3": "SMB",
}
#: How a host reaches a device that other hosts can reach too.
SHARED_TRANSPORTS = {
    "fc": "Fibre Channel",
    "iscsi": "iSCSI",
    "srp": "SRP",
    "nvme-tcp": "NVMe/TCP",
    "nvme-rdma": "NVMe/RDMA",
    "nvme-fc": "NVMe/FC",
    "rbd": "RBD",
    "nbd": "NBD",
    "drbd": "DRBD",
}
#: What libvirt calls the protocols of network disks; any other is called as it is.
_PROTOCOLS = {"iscsi": "iSCSI", "nfs": "NFS", "rbd": "RBD", "nbd": "NBD", "gluster": "GlusterFS"}
_SHARED_POOLS = {"iscsi": "iSCSI", "iscsi-direct": "iSCSI", "rbd": "RBD", "gluster": "GlusterFS"}
#: The protocols that Red Hat's guide lists.
LISTED = frozenset({"Fibre Channel", "iSCSI", "NFS", "GFS2", "SRP"})


class Shared(NamedTuple):
    """Storage that other hosts can reach, and by which protocol."""

    protocol: str


class Local(NamedTuple):
    """Storage of this host alone, described for people."""

    found: str


def exists(subject: Subject) -> Iterator[Unmet]:
    """An image, a backing file, a kernel, an initrd or firmware of the guest is not on this host.

    libvirt would fail to start the guest here, or QEMU would, after the hook. Images are looked for at
    the path that the guest will use on this host; for nvram the file, or its template and a directory
    to make it in; for sockets and logs the directory that they are made in. A disk whose
    startupPolicy lets it be absent may be absent.

    To fix it: mount the storage, or name it in a place so that the path is rewritten.
    """
    for resolution, name in subject.named(Role.IMAGE, Role.BOOT, Role.ENDPOINT):
        if not _optional(resolution):
            yield from _missing(resolution, name, subject.facts)
    for resolution, name in subject.named(Role.NVRAM):
        yield from _missing_nvram(resolution, name, subject)
    for resolution, name in subject.named(Role.OUTPUT, form=Form.PATH):
        yield from _missing_directory(resolution, name, subject.facts)
    for chain in subject.chains:
        if chain.broken is not None:
            yield chain.broken


def _optional(resolution: Resolution) -> bool:
    element = resolution.reference.element
    return element is not None and element.get("startupPolicy") in ("optional", "requisite")


def _missing(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    no_pool = tuple(_missing_pool(resolution, name, facts)) if name.form is Form.POOL else ()
    yield from no_pool
    path = path_of(name, facts)
    file = facts.file(path) if path is not None else None
    if no_pool or path is None or isinstance(file, File):
        return
    if isinstance(file, Unknown):
        yield _unmet(resolution, name, "to be here", file.why, "see that its storage answers", True)
    else:
        yield _unmet(resolution, name, "to be here", _nothing_at(path, facts), _place_hint(resolution))


def _missing_pool(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    pool = facts.pool(name.parts[0])
    wanted = f"an active storage pool {name.parts[0]}"
    hint = f"virsh pool-start {name.parts[0]}"
    if pool is None:
        yield _unmet(resolution, name, wanted, "no such pool", "define the pool here, or map its place")
    elif isinstance(pool, Unknown):
        yield _unmet(resolution, name, wanted, pool.why, "see that the pool can be read", True)
    elif not pool.active:
        yield _unmet(resolution, name, wanted, "the pool is not active", hint)


def _missing_nvram(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    file = subject.facts.file(str(name))
    if isinstance(file, File):
        return
    if isinstance(file, Unknown):
        yield _unmet(resolution, name, "to be here", file.why, "see that its storage answers", True)
        return
    yield from _missing_directory(resolution, name, subject.facts)
    element = resolution.reference.element
    nvram = element if element is None or element.tag == "nvram" else element.getparent()
    if nvram is None or not nvram.get("template"):
        found = "not here, and the guest names no template to make it from"
        hint = "name a template in the guest's definition (<nvram template=…>)"
        yield _unmet(resolution, name, "the file, or a template", found, hint, unknown=True)


def _missing_directory(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    directory = str(name).rpartition("/")[0] or "/"
    if _made_by_libvirt(directory):
        return
    found = facts.file(directory)
    wanted = f"a directory {directory} to make it in"
    if isinstance(found, Unknown):
        yield _unmet(resolution, name, wanted, found.why, "see that its storage answers", True)
    elif found is None or found.kind != "dir":
        what = "no such directory" if found is None else f"a {found.kind}"
        yield _unmet(resolution, name, wanted, what, f"mkdir {directory}, or map it in a file place")


def _made_by_libvirt(directory: str) -> bool:
    """libvirt makes these itself: channel targets, and nvram and log directories of its own."""
    return directory.startswith(("/var/lib/libvirt/qemu/", "/run/libvirt/qemu", "/var/run/libvirt/qemu"))


def _nothing_at(path: str, facts: Facts) -> str:
    mount = facts.mount(path)
    if isinstance(mount, Unknown):
        return "no such file"
    return f"no such file; what is mounted there is {_described(mount)}"


def _described(mount: Mount) -> str:
    return f"{mount.fstype} on {mount.source}, mounted at {mount.point}"


def _place_hint(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"mount {resolution.place.label} here, or correct its name ({resolution.rule})"
    return "name where it is on each host in a place of the policy"


def is_shared(subject: Subject, resolution: Resolution, name: Name) -> Shared | Local | Unknown | None:
    """How the storage behind a disk's name is shared; None where there is nothing to judge."""
    facts = subject.facts
    if name.form is Form.STORE:
        return Shared(_PROTOCOLS.get(name.parts[0], name.parts[0]))
    if name.form is Form.POOL:
        pool = facts.pool(name.parts[0])
        if isinstance(pool, StoragePool) and pool.type in _SHARED_POOLS:
            return Shared(_SHARED_POOLS[pool.type])
    path = path_of(name, facts)
    if path is None:
        return None
    declared = resolution.place is not None and len(resolution.place.at) > 1
    return _path_shared(path, facts, declared)


def _path_shared(path: str, facts: Facts, declared: bool, depth: int = 0) -> Shared | Local | Unknown | None:
    file = facts.file(path)
    if file is None or isinstance(file, Unknown):
        return file  # a missing file is storage.exists's affair
    if file.kind == "block":
        return _block_shared(path, facts, declared, depth)
    mount = facts.mount(path)
    if isinstance(mount, Unknown):
        return mount
    if mount.fstype in SHARED_FILESYSTEMS:
        return Shared(SHARED_FILESYSTEMS[mount.fstype])
    listed = facts.shared_filesystems()
    if not isinstance(listed, Unknown) and any(_under(one, path, mount.real) for one in listed):
        return Shared("qemu.conf's shared_filesystems")
    return Local(_described(mount))


def _under(directory: str, *paths: str) -> bool:
    prefix = directory.rstrip("/") + "/"
    return any(path.startswith(prefix) for path in paths)


def _block_shared(path: str, facts: Facts, declared: bool, depth: int) -> Shared | Local | Unknown | None:
    leaves = facts.block(path)
    if leaves is None or isinstance(leaves, Unknown):
        return leaves
    protocols: list[str] = []
    for leaf in leaves:
        answer = _leaf_shared(leaf, facts, declared, depth)
        if not isinstance(answer, Shared):
            return answer
        protocols.append(answer.protocol)
    return Shared(" and ".join(dict.fromkeys(protocols)))


def _leaf_shared(leaf: Leaf, facts: Facts, declared: bool, depth: int) -> Shared | Local | Unknown | None:
    if leaf.transport in SHARED_TRANSPORTS:
        return Shared(SHARED_TRANSPORTS[leaf.transport])
    if leaf.transport == "loop" and leaf.file and depth < 4:
        return _path_shared(leaf.file, facts, declared, depth + 1)
    if leaf.transport == "sas" and declared:
        # A SAS shelf looks the same whether one host is cabled to it or two: the policy's word counts.
        return Shared("SAS")
    return Local(f"{leaf.transport or 'unknown transport'}: {leaf.device}")


def _written(subject: Subject) -> Iterator[tuple[Resolution, Name]]:
    return ((one, name) for one, name in subject.named(Role.IMAGE) if one.reference.writable)


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
    for resolution, name in _written(subject):
        answer = is_shared(subject, resolution, name)
        if isinstance(answer, Local):
            yield _unmet(resolution, name, "on shared storage", answer.found, _sharing_hint(resolution))
        elif isinstance(answer, Unknown):
            yield _unmet(
                resolution, name, "on shared storage", answer.why, "see that its storage answers", True
            )


def _sharing_hint(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"mount {resolution.place.label} here, or correct its name ({resolution.rule})"
    return "name the store in a [storage.…] place of the policy, or exempt the guest"


def protocol(subject: Subject) -> Iterator[Unmet]:
    """A disk is on shared storage, by a protocol that Red Hat's guide does not list.

    The guide lists Fibre Channel, iSCSI, NFS, GFS2 and SRP. Others work with libvirt (Ceph, GlusterFS,
    OCFS2 ...), so this is a warning unless the policy says otherwise.
    """
    for resolution, name in _written(subject):
        answer = is_shared(subject, resolution, name)
        if isinstance(answer, Shared) and not set(answer.protocol.split(" and ")) <= LISTED:
            hint = 'set "storage.protocol" = "off" in [require] if you rely on it'
            yield _unmet(resolution, name, "FC, iSCSI, NFS, GFS2 or SRP", answer.protocol, hint)


def source(subject: Subject) -> Iterator[Unmet]:
    """What is mounted at a place is not what the policy says must be mounted there.

    A place's ``source`` is compared with the mount's source as /proc/self/mountinfo has it. Usually the
    mount is missing, and the directory below it would have been used instead.
    """
    for resolution in subject.resolutions:
        place, now = resolution.place, resolution.now
        if place is None or not place.source or now is None or now.form is not Form.PATH:
            continue
        if resolution.kind is not Kind.STORAGE or resolution.outcome not in (Outcome.KEPT, Outcome.RENAMED):
            continue
        mount = subject.facts.mount(str(now))
        wanted = f"{place.source} mounted there"
        if isinstance(mount, Unknown):
            yield _unmet(resolution, now, wanted, mount.why, "see that the mount answers", True)
        elif _source(mount.source, mount.fstype) != _source(place.source, mount.fstype):
            hint = f"mount {place.source}, or correct the source of {place.label} ({place.rule})"
            yield _unmet(resolution, now, wanted, _described(mount), hint)


def _source(text: str, fstype: str) -> str:
    """A mount source in one spelling: GlusterFS takes ``host:volume`` and ``host:/volume`` alike."""
    trimmed = text.rstrip("/") or "/"
    return trimmed.replace(":/", ":", 1) if fstype == "fuse.glusterfs" else trimmed


def _unmet(
    resolution: Resolution, name: Name, wanted: str, found: str, hint: str, unknown: bool = False
) -> Unmet:
    return Unmet(resolution.reference.spot, name.spoken, wanted, found, hint, unknown)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "storage.exists", "every file that the guest uses is here", LIBVIRT, Level.REFUSE, BOTH, exists
    ),
    Requirement(
        "storage.shared", "writable disks are on shared storage", GUIDE, Level.REFUSE, MIGRATE, shared
    ),
    Requirement(
        "storage.protocol", "by a protocol of the guide's list", GUIDE, Level.WARN, MIGRATE, protocol
    ),
    Requirement(
        "storage.source", "what is mounted is what the policy says", "libhooks", Level.REFUSE, BOTH, source
    ),
)
