"""What an ``[edit.ID]`` selects: XPath, cut down to what takes no longer the more disks a guest has.

An XPath is bounded by the document's size times the number of its own steps as long as a condition looks
at nothing but what is below the element it stands at; so that is what a condition may look at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from libhooks.domain import QEMU
from libhooks.policy.diagnostic import Wrong

_HELP = "XPath 1.0 below <domain>, as in devices/disk[@device='cdrom']/source, or qemu:commandline"
_SLOW = "which takes too long in a large guest"
_LONGEST = 1000
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_LAST = re.compile(r"(?:(.*[^/])/)?(@[\w.-]+|text\(\))\Z", re.DOTALL)
_PREDICATE = re.compile(r"\[[^\[\]]*\]")
_SIMPLE = re.compile(r"(?:/domain|[\w.:-]+)(?:/[\w.:-]+)*\Z")
_POSITION = re.compile(r"\[\s*\d+\s*\]|\b(?:position|last)\s*\(")
#: Axes that lead out of what is below an element; and in a condition, paths that begin elsewhere.
_FAR = re.compile(r"\b(?:preceding|following)(?:-sibling)?\s*::")
_OUT = re.compile(r"\.\.|\b(?:ancestor(?:-or-self)?|parent)\s*::|(?<![\w\])*./])/")


class Target(NamedTuple):
    """Something selected: an element, or ``@NAME`` or ``text()`` of it."""

    element: etree._Element
    last: str


class Selection:
    """A ``select``, compiled. Raises Wrong, in words for the policy's author, for what is none."""

    def __init__(self, select: str) -> None:
        bare = _LITERAL.sub("''", select)
        found = None if "|" in _unconditional(bare) else _LAST.match(select.strip())
        #: The elements, and what of each is meant: "" where they themselves, or whatever the path says.
        self._path, self.last = (found[1] or ".", found[2]) if found else (select, "")
        #: Whether it selects elements by their place among siblings, which the others take when they go.
        self.moves = not self.last and bool(_POSITION.search(_last_step(bare)))
        try:
            self._compiled = etree.XPath(self._path, namespaces={"qemu": QEMU}, regexp=False)
            result = self._compiled(etree.Element("domain"))
        except etree.XPathError as error:
            raise Wrong(f"no XPath: {error}", _HELP) from None
        if not isinstance(result, list):
            raise Wrong("it selects no part of the domain, but a value", _HELP)
        _check_cost(bare)

    def targets(self, domain: etree._Element) -> list[Target]:
        """What it selects in a domain, in the document's order, nothing twice.

        Raises Wrong where that is neither an element nor an attribute or text of one.
        """
        try:
            found = self._compiled(domain)
        except etree.XPathError as error:
            raise Wrong(f"it cannot be evaluated: {error}") from None
        parts: list[object] = list(found) if isinstance(found, list) else []
        return list(dict.fromkeys(self._target(one, domain) for one in parts))

    def _target(self, found: object, domain: etree._Element) -> Target:
        if isinstance(found, etree._Element) and isinstance(found.tag, str):
            if found is domain and not self.last:
                raise Wrong("it selects the domain itself")
            return Target(found, self.last)
        parent = getattr(found, "getparent", lambda: None)()
        if isinstance(found, str) and parent is not None:
            name = getattr(found, "attrname", None)
            if getattr(found, "is_text", False) or (name and not name.startswith("{")):
                return Target(parent, f"@{name}" if name else "text()")
        raise Wrong("it selects something else than elements, their attributes and their first texts")

    def steps(self, setting: bool) -> tuple[str, ...] | None:
        """The steps to all that it can select, None where they depend on the guest."""
        path = _unconditional(_LITERAL.sub("''", self._path)).strip()
        if not _SIMPLE.match(path) or "::" in path or ".." in path:
            return None
        steps = tuple(step for step in path.split("/") if step not in ("", "."))
        below = steps[1:] if path.startswith("/") else steps
        return (*below, self.last or "text()") if self.last or setting else below


def _last_step(bare: str) -> str:
    """What comes after the last slash that is in no condition."""
    depth, begin = 0, 0
    for at, character in enumerate(bare):
        depth += {"[": 1, "]": -1}.get(character, 0)
        begin = at + 1 if character == "/" and depth == 0 else begin
    return bare[begin:]


def _unconditional(bare: str) -> str:
    """A path without its conditions."""
    while _PREDICATE.search(bare):
        bare = _PREDICATE.sub("", bare)
    return bare


def _check_cost(bare: str) -> None:
    if len(bare) > _LONGEST:
        raise Wrong(f"longer than {_LONGEST} characters", "write several edits")
    if _FAR.search(bare):
        raise Wrong(
            f"it looks from each element at all others, {_SLOW}", "name the elements by what they have"
        )
    depth, conditions = 0, ""
    for character in bare:
        depth += {"[": 1, "]": -1}.get(character, 0)
        conditions += character if depth > 0 else ""
    if _OUT.search(conditions):
        help = "a condition may look at what is in its element: [source/@file = '/a']"
        raise Wrong(f"a condition looks beyond its element, {_SLOW}", help)
