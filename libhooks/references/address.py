"""Addresses that QEMU binds here: graphics listeners, character devices that listen, ports forwarded."""

from __future__ import annotations

from lxml import etree

from libhooks import names
from libhooks.decision import Kind
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import CHARACTER_DEVICES, Role, Row, Test, of_type, row


def own_address(text: str) -> Name | None:
    """The name of a listen address; None for host names, and for wildcard and loopback addresses.

    The latter mean the same on every host and are never places.
    """
    try:
        name = names.address(text)
    except ValueError:
        return None
    return None if names.is_everywhere(name) else name


def _given(element: etree._Element) -> bool:
    # Of a network that is listened on, libvirt itself finds and shows the address.
    return element.get("type") != "network"


def _bound(source: etree._Element) -> bool:
    return around(source).get("type", "") in ("tcp", "udp") and source.get("mode") == "bind"


def _of_device(local: etree._Element) -> bool:
    return around(around(local)).get("type") == "udp"


def _row(element: str, at: str, when: Test) -> Row:
    return row(element, at, (Kind.ADDRESS,), Role.LISTEN, Form.ADDRESS, own_address, when)


ROWS: tuple[Row, ...] = (
    # libvirt wants both to say the same, and writes both.
    _row("devices/graphics", "@listen", _given),
    _row("devices/graphics/listen", "@address", _given),
    *(_row(f"{device}/source", "@host", _bound) for device in CHARACTER_DEVICES),
    _row("devices/interface/portForward", "@address", _given),
    _row("devices/interface/source", "@address", of_type("server")),
    _row("devices/interface/source/local", "@address", _of_device),
)
