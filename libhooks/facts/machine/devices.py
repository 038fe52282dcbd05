"""Devices of the host that a guest can have for its own, and which guests have them.

sysfs tells what there is (linux: Documentation/ABI/testing/sysfs-bus-pci, -usb, -vfio-mdev).
Who has it is in libvirt's files about active guests: of their private format only the domain is read.
"""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks.facts.machine.words import Held, HostDevice
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

_ACTIVE = "/run/libvirt/qemu"
#: A guest with hundreds of disks has a file of some 500 KiB.
_LIMIT = 1 << 23
#: One of these stands in the file of whatever guest has a device of the host.
_TELLING = ("hostdev", "nvme")
_USB = "/sys/bus/usb/devices"
_PCI = ("domain", "bus", "slot", "function")


def device(paths: Paths, form: str, id: str) -> HostDevice | None:
    """A device by the text of its name. Raises OSError or Garbage."""
    if form == "usb":
        return _usb(paths, id)
    directory = f"/sys/bus/{form}/devices/{id}"
    place = paths.resolve(directory)
    if place.node is None:
        return None
    # What is behind an IOMMU group's link need not be looked at.
    isolated = "iommu_group" in paths.names(directory)
    return HostDevice(id, _driver(paths, directory), isolated, 1)


def _driver(paths: Paths, directory: str) -> str:
    place = paths.resolve(f"{directory}/driver")
    return "" if place.node is None else place.real.rpartition("/")[2]


def _usb(paths: Paths, id: str) -> HostDevice | None:
    """By where it is plugged in, or by vendor and product, which several may be."""
    if ":" not in id:
        fits = [id] if paths.node(f"{_USB}/{id}") is not None else []
    else:  # names with a colon are interfaces of devices
        fits = [name for name in paths.names(_USB) if ":" not in name and _sort(paths, name) == id]
    if not fits:
        return None
    key = ":".join(str(paths.number(f"{_USB}/{fits[0]}/{one}")) for one in ("busnum", "devnum"))
    return HostDevice(key, _driver(paths, f"{_USB}/{fits[0]}"), True, len(fits))


def _sort(paths: Paths, name: str) -> str:
    return ":".join(_four(paths, f"{_USB}/{name}/{one}") for one in ("idVendor", "idProduct"))


def _four(paths: Paths, path: str) -> str:
    digits = paths.line(path).strip()
    if len(digits) != 4 or digits.strip("0123456789abcdef"):
        raise Garbage(f"{path} is no number of four digits")
    return digits


def held(paths: Paths) -> tuple[Held, ...]:
    """The host devices of active guests. Raises OSError, or Garbage where a file makes no sense."""
    found: list[Held] = []
    for name in paths.names(_ACTIVE):
        if name.endswith(".xml"):
            found += _held(_domain(paths, f"{_ACTIVE}/{name}"))
    return tuple(found)


def _domain(paths: Paths, path: str) -> etree._Element | None:
    text = paths.text(path, _LIMIT)
    # Most guests have no such device; and one that is gone by now has ended meanwhile.
    if text is None or not any(word in text for word in _TELLING):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogateescape"), parser)
    except etree.XMLSyntaxError:
        raise Garbage(f"{path} is not well-formed") from None
    found = root.find("domain")
    if found is None:
        raise Garbage(f"{path} holds no domain")
    return found


def _held(domain: etree._Element | None) -> Iterator[Held]:
    if domain is None:
        return
    guest, uuid = domain.findtext("name") or "", domain.findtext("uuid") or ""
    for source in domain.iterfind("devices/*//source"):
        address = source.find("address")
        if address is not None:
            form, key = _key(address)
            if form:
                yield Held(form, key, guest, uuid)


def _key(address: etree._Element) -> tuple[str, str]:
    if address.get("uuid"):
        return "mdev", address.get("uuid", "").lower()
    if address.get("slot"):
        domain, bus, slot, function = (_integer(address.get(one, "0")) for one in _PCI)
        return "pci", f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
    if address.get("device"):
        return "usb", f"{_integer(address.get('bus', '0'))}:{_integer(address.get('device', '0'))}"
    return "", ""


def _integer(text: str) -> int:
    try:
        return int(text, 16 if text.startswith("0x") else 10)
    except ValueError:
        raise Garbage(f"a device address of an active guest is no number: {text[:20]}") from None
