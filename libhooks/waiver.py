"""Waivers: exemptions that a person at the source gives a guest for one migration, and that expire.

They travel in the guest's metadata, for libvirt's hook is told nothing of ``--copy-storage-all`` or of who
asks. Whoever may edit the guest may write one; a policy can deny them all (``waivers = "deny"``).
"""

from __future__ import annotations

from typing import Iterable, NamedTuple

from lxml import etree

from libhooks.domain import Domain

#: Its end is the version of what stands in it.
NAMESPACE = "urn:libhooks:waiver:1"
TAG = f"{{{NAMESPACE}}}waivers"
_WAIVER = f"{{{NAMESPACE}}}waiver"
#: libvirt itself copies these disks: nothing of their storage is judged, and they keep their names.
COPY_STORAGE = "copy-storage"
_MOST, _LONGEST = 100, 100
#: ``2031-06-15T12:00:00Z``: of one length, so that times compare as text.
_TIME = "0000-00-00T00:00:00Z"


class Waiver(NamedTuple):
    """An exemption: from a requirement's code or COPY_STORAGE, for one disk by its target, or "" for all.

    ``until`` is its last second, in UTC, as ``2031-06-15T12:00:00Z``.
    """

    code: str
    disk: str
    until: str


def read(domain: Domain) -> tuple[Waiver, ...]:
    """The waivers of a guest, expired ones too; those that make no sense count as none."""
    found = domain.root.findall(f"metadata/{TAG}/{_WAIVER}")[:_MOST]
    waivers = (Waiver(one.get("code", ""), one.get("disk", ""), one.get("until", "")) for one in found)
    return tuple(one for one in waivers if _sane(one))


def written(waivers: Iterable[Waiver]) -> str:
    """Waivers as an element of ``<metadata>``."""
    root = etree.Element(TAG, nsmap={"libhooks": NAMESPACE})
    for waiver in waivers:
        element = etree.SubElement(root, _WAIVER, code=waiver.code)
        if waiver.disk:
            element.set("disk", waiver.disk)
        element.set("until", waiver.until)
    return etree.tostring(root, encoding="unicode")


def valid(waivers: Iterable[Waiver], now: str) -> tuple[Waiver, ...]:
    """Those that have not expired; ``now`` as Waiver's ``until``."""
    return tuple(one for one in waivers if now <= one.until)


def copied(waivers: Iterable[Waiver], label: str, writable: bool) -> bool:
    """Whether libvirt copies the disk of a spot's label: one that is written to, or that is named."""
    disks = {one.disk for one in waivers if one.code == COPY_STORAGE}
    kind, _, target = label.partition(" ")
    return kind == "disk" and (target in disks or ("" in disks and writable))


def waived(waivers: Iterable[Waiver], code: str, label: str) -> bool:
    """Whether one is for what a requirement says of a spot, by the spot's label."""
    return any(one.code == code and (not one.disk or label == f"disk {one.disk}") for one in waivers)


def _sane(waiver: Waiver) -> bool:
    digits = "".join("0" if one.isdecimal() else one for one in waiver.until)
    texts = all(text.isprintable() and len(text) <= _LONGEST for text in waiver)
    return bool(waiver.code) and texts and waiver.until.isascii() and digits == _TIME
