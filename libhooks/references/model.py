"""What a reference is, and what a row of the tables says of a spot that can hold one."""

from __future__ import annotations

from enum import Enum
from typing import Callable, Iterator, NamedTuple, Union

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Kind, Spot
from libhooks.domain import around
from libhooks.names import Form, Name


class Role(Enum):
    """What the guest needs of the thing behind a name; requirements choose their references by it."""

    IMAGE = "image"  # a disk's image, or one behind it: has to be there
    BOOT = "boot"  # read when the guest starts: kernel, initrd, a script
    FIRMWARE = "firmware"  # the same, of the firmware: its loader, and the template of its nvram
    EMULATOR = "emulator"  # the program that runs the guest
    NVRAM = "nvram"  # made from its template if it is not there; its content travels
    OUTPUT = "output"  # made by libvirt or QEMU here; of a file, the directory has to be there
    ENDPOINT = "endpoint"  # somebody else's: a device, pipe, socket or directory that has to be there
    UPLINK = "uplink"  # what an interface plugs into
    LISTEN = "listen"  # an address that QEMU binds
    PASSTHROUGH = "passthrough"  # a device of the host that the guest has for its own
    ARGUMENT = "argument"  # in an argument or variable of QEMU's own, which libhooks leaves alone


#: The elements that are, or have, one character device each, of whatever backend.
CHARACTER_DEVICES = (
    "devices/serial", "devices/parallel", "devices/console", "devices/channel",
    "devices/smartcard", "devices/redirdev", "devices/rng/backend",
)  # fmt: skip

#: The elements that name an image, as libvirt's ``diskSource`` has it.
IMAGES = (
    "devices/disk/source",
    "devices/disk/backingStore/source",
    "devices/disk/source/dataStore/source",
    "devices/disk/backingStore/source/dataStore/source",
    "os/nvram/source",
    "os/nvram/source/dataStore/source",
)

#: A host's paths are looked up as private copies first, then as shared storage.
PATH_KINDS = (Kind.FILE, Kind.STORAGE)

Test = Callable[[etree._Element], bool]
#: The role of a row's references: the same for all, or told by the element.
Roles = Union[Role, Callable[[etree._Element], Role]]


def _always(_: etree._Element) -> bool:
    return True


def _never(_: etree._Element) -> bool:
    return False


def _nothing(_: etree._Element, __: Name) -> str:
    return ""


class Row(NamedTuple):
    """One spot of libvirt's domain schema that names something of the host.

    ``element`` is the path below ``<domain>`` (nested ``backingStore`` written once), ``covers`` the
    attributes, or ``text()``, that make up the name, as paths from there. ``read`` gives the name that
    stands there: None if there is none that a place could be (an empty CD-ROM, a wildcard address); it
    raises ValueError if what stands there cannot be a name. ``write`` gives the edits that put another
    name there, in any of ``forms``; ``obstacle`` says what this guest would lose by that, "" if nothing.
    """

    element: str
    covers: tuple[str, ...]
    kinds: tuple[Kind, ...]
    role: Callable[[etree._Element], Role]
    forms: frozenset[Form]
    read: Callable[[etree._Element], Name | None]
    write: Callable[[Spot, etree._Element, Name], Iterator[Edit]]
    writable: Test = _never
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


def of_type(*types: str) -> Test:
    """Whether the device around an element is of one of these types."""
    return lambda element: around(element).get("type") in types


def set_attribute(spot: Spot, element: etree._Element, name: str, value: str | None) -> Iterator[Edit]:
    """The edit that gives an attribute a value, or takes it away; none if it already is so."""
    if element.get(name) != value:
        yield Edit(spot.at(f"@{name}"), element.get(name), value)


def remove(
    spot: Spot, element: etree._Element, tag: str, secret: bool = False, beyond: int = 0
) -> Iterator[Edit]:
    """The edits that take the children of a tag away, but for the first few.

    The last one goes first: the ordinals of the others are still true then.
    """
    found = element.findall(tag)
    for ordinal in range(len(found), beyond, -1):
        text = etree.tostring(found[ordinal - 1], encoding="unicode", with_tail=False)
        yield Edit(spot.at(f"{tag}[{ordinal}]"), text, None, secret)


def row(
    element: str,
    at: str,
    kinds: tuple[Kind, ...],
    roles: Roles,
    form: Form,
    parse: Callable[[str], Name | None],
    when: Test = _always,
    text_of: Callable[[Name], str] = str,
) -> Row:
    """A row for a name that is one attribute (``@name``) or an element's ``text()``, in one form.

    ``parse`` gives None for what is no name that a place could be; ``when`` says which elements have
    a name there at all.
    """
    attribute = at[1:] if at[0] == "@" else None

    def read(found: etree._Element) -> Name | None:
        text = (found.text or "").strip() if attribute is None else found.get(attribute)
        return parse(text) if text and when(found) else None

    def write(spot: Spot, found: etree._Element, new: Name) -> Iterator[Edit]:
        if read(found) != new:
            yield Edit(spot.at(at), found.text if attribute is None else found.get(attribute), text_of(new))

    role = always(roles) if isinstance(roles, Role) else roles
    return Row(element, (at,), kinds, role, frozenset({form}), read, write)


def path_row(
    element: str,
    at: str,
    roles: Roles,
    when: Test = _always,
    parse: Callable[[str], Name | None] = names.path,
) -> Row:
    """A row for an absolute path."""
    return row(element, at, PATH_KINDS, roles, Form.PATH, parse, when)


def absolute(text: str) -> Name | None:
    """The name of an absolute path. What else stands there is looked up by rules of its own."""
    return names.path(text) if text.startswith("/") else None


_DIGITS = frozenset("0123456789abcdefABCDEF")


def number(text: str) -> int:
    """A number as libvirt reads it: hexadecimal behind ``0x``, octal behind ``0``.

    Raises ValueError for anything else, and for what no address could hold.
    """
    base = 16 if text[:2].lower() == "0x" else 8 if text[:1] == "0" else 10
    digits = text[2:] if base == 16 else text
    try:
        if set(digits) - _DIGITS or len(digits) > 12:
            raise ValueError(text)
        return int(digits, base)
    except ValueError:
        raise ValueError(f"not a number: {text[:20]}") from None
