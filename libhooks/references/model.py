"""What a reference is, and what a row of the tables says of a spot that can hold one."""

from __future__ import annotations

from enum import Enum
from typing import Callable, Iterator, NamedTuple

from lxml import etree

from libhooks.decision import Edit, Kind, Spot
from libhooks.names import Form, Name


class Role(Enum):
    """What the guest needs of the thing behind a name; requirements choose their references by it."""

    IMAGE = "image"  # a disk's image, or one behind it: has to be there
    BOOT = "boot"  # read when the guest starts: kernel, initrd, loader, template of the nvram
    NVRAM = "nvram"  # made from its template if it is not there; its content travels
    OUTPUT = "output"  # made by libvirt or QEMU in a directory that has to be there
    ENDPOINT = "endpoint"  # somebody else's: a device, pipe or socket that has to be there
    UPLINK = "uplink"  # what an interface plugs into
    LISTEN = "listen"  # an address that QEMU binds


#: The devices that are one character device each, of whatever backend.
CHARACTER_DEVICES = ("serial", "parallel", "console", "channel")

#: A host's paths are looked up as private copies first, then as shared storage.
PATH_KINDS = (Kind.FILE, Kind.STORAGE)


def _never(_: etree._Element) -> bool:
    return False


def _nothing(_: etree._Element, __: Name) -> str:
    return ""


class Row(NamedTuple):
    """One spot of libvirt's domain schema that names something of the host.

    ``element`` is the path below ``<domain>`` (nested ``backingStore`` written once), ``covers`` the
    attributes, or ``text()``, that make up the name. ``read`` gives the name that stands there: None
    if there is none that a place could be (an empty CD-ROM, a wildcard address); it raises ValueError
    if what stands there cannot be a name. ``write`` gives the edits that put another name there, in
    any of ``forms``; ``obstacle`` says what this guest would lose by that, "" if nothing.
    """

    element: str
    covers: tuple[str, ...]
    kinds: tuple[Kind, ...]
    role: Callable[[etree._Element], Role]
    forms: frozenset[Form]
    read: Callable[[etree._Element], Name | None]
    write: Callable[[Spot, etree._Element, Name], Iterator[Edit]]
    writable: Callable[[etree._Element], bool] = _never
    obstacle: Callable[[etree._Element, Name], str] = _nothing


class Reference(NamedTuple):
    """A name of the host that stands in a domain.

    ``writable``: the guest writes to it. ``malformed`` says why the text at the spot cannot be a name;
    ``name`` is then None. An image that only another image's header names has no ``element``.
    """

    row: Row
    spot: Spot
    name: Name | None
    role: Role
    writable: bool
    element: etree._Element | None
    malformed: str = ""


def always(role: Role) -> Callable[[etree._Element], Role]:
    """A row whose references all have the same role."""
    return lambda _: role


def set_attribute(spot: Spot, element: etree._Element, name: str, value: str | None) -> Iterator[Edit]:
    """The edit that gives an attribute a value, or takes it away; none if it already is so."""
    if element.get(name) != value:
        yield Edit(spot.at(f"@{name}"), element.get(name), value)


def attribute_row(
    element: str,
    attribute: str,
    kinds: tuple[Kind, ...],
    role: Role,
    form: Form,
    parse: Callable[[str], Name | None],
    text_of: Callable[[Name], str] = str,
) -> Row:
    """A row for a name that is one attribute, in one form."""

    def read(found: etree._Element) -> Name | None:
        text = found.get(attribute)
        return parse(text) if text else None

    def write(spot: Spot, found: etree._Element, new: Name) -> Iterator[Edit]:
        return set_attribute(spot, found, attribute, text_of(new))

    return Row(element, (f"@{attribute}",), kinds, always(role), frozenset({form}), read, write)


def text_row(
    element: str, kinds: tuple[Kind, ...], role: Role, form: Form, parse: Callable[[str], Name | None]
) -> Row:
    """A row for a name that is an element's text, in one form."""

    def read(found: etree._Element) -> Name | None:
        text = (found.text or "").strip()
        return parse(text) if text else None

    def write(spot: Spot, found: etree._Element, new: Name) -> Iterator[Edit]:
        yield Edit(spot.at("text()"), found.text, str(new))

    return Row(element, ("text()",), kinds, always(role), frozenset({form}), read, write)
