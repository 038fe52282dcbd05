"""libvirt's RELAX NG schema of a domain, as a table: every spot a document can have, and its data types.

A spot is a path below ``<domain>`` that ends in ``@attribute`` or ``text()``. Elements of a hypervisor's own
namespace have its word as prefix (``qemu:commandline``). What repeats inside itself is written once, as
``libhooks.references`` writes it.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Iterator, Mapping

from lxml import etree

DIRECTORY = Path("/usr/share/libvirt/schemas")

_RNG = "{http://relaxng.org/ns/structure/1.0}"
_NAMESPACE = "http://libvirt.org/schemas/domain/"
#: XML Schema's types of text; all others are numbers and times.
_TEXTS = {"string", "NCName"}
#: How often a definition may stand inside itself: once more shows what nesting looks like.
_DEPTH = 2
#: Paths whose repetition says nothing new.
_NESTED = ("backingStore", "source/dataStore")


def spots(directory: Path = DIRECTORY) -> Mapping[str, frozenset[str]]:
    """Each spot with the names of the types of its text: definitions of the schema, or ``text``.

    Numbers and closed sets of words have no type: no spot of theirs names anything by itself.
    """
    walk = _Walk(_definitions(directory / "domain.rng"))
    walk.into(walk.defined["domain"], (), ())
    return {path: frozenset(types) for path, types in walk.found.items()}


def _definitions(file: Path) -> dict[str, list[etree._Element]]:
    """What a schema and those it includes define; the including one has the last word."""
    found: dict[str, list[etree._Element]] = defaultdict(list)
    for node in etree.parse(str(file)).getroot().iterchildren(tag=etree.Element):
        if node.tag == _RNG + "include":
            for name, pieces in _definitions(file.parent / node.get("href", "")).items():
                found[name] += pieces
            found.update({one.get("name", ""): [one] for one in node.iter(_RNG + "define")})
        elif node.tag == _RNG + "define":
            found[node.get("name", "")].append(node)
    return found


class _Walk:
    def __init__(self, defined: dict[str, list[etree._Element]]) -> None:
        self.defined = defined
        self.found: dict[str, set[str]] = defaultdict(set)

    def into(self, nodes: list[etree._Element], path: tuple[str, ...], within: tuple[str, ...]) -> None:
        for node in nodes:
            kind = str(node.tag).removeprefix(_RNG)
            if kind == "ref":
                name = node.get("name", "")
                if within.count(name) < _DEPTH:
                    self.into(self.inside(name), path, (*within, name))
            elif kind == "element":
                self.element(node, path, within)
            elif kind == "attribute":
                self.found[_spot((*path, "@" + (node.get("name") or "*")))] |= self.types(node)
            else:
                self.into(_children(node), path, within)

    def element(self, node: etree._Element, path: tuple[str, ...], within: tuple[str, ...]) -> None:
        if node.get("name") is None:
            return  # <metadata> has any element, and is nobody's business
        here = (*path, _called(node))
        self.into(_children(node), here, within)
        if _words(self.texts(_children(node))):
            self.found[_spot((*here, "text()"))] |= set(self.texts(_children(node)))

    def inside(self, name: str) -> list[etree._Element]:
        return [child for define in self.defined[name] for child in _children(define)]

    def types(self, attribute: etree._Element) -> set[str]:
        """The types of an attribute's value; without any the schema means text."""
        children = _children(attribute)
        return set(self.texts(children)) if children else {"text"}

    def texts(self, nodes: list[etree._Element]) -> Iterator[str]:
        """The types of what is text among nodes, by the outermost definition that is nothing else."""
        for node in nodes:
            kind = str(node.tag).removeprefix(_RNG)
            if kind == "ref":
                yield from self.named(node.get("name", ""))
            elif kind == "text" or (kind == "data" and node.get("type") in _TEXTS):
                yield "text"
            elif kind not in ("data", "value", "element", "attribute"):
                yield from self.texts(_children(node))

    def named(self, name: str) -> Iterator[str]:
        inside = self.inside(name)
        if any(node.tag in (_RNG + "element", _RNG + "attribute") for one in inside for node in one.iter()):
            yield from self.texts(inside) if not any(_refers(one, name) for one in inside) else ()
        elif any(True for _ in self.texts(inside)):
            yield name


def _refers(node: etree._Element, name: str) -> bool:
    return any(one.get("name") == name for one in node.iter(_RNG + "ref"))


def _children(node: etree._Element) -> list[etree._Element]:
    return list(node.iterchildren(tag=etree.Element))


def _words(types: Iterator[str]) -> bool:
    return any(True for _ in types)


def _called(element: etree._Element) -> str:
    for around in (element, *element.iterancestors()):
        namespace = around.get("ns", "")
        if namespace.startswith(_NAMESPACE):
            return f"{namespace[len(_NAMESPACE) :].partition('/')[0]}:{element.get('name')}"
    return str(element.get("name"))


def _spot(steps: tuple[str, ...]) -> str:
    path = "/".join(steps[1:])
    for one in _NESTED:
        while f"{one}/{one}/" in path:
            path = path.replace(f"{one}/{one}/", f"{one}/")
    return path
