"""Addresses that QEMU binds here: graphics listeners, and TCP or UDP character devices that listen."""

from __future__ import annotations

from lxml import etree

from libhooks import names
from libhooks.decision import Kind
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import CHARACTER_DEVICES, Role, Row, attribute_row

_KINDS = (Kind.ADDRESS,)
_EVERYWHERE = ("0.0.0.0", "::", "::1")  # noqa: S104 - compared with, never bound


def own_address(text: str) -> Name | None:
    """The name of a listen address; None for host names, and for wildcard and loopback addresses.

    The latter mean the same on every host and are never places.
    """
    try:
        name = names.address(text)
    except ValueError:
        return None
    bare = name.parts[0]
    return None if bare in _EVERYWHERE or bare.startswith("127.") else name


def _bound(source: etree._Element) -> Name | None:
    binds = around(source).get("type", "") in ("tcp", "udp") and source.get("mode") == "bind"
    text = source.get("host")
    return own_address(text) if binds and text else None


def _row(element: str, attribute: str) -> Row:
    return attribute_row(element, attribute, _KINDS, Role.LISTEN, Form.ADDRESS, own_address)


ROWS: tuple[Row, ...] = (
    # libvirt wants both to say the same, and writes both.
    _row("devices/graphics", "listen"),
    _row("devices/graphics/listen", "address"),
    *(_row(f"devices/{device}/source", "host")._replace(read=_bound) for device in CHARACTER_DEVICES),
)
