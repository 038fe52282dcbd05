"""The state of a host's services, in words."""

from __future__ import annotations

from typing import NamedTuple


class Daemon(NamedTuple):
    """A daemon of libvirt's. ``starts``: with the host, None if nothing tells. ``listens``: for anyone.

    Of one that is made of several, ``idle`` are those that start neither with the host nor when asked for.
    """

    name: str
    starts: bool | None
    listens: bool
    idle: tuple[str, ...] = ()


class Settings(NamedTuple):
    """One of libvirt's files; ``broken`` is the error that libvirt would stop at, with its line."""

    values: dict[str, str | tuple[str, ...]]
    broken: str = ""

    def text(self, name: str, default: str = "") -> str:
        """A setting's value, the default where it has none that is a string or number."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) and value else default


class Certificate(NamedTuple):
    """A certificate: when it is valid, in seconds since 1970, and the host names and addresses it is for."""

    begins: float
    ends: float
    names: tuple[str, ...]


class Firewall(NamedTuple):
    """What becomes of new TCP connections to some ports: those that are refused, and those that may be."""

    closed: tuple[int, ...]
    unclear: tuple[int, ...]
