"""Guests that move between the hosts of a fleet whose places are drawn from what the guest names.

Every place has one name on each host, and no host calls one place what another calls another one. So each
move has one answer, and there is a way back.
"""

from __future__ import annotations

import uuid
from typing import Callable, Iterator, Mapping, NamedTuple

from hypothesis import strategies as st
from lxml import etree

from libhooks import names
from libhooks.decision import DEFAULT, Kind
from libhooks.domain import parse
from libhooks.names import Form, Name
from libhooks.policy.model import Mode, Place, Policy
from libhooks.references import find


class Move(NamedTuple):
    """A guest of hosta, the policy of the fleet, and the hosts that the guest goes to, in their order."""

    document: bytes
    policy: Policy
    stops: tuple[str, ...]

    def __repr__(self) -> str:
        """What a person wants to see of an example that fails."""
        places = (
            f"{place.kind.value} {', '.join(f'{host} {names[0]}' for host, names in place.at.items())}"
            for place in self.policy.places
        )
        return "\n".join((f"a move to {', '.join(self.stops)}", *places, self.document.decode()))


class Named(NamedTuple):
    """A name that stands in a document, the kinds of places that can have it, and what it can become."""

    name: Name
    kinds: tuple[Kind, ...]
    forms: frozenset[Form]


def named(document: bytes) -> tuple[Named, ...]:
    """What a document names of the host, each once."""
    found: dict[Name, Named] = {}
    for one in find(parse(document)):
        if one.name is not None and one.name.parts and not one.name.climbs:
            before = found.get(one.name, Named(one.name, one.row.kinds, one.row.forms))
            found[one.name] = before._replace(forms=before.forms & one.row.forms)
    return tuple(found.values())


@st.composite
def moves(draw: st.DrawFn, documents: st.SearchStrategy[bytes], other_forms: bool = False) -> Move:
    """A move of one of the guests, with most of its names on places; ``other_forms``: some change theirs."""
    document = draw(documents)
    third = draw(st.sampled_from(("hosta", "hostb", "hostc")))
    places: dict[tuple[Kind, Form, tuple[str, ...]], Place] = {}
    for number, one in enumerate(named(document)):
        if draw(st.integers(0, 9)) == 9:
            continue
        form = _form(draw, one) if other_forms else one.name.form
        kind, theirs = draw(st.sampled_from(one.kinds)), _cut(draw, one.name, form)
        called = {
            "hosta": theirs,
            **{host: _CALLED[form](host, theirs, number) for host in ("hostb", "hostc")},
        }
        at = {"hosta": (theirs,), "hostb": (called["hostb"],), "hostc": (called[third],)}
        places.setdefault((kind, theirs.form, theirs.parts), Place(kind, f"p{number}", at, "", DEFAULT, {}))
    policy = Policy(True, Mode.ENFORCE, tuple(draw(st.permutations(list(places.values())))))
    return Move(document, policy, ("hostb", *draw(st.lists(st.sampled_from(("hostb", "hostc")), max_size=2))))


def _form(draw: st.DrawFn, one: Named) -> Form:
    alike = next((forms for forms in _ALIKE if one.name.form in forms), ())
    fitting = [form for form in alike if form in one.forms and (form is not Form.POOL or one.name.parts[1:])]
    return draw(st.sampled_from(fitting or [one.name.form]))


#: The forms that stand in for each other.
_ALIKE = ((Form.POOL, Form.STORE, Form.PATH), (Form.NETWORK, Form.OVS, Form.BRIDGE))


def _cut(draw: st.DrawFn, name: Name, form: Form) -> Name:
    """A name that this one lies under: itself or a shorter one, but none that the whole fleet has in common.

    What becomes another thing does so by itself, or as a volume of a pool.
    """
    least, most = (
        min(2 if name.form is Form.STORE or name.parts[0] == "dev" else 1, len(name.parts)),
        len(name.parts),
    )
    if form is not name.form:
        least = most = max(least, most - 1) if form is Form.POOL else most
    return name._replace(parts=name.parts[: draw(st.integers(least, most))])


def _path(host: str, theirs: Name, number: int) -> Name:
    return names.path(f"/dev/{host}/{number}" if theirs.parts[0] == "dev" else f"/{host}/{number}")


def _store(host: str, theirs: Name, number: int) -> Name:
    if theirs.form is not Form.STORE:
        return names.store("nbd", f"{host}{number}", (f"{host}:10809",))
    hosts = tuple(f"{host}-{number}-{one}:1" for one in range(len(theirs.hosts)))
    secret = _uuid(host, number) if theirs.secret else ""
    return names.store(theirs.parts[0], f"{host}{number}" if len(theirs.parts) > 1 else "", hosts, secret)


