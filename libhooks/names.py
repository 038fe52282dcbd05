"""Names: what one host calls a thing that the fleet shares.

A name has a form and parts. Whatever the form, one name lies under another when that one's parts are
a prefix of its own: ``/srv/images/web1.qcow2`` under ``/srv/images``, ``pool:images/web1.qcow2`` under
``pool:images``, ``network:prod/web`` under ``network:prod``. Names compare as text; symbolic links
are not followed.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Form(Enum):
    """The forms a name can take; the values are the prefixes that a policy writes."""

    PATH = "path"
    POOL = "pool"
    STORE = "store"
    BRIDGE = "bridge"
    OVS = "ovs"
    NETWORK = "network"
    DIRECT = "direct"
    ADDRESS = "address"


#: How many parts may follow a place's own name of that form. None: any number.
_REMAINDER = {
    Form.PATH: None,
    Form.POOL: 1,
    Form.STORE: None,
    Form.BRIDGE: 0,
    Form.OVS: 0,
    Form.NETWORK: 1,
    Form.DIRECT: 1,
    Form.ADDRESS: 0,
}


class Name(NamedTuple):
    """A name of one form. ``hosts`` and ``secret`` belong to network disks (``Form.STORE``) alone.

    ``hosts`` are ``name:port`` texts, or socket paths; ``secret`` is the UUID of a libvirt secret,
    never its value.
    """

    form: Form
    parts: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    secret: str = ""

    def __str__(self) -> str:
        if self.form is Form.PATH:
            return "/" + "/".join(self.parts)
        if self.form is Form.ADDRESS:
            return self.parts[0]
        if self.form is Form.STORE:
            return f"{self.parts[0]}:{'/'.join(self.parts[1:])}"
        return f"{self.form.value}:{'/'.join(self.parts)}"

    @property
    def spoken(self) -> str:
        """The name as a sentence says it: ``bridge br0`` rather than a policy's ``bridge:br0``."""
        return (
            str(self)
            if self.form in (Form.PATH, Form.STORE, Form.ADDRESS)
            else str(self).replace(":", " ", 1)
        )

    @property
    def climbs(self) -> bool:
        """Whether a path has a ``..`` in it: as text it says nothing about where it leads."""
        return self.form in (Form.PATH, Form.POOL) and ".." in self.parts

    def remainder(self, under: Name) -> tuple[str, ...] | None:
        """The parts of this name that follow ``under``; None if it does not lie under it."""
        size = len(under.parts)
        if self.form is not under.form or self.parts[:size] != under.parts:
            return None
        if under.hosts and sorted(under.hosts) != sorted(self.hosts):
            return None
        return self.parts[size:]

    def holds(self, remainder: tuple[str, ...]) -> bool:
        """Whether this form has room for what follows: a pool has no directories, a bridge no ports."""
        most = _REMAINDER[self.form]
        return most is None or len(self.parts) + len(remainder) <= 1 + most

    def extended(self, remainder: tuple[str, ...], like: Name) -> Name:
        """This name with a remainder; where it names no hosts of its own, those of ``like`` stay."""
        hosts = self.hosts
        secret = self.secret
        if self.form is Form.STORE and like.form is Form.STORE and like.parts[0] == self.parts[0]:
            hosts = hosts or like.hosts
            secret = secret or like.secret
        return Name(self.form, self.parts + remainder, hosts, secret)


def path(text: str) -> Name:
    """The name of an absolute path, ``//``, ``/./`` and a trailing ``/`` collapsed.

    Raises ValueError if the path is not absolute.
    """
    if not text.startswith("/"):
        raise ValueError(f"not an absolute path: {text}")
    return Name(Form.PATH, tuple(part for part in text.split("/") if part not in ("", ".")))


def pool(name: str, volume: str = "") -> Name:
    """The name of a storage pool, or of a volume in it."""
    return Name(Form.POOL, (name, volume) if volume else (name,))


def store(protocol: str, name: str, hosts: tuple[str, ...] = (), secret: str = "") -> Name:
    """The name of a network disk: ``name`` as in libvirt's ``<source protocol= name=>``."""
    return Name(Form.STORE, (protocol, *(part for part in name.split("/") if part)), hosts, secret)


def bridge(name: str) -> Name:
    """The name of a Linux bridge."""
    return Name(Form.BRIDGE, (name,))


def ovs(name: str) -> Name:
    """The name of an Open vSwitch bridge."""
    return Name(Form.OVS, (name,))


def network(name: str, portgroup: str = "") -> Name:
    """The name of a libvirt network, or of a port group in it."""
    return Name(Form.NETWORK, (name, portgroup) if portgroup else (name,))


def direct(device: str, mode: str = "") -> Name:
    """The name of a host device that macvtap interfaces attach to, and their mode."""
    return Name(Form.DIRECT, (device, mode) if mode else (device,))


def address(text: str) -> Name:
    """The name of an IPv4 or IPv6 address, without brackets, lower case.

    Only its shape is looked at. Raises ValueError for host names and anything else.
    """
    bare = text.strip("[]").lower()
    digits = set("0123456789.") if ":" not in bare else set("0123456789abcdef:.")
    quads = bare.split(".")
    numeric = all(quad.isdigit() and int(quad) < 256 for quad in quads)
    if not bare or set(bare) - digits or (":" not in bare and not (len(quads) == 4 and numeric)):
        raise ValueError(f"not an IPv4 or IPv6 address: {text}")
    return Name(Form.ADDRESS, (bare,))
