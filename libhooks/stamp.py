"""The origin stamp in a guest's metadata: read as untrusted input, and written.

A guest carries ``<libhooks:origin>`` wherever it goes. Whoever may edit the guest may edit the stamp, so one
that is not exactly of this form counts as none.
"""

from __future__ import annotations

from lxml import etree

from libhooks.domain import Domain
from libhooks.origin import Entry, Identity, Origin

#: Its end is the stamp's version: another one is another element to libvirt, and unknown to us.
NAMESPACE = "urn:libhooks:origin:1"
TAG = f"{{{NAMESPACE}}}origin"
_ADDRESS, _DEVICE = f"{{{NAMESPACE}}}address", f"{{{NAMESPACE}}}device"

#: More than any host or guest has; metadata as a whole may have 4 MiB.
_MOST_ADDRESSES, _MOST_DEVICES = 64, 4096
_LONGEST = 4096
_DIGITS = 20


def read(domain: Domain) -> Origin | None:
    """The stamp of a guest; None where it has none, several, or one that makes no sense."""
    found = domain.root.findall(f"metadata/{TAG}")
    if len(found) != 1:
        return None
    try:
        return _origin(found[0])
    except ValueError:
        return None


def written(origin: Origin) -> str:
    """The stamp as an element of ``<metadata>``."""
    root = etree.Element(TAG, nsmap={"libhooks": NAMESPACE})
    _fill(root, host=origin.host, uuid=origin.host_uuid, os=origin.os[0], release=origin.os[1],
          libvirt=_number(origin.libvirt), qemu=_number(origin.qemu), policy=origin.policy)  # fmt: skip
    for address in origin.addresses:
        etree.SubElement(root, _ADDRESS).text = address
    for entry in origin.entries:
        known = entry.identity
        _fill(etree.SubElement(root, _DEVICE), key=entry.device, name=entry.name, source=known.mount_source,
              subpath=known.subpath, inode=_number(known.inode), wwid=known.wwid, uuid=known.uuid,
              segment=known.segment)  # fmt: skip
    return etree.tostring(root, encoding="unicode")


def _fill(element: etree._Element, **attributes: str) -> None:
    for name, value in attributes.items():
        if value:
            element.set(name, value)


def _number(value: int) -> str:
    return str(value) if value else ""


def _origin(element: etree._Element) -> Origin:
    addresses, devices = element.findall(_ADDRESS), element.findall(_DEVICE)
    if not element.get("host") or len(addresses) > _MOST_ADDRESSES or len(devices) > _MOST_DEVICES:
        raise ValueError(TAG)
    return Origin(
        _text(element, "host"),
        _text(element, "uuid"),
        (_text(element, "os"), _text(element, "release")),
        _count(element, "libvirt"),
        _count(element, "qemu"),
        _text(element, "policy"),
        tuple(_plain(one.text or "") for one in addresses),
        tuple(_entry(one) for one in devices),
    )


def _entry(element: etree._Element) -> Entry:
    identity = Identity(
        _text(element, "source"),
        _text(element, "subpath"),
        _count(element, "inode"),
        _text(element, "wwid"),
        _text(element, "uuid"),
        _text(element, "segment"),
    )
    return Entry(_text(element, "key"), _text(element, "name"), identity)


def _text(element: etree._Element, name: str) -> str:
    return _plain(element.get(name, ""))


def _plain(text: str) -> str:
    if len(text) > _LONGEST or not text.isprintable():
        raise ValueError(text[:20])
    return text


def _count(element: etree._Element, name: str) -> int:
    text = element.get(name, "0")
    if len(text) > _DIGITS or not (text.isascii() and text.isdecimal()):
        raise ValueError(text[:20])
    return int(text)
