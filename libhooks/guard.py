"""The guard: no change of ours may touch what the guest sees.

libvirt aborts a migration whose destination differs in a guest-visible part, with a message that
nobody understands; and some differences pass its check and then break the guest. Either way the guard
is first, and names the rule that would have done it.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

from lxml import etree

from libhooks.decision import Change, Edit
from libhooks.domain import Domain, word

_UNCACHED = ("none", "directsync")


class Violation(NamedTuple):
    """An edit that the guard does not let pass, and the change it is part of.

    ``wanted`` is what should be instead, ``because`` what would come of the edit.
    """

    change: Change
    edit: Edit
    wanted: str
    because: str


def check(changes: tuple[Change, ...], after: Domain) -> Iterator[Violation]:
    """The edits that would alter a guarded part, or the number or order of the guest's devices.

    ``after`` is the domain with the changes made.
    """
    if not changes:
        return
    from libhooks.abi import Table  # its table takes time to make, and many guests stay as they are

    table = Table()
    for change in changes:
        for edit in change.edits:
            altered = next(filter(None, map(table.altered, touched(edit))), None) or _clashing(edit, after)
            if altered is not None:
                yield Violation(change, edit, *altered)


def touched(edit: Edit) -> Iterator[tuple[str, ...]]:
    """What an edit alters, as steps below ``<domain>`` without ordinals: of an element all that is in it."""
    steps = tuple(step.partition("[")[0] for step in edit.spot.xpath.split("/")[2:])
    yield steps
    element = edit.old or edit.new
    if element and not steps[-1].startswith("@") and steps[-1] != "text()":
        yield from _inside(etree.fromstring(element), steps)


def _inside(element: etree._Element, steps: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield from ((*steps, "@" + str(name)) for name in element.attrib)
    if (element.text or "").strip():
        yield (*steps, "text()")
    for child in element.iterchildren(tag=etree.Element):
        yield (*steps, word(child))
        yield from _inside(child, (*steps, word(child)))


def _clashing(edit: Edit, after: Domain) -> tuple[str, str] | None:
    """What each is the host's affair, and together libvirt refuses: native I/O in the host's cache."""
    driver = edit.spot.parent.xpath if "/@" in edit.spot.xpath else edit.spot.xpath
    if not driver.startswith("/domain/devices/disk[") or not driver.endswith("]/driver"):
        return None
    try:
        element = after.element(driver)
    except LookupError:
        return None  # another edit took it away
    if element.get("io") != "native" or element.get("cache") in _UNCACHED:
        return None
    return "io='native' only with cache='none' or 'directsync'", "libvirt refuses to start the guest"
