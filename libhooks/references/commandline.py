"""``qemu:commandline``: arguments and variables that libvirt hands to QEMU as they are.

What they mean only QEMU knows, so paths in them are never rewritten. Where one is a place's, the guest
would look for another host's files here: that has to be said.
"""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Spot
from libhooks.domain import QEMU
from libhooks.names import Name
from libhooks.references.model import PATH_KINDS, Reference, Role, Row, always

_SPOT = Spot("qemu:commandline", "/domain/qemu:commandline")
#: What a path ends at, in QEMU's own notations and in JSON. Its values may be secret: nothing else of
#: them is ever looked at or shown.
_ENDS = str.maketrans(dict.fromkeys(",;=:\"'\\ \t\n", "\n"))


def _nothing(_: etree._Element) -> Name | None:
    return None


def _no_edits(_: Spot, __: etree._Element, ___: Name) -> Iterator[Edit]:
    return iter(())


#: A row without forms: whatever a place calls it here, it cannot be written.
ROW = Row(
    "qemu:commandline", ("qemu:arg/@value", "qemu:env/@value"), PATH_KINDS, always(Role.ARGUMENT),
    frozenset(), _nothing, _no_edits,
)  # fmt: skip


def find(root: etree._Element) -> Iterator[Reference]:
    """The absolute paths in what QEMU is told directly."""
    for commandline in root.iterchildren(f"{{{QEMU}}}commandline"):
        for told in commandline.iterchildren(tag=etree.Element):
            for path in _paths(told.get("value", "")):
                yield Reference(ROW, _SPOT, path, Role.ARGUMENT, False, told)


def _paths(value: str) -> Iterator[Name]:
    for word in value.translate(_ENDS).split("\n"):
        name = names.path(word) if word.startswith("/") else None
        if name is not None and name.parts and not name.climbs:
            yield name
