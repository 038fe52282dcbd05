"""Everything in a domain that names something of the host: the tables, and the walk over a document.

A new rewrite is a new row in the module of its kind.
"""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks.decision import Spot
from libhooks.domain import Domain, called, children
from libhooks.references import address, device, files, network, storage
from libhooks.references.model import Reference, Row

ROWS: tuple[Row, ...] = (*storage.ROWS, *network.ROWS, *address.ROWS, *device.ROWS, *files.ROWS)


class _Node:
    """An element of the schema on the way to a row."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.below: dict[str, _Node] = {}


def _tree(rows: tuple[Row, ...]) -> _Node:
    root = _Node()
    for row in rows:
        node = root
        for tag in row.element.split("/"):
            node = node.below.setdefault(tag, _Node())
            if tag == "backingStore":
                node.below["backingStore"] = node
        node.rows.append(row)
    return root


_ROOT = _tree(ROWS)


def find(domain: Domain) -> tuple[Reference, ...]:
    """All references of a domain, in document order. The document is walked once."""
    return tuple(_walk(domain.root, _ROOT, "/domain", ""))


def _walk(element: etree._Element, node: _Node, xpath: str, label: str) -> Iterator[Reference]:
    for row in node.rows:
        reference = _read(row, element, Spot(label, xpath))
        if reference is not None:
            yield reference
    if node.below:
        for child, step in children(element):
            below = node.below.get(child.tag)
            if below is not None:
                yield from _walk(child, below, f"{xpath}/{step}", label or called(child, step))


def _read(row: Row, element: etree._Element, spot: Spot) -> Reference | None:
    try:
        name = row.read(element)
    except ValueError as error:
        return Reference(row, spot, None, row.role(element), row.writable(element), element, str(error))
    if name is None:
        return None
    return Reference(row, spot, name, row.role(element), row.writable(element), element)
