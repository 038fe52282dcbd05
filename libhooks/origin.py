"""The origin stamp as data: what a guest says of the host that it ran on, in the words of that host.

Everything in it is untrusted input: a guest's metadata is writable by whoever may edit the guest.
"""

from __future__ import annotations

from typing import NamedTuple


class Identity(NamedTuple):
    """What is behind a name, told by things that do not depend on what a host calls it. "" or 0: not known.

    A file is known by its mount's source, its path below that mount's root and its inode number; a block
    device by its WWID; a file system or volume by its UUID; a network by its segment (VLAN and subnet, as
    the stamping host described them).
    """

    mount_source: str = ""
    subpath: str = ""
    inode: int = 0
    wwid: str = ""
    uuid: str = ""
    segment: str = ""


class Entry(NamedTuple):
    """A disk or an interface: which (target, or MAC address), its name there, and what is behind it."""

    device: str
    name: str
    identity: Identity


class Origin(NamedTuple):
    """A guest's origin. Versions are libvirt's integers (1000000 * major + 1000 * minor + release).

    ``os`` is os-release's ID and VERSION_ID; ``addresses`` are those of the host, "" or 0 where unknown.
    """

    host: str
    host_uuid: str = ""
    os: tuple[str, str] = ("", "")
    libvirt: int = 0
    qemu: int = 0
    policy: str = ""
    addresses: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the host goes by, best first: as given, and without its domain."""
        return tuple(dict.fromkeys((self.host, self.host.partition(".")[0])))

    def entry(self, device: str, name: str) -> Entry | None:
        """The entry of a device, if it says exactly what the document says: stale ones fall away."""
        for entry in self.entries:
            if entry.device == device and entry.name == name:
                return entry
        return None
