"""Storage: whether QEMU may use what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from libhooks.chain import location
from libhooks.decision import Level, Unmet
from libhooks.domain import Domain
from libhooks.facts.model import Facts, Unknown
from libhooks.names import Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, LIBVIRT, Requirement, Subject, unmet
from libhooks.requirements.sharing import described, hidden, mount_of

if TYPE_CHECKING:
    from libhooks.facts.surroundings.words import Access

_WANTED = "QEMU's user to have access"
#: SELinux's booleans that let guests use a kind of file system.
_BOOLEANS = {
    "nfs": "virt_use_nfs",
    "nfs4": "virt_use_nfs",
    "cifs": "virt_use_samba",
    "smb3": "virt_use_samba",
}


def access(subject: Subject) -> Iterator[Unmet]:
    """The user that QEMU runs as may not read, or not write, an image of the guest.

    QEMU would fail to open the image when the guest arrives. Judged are: a mount that is read-only; each
    directory on the way, which that user must be able to enter; the file's owner, mode and ACL; and
    SELinux's booleans virt_use_nfs, virt_use_fusefs and virt_use_samba, where it enforces. The user is the
    one of qemu.conf, or that of the distribution's package.

    libvirt gives an image to that user before QEMU opens it (dynamic_ownership in qemu.conf). It can't on
    NFS with root_squash: let the file belong to the user there, by the same number on all hosts.
    Only warned of, because a server may allow more than its modes say.
    """
    own = _own_user(subject.domain)
    for resolution, name in subject.named(Role.IMAGE):
        path = _used(name, subject.facts)
        if isinstance(path, Unknown):
            yield unmet(resolution, name, _WANTED, path.why, "see that its storage answers", True)
        elif path is not None:
            yield from _read_only(resolution, name, path, subject.facts)
            yield from _confined(resolution, name, path, subject.facts)
            yield from () if own else _denied(resolution, name, path, subject.facts)


def _used(name: Name, facts: Facts) -> str | Unknown | None:
    """The path of an image that is a file; None for what has no owner, or is missing."""
    path = location(name, facts)
    if path is None or isinstance(path, Unknown):
        return path
    file = facts.file(path)
    if isinstance(file, Unknown):
        return path if hidden(path, facts) else file
    return path if file is not None and file.kind in ("file", "dir") else None


def _own_user(domain: Domain) -> bool:
    """Whether the guest's QEMU runs as a user of its own, whom the domain names."""
    labels = domain.root.findall("seclabel")
    return any(label.get("model") == "dac" and label.get("type") != "dynamic" for label in labels)


def _read_only(resolution: Resolution, name: Name, path: str, facts: Facts) -> Iterator[Unmet]:
    options = facts.mount_options(path)
    if resolution.reference.writable and not isinstance(options, Unknown) and "ro" in options:
        mount = mount_of(path, facts)
        where = "a read-only mount" if isinstance(mount, Unknown) else f"read-only: {described(mount)}"
        yield unmet(resolution, name, "to be written to", where, "mount it for writing (mount -o remount,rw)")


def _confined(resolution: Resolution, name: Name, path: str, facts: Facts) -> Iterator[Unmet]:
    mount = mount_of(path, facts)
    if isinstance(mount, Unknown):
        yield unmet(resolution, name, _WANTED, mount.why, "see that it can be read", True)
        return
    fuse = "virt_use_fusefs" if mount.fstype.startswith("fuse.") else ""
    boolean = _BOOLEANS.get(mount.fstype, fuse)
    allowed = facts.boolean(boolean) if boolean else None
    wanted = f"SELinux to let guests use {mount.fstype}"
    if isinstance(allowed, Unknown):
        yield unmet(resolution, name, wanted, allowed.why, f"see getsebool {boolean}", True)
    elif allowed is False:
        yield unmet(resolution, name, wanted, f"{boolean} is off", f"setsebool -P {boolean} on")


def _denied(resolution: Resolution, name: Name, path: str, facts: Facts) -> Iterator[Unmet]:
    found = facts.access(path)
    if isinstance(found, Unknown):
        yield unmet(resolution, name, _WANTED, found.why, "see that it can be read", True)
    elif found is not None:
        writes = resolution.reference.writable
        wanted = f"{found.user} to read {'and write ' if writes else ''}it"
        if found.barrier:
            hint = f"chmod o+x {found.barrier}, or setfacl -m u:{found.user}:x {found.barrier}"
            yield unmet(resolution, name, wanted, f"{found.user} may not enter {found.barrier}", hint)
        elif not found.reads or (writes and not found.writes):
            yield unmet(resolution, name, wanted, _lacks(found), _ownership_hint(found))


def _lacks(found: Access) -> str:
    what = "write it" if found.reads else "read it"
    squashed = ", and the server squashes root" if found.squashed else ""
    return f"{found.user} may not {what}{': ' + found.owner if found.owner else ''}{squashed}"


def _ownership_hint(found: Access) -> str:
    if found.squashed:
        return f"on the server, let it belong to {found.user}'s number, or export it with no_root_squash"
    return f"let it belong to {found.user} (chown), or let others use it (chmod, setfacl)"


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("storage.access", "QEMU may read and write the images", LIBVIRT, Level.WARN, BOTH, access),
)
