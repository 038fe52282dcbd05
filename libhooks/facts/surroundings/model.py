"""The questions that a decision may ask of what a guest's disks and interfaces meet here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Protocol, TypeVar

if TYPE_CHECKING:
    from libhooks.facts.model import Unknown
    from libhooks.facts.surroundings.words import Access, Exports, Running, Wire
    from libhooks.origin import Identity


class SurroundingsFacts(Protocol):
    """Part of ``model.Facts``."""

    def mount_options(self, path: str) -> tuple[str, ...] | Unknown:
        """The options of the mount that ``path`` lies on, and of its file system ("ro", "addr=192.0.2.1")."""

    def access(self, path: str) -> Access | None | Unknown:
        """What the user that QEMU runs as may do with a file; None where it is missing."""

    def boolean(self, name: str) -> bool | None | Unknown:
        """Whether a boolean of SELinux is set; None where it does not enforce, or has no such boolean."""

    def identity(self, path: str) -> Identity | None | Unknown:
        """What ``path`` leads to, told by what does not depend on its name; None where it is missing."""

    def paths_of(
        self, mount_source: str, subpath: str, inode: str, wwid: str, uuid: str
    ) -> tuple[str, ...] | Unknown:
        """Where this host has the very thing that these describe (``origin.Identity``), best name first."""

    def portals(self, path: str) -> tuple[str, ...] | Unknown:
        """The addresses of the servers behind a block device."""

    def bricks(self, volume: str) -> tuple[str, ...] | Unknown:
        """The hosts of a GlusterFS volume's bricks, where this host's glusterd knows the volume."""

    def called(self, name: str) -> tuple[str, ...] | Unknown:
        """The addresses that /etc/hosts has for a host's name."""

    def exports(self) -> Exports | Unknown:
        """What this host itself exports."""

    def wire(self, name: str) -> Wire | None | Unknown:
        """How a network device is wired; None where there is none of that name."""

    def mtu(self, name: str) -> int | None | Unknown:
        """The largest packet that a network device carries, in bytes; None where there is no such device."""

    def segment(self, name: str) -> str | None | Unknown:
        """The segment on a network device, in words that hosts can compare; "" where they are not known."""

    def bridges_on(self, segment: str) -> tuple[str, ...] | Unknown:
        """The bridges on a segment, as another host described that."""

    def nwfilter(self, name: str) -> tuple[str, ...] | None | Unknown:
        """The filters that a network filter refers to; None where there is no such filter."""

    def active(self, name: str, uuid: str) -> Running | None | Unknown:
        """The active guest of that name or UUID."""

    def host_uuid(self) -> str | None | Unknown:
        """The UUID that libvirt knows this host by; None where it makes a new one at each start."""

    def unasked(self) -> tuple[str, ...]:
        """Where is mounted what there was no time left to ask, so far."""


_Answer = TypeVar("_Answer")


class SurroundingsMemo:
    """Part of ``model.Memo``."""

    _facts: SurroundingsFacts

    def _once(self, question: Callable[..., _Answer], *argument: str) -> _Answer:
        raise NotImplementedError

    def mount_options(self, path: str) -> tuple[str, ...] | Unknown:
        """As SurroundingsFacts'; so are the others."""
        return self._once(self._facts.mount_options, path)

    def access(self, path: str) -> Access | None | Unknown:
        """Once."""
        return self._once(self._facts.access, path)

    def boolean(self, name: str) -> bool | None | Unknown:
        """Once."""
        return self._once(self._facts.boolean, name)

    def identity(self, path: str) -> Identity | None | Unknown:
        """Once."""
        return self._once(self._facts.identity, path)

    def paths_of(
        self, mount_source: str, subpath: str, inode: str, wwid: str, uuid: str
    ) -> tuple[str, ...] | Unknown:
        """Once."""
        return self._once(self._facts.paths_of, mount_source, subpath, inode, wwid, uuid)

    def portals(self, path: str) -> tuple[str, ...] | Unknown:
        """Once."""
        return self._once(self._facts.portals, path)

    def bricks(self, volume: str) -> tuple[str, ...] | Unknown:
        """Once."""
        return self._once(self._facts.bricks, volume)

    def called(self, name: str) -> tuple[str, ...] | Unknown:
        """Once."""
        return self._once(self._facts.called, name)

    def exports(self) -> Exports | Unknown:
        """Once."""
        return self._once(self._facts.exports)

    def wire(self, name: str) -> Wire | None | Unknown:
        """Once."""
        return self._once(self._facts.wire, name)

    def mtu(self, name: str) -> int | None | Unknown:
        """Once."""
        return self._once(self._facts.mtu, name)

    def segment(self, name: str) -> str | None | Unknown:
        """Once."""
        return self._once(self._facts.segment, name)

    def bridges_on(self, segment: str) -> tuple[str, ...] | Unknown:
        """Once."""
        return self._once(self._facts.bridges_on, segment)

    def nwfilter(self, name: str) -> tuple[str, ...] | None | Unknown:
        """Once."""
        return self._once(self._facts.nwfilter, name)

    def active(self, name: str, uuid: str) -> Running | None | Unknown:
        """Once."""
        return self._once(self._facts.active, name, uuid)

    def host_uuid(self) -> str | None | Unknown:
        """Once."""
        return self._once(self._facts.host_uuid)

    def unasked(self) -> tuple[str, ...]:
        """Once: after all other questions."""
        return self._once(self._facts.unasked)
