"""The questions a decision may ask of its host, and the words of the answers.

Three kinds of answer are kept apart: a value; None where the thing is known not to be there; and
``Unknown`` where it could not be read. The last is never taken for either of the others.
"""

from __future__ import annotations

from typing import Callable, Hashable, NamedTuple, Protocol, TypeVar, cast

from libhooks.facts.machine.model import MachineFacts, MachineMemo
from libhooks.facts.surroundings.model import SurroundingsFacts, SurroundingsMemo


class Unknown(NamedTuple):
    """A fact that could not be read, and why, in words that end a sentence ("no answer in 2 s")."""

    why: str


class Mount(NamedTuple):
    """The mount that a path lies on after links are followed (/proc/self/mountinfo)."""

    point: str
    source: str
    fstype: str
    root: str
    real: str


class File(NamedTuple):
    """What a path leads to. ``kind``: file, dir, block, char, fifo, socket. ``size`` in bytes.

    ``real`` is the path with its links followed; ``device`` the (major, minor) of a device node.
    """

    kind: str
    real: str
    size: int = 0
    device: tuple[int, int] | None = None


class Image(NamedTuple):
    """What a qcow2 image's header says of the image behind it.

    ``backing`` is the text of the header (may be relative, or a ``json:`` or URI form); None where
    there is no image behind. ``backing_format`` is "" where the header does not say.
    """

    backing: str | None
    backing_format: str


class Leaf(NamedTuple):
    """A device at the bottom of a block device's stack and how the host reaches it.

    ``transport``: fc, iscsi, srp, sas, sata, usb, virtio, nvme-pcie, nvme-tcp, nvme-rdma, nvme-fc,
    loop, rbd, nbd, ... A loop device's backing file stands in ``file``.
    """

    device: str
    transport: str
    file: str = ""


class Link(NamedTuple):
    """A network device of the host. ``kind``: bridge, ovs or other."""

    name: str
    kind: str


class VirtualNetwork(NamedTuple):
    """A libvirt network: is it active, its port groups, its forward mode and bridge ("" if none)."""

    name: str
    active: bool
    portgroups: tuple[str, ...]
    forward: str
    bridge: str


class StoragePool(NamedTuple):
    """A libvirt storage pool: its type, target path ("" if none), and whether it is active."""

    name: str
    type: str
    target: str
    active: bool


class Facts(MachineFacts, SurroundingsFacts, Protocol):
    """The typed questions. Each answers within its deadline; one that cannot is Unknown."""

    def expect(self, *paths: str) -> None:
        """No question: says what will be asked about, so that what hangs is waited for side by side.

        Changes no answer but by the time that is left for it.
        """

    def host(self) -> tuple[str, ...]:
        """The names this host goes by, best first: ``/etc/libhooks/host`` alone, else FQDN, short."""

    def file(self, path: str) -> File | None | Unknown:
        """What ``path`` leads to."""

    def mount(self, path: str) -> Mount | Unknown:
        """The mount that ``path`` lies on; for a path that does not exist, its nearest parent's."""

    def image(self, path: str) -> Image | None | Unknown:
        """The header of the qcow2 image at ``path``; None where it is missing."""

    def block(self, path: str) -> tuple[Leaf, ...] | None | Unknown:
        """The devices below the block device at ``path``; None where it is not a block device."""

    def link(self, name: str) -> Link | None | Unknown:
        """A network device of that name."""

    def network(self, name: str) -> VirtualNetwork | None | Unknown:
        """A libvirt network of that name."""

    def pool(self, name: str) -> StoragePool | None | Unknown:
        """A libvirt storage pool of that name."""

    def addresses(self) -> tuple[str, ...] | Unknown:
        """The IPv4 and IPv6 addresses that this host has, lower case."""

    def shared_filesystems(self) -> tuple[str, ...] | Unknown:
        """The paths that qemu.conf's ``shared_filesystems`` declares shared."""


_Answer = TypeVar("_Answer")


class Memo(MachineMemo, SurroundingsMemo):
    """Facts asked once: within one decision the same question has the same answer.

    ``host`` answers the question for the host's names in its place (``--host``).
    """

    _facts: Facts

    def __init__(self, facts: Facts, host: str = "") -> None:
        self._facts: Facts = facts
        self.answers: dict[tuple[str, Hashable], object] = {}
        if host:
            self.answers["host", ()] = (host,)

    def _once(self, question: Callable[..., _Answer], *argument: str) -> _Answer:
        key = (question.__name__, argument)
        if key not in self.answers:
            self.answers[key] = question(*argument)
        return cast(_Answer, self.answers[key])

    def expect(self, *paths: str) -> None:
        self._facts.expect(*paths)

    def host(self) -> tuple[str, ...]:
        return self._once(self._facts.host)

    def file(self, path: str) -> File | None | Unknown:
        return self._once(self._facts.file, path)

    def mount(self, path: str) -> Mount | Unknown:
        return self._once(self._facts.mount, path)

    def image(self, path: str) -> Image | None | Unknown:
        return self._once(self._facts.image, path)

    def block(self, path: str) -> tuple[Leaf, ...] | None | Unknown:
        return self._once(self._facts.block, path)

    def link(self, name: str) -> Link | None | Unknown:
        return self._once(self._facts.link, name)

    def network(self, name: str) -> VirtualNetwork | None | Unknown:
        return self._once(self._facts.network, name)

    def pool(self, name: str) -> StoragePool | None | Unknown:
        return self._once(self._facts.pool, name)

    def addresses(self) -> tuple[str, ...] | Unknown:
        return self._once(self._facts.addresses)

    def shared_filesystems(self) -> tuple[str, ...] | Unknown:
        return self._once(self._facts.shared_filesystems)
