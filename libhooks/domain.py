"""A domain document: parsed safely, addressed by spots, edited in place on a copy, written back.

The tree is never rebuilt from a model of ours: what we do not know of survives as it came.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Iterable, Iterator

from lxml import etree

from libhooks.decision import Edit, Undecidable
from libhooks.protocol import MAX_BYTES

#: The namespace of ``qemu:commandline`` and its like; steps write its elements with that prefix.
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"


def around(element: etree._Element) -> etree._Element:
    """The element around one that is not the root. Raises LookupError for the root."""
    parent = element.getparent()
    if parent is None:
        raise LookupError(element.tag)
    return parent


class Domain:
    """A guest's document. ``root`` is its ``<domain>``; change it through ``edited`` alone."""

    def __init__(self, tree: etree._ElementTree, end: bytes = b"") -> None:
        self._tree = tree
        self._end = end
        self.root = tree.getroot()
        self._devices: dict[tuple[etree._Element, str], list[etree._Element]] = {}

    @property
    def name(self) -> str:
        """The guest's name: on a destination the one given by ``--dname``."""
        return self.root.findtext("name") or ""

    @property
    def uuid(self) -> str:
        """The guest's UUID as written."""
        return (self.root.findtext("uuid") or "").strip()

    def edited(self, edits: Iterable[Edit]) -> Domain:
        """A copy with the edits made, in their order. Spots mean what stands there before the first of them.

        Raises LookupError if a spot is not there or does not hold the edit's ``old``.
        """
        twin = Domain(copy.deepcopy(self._tree), self._end)
        for edit, found in [(edit, twin._meant(edit)) for edit in edits]:
            # What an edit before this one made is not found earlier; what one replaced is not meant any more.
            twin._make(edit, found if found is not None and twin._has(found) else twin._subject(edit))
        return twin

    def serialise(self) -> bytes:
        """The document in UTF-8, without an XML declaration: libvirt rejects any text before the root."""
        return etree.tostring(self._tree, encoding="UTF-8", xml_declaration=False) + self._end

    def mark(self, mark: str) -> None:
        """Put an element into ``<metadata>``, in the place of one of its name: the guest sees none of it."""
        element = etree.fromstring(mark, _parser())
        metadata = self.root.find("metadata")
        if metadata is None:
            metadata = etree.Element("metadata")
            _insert_behind(self.root, self.root.find("uuid"), metadata, 1)
        old = metadata.find(element.tag)
        if old is not None:
            element.tail = old.tail
            etree.indent(element, space="  ", level=2)
            metadata.replace(old, element)
        else:
            etree.indent(element, space="  ", level=2)
            _insert_behind(metadata, metadata[-1] if len(metadata) else None, element, 2)

    def element(self, xpath: str) -> etree._Element:
        """The element at a spot's XPath. Raises LookupError if there is none."""
        found = self.root
        for step in xpath.split("/")[2:]:
            child = self._child(found, step)
            if child is None:
                raise LookupError(xpath)
            found = child
        return found

    def value(self, xpath: str) -> str | None:
        """The attribute or text at a spot's XPath, None if it is not there."""
        around, _, last = xpath.rpartition("/")
        if last == "text()":
            return self.element(around).text
        return self.element(around).get(last[1:])

    def _child(self, parent: etree._Element, step: str) -> etree._Element | None:
        tag, _, predicate = step.partition("[")
        siblings = self._siblings(parent, tag)
        if predicate.startswith("@"):
            key, _, value = predicate[1:-2].partition("='")
            return next((one for one in siblings if one.get(key) == value), None)
        ordinal = int(predicate[:-1] or 1)
        return siblings[ordinal - 1] if ordinal <= len(siblings) else None

    def _siblings(self, parent: etree._Element, tag: str) -> list[etree._Element]:
        if parent.tag != "devices":  # which alone is long
            return parent.findall(_qualified(tag))
        if (parent, tag) not in self._devices:
            self._devices[parent, tag] = parent.findall(tag)
        return self._devices[parent, tag]

    def _subject(self, edit: Edit) -> etree._Element:
        """The element that goes, or the one in which something changes."""
        last = edit.spot.xpath.rpartition("/")[2]
        goes = edit.new is None and not last.startswith("@") and last != "text()"
        return self.element(edit.spot.xpath if goes else edit.spot.parent.xpath)

    def _meant(self, edit: Edit) -> etree._Element | None:
        try:
            return self._subject(edit)
        except LookupError:
            return None

    def _has(self, element: etree._Element) -> bool:
        return element is self.root or any(one is self.root for one in element.iterancestors())

    def _make(self, edit: Edit, subject: etree._Element) -> None:
        last = edit.spot.xpath.rpartition("/")[2]
        if last.startswith("@"):
            _set_attribute(subject, last[1:], edit)
        elif last == "text()":
            _set_text(subject, edit)
        elif edit.new is None:
            _remove(around(subject), subject)
            self._devices.clear()
        else:
            _insert(subject, etree.fromstring(edit.new, _parser()))
            self._devices.clear()


