"""What a guest's disks and interfaces meet here, in words. Loaded when first asked for."""

from __future__ import annotations

from typing import NamedTuple

from libhooks.facts.model import Mount


class Access(NamedTuple):
    """What the user that QEMU runs as may do with a file, once libvirt has given it the file if it can.

    ``barrier`` is the first directory on the way that it may not enter, "" if none. ``squashed``: the server
    takes root for nobody, so libvirt can't give it the file. ``mount`` is set where root may not even look.
    """

    user: str
    reads: bool
    writes: bool
    barrier: str
    owner: str
    squashed: bool
    mount: Mount | None = None


class Exports(NamedTuple):
    """What this host exports: directories by NFS, and devices and files as LIO targets."""

    directories: tuple[str, ...]
    backstores: tuple[str, ...]


class Port(NamedTuple):
    """A port of a bridge; ``tap``: what hangs on it is a guest."""

    name: str
    up: bool
    tap: bool


class Wire(NamedTuple):
    """How a network device is wired: whether it works, and its ports."""

    up: bool
    ports: tuple[Port, ...]


class Running(NamedTuple):
    """An active guest."""

    name: str
    uuid: str
