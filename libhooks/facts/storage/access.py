"""What the user that QEMU runs as may do with a file: modes and ACLs, as the kernel judges them (acl(5)).

libvirt gives an image to that user before QEMU opens it, unless qemu.conf says otherwise; it opens no
directory on the way, and on NFS it can give nothing where the server squashes root.
"""

from __future__ import annotations

import struct
from typing import Iterator

from libhooks.facts.reading.mounts import Mounts
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage, Node
from libhooks.facts.storage import user
from libhooks.facts.storage.files import mount
from libhooks.facts.storage.user import User
from libhooks.facts.surroundings.words import Access

_ACL = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_VERSION = 2
_OWNER, _USER, _OWN_GROUP, _GROUP, _MASK, _OTHERS = 1, 2, 4, 8, 16, 32
_READ, _WRITE, _ENTER = 4, 2, 1
#: File systems whose server may take root for nobody.
_SQUASHING = ("nfs", "nfs4")


def access(paths: Paths, on: Mounts, path: str) -> Access | None:
    """What QEMU may do with ``path``; None where that is missing."""
    who = user.qemu(paths)
    try:
        place = paths.resolve(path)
    except PermissionError:
        return _asked(paths, on, path, who)
    if place.node is None:
        return None
    barrier = next(_barriers(paths, place.real, who), "")
    bits = permitted(place.node, paths.attribute(place.real, _ACL), who)
    squashed = False
    if who.owns and who.uid != place.node.uid:
        squashed = bits & 6 != 6 and _squashed(paths, on, place.real)
        bits = bits if squashed else place.node.mode >> 6
    return Access(who.name, bool(bits & _READ), bool(bits & _WRITE), barrier, _owner(place.node), squashed)


def _owner(node: Node) -> str:
    return f"owner {node.uid}:{node.gid}, mode {node.mode:04o}"


def _asked(paths: Paths, on: Mounts, path: str, who: User) -> Access:
    """Where root may not look: what the server lets QEMU's user do. Raises PermissionError if nothing."""
    ways = paths.allows(path, who.uid, who.gids)
    if not ways:
        raise PermissionError
    return Access(who.name, "r" in ways, "w" in ways, "", "", True, mount(on, path))


def _squashed(paths: Paths, on: Mounts, real: str) -> bool:
    """Whether a server takes root for somebody who may not even write: then it gives no file away either."""
    return on.of(real).fstype in _SQUASHING and paths.allows(real, 0, (0,)) != "rw"


def _barriers(paths: Paths, real: str, who: User) -> Iterator[str]:
    for directory, node in paths.above(real):
        if not permitted(node, paths.attribute(directory, _ACL), who) & _ENTER:
            yield directory


def permitted(node: Node, acl: bytes, who: User) -> int:
    """The three bits that count for a user: as owner, by name, by one of its groups, or as anybody else."""
    if who.uid == node.uid:
        return node.mode >> 6 & 7
    # Where the group's bits, which are then the ACL's mask, are all off, Linux does not look at the ACL.
    if acl and node.mode & 0o070:
        return _by_acl(node, acl, who)
    return (node.mode >> 3 if node.gid in who.gids else node.mode) & 7


def _by_acl(node: Node, acl: bytes, who: User) -> int:
    entries = _entries(acl)
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), 7)
    for tag, bits, id in entries:
        if tag == _USER and id == who.uid:
            return bits & mask
    fits = [
        bits
        for tag, bits, id in entries
        if (tag == _OWN_GROUP and node.gid in who.gids) or (tag == _GROUP and id in who.gids)
    ]
    granted = 0
    for bits in fits:
        granted |= bits & mask
    return granted if fits else next((bits for tag, bits, _ in entries if tag == _OTHERS), 0)


def _entries(acl: bytes) -> list[tuple[int, int, int]]:
    """The entries of the attribute: (tag, bits, user or group) (linux/posix_acl_xattr.h)."""
    if len(acl) % _ENTRY.size != 4 or int.from_bytes(acl[:4], "little") != _VERSION:
        raise Garbage("an ACL in a form that is not known")
    return [(tag, bits & 7, id) for tag, bits, id in _ENTRY.iter_unpack(acl[4:])]


def boolean(paths: Paths, name: str) -> bool | None:
    """Whether SELinux has a boolean set; None where it does not enforce, or has no such boolean.

    Its file says "CURRENT PENDING".
    """
    if paths.line("/sys/fs/selinux/enforce") != "1":
        return None
    path = f"/sys/fs/selinux/booleans/{name}"
    text = paths.line(path)
    if text and text[:1] not in "01":
        raise Garbage(f"{path} is neither 0 nor 1")
    return text.startswith("1") if text else None