def _set_attribute(element: etree._Element, name: str, edit: Edit) -> None:
    if element.get(name) != edit.old:
        raise LookupError(edit.spot.xpath)
    if edit.new is None:
        del element.attrib[name]
    else:
        element.set(name, edit.new)


def _set_text(element: etree._Element, edit: Edit) -> None:
    if element.text != edit.old:
        raise LookupError(edit.spot.xpath)
    element.text = edit.new


def _remove(parent: etree._Element, element: etree._Element) -> None:
    previous = element.getprevious()
    if previous is None:
        parent.text = element.tail if element.getnext() is None else parent.text
    elif element.getnext() is None:
        previous.tail = element.tail
    parent.remove(element)


def _insert(parent: etree._Element, element: etree._Element) -> None:
    """Put an element behind its parent's ``<source>``, where libvirt's own documents have it."""
    source = parent.find("source")
    before = source if source is not None else parent[-1] if len(parent) else None
    depth = sum(1 for _ in parent.iterancestors()) + 1
    etree.indent(element, space="  ", level=depth)
    _insert_behind(parent, before, element, depth)


def _insert_behind(
    parent: etree._Element, before: etree._Element | None, element: etree._Element, depth: int
) -> None:
    if before is None:
        parent.text, element.tail = "\n" + "  " * depth, "\n" + "  " * (depth - 1)
        parent.append(element)
        return
    tail, before.tail = before.tail, "\n" + "  " * depth
    parent.insert(parent.index(before) + 1, element)
    element.tail = tail


def parse(document: bytes) -> Domain:
    """The domain in ``document``.

    Raises Undecidable for what is not one well-formed ``<domain>``, is larger than MAX_BYTES, or has
    a document type: libvirt never writes one, and entities are how hostile documents read files.
    """
    if len(document) > MAX_BYTES:
        raise Undecidable(f"the domain XML is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        tree = etree.fromstring(document, _parser()).getroottree()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Undecidable(f"the domain XML cannot be read: {_first_line(error)}") from error
    info = tree.docinfo
    if info.doctype or info.internalDTD is not None:  # type: ignore[union-attr]  # the stubs lack them
        raise Undecidable("the domain XML has a document type (DOCTYPE), which is never accepted")
    if tree.getroot().tag != "domain":
        raise Undecidable(f"the document is a <{_printable(tree.getroot().tag)}>, not a <domain>")
    return Domain(tree, b"\n" if document.endswith(b"\n") else b"")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False, huge_tree=False
    )


def _first_line(error: Exception) -> str:
    return _printable(str(error).splitlines()[0] if str(error) else "empty")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:200]


def children(element: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """The child elements, each with its step of an XPath.

    A device carries its ordinal always, any other element only where there are several of its kind. One
    of a namespace that is not libvirt's is ``*``, and counts all its siblings.
    """
    found = list(element.iterchildren(tag=etree.Element))
    tags = [word(child) for child in found]
    only = {tag for tag, count in Counter(tags).items() if count == 1 and element.tag != "devices"} - {"*"}
    seen: dict[str, int] = {}
    for position, (child, tag) in enumerate(zip(found, tags), 1):
        ordinal = seen[tag] = seen.get(tag, 0) + 1
        yield child, tag if tag in only else f"{tag}[{position if tag == '*' else ordinal}]"


def keyed(element: etree._Element, key: str) -> str | None:
    """The step to an element by an attribute that tells it from its siblings, whichever of them go.

    None where the attribute has no plain word for that.
    """
    value = element.get(key, "")
    plain = value.replace("-", "x").replace("_", "x").replace(".", "x").isalnum()
    return f"{word(element)}[@{key}='{value}']" if plain else None


def word(element: etree._Element) -> str:
    """What a step calls an element: its tag, ``qemu:TAG``, or ``*`` for one of any other namespace."""
    tag = element.tag
    if tag[0] != "{":
        return tag
    namespace, _, name = tag[1:].partition("}")
    return f"qemu:{name}" if namespace == QEMU else "*"


def called(element: etree._Element, step: str) -> str:
    """What a person calls this part of a guest: ``disk vda``, ``interface 52:54:00:12:34:56``."""
    if element.tag in ("os", "devices"):
        return ""
    ordinal = step.rpartition("[")[2].rstrip("]")
    told = _identity(element) or (ordinal if ordinal.isdigit() else "")
    return f"{word(element)} {told}".strip()


def device_key(element: etree._Element) -> str:
    """What tells a disk or an interface from the guest's others on every host: its target, its MAC address.

    "" for anything else.
    """
    mac, target = element.find("mac"), element.find("target")
    if element.tag == "interface":
        return "" if mac is None else mac.get("address", "").lower()
    return "" if element.tag != "disk" or target is None else target.get("dev", "")


def _identity(element: etree._Element) -> str | None:
    if element.tag == "interface":
        mac = element.find("mac")
        return None if mac is None else mac.get("address")
    if element.tag == "graphics":
        return element.get("type")
    target = element.find("target")
    if target is None:
        return None
    return target.get("dev") or target.get("dir") or target.get("name") or target.get("port")


def _qualified(tag: str) -> str:
    return f"{{{QEMU}}}{tag[5:]}" if tag.startswith("qemu:") else tag
