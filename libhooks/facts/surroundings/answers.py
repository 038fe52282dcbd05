"""The answers to ``surroundings_model``'s questions. What reads them is imported when first asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, TypeVar

from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import OutOfTime

if TYPE_CHECKING:
    from libhooks.facts.model import Unknown
    from libhooks.facts.reading.mounts import Mounts
    from libhooks.facts.surroundings.words import Access, Exports, Running, Wire
    from libhooks.origin import Identity

_Answer = TypeVar("_Answer")


class Surroundings:
    """Part of ``host.HostFacts``."""

    _paths: Paths

    def _ask(self, question: Callable[[], _Answer]) -> _Answer | Unknown:
        raise NotImplementedError

    def _mounts(self) -> Mounts:
        raise NotImplementedError

    _late: tuple[str, ...] = ()

    def mount_options(self, path: str) -> tuple[str, ...] | Unknown:
        """From /proc/self/mountinfo."""
        return self._ask(lambda: self._mounts().of(self._paths.resolve(path).real).options)

    def access(self, path: str) -> Access | None | Unknown:
        """From modes and ACLs; where root may not look, asked as that user."""
        from libhooks.facts.storage import access

        return self._ask(lambda: access.access(self._paths, self._mounts(), path))

    def boolean(self, name: str) -> bool | None | Unknown:
        """From /sys/fs/selinux."""
        from libhooks.facts.storage import access

        return self._ask(lambda: access.boolean(self._paths, name))

    def identity(self, path: str) -> Identity | None | Unknown:
        """From the mount table and sysfs."""
        from libhooks.facts.storage import identity

        return self._ask(lambda: identity.identity(self._paths, self._mounts(), path))

    def paths_of(
        self, mount_source: str, subpath: str, inode: str, wwid: str, uuid: str
    ) -> tuple[str, ...] | Unknown:
        """From the mount table and /dev/disk."""
        from libhooks.facts.storage import whereabouts
        from libhooks.origin import Identity

        wanted = Identity(mount_source, subpath, int(inode), wwid, uuid)
        return self._ask(lambda: whereabouts.paths(self._paths, self._mounts(), wanted))

    def portals(self, path: str) -> tuple[str, ...] | Unknown:
        """From sysfs."""
        from libhooks.facts.storage import exporters

        return self._ask(lambda: exporters.portals(self._paths, path))

    def bricks(self, volume: str) -> tuple[str, ...] | Unknown:
        """From glusterd's files."""
        from libhooks.facts.storage import exporters

        return self._ask(lambda: exporters.bricks(self._paths, volume))

    def called(self, name: str) -> tuple[str, ...] | Unknown:
        """From /etc/hosts."""
        from libhooks.facts.storage import exporters

        return self._ask(lambda: exporters.called(self._paths, name))

    def exports(self) -> Exports | Unknown:
        """From the NFS server's files and LIO's."""
        from libhooks.facts.storage import exporters

        return self._ask(lambda: exporters.exports(self._paths))

    def wire(self, name: str) -> Wire | None | Unknown:
        """From sysfs."""
        from libhooks.facts.network import wiring

        return self._ask(lambda: wiring.wire(self._paths, name))

    def mtu(self, name: str) -> int | None | Unknown:
        """From sysfs."""
        from libhooks.facts.network import wiring

        return self._ask(lambda: wiring.mtu(self._paths, name))

    def segment(self, name: str) -> str | None | Unknown:
        """From /proc/net."""
        from libhooks.facts.network import wiring

        return self._ask(lambda: wiring.segment(self._paths, name))

    def bridges_on(self, segment: str) -> tuple[str, ...] | Unknown:
        """From sysfs and /proc/net."""
        from libhooks.facts.network import wiring

        return self._ask(lambda: wiring.bridges_on(self._paths, segment))

    def nwfilter(self, name: str) -> tuple[str, ...] | None | Unknown:
        """From libvirt's files."""
        from libhooks.facts.network import wiring

        return self._ask(lambda: wiring.nwfilter(self._paths, name))

    def active(self, name: str, uuid: str) -> Running | None | Unknown:
        """From libvirt's files."""
        from libhooks.facts.service import guests

        return self._ask(lambda: guests.active(self._paths, name, uuid))

    def host_uuid(self) -> str | None | Unknown:
        """From libvirt's configuration and the firmware."""
        from libhooks.facts.service import hostuuid

        return self._ask(lambda: hostuuid.host_uuid(self._paths))

    def unasked(self) -> tuple[str, ...]:
        """From what the other questions ran into."""
        return self._late

    def _noted(self, error: OSError) -> OSError:
        """An error on its way to be an answer, remembered if it says that time was short."""
        if isinstance(error, OutOfTime):
            self._late = tuple(dict.fromkeys((*self._late, error.point)))
        return error