def _address(host: str, theirs: Name, number: int) -> Name:
    version_6 = ":" in theirs.parts[0]
    return names.address(
        f"2001:db8:{host[-1]}::{number:x}" if version_6 else f"10.{ord(host[-1])}.0.{number}"
    )


def _usb(host: str, theirs: Name, number: int) -> Name:
    bus = ord(host[-1])
    return names.usb(f"{bus:04x}:{number:04x}" if ":" in theirs.parts[0] else f"{bus}-{number}")


def _uuid(host: str, number: int) -> str:
    return str(uuid.UUID(int=ord(host[-1]) << 32 | number))


#: What a host calls a place, in a form: told what hosta calls it, and its number.
_CALLED: Mapping[Form, Callable[[str, Name, int], Name]] = {
    Form.PATH: _path,
    Form.POOL: lambda host, _, number: names.pool(f"{host}{number}"),
    Form.STORE: _store,
    Form.BRIDGE: lambda host, _, number: names.bridge(f"{host}{number}"),
    Form.OVS: lambda host, _, number: names.ovs(f"{host}{number}"),
    Form.NETWORK: lambda host, _, number: names.network(f"{host}{number}"),
    Form.DIRECT: lambda host, _, number: names.direct(f"{host}{number}"),
    Form.ADDRESS: _address,
    Form.PCI: lambda host, _, number: names.pci_numbers(ord(host[-1]), number, 0x1F, 7),
    Form.MDEV: lambda host, _, number: names.mdev(_uuid(host, number)),
    Form.USB: _usb,
}


# What documents are made of others.


@st.composite
def joined(draw: st.DrawFn, documents: st.SearchStrategy[bytes]) -> bytes:
    """A guest that has devices of other guests as well."""
    root = etree.fromstring(draw(documents))
    devices = root.find("devices")
    if devices is None:
        devices = etree.SubElement(root, "devices")
    for other in draw(st.lists(documents, max_size=2)):
        theirs = [*etree.fromstring(other).iterfind("devices/*")]
        for device in draw(st.lists(st.sampled_from(theirs), max_size=6)) if theirs else ():
            if device.tag in _SEVERAL:
                devices.append(device)
    return etree.tostring(root)


#: The devices that a guest can have any number of.
_SEVERAL = (
    "disk",
    "interface",
    "serial",
    "channel",
    "hostdev",
    "filesystem",
    "rng",
    "redirdev",
    "input",
    "shmem",
)


@st.composite
def strewn(draw: st.DrawFn, documents: st.SearchStrategy[bytes]) -> bytes:
    """A guest with things between its elements that are not libvirt's, or of a libvirt to come."""
    root = etree.fromstring(draw(documents))
    # Between elements only: what a text is said to be with an element in it, libvirt does not say either.
    elements = [one for one in root.iter(etree.Element) if len(one) or not (one.text or "").strip()]
    for place in draw(st.lists(st.sampled_from(elements), min_size=1, max_size=8)):
        stranger = _STRANGERS[draw(st.sampled_from(sorted(_STRANGERS)))]()
        place.insert(draw(st.integers(0, len(place))), stranger)
    return etree.tostring(root)


def _metadata() -> etree._Element:
    element = etree.Element("{urn:example}disk", nsmap={"x": "urn:example"})
    etree.SubElement(element, "source", file="/srv/images/a.qcow2").text = "/srv/images/a.qcow2"
    return element


_STRANGERS: dict[str, Callable[[], etree._Element]] = {
    "comment": lambda: etree.Comment(" /srv/images/a.qcow2 & <source file='/srv/images/a.qcow2'/> "),
    "instruction": lambda: etree.ProcessingInstruction("x", "file='/srv/images/a.qcow2'"),
    "metadata": _metadata,
    "default": lambda: etree.Element("{urn:other}source", {"file": "/srv"}, nsmap={None: "urn:other"}),  # type: ignore[dict-item]  # the stubs lack None
    "new": lambda: etree.Element("ofTomorrow", {"file": "/srv/images/a.qcow2", "{urn:example}a": "b"}),
}


def strangers(document: bytes) -> Iterator[tuple[str, str]]:
    """What in a document is not libvirt's, in its order."""
    for one in etree.fromstring(document).getroottree().iter():
        if not isinstance(one.tag, str) or one.tag.startswith("{urn:") or one.tag == "ofTomorrow":
            yield str(one.tag), etree.tostring(one, encoding="unicode", with_tail=False)
