"""Backing chains that the document does not show.

The XML at ``migrate`` has no detected ``<backingStore>`` (libvirt formats an inactive copy), so libvirt
reads the image's header on arrival, and an absolute path in it is the source's. Where the header names
another host's place, the whole chain is written out, its terminator included, and libvirt believes that.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

from lxml import etree

from libhooks import names
from libhooks.decision import Change, Edit, Spot, Unmet
from libhooks.domain import around
from libhooks.facts.model import Facts, Unknown
from libhooks.names import Form, Name
from libhooks.places import Outcome, Resolution
from libhooks.references import storage
from libhooks.references.model import Reference, Role

#: QEMU itself gives up long before.
MAX_LAYERS = 200

_Resolve = Callable[[Reference], Resolution]


class Layer(NamedTuple):
    """An image behind another one, and the format that the header in front of it declares."""

    resolution: Resolution
    format: str


class Chain(NamedTuple):
    """What the headers say is behind a disk's last layer in the document.

    ``broken`` says why the rest of the chain is not known, None if it is known to its end.
    """

    layers: tuple[Layer, ...]
    broken: Unmet | None

    def change(self, top: Resolution) -> Iterator[Change]:
        """The changes of the layers that have another name here; the first carries the edit for all."""
        edit: tuple[Edit, ...] = (_written_out(self.layers, top.reference.spot),)
        for layer in self.layers:
            found = layer.resolution
            if found.outcome is Outcome.RENAMED and found.place and found.rule:
                spot, place = found.reference.spot, found.place
                yield Change(
                    found.kind, place.id, spot, str(found.reference.name), str(found.now), found.rule, edit
                )
                edit = ()


def follow(top: Resolution, resolve: _Resolve, facts: Facts) -> Chain:
    """The chain behind a disk's last layer in the document, empty where the document ends it."""
    layers: list[Layer] = []
    image, format = top.now, _open_end(top.reference.element)
    while format == "qcow2" and image is not None:
        behind = _behind(image, top.reference.spot, facts)
        if behind is None:
            break
        if isinstance(behind, Unmet):
            return Chain(tuple(layers), behind)
        name, format = behind
        resolution = resolve(_reference(top.reference.spot, name))
        if not format and resolution.outcome is Outcome.RENAMED:
            # To write the chain out takes the format, which libvirt itself never guesses either.
            return Chain(
                tuple(layers), _broken(top.reference.spot, image, f"its header names {name} without a format")
            )
        layers.append(Layer(resolution, format))
        image = resolution.now
        if len(layers) > MAX_LAYERS:
            return Chain(tuple(layers), _broken(top.reference.spot, image, "it does not end"))
    return Chain(tuple(layers), None)


def _open_end(source: etree._Element | None) -> str:
    """The format of a layer behind which the document says nothing; "" where it says there is none.

    Formats come from the document alone: probing an image lets its guest choose what the host reads.
    """
    if source is None:
        return ""
    layer = around(source)
    if layer.find("backingStore") is not None:
        return ""
    format = layer.find("driver" if layer.tag == "disk" else "format")
    return "" if format is None else format.get("type", "")


def _behind(image: Name, spot: Spot, facts: Facts) -> tuple[Name, str] | Unmet | None:
    path = path_of(image, facts)
    if path is None:
        return None
    header = facts.image(path)
    if header is None:
        return None  # storage.exists says so
    if isinstance(header, Unknown):
        return _broken(spot, image, header.why, unknown=True)
    if header.backing is None:
        return None
    name = _backing_name(header.backing, path)
    if name is None:
        return None  # a URI or json: description: libvirt reads those on every host alike
    return name, header.backing_format


def path_of(name: Name, facts: Facts) -> str | None:
    """The path that a disk's name leads to on this host, None for network disks and unknown pools."""
    found = location(name, facts)
    return None if isinstance(found, Unknown) else found


def location(name: Name, facts: Facts) -> str | Unknown | None:
    """The path that a disk's name leads to on this host, None where it leads to none."""
    if name.form is Form.PATH:
        return str(name)
    if name.form is not Form.POOL or len(name.parts) != 2:
        return None
    pool = facts.pool(name.parts[0])
    if isinstance(pool, Unknown):
        return pool
    return f"{pool.target}/{name.parts[1]}" if pool is not None and pool.target else None


def expect(resolutions: tuple[Resolution, ...], facts: Facts) -> None:
    """Tell the facts where the paths of a guest lead to on this host."""
    paths = (path_of(one.now, facts) for one in resolutions if one.now is not None)
    facts.expect(*(path for path in paths if path is not None))


def _backing_name(text: str, image: str) -> Name | None:
    if text.startswith("file:"):
        text = text[len("file:") :]
    head = text.partition("/")[0]
    if ":" in head:
        return None
    joined = text if text.startswith("/") else f"{image.rpartition('/')[0]}/{text}"
    return _flattened(names.path(joined))


def _flattened(name: Name) -> Name:
    """A relative path may climb: ``../base/x`` next to the image is what QEMU opens, as text."""
    parts: list[str] = []
    for part in name.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return name._replace(parts=tuple(parts))


def _reference(spot: Spot, name: Name) -> Reference:
    return Reference(storage.BACKING, spot, name, Role.IMAGE, False, None)


def _broken(spot: Spot, image: Name | None, found: str, unknown: bool = False) -> Unmet:
    hint = "record it in the image (qemu-img rebase -u -F FORMAT), or write the chain as <backingStore>"
    if unknown:
        hint = "see that the image can be read, and is what its <driver> says"
    return Unmet(spot, str(image), "a backing chain that can be followed here", found, hint, unknown)


def _written_out(layers: tuple[Layer, ...], source: Spot) -> Edit:
    inner = etree.Element("backingStore")
    for layer in reversed(layers):
        now = layer.resolution.now
        if now is not None:
            outer = storage.layer_xml(now, layer.format)
            outer.append(inner)
            inner = outer
    return Edit(source.parent.at("backingStore"), None, etree.tostring(inner, encoding="unicode"))


def changed(chain: Chain) -> bool:
    """Whether any image of the chain has another name here."""
    return any(layer.resolution.outcome is Outcome.RENAMED for layer in chain.layers)
