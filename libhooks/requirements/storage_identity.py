"""Storage: whether what has a name here is what the policy says, and what the guest had elsewhere."""

from __future__ import annotations

import re
from typing import Iterator

from libhooks.chain import location
from libhooks.decision import Kind, Level, Unmet
from libhooks.facts.model import Facts, Unknown
from libhooks.names import Form, Name
from libhooks.origin import Identity
from libhooks.places import Outcome, Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, GUIDE, MIGRATE, Requirement, Subject, unmet
from libhooks.requirements.sharing import described

#: Devices that are numbered or lettered in the order in which a host found them.
_UNSTABLE = (
    r"(?:sd|hd|vd|xvd)[a-z]+\d*|(?:dm-|md|loop|nbd|rbd)\d+(?:p\d+)?|nvme\d+n\d+(?:p\d+)?"
    r"|mapper/mpath[a-z]+(?:-?p(?:art)?\d+)?"
)


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
            yield unmet(resolution, now, wanted, mount.why, "see that the mount answers", True)
        elif _source(mount.source, mount.fstype) != _source(place.source, mount.fstype):
            hint = f"mount {place.source}, or correct the source of {place.label} ({place.rule})"
            yield unmet(resolution, now, wanted, described(mount), hint)


def _source(text: str, fstype: str) -> str:
    """A mount source in one spelling: GlusterFS takes ``host:volume`` and ``host:/volume`` alike."""
    trimmed = text.rstrip("/") or "/"
    return trimmed.replace(":/", ":", 1) if fstype == "fuse.glusterfs" else trimmed


def same(subject: Subject) -> Iterator[Unmet]:
    """What is here under the name of a disk is another thing than the guest had on its last host.

    Its origin stamp says what was behind the name there: the LUN's world-wide name, the volume's or file
    system's UUID, or the mount's source, the path below it and the file's number. One that is known on
    both hosts and differs is enough: the guest would go on with another disk's data. Judged only where
    the guest has a stamp, and the stamp says exactly this name.

    To fix it: mount the right storage here, or name both in a place. If two spellings of a server's name
    are all that differs, mount it by one of them everywhere.
    """
    for resolution, name in subject.named(Role.IMAGE):
        entry, path = subject.entry(resolution), location(name, subject.facts)
        if entry is None or path is None:
            continue
        here = path if isinstance(path, Unknown) else subject.facts.identity(path)
        if isinstance(here, Unknown):
            yield unmet(resolution, name, "what it was", here.why, "see that its storage answers", True)
        elif here is not None:
            yield from _differs(resolution, name, entry.identity, here, subject.facts)


def _differs(
    resolution: Resolution, name: Name, there: Identity, here: Identity, facts: Facts
) -> Iterator[Unmet]:
    for what, old, new in _compared(there, here, resolution.place is not None, facts):
        if old != new:
            hint = "mount the same storage here, or name it in a place that says where each host has it"
            if resolution.elsewhere:
                hint = f'it is {resolution.elsewhere} here: name both in a place, or set origin = "rewrite"'
            yield unmet(resolution, name, f"{what} {old}, as where it comes from", f"{what} {new}", hint)
            return


def _compared(
    there: Identity, here: Identity, declared: bool, facts: Facts
) -> Iterator[tuple[str, str, str]]:
    """What both hosts know, the strongest first."""
    strong = False
    for what, old, new in (("LUN", there.wwid, here.wwid), ("UUID", there.uuid, here.uuid)):
        if old and new:
            strong = True
            yield what, old, new
    if there.inode and here.inode:
        yield "file number", str(there.inode), str(here.inode)
    # Of two servers that a place declares to be one, the number of the file has to do.
    if there.mount_source and here.mount_source and not strong and not (declared and there.inode):
        before, now = _whole(there), _whole(here)
        alike = before[1] == now[1] and _one_server(before[0], now[0], facts)
        yield "source", ":".join(before), ":".join(before if alike else now)


def _whole(identity: Identity) -> tuple[str, str]:
    """A server and a path on it, of which a part can be mounted by itself; for others, what is mounted."""
    source = identity.mount_source
    if ":" not in source:
        return source, identity.subpath
    server, _, path = source.rpartition(":/") if ":/" in source else source.partition(":")
    parts = [part for part in f"{path}/{identity.subpath}".split("/") if part]
    return server.lower(), "/" + "/".join(parts)


def _one_server(old: str, new: str, facts: Facts) -> bool:
    """Whether two names are one host's, as far as /etc/hosts knows."""
    first, second = facts.called(old), facts.called(new)
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return old == new
    return bool({old, *first} & {new, *second})


def stable_name(subject: Subject) -> Iterator[Unmet]:
    """A disk is called by a device name that another host may give to another device.

    sdX, dm-N, nvmeXnY and multipath's mpathX are given in the order in which a host finds its devices:
    the name exists here, it is shared storage, and it may be another guest's LUN. Use a name that means
    the same everywhere: /dev/disk/by-id/..., an LVM volume, a multipath alias.

    Met as well where a place names exactly this device on each host, and where the origin stamp's
    world-wide name or UUID proves that the device is the same.
    """
    for resolution, name in subject.named(Role.IMAGE, form=Form.PATH):
        if name.parts[:1] != ("dev",) or not re.fullmatch(_UNSTABLE, "/".join(name.parts[1:])):
            continue
        if _settled(resolution, name) or subject.facts.file(str(name)) is None:
            continue  # of what is missing, storage.exists says so
        if not _proven(subject, resolution, name):
            found = f"{name} is whatever this host found in that order"
            hint = "use /dev/disk/by-id/..., or name the device on each host in a [storage.…] place"
            yield unmet(resolution, name, "a name that means the same on every host", found, hint)


def _settled(resolution: Resolution, name: Name) -> bool:
    """Whether a place says of this very device, not of a directory above it, what each host calls it."""
    place = resolution.place
    return place is not None and any(name in names for names in place.at.values())


def _proven(subject: Subject, resolution: Resolution, name: Name) -> bool:
    entry = subject.entry(resolution)
    here = subject.facts.identity(str(name)) if entry is not None else None
    if entry is None or here is None or isinstance(here, Unknown):
        return False
    pairs = ((entry.identity.wwid, here.wwid), (entry.identity.uuid, here.uuid))
    return any(old and old == new for old, new in pairs)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("storage.source", "what is mounted is what the policy says", "libhooks", Level.REFUSE, BOTH,
                source),
    Requirement("storage.same", "it is the same storage, not just the same name", GUIDE, Level.REFUSE,
                MIGRATE, same, needs_origin=True),
    Requirement("storage.stable-name", "block devices have names that mean the same everywhere", GUIDE,
                Level.REFUSE, MIGRATE, stable_name),
)  # fmt: skip
