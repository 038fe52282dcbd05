"""Interrupt vectors of virtio devices: the guide allows so many."""

from __future__ import annotations

import re
from typing import Callable, Iterator

from lxml import etree

from libhooks.decision import Level, Spot, Unmet
from libhooks.requirements.devices import devices, label
from libhooks.requirements.model import GUIDE, MIGRATE, Requirement, Subject

#: The guide: a virtio device has at most so many vectors.
MOST_VECTORS = 32

_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"
#: In an argument of QEMU's: ``vectors=64`` of a device, ``-set device.net0.vectors=64``, or JSON.
_VECTORS = r"""(?:^|[,.])vectors=(\d+)|"vectors"\s*:\s*(\d+)"""


def vectors(subject: Subject) -> Iterator[Unmet]:
    """A virtio device has more than 32 interrupt vectors.

    Red Hat's guide allows at most 32. They come from the device's queues: two a queue and two more for
    an interface, one a queue and one more for a disk, three more for a SCSI controller; disks and SCSI
    controllers that name no queues have one for each virtual CPU (machine types since 5.2). A serial
    controller says its own number. Lower the queues (or the vectors of the virtio-serial controller)
    in the guest's definition and restart it; the migration itself cannot change them.
    """
    for element, step in devices(subject):
        count = _COUNT.get(element.tag, _none)(element, subject) if _has_vectors(element) else 0
        if count > MOST_VECTORS:
            yield _too_many(Spot(label(element, step), f"/domain/devices/{step}"), count)
    for what, count in _told(subject.domain.root):
        if count > MOST_VECTORS:
            yield _too_many(Spot(what, "/domain"), count)


def _too_many(spot: Spot, count: int) -> Unmet:
    hint = "lower its queues or vectors in the guest's definition, and restart the guest"
    return Unmet(spot, "", f"at most {MOST_VECTORS} vectors", f"{count} vectors", hint)


def _has_vectors(element: etree._Element) -> bool:
    """Vectors are PCI's: channel devices (s390x) and memory-mapped ones have none."""
    address = element.find("address")
    return address is None or address.get("type", "pci") == "pci"


def _none(_: etree._Element, __: Subject) -> int:
    return 0


def _integer(text: str | None) -> int:
    """A count as libvirt writes it; 0 for what is none (libvirt has rejected it before us)."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _queues(element: etree._Element, subject: Subject) -> int:
    """The queues of a disk or SCSI controller: those that it names, else one a virtual CPU since 5.2."""
    driver = element.find("driver")
    named = 0 if driver is None else _integer(driver.get("queues"))
    return named or (1 if _before_5_2(subject) else _started_cpus(subject))


def _started_cpus(subject: Subject) -> int:
    vcpu = subject.domain.root.find("vcpu")
    return 0 if vcpu is None else _integer(vcpu.get("current")) or _integer(vcpu.text)


#: Ubuntu's machine types whose QEMU is older than 5.2 are called after its releases.
_OLD_RELEASES = ("xenial", "bionic", "cosmic", "disco", "eoan", "focal", "groovy")


def _before_5_2(subject: Subject) -> bool:
    kind = subject.domain.root.find("os/type")
    machine = "" if kind is None else kind.get("machine", "")
    version = machine.rpartition("-")[2]
    rhel = version.startswith("rhel")
    major, dot, rest = version[4 if rhel else 0 :].partition(".")
    minor = rest.partition(".")[0]
    if not (dot and major.isdecimal() and minor.isdecimal()):
        return any(f"-{release}" in machine for release in _OLD_RELEASES)
    return (int(major), int(minor)) < ((8, 4) if rhel else (5, 2))


def _interface(element: etree._Element, _: Subject) -> int:
    model, driver = element.find("model"), element.find("driver")
    if driver is None or model is None or not (model.get("type") or "").startswith("virtio"):
        return 0
    queues = _integer(driver.get("queues"))
    return 2 * queues + 2 if queues > 1 else 0


def _disk(element: etree._Element, subject: Subject) -> int:
    target = element.find("target")
    if target is None or target.get("bus") != "virtio":
        return 0
    return _queues(element, subject) + 1


def _controller(element: etree._Element, subject: Subject) -> int:
    if element.get("type") == "virtio-serial":
        return _integer(element.get("vectors"))
    if element.get("type") == "scsi" and (element.get("model") or "").startswith("virtio"):
        return _queues(element, subject) + 3
    return 0


_COUNT: dict[str, Callable[[etree._Element, Subject], int]] = {
    "interface": _interface,
    "disk": _disk,
    "controller": _controller,
}


def _told(root: etree._Element) -> Iterator[tuple[str, int]]:
    """The vectors that QEMU is told of directly."""
    for argument in root.iterfind(f"{_QEMU}commandline/{_QEMU}arg"):
        for match in re.finditer(_VECTORS, argument.get("value") or ""):
            yield "qemu:commandline", _integer(match[1] or match[2])
    for told in root.iterfind(f"{_QEMU}override//{_QEMU}property"):
        if told.get("name") == "vectors":
            yield "qemu:override", _integer(told.get("value"))


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "device.vectors", "virtio devices have at most 32 vectors", GUIDE, Level.WARN, MIGRATE, vectors
    ),
)
