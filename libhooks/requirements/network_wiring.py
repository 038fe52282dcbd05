"""Network: whether what an interface plugs into leads anywhere, and to where the guest was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from libhooks.decision import Level, Spot, Unmet
from libhooks.domain import around, children
from libhooks.facts.model import Facts, Unknown
from libhooks.names import Form, Name
from libhooks.places import Outcome, Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, GUIDE, LIBVIRT, MIGRATE, Requirement, Subject, unmet
from libhooks.requirements.others import left_to

if TYPE_CHECKING:
    from libhooks.facts.surroundings.words import Wire

_INTERFACE = "devices/interface/source"
_READABLE = "see that /sys/class/net can be read"


def up(subject: Subject) -> Iterator[Unmet]:
    """The bridge or device that an interface plugs into is down, or leads to no other host.

    The guest would arrive and be cut off. A bridge has to have a port that is up besides the guests' own
    (vnetN and other taps): the host's network card, a bond, a VLAN. Networks that libvirt routes, and
    isolated ones, have none by design and are exempt, as are Open vSwitch bridges, whose ports the kernel
    does not show.

    To fix it: ip link set DEVICE up; see the cable; ip link set CARD master BRIDGE. Where a bridge is meant
    to have no way out, set the code to "off" for its guests.
    """
    for resolution, name, device in _plugs(subject):
        wire = device if isinstance(device, Unknown) else subject.facts.wire(device)
        if isinstance(wire, Unknown):
            wanted = "a way out" if isinstance(device, Unknown) else f"{device} to be up"
            yield unmet(resolution, name, wanted, wire.why, _READABLE, True)
        elif wire is not None and isinstance(device, str):
            yield from _cut_off(resolution, name, device, wire)
        elif name.form is Form.NETWORK or not left_to("network.exists", subject):
            found, hint = f"no {device} on this host", f"make {device}, and plug a card into it"
            yield unmet(resolution, name, f"{device} to be up", found, hint)


def _cut_off(resolution: Resolution, name: Name, device: str, wire: Wire) -> Iterator[Unmet]:
    uplinks = [port for port in wire.ports if not port.tap]
    if name.form is not Form.DIRECT and not uplinks:
        taps = ", ".join(port.name for port in wire.ports)
        found = f"only guests are plugged into it: {taps}" if taps else "nothing is plugged into it"
        hint = f"ip link set CARD master {device}"
        yield unmet(resolution, name, f"{device} to have an uplink", found, hint)
    elif uplinks and not any(port.up for port in uplinks):
        down = ", ".join(port.name for port in uplinks)
        hint = f"ip link set {uplinks[0].name} up, and see its cable"
        yield unmet(resolution, name, f"an uplink of {device} to be up", f"down: {down}", hint)
    elif not wire.up:
        yield unmet(resolution, name, f"{device} to be up", f"{device} is down", f"ip link set {device} up")


def _plugs(subject: Subject) -> Iterator[tuple[Resolution, Name, str | Unknown]]:
    """The interfaces that the kernel carries, each with the device of this host that it plugs into."""
    for resolution, name in subject.named(Role.UPLINK):
        if resolution.reference.row.element != _INTERFACE:
            continue
        device = _device(name, subject.facts)
        link = subject.facts.link(device) if isinstance(device, str) and device else None
        if isinstance(device, Unknown) or isinstance(link, Unknown):
            yield resolution, name, link if isinstance(link, Unknown) else device
        elif device and (link is None or name.form is Form.DIRECT or link.kind == "bridge"):
            # What is there and is something else is network.exists's finding.
            yield resolution, name, device


def _device(name: Name, facts: Facts) -> str | Unknown:
    if name.form in (Form.BRIDGE, Form.DIRECT):
        return name.parts[0]
    network = facts.network(name.parts[0]) if name.form is Form.NETWORK else None
    if isinstance(network, Unknown):
        return network
    # Of all kinds of networks only this one leads to a bridge that somebody else has wired.
    return network.bridge if network is not None and network.forward == "bridge" else ""


def mtu(subject: Subject) -> Iterator[Unmet]:
    """An interface has larger packets than the bridge or device that it plugs into can carry.

    Small packets pass, large ones vanish: connections open and then hang. The guest keeps the MTU that
    its definition gives it (<mtu size=.../>), so it is the host's that has to fit: ip link set DEVICE mtu N,
    for the uplink too.
    """
    for resolution, name, device in _plugs(subject):
        wanted = _size(resolution)
        size = None if not wanted else device if isinstance(device, Unknown) else subject.facts.mtu(device)
        if isinstance(size, Unknown):
            yield unmet(resolution, name, f"an MTU of {wanted}", size.why, _READABLE, True)
        elif size is not None and size < wanted:
            found, hint = f"{device} has {size}", f"ip link set {device} mtu {wanted}"
            yield unmet(resolution, name, f"an MTU of {wanted} or more", found, hint)


def _size(resolution: Resolution) -> int:
    """The MTU that an interface asks for; 0 where it asks for none."""
    source = resolution.reference.element
    size = None if source is None else around(source).find("mtu")
    text = "" if size is None else size.get("size", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def network_filter(subject: Subject) -> Iterator[Unmet]:
    """A network filter of an interface is not defined on this host.

    libvirt does not start an interface whose filter (<filterref>), or one that it refers to, is missing.
    Filters do not travel: copy it with virsh nwfilter-dumpxml NAME on the source and virsh nwfilter-define
    here.
    """
    devices = subject.domain.root.find("devices")
    for element, step in () if devices is None else children(devices):
        reference = element.find("filterref") if element.tag == "interface" else None
        if reference is not None:
            mac = element.find("mac")
            label = f"interface {mac.get('address', '')}" if mac is not None else step
            spot = Spot(label, f"/domain/devices/{step}/filterref/@filter")
            yield from _filter_missing(spot, reference.get("filter", ""), subject.facts)


def _filter_missing(spot: Spot, name: str, facts: Facts) -> Iterator[Unmet]:
    """A filter and those that it refers to, each looked at once: files may go in a circle."""
    todo, seen = [name], {name}
    while todo:
        one = todo.pop(0)
        found = facts.nwfilter(one)
        wanted = f"a network filter {one}" + (f", which {name} refers to" if one != name else "")
        if isinstance(found, Unknown):
            yield Unmet(spot, f"filter {name}", wanted, found.why, "see that its file can be read", True)
        elif found is None:
            hint = f"virsh nwfilter-dumpxml {one} on the source, virsh nwfilter-define here"
            yield Unmet(spot, f"filter {name}", wanted, "no such filter on this host", hint)
        else:
            todo += [more for more in found if more not in seen]
            seen.update(found)


def segment(subject: Subject) -> Iterator[Unmet]:
    """An interface would be on another network segment than on the guest's last host.

    Red Hat's guide: guests on a bridge stay on the same network. The guest keeps its address, so elsewhere
    nobody would reach it. A place says which bridges are one segment, and its word counts. Where no place
    names the bridge, the origin stamp says what the last host knew of the segment (its VLAN, its subnet and
    its gateway there), and what this host knows as well must be the same.

    To fix it: plug the bridge into the right VLAN, or name the segment in a place.
    """
    for resolution, name, device in _plugs(subject):
        entry = subject.entry(resolution)
        if entry is None or not entry.identity.segment or resolution.outcome is not Outcome.NO_PLACE:
            continue
        here = device if isinstance(device, Unknown) else subject.facts.segment(device)
        if isinstance(here, Unknown):
            yield unmet(
                resolution, name, "the segment it was on", here.why, "see that /proc/net can be read", True
            )
        elif here:
            yield from _elsewhere(resolution, name, _known(entry.identity.segment), _known(here))


def _known(text: str) -> dict[str, str]:
    """What is known of a segment: ``vlan 42, subnet 192.0.2.0/24, gateway 192.0.2.1``."""
    return {what: value for what, _, value in (part.partition(" ") for part in text.split(", ")) if value}


def _elsewhere(
    resolution: Resolution, name: Name, there: dict[str, str], here: dict[str, str]
) -> Iterator[Unmet]:
    for what, value in there.items():
        if here.get(what, value) != value:
            wanted = f"{what} {value}, as where it comes from"
            hint = "plug it into the same segment, or name the segment in a [network.…] place"
            yield unmet(resolution, name, wanted, f"{what} {here[what]}", hint)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("network.up", "bridges are up and have an uplink", LIBVIRT, Level.WARN, BOTH, up),
    Requirement("network.segment", "interfaces stay on their network segment", GUIDE, Level.REFUSE, MIGRATE,
                segment, needs_origin=True),
    Requirement("network.mtu", "the host carries packets as large as the guest's", LIBVIRT, Level.WARN, BOTH,
                mtu),
    Requirement("network.filter", "network filters are here", LIBVIRT, Level.REFUSE, BOTH, network_filter),
)  # fmt: skip
