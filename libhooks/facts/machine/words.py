"""The machine, in words: its emulators, processor, memory and devices. Loaded when first asked for."""

from __future__ import annotations

from typing import NamedTuple


class Emulator(NamedTuple):
    """What an emulator can do. Versions are libvirt's integers (7.2.0 is 7002000); 0 or "": not known.

    ``libvirt`` is the version of the daemon that asked it. ``machines`` are its machine types.
    """

    qemu: int
    libvirt: int
    arch: str
    machines: tuple[str, ...]


class Cpu(NamedTuple):
    """The processor: its vendor and flags as /proc/cpuinfo has them."""

    vendor: str
    flags: frozenset[str]


class Pages(NamedTuple):
    """Free huge pages of one size, in KiB, on one node. Node -1: what the kernel may still make anywhere.

    ``usual`` marks the size that is meant where none is named.
    """

    node: int
    size: int
    free: int
    usual: bool


class HostDevice(NamedTuple):
    """A device of the host. ``key`` tells it from all others of its form, whatever it was asked for by.

    ``driver`` is "" where none has it; ``isolated``: it is in an IOMMU group, or needs none. ``fits``
    is how many devices the name fits.
    """

    key: str
    driver: str
    isolated: bool
    fits: int


class Held(NamedTuple):
    """A device that an active guest has: its form and key, and the guest's name and UUID."""

    form: str
    key: str
    guest: str
    uuid: str
