"""How storage is shared: what several hosts can reach at once, by which protocol; what one has alone."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from libhooks.chain import location
from libhooks.facts.model import Facts, File, Leaf, Mount, StoragePool, Unknown
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import Subject
from libhooks.requirements.others import left_to

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


class Shared(NamedTuple):
    """Storage that other hosts can reach, and by which protocol."""

    protocol: str


class Local(NamedTuple):
    """Storage of this host alone, described for people."""

    found: str


def written(subject: Subject) -> Iterator[tuple[Resolution, Name]]:
    """The images that the guest writes to, each with its name here."""
    return ((one, name) for one, name in subject.named(Role.IMAGE) if one.reference.writable)


def described(mount: Mount) -> str:
    """A mount in words: ``nfs4 on filer:/images, mounted at /srv``."""
    return f"{mount.fstype} on {mount.source}, mounted at {mount.point}"


def is_shared(subject: Subject, resolution: Resolution, name: Name) -> Shared | Local | Unknown | None:
    """How the storage behind a disk's name is shared; None where there is nothing to judge."""
    facts = subject.facts
    if name.form is Form.STORE:
        return Shared(_PROTOCOLS.get(name.parts[0], name.parts[0]))
    if name.form is Form.POOL:
        pool = facts.pool(name.parts[0])
        if isinstance(pool, StoragePool) and pool.type in _SHARED_POOLS:
            return Shared(_SHARED_POOLS[pool.type])
    path = location(name, facts)
    if path is None or isinstance(path, Unknown):
        return path
    if facts.file(path) is None:
        return None if left_to("storage.exists", subject) else _mount_shared(path, facts)
    declared = resolution.place is not None and len(resolution.place.at) > 1
    return _path_shared(path, facts, declared)


def _path_shared(path: str, facts: Facts, declared: bool, depth: int = 0) -> Shared | Local | Unknown | None:
    file = facts.file(path)
    if file is None:
        return Local(f"{path}, which is missing")
    if isinstance(file, File) and file.kind == "block":
        return _block_shared(path, facts, declared, depth)
    if isinstance(file, Unknown) and not hidden(path, facts):
        return file
    return _mount_shared(path, facts)


def mount_of(path: str, facts: Facts) -> Mount | Unknown:
    """The mount of a file, also of one that the server hides from root and shows to QEMU's user."""
    mount = facts.mount(path)
    return mount if isinstance(mount, Mount) else hidden(path, facts) or mount


def hidden(path: str, facts: Facts) -> Mount | None:
    """The mount of a file that root may not even look at, while QEMU's user may use it."""
    access = facts.access(path)
    return None if access is None or isinstance(access, Unknown) else access.mount


def _mount_shared(path: str, facts: Facts) -> Shared | Local | Unknown:
    mount = mount_of(path, facts)
    if isinstance(mount, Unknown):
        return mount
    if mount.fstype in SHARED_FILESYSTEMS:
        return Shared(SHARED_FILESYSTEMS[mount.fstype])
    listed = facts.shared_filesystems()
    if not isinstance(listed, Unknown) and any(under(one, path, mount.real) for one in listed):
        return Shared("qemu.conf's shared_filesystems")
    return Local(described(mount))


def under(directory: str, *paths: str) -> bool:
    """Whether any of the paths lies in a directory, as text."""
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
