"""What may stand in an image's <source> beside its name: it depends on the type and the protocol.

Where those change, the rest has to go, or libvirt refuses the document or looks for what is not there.
"""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks.decision import Edit, Spot
from libhooks.domain import around
from libhooks.references.model import remove, set_attribute

#: By type, or protocol of a network disk, as libvirt's diskSource has it. What is not here stays.
_TAKES = {
    "file": "@fdgroup @startupPolicy encryption seclabel",
    "block": "@startupPolicy encryption seclabel reservations",
    "dir": "@startupPolicy encryption",
    "volume": "@startupPolicy @mode encryption seclabel",
    "rbd": "auth encryption snapshot config",
    "iscsi": "auth encryption initiator",
    "https": "@query auth encryption cookies readahead timeout ssl",
    "http": "@query auth encryption cookies readahead timeout",
    "ftps": "auth encryption readahead timeout ssl",
    "ftp": "auth encryption readahead timeout",
    "ssh": "auth encryption readahead timeout knownHosts identity",
    "tftp": "encryption readahead timeout",
    "sheepdog": "encryption readahead timeout",
    "nbd": "@tls @tlsHostname encryption reconnect",
    "gluster": "encryption",
    "vxhs": "@tls",
    "nfs": "identity",
}
_EXTRAS = tuple(dict.fromkeys(extra for taken in _TAKES.values() for extra in taken.split()))
#: Whoever authenticates does it by a protocol's own rules.
_OF_ONE_PROTOCOL = frozenset({"auth", "identity"})
#: Without these the guest would find something else there than before, or nothing it can read.
_LOSSES = ("encryption", "reservations", "snapshot", "config", "knownHosts", "identity", "@query")
_SECRET = ("auth", "cookies")


def dropped(source: etree._Element, before: str, after: str) -> tuple[str, ...]:
    """What a source has that its new type or protocol does not take. Types stay as they are: nothing."""
    if after == before or before not in _TAKES:
        return ()
    taken = set(_TAKES.get(after, "").split()) - _OF_ONE_PROTOCOL
    return tuple(extra for extra in _EXTRAS if extra not in taken and _has(source, extra))


def _has(source: etree._Element, extra: str) -> bool:
    if extra == "auth":
        return secret_element(source) is not None
    return source.get(extra[1:]) is not None if extra[0] == "@" else source.find(extra) is not None


def secret_element(source: etree._Element) -> etree._Element | None:
    """What names the secret of a network disk: in its source, or beside it as libvirt wrote of old."""
    for element in (source, around(source)):
        found = element.find("auth/secret")
        if found is not None:
            return found
    return None


def drop(spot: Spot, source: etree._Element, extra: str) -> Iterator[Edit]:
    """The edits that take it away."""
    if extra[0] == "@":
        yield from set_attribute(spot, source, extra[1:], None)
        return
    yield from remove(spot, source, extra, secret=extra in _SECRET)
    if extra == "auth":
        yield from remove(spot.parent, around(source), "auth", secret=True)


def loss(source: etree._Element, gone: tuple[str, ...]) -> str:
    """Why some of it must not go, "" if all may."""
    if "@startupPolicy" in gone and source.get("startupPolicy") != "mandatory":
        return "its startupPolicy would be lost: libvirt allows none on a network disk"
    harmless = ("identity",) if source.get("protocol") == "nfs" else ()
    lost = next((one for one in gone if one in _LOSSES and one not in harmless), "")
    return f"its {lost[1:] if lost[0] == '@' else f'<{lost}>'} would be lost" if lost else ""
