"""Names: what one host calls a thing that the fleet shares.

A name has a form and parts. Whatever the form, one name lies under another when that one's parts are
a prefix of its own: ``/srv/images/web1.qcow2`` under ``/srv/images``, ``pool:images/web1.qcow2`` under
``pool:images``, ``network:prod/web`` under ``network:prod``. Names compare as text; symbolic links
are not followed.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton  # of socket, what needs no 8 ms to import
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
    PCI = "pci"
    MDEV = "mdev"
    USB = "usb"


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
    Form.PCI: 0,
    Form.MDEV: 0,
    Form.USB: 0,
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
            at = f" at {', '.join(self.hosts)}" if self.hosts else ""
            return f"{self.parts[0]}:{'/'.join(self.parts[1:])}{at}"
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
        if under.secret and self.secret and under.secret.lower() != self.secret.lower():
            return None  # the same store, by the secret of another host
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
    """The name of an IPv4 or IPv6 address, in the one spelling that inet_ntop gives.

    Raises ValueError for host names and anything else.
    """
    family = AF_INET6 if ":" in text else AF_INET
    try:
        return Name(Form.ADDRESS, (inet_ntop(family, inet_pton(family, text)),))
    except (OSError, ValueError):
        raise ValueError(f"not an IPv4 or IPv6 address: {text}") from None


def is_everywhere(address: Name) -> bool:
    """Whether an address is a wildcard or loopback one: every host has those, so they are never places."""
    text = address.parts[0]
    if text.startswith("::ffff:127."):
        return True
    return text in ("0.0.0.0", "::", "::1") or text.startswith("127.")  # noqa: S104 - compared, never bound


def pci(text: str) -> Name:
    """The name of a PCI device by its address, ``0000:41:00.0``.

    Raises ValueError if the text is no such address.
    """
    domain, bus, slot, function = (text.replace(".", ":").split(":") + [""] * 4)[:4]
    sizes = (len(domain), len(bus), len(slot), len(function))
    if not 4 <= sizes[0] <= 8 or sizes[1:] != (2, 2, 1) or text != f"{domain}:{bus}:{slot}.{function}":
        raise ValueError(f"not a PCI address: {text}")
    return pci_numbers(*(_number(one, 16, "PCI address", text) for one in (domain, bus, slot, function)))


def pci_numbers(domain: int, bus: int, slot: int, function: int) -> Name:
    """The name of a PCI device by the numbers of its address. Raises ValueError if one is too large."""
    text = f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
    if max(domain >> 32, bus >> 8, slot >> 5, function >> 3):
        raise ValueError(f"not a PCI address: {text}")
    return Name(Form.PCI, (text,))


def mdev(text: str) -> Name:
    """The name of a mediated device by its UUID, spelt as libvirt does. Raises ValueError if it is none."""
    digits = text.replace("-", "").lower()
    if len(digits) != 32 or set(digits) - _HEXADECIMAL:
        raise ValueError(f"not a UUID: {text}")
    return Name(Form.MDEV, ("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),))


def usb(text: str) -> Name:
    """The name of a USB device: by where it is plugged in, ``1-2.3``, or by what it is, ``046d:c52b``.

    Raises ValueError if the text is neither.
    """
    if ":" in text:
        vendor, _, product = text.partition(":")
        numbers = [_number(one, 16, "USB device", text) for one in (vendor, product)]
        if max(len(vendor), len(product)) > 4:
            raise ValueError(f"not a USB device: {text}")
        return Name(Form.USB, (":".join(f"{one:04x}" for one in numbers),))
    bus, _, port = text.partition("-")
    ports = [_number(one, 10, "USB device", text) for one in port.split(".")]
    return Name(Form.USB, (f"{_number(bus, 10, 'USB device', text)}-{'.'.join(map(str, ports))}",))


_HEXADECIMAL = frozenset("0123456789abcdef")


def _number(digits: str, base: int, what: str, told: str) -> int:
    """A number without sign, prefix or blanks, which int() takes. Raises ValueError for anything else."""
    try:
        if set(digits.lower()) - _HEXADECIMAL or len(digits) > 8:
            raise ValueError(digits)
        return int(digits, base)
    except ValueError:
        raise ValueError(f"not a {what}: {told}") from None
