"""Devices: what the guide allows of the guest's own hardware."""

from __future__ import annotations

import re
from typing import Callable, Iterator

from lxml import etree

from libhooks.decision import Level, Spot, Unmet
from libhooks.domain import children
from libhooks.requirements.model import GUIDE, MIGRATE, Requirement, Subject

#: The guide: a virtio device has at most so many vectors.
MOST_VECTORS = 32

_COMMANDLINE = "{http://libvirt.org/schemas/domain/qemu/1.0}commandline"
_VECTORS = re.compile(r"(?:^|,)vectors=(\d+)")


def vectors(subject: Subject) -> Iterator[Unmet]:
    """A virtio device has more than 32 interrupt vectors.

    Red Hat's guide allows at most 32. They come from the device's queues: two a queue and two more for
    an interface, one a queue and one more for a disk, three more for a SCSI controller; a serial
    controller says its own number. Lower the queues (or the vectors of the virtio-serial controller)
    in the guest's definition and restart it; the migration itself cannot change them.
    """
    devices = subject.domain.root.find("devices")
    found = [] if devices is None else list(children(devices))
    for element, step in found:
        count = _COUNT.get(element.tag, _none)(element, subject)
        if count > MOST_VECTORS:
            yield _unmet(Spot(_label(element, step), f"/domain/devices/{step}"), count)
    for value in _arguments(subject.domain.root):
        for match in _VECTORS.finditer(value):
            if _integer(match[1]) > MOST_VECTORS:
                yield _unmet(Spot("qemu:commandline", "/domain"), _integer(match[1]))


def _unmet(spot: Spot, count: int) -> Unmet:
    hint = "lower its queues or vectors in the guest's definition, and restart the guest"
    return Unmet(spot, "", f"at most {MOST_VECTORS} vectors", f"{count} vectors", hint)


def _none(_: etree._Element, __: Subject) -> int:
    return 0


def _integer(text: str | None) -> int:
    """A count as libvirt writes it; 0 for what is none (libvirt has rejected it before us)."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _queues(element: etree._Element) -> int:
    driver = element.find("driver")
    return 0 if driver is None else _integer(driver.get("queues"))


def _interface(element: etree._Element, _: Subject) -> int:
    queues = _queues(element)
    return 2 * queues + 2 if queues > 1 else 0


def _disk(element: etree._Element, subject: Subject) -> int:
    target = element.find("target")
    if target is None or target.get("bus") != "virtio":
        return 0
    # QEMU gives a virtio disk without queues one for each virtual CPU (since 5.2).
    return (_queues(element) or _integer(subject.domain.root.findtext("vcpu"))) + 1


def _controller(element: etree._Element, _: Subject) -> int:
    if element.get("type") == "virtio-serial":
        return _integer(element.get("vectors"))
    if element.get("type") == "scsi" and (element.get("model") or "").startswith("virtio"):
        return (_queues(element) or 1) + 3
    return 0


_COUNT: dict[str, Callable[[etree._Element, Subject], int]] = {
    "interface": _interface,
    "disk": _disk,
    "controller": _controller,
}


def _label(element: etree._Element, step: str) -> str:
    if element.tag == "controller":
        return f"controller {element.get('type', '')} {element.get('index', '')}".strip()
    if element.tag == "interface":
        mac = element.find("mac")
        return f"interface {mac.get('address', '')}" if mac is not None else step
    target = element.find("target")
    return f"disk {target.get('dev', '')}" if target is not None else step


def _arguments(root: etree._Element) -> Iterator[str]:
    for commandline in root.iterchildren(_COMMANDLINE):
        for argument in commandline:
            yield argument.get("value") or ""


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "device.vectors", "virtio devices have at most 32 vectors", GUIDE, Level.WARN, MIGRATE, vectors
    ),
)
