"""Devices of the host that the guest has for its own: PCI, mediated and USB ones."""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Kind, Spot
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import (
    IMAGES,
    Role,
    Row,
    Test,
    always,
    number,
    remove,
    row,
    set_attribute,
)  # fmt: skip

_KINDS = (Kind.DEVICE,)
_PCI = ("domain", "bus", "slot", "function")
_PCI_FORMAT = ("0x{:04x}", "0x{:02x}", "0x{:02x}", "0x{:x}")


def _of(*types: str) -> Test:
    """Whether the device around an address's ``<source>`` is of one of these types."""
    return lambda address: around(around(address)).get("type") in types


def _pci_numbers(address: etree._Element) -> tuple[int, ...]:
    return tuple(number(address.get(attribute, "0")) for attribute in _PCI)


def _read_pci(address: etree._Element) -> Name | None:
    if not any(address.get(attribute) for attribute in _PCI):
        return None
    try:
        return names.pci_numbers(*_pci_numbers(address))
    except ValueError as error:
        told = " ".join(f"{one}={address.get(one)}" for one in _PCI if address.get(one))
        raise ValueError(f"not a PCI address: {told}") from error


def _write_pci(spot: Spot, address: etree._Element, new: Name) -> Iterator[Edit]:
    old = _pci_numbers(address)
    wanted = [int(one, 16) for one in new.parts[0].replace(".", ":").split(":")]
    for attribute, before, after, form in zip(_PCI, old, wanted, _PCI_FORMAT):
        if before != after:
            yield from set_attribute(spot, address, attribute, form.format(after))


def _pci_row(element: str, when: Test) -> Row:
    covers = tuple(f"@{attribute}" for attribute in _PCI)
    return Row(
        f"{element}/address", covers, _KINDS, always(Role.PASSTHROUGH), frozenset({Form.PCI}),
        lambda address: _read_pci(address) if when(address) else None, _write_pci,
    )  # fmt: skip


def _read_usb(source: etree._Element) -> Name | None:
    vendor, product, address = (source.find(tag) for tag in ("vendor", "product", "address"))
    if around(source).get("type") != "usb":
        return None
    if vendor is not None and product is not None:
        return names.usb(":".join(f"{number(one.get('id', '')):x}" for one in (vendor, product)))
    if address is not None and address.get("port"):
        return names.usb(f"{number(address.get('bus', ''))}-{address.get('port')}")
    return None  # the number that a device got when it was plugged in says nothing elsewhere


def _write_usb(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    if _read_usb(source) == new:
        return
    wanted = _usb_elements(new.parts[0])
    for tag, attributes in _USB_ATTRIBUTES.items():
        found = source.find(tag)
        if tag not in wanted:
            # Where a device was plugged in on another host says nothing here.
            yield from remove(spot, source, tag)
        elif found is None:
            yield Edit(
                spot.at(tag), None, etree.tostring(etree.Element(tag, wanted[tag]), encoding="unicode")
            )
        else:
            for attribute in attributes:
                yield from set_attribute(spot.at(tag), found, attribute, wanted[tag].get(attribute))


def _usb_obstacle(source: etree._Element, new: Name) -> str:
    old = _read_usb(source)
    if old is None or ":" not in old.parts[0] or ":" in new.parts[0]:
        return ""
    # The schema of libvirt 9.0 has no ports: a guest that does not show it knows them may not get one.
    return "a USB device told by what it is can only become another such (usb:VVVV:PPPP)"


def _usb_elements(called: str) -> dict[str, dict[str, str]]:
    vendor, colon, product = called.partition(":")
    if colon:
        return {"vendor": {"id": f"0x{vendor}"}, "product": {"id": f"0x{product}"}}
    bus, _, port = called.partition("-")
    return {"address": {"bus": bus, "port": port}}


_USB_ATTRIBUTES = {"vendor": ("id",), "product": ("id",), "address": ("bus", "device", "port")}
_USB = ("vendor/@id", "product/@id", "address/@bus", "address/@device", "address/@port")

ROWS: tuple[Row, ...] = (
    _pci_row("devices/hostdev/source", _of("pci")),
    _pci_row("devices/interface/source", _of("hostdev")),
    *(_pci_row(image, _of("nvme")) for image in IMAGES),
    row("devices/hostdev/source/address", "@uuid", _KINDS, Role.PASSTHROUGH, Form.MDEV, names.mdev,
        _of("mdev"), lambda new: new.parts[0]),
    Row("devices/hostdev/source", _USB, _KINDS, always(Role.PASSTHROUGH), frozenset({Form.USB}),
        _read_usb, _write_usb, obstacle=_usb_obstacle),
)  # fmt: skip
