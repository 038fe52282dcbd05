"""Spots of elements: from an element back to where it stands, in words for people and for the machine."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from libhooks.decision import Edit, Spot
from libhooks.domain import around, called, children, keyed

#: The attributes that tell siblings apart: spots by them hold although others go.
_KEYS = {
    "vcpupin": "vcpu",
    "iothreadpin": "iothread",
    "memnode": "cellid",
    "event": "name",
    "seclabel": "model",
}


class Spots:
    """The spots of a document's elements. Siblings are counted once, however many of them are asked for."""

    def __init__(self) -> None:
        self._steps: dict[etree._Element, dict[etree._Element, str]] = {}
        self._keys: dict[tuple[etree._Element, str], Counter[str | None]] = {}

    def of(self, element: etree._Element, last: str = "") -> Spot:
        """An element's spot, or that of ``@NAME`` or ``text()`` of it."""
        below = [element, *element.iterancestors()][-2::-1]
        path = [self._step(one) for one in below]
        return Spot(_label(below, path, last), "/".join(("/domain", *path, *([last] if last else ()))))

    def gone(self, element: etree._Element, secret: bool = False) -> Edit:
        """The edit that takes an element away."""
        text = etree.tostring(element, encoding="unicode", with_tail=False)
        return Edit(self.of(element), text, None, secret)

    def _step(self, child: etree._Element) -> str:
        by_key = self._by_key(child) if child.tag in _KEYS else None
        parent = child.getparent()
        if by_key is not None or parent is None:
            return by_key or ""
        if parent not in self._steps:
            self._steps[parent] = dict(children(parent))
        return self._steps[parent][child]

    def _by_key(self, child: etree._Element) -> str | None:
        """The step to an element by its key, None where a sibling has the same: libvirt allows none."""
        key, parent = _KEYS[child.tag], around(child)
        if (parent, child.tag) not in self._keys:
            self._keys[parent, child.tag] = Counter(one.get(key) for one in parent.iterchildren(child.tag))
        return keyed(child, key) if self._keys[parent, child.tag][child.get(key)] == 1 else None


def _label(below: list[etree._Element], path: list[str], last: str) -> str:
    """``disk vda driver/@cache``, ``cputune shares``."""
    size = 2 if path[:1] == ["devices"] else 1
    thing = called(below[size - 1], path[size - 1]) if len(path) >= size else ""
    inner = "/".join((*path[size:], *([last] if last.startswith("@") else ())))
    return f"{thing or '/'.join(path[:size])} {inner}".strip()
