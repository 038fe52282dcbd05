"""Network: what the guest's interfaces and listeners need of this host."""

from __future__ import annotations

from typing import Iterator

from libhooks.decision import Level, Unmet
from libhooks.facts.model import Link, Unknown
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, GUIDE, LIBVIRT, Requirement, Subject
from libhooks.requirements.others import left_to

_WHAT = {Form.BRIDGE: "bridge", Form.OVS: "OVS bridge", Form.DIRECT: "network device"}


def exists(subject: Subject) -> Iterator[Unmet]:
    """The bridge, libvirt network, port group or device that an interface plugs into is not here.

    To fix it: make it, or name the network segment in a place, so that the interface plugs into what
    this host calls it.
    """
    for resolution, name in subject.named(Role.UPLINK):
        if name.form is Form.NETWORK:
            yield from _network_missing(resolution, name, subject)
        else:
            yield from _link_missing(resolution, name, subject)


def _link_missing(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    what, device = _WHAT[name.form], name.parts[0]
    link = subject.facts.link(device)
    wanted = f"a {what} of that name" if what[0] not in "aeiouO" else f"an {what} of that name"
    if isinstance(link, Unknown):
        yield _unmet(resolution, name, wanted, link.why, "see that /sys/class/net can be read", True)
    elif link is None:
        yield _unmet(resolution, name, wanted, f"no {device} on this host", _hint(resolution))
    elif not _fits(link, name.form):
        yield _unmet(resolution, name, wanted, f"{device} is {_is(link)}", _hint(resolution))


def _fits(link: Link, form: Form) -> bool:
    if form is Form.BRIDGE:
        return link.kind == "bridge"
    return form is Form.DIRECT or link.kind != "bridge"


def _is(link: Link) -> str:
    return {"bridge": "a Linux bridge", "ovs": "an OVS bridge"}.get(link.kind, "no bridge")


def _network_missing(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    network = subject.facts.network(name.parts[0])
    if isinstance(network, Unknown):
        yield _unmet(resolution, name, "a libvirt network of that name", network.why, "see its file", True)
    elif network is None:
        found = f"no network {name.parts[0]} on this host"
        yield _unmet(resolution, name, "a libvirt network of that name", found, _hint(resolution))
    elif len(name.parts) > 1 and name.parts[1] not in network.portgroups:
        groups = ", ".join(network.portgroups) or "none"
        hint = f"add it (virsh net-edit {name.parts[0]})"
        yield _unmet(resolution, name, f"a port group {name.parts[1]}", f"port groups: {groups}", hint)


def active(subject: Subject) -> Iterator[Unmet]:
    """The libvirt network of an interface is defined here, but not active.

    libvirt does not start networks for a guest that arrives. Start it, and let it start with the host:
    virsh net-start NAME; virsh net-autostart NAME.
    """
    for resolution, name in subject.named(Role.UPLINK, form=Form.NETWORK):
        network = subject.facts.network(name.parts[0])
        if isinstance(network, Unknown):
            yield _unmet(resolution, name, "an active network", network.why, "see its file", True)
        elif network is None and not left_to("network.exists", subject):
            found = f"no network {name.parts[0]} on this host"
            yield _unmet(resolution, name, "an active network", found, _hint(resolution))
        elif network is not None and not network.active:
            hint = f"virsh net-start {name.parts[0]}; virsh net-autostart {name.parts[0]}"
            yield _unmet(resolution, name, "an active network", "it is defined, but not active", hint)


def listen(subject: Subject) -> Iterator[Unmet]:
    """A display or a character device is to listen on an address that this host does not have.

    QEMU would fail to start: it binds the address here. Wildcard and loopback addresses are every
    host's. To fix it: name the address in an address place, so that each host uses its own.
    """
    has = subject.facts.addresses()
    for resolution, name in subject.named(Role.LISTEN):
        wanted = "an address of this host"
        if isinstance(has, Unknown):
            yield _unmet(resolution, name, wanted, has.why, "see that /proc/net can be read", True)
        elif name.parts[0] not in has:
            own = ", ".join(one for one in has if not one.startswith(("127.", "::1", "fe80:")))
            hint = "name it in an [address.…] place of the policy, or listen on 0.0.0.0"
            yield _unmet(resolution, name, wanted, f"this host has {own or 'none'}", hint)


def _hint(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"make it, or correct the name of {resolution.place.label} ({resolution.rule})"
    if resolution.elsewhere:
        return f"{resolution.elsewhere} seems to be on its segment here: name both in a [network.…] place"
    return "make it, or name the segment in a [network.…] place of the policy"


def _unmet(
    resolution: Resolution, name: Name, wanted: str, found: str, hint: str, unknown: bool = False
) -> Unmet:
    return Unmet(resolution.reference.spot, name.spoken, wanted, found, hint, unknown)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("network.exists", "what interfaces plug into is here", GUIDE, Level.REFUSE, BOTH, exists),
    Requirement(
        "network.active", "libvirt networks of the guest are active", LIBVIRT, Level.REFUSE, BOTH, active
    ),
    Requirement("network.listen", "listen addresses are this host's", LIBVIRT, Level.REFUSE, BOTH, listen),
)
