"""Interfaces: what they plug into, and the network devices of the host that a guest names besides.

Bridge, libvirt network and OVS bridge stand in for each other; nothing else does.
"""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Kind, Spot
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import Role, Roles, Row, Test, always, of_type, row, set_attribute

_TYPE = {Form.BRIDGE: "bridge", Form.OVS: "bridge", Form.NETWORK: "network", Form.DIRECT: "direct"}
_NAMED_BY = {"bridge": "bridge", "network": "network", "direct": "dev"}
_ATTRIBUTES = ("bridge", "network", "portgroup", "dev", "mode")
#: Attributes of <source> that say more than the name, and the form that takes them.
_OF_ONE_FORM = {"portid": Form.NETWORK, "macTableManager": Form.BRIDGE}
_OVS = "<virtualport type='openvswitch'/>"


def _read(source: etree._Element) -> Name | None:
    interface = around(source)
    kind = interface.get("type", "")
    attribute = _NAMED_BY.get(kind)
    called = source.get(attribute) if attribute else None
    if not called:
        return None
    if kind == "network":
        return names.network(called, source.get("portgroup", ""))
    if kind == "direct":
        return names.direct(called, source.get("mode", ""))
    return names.ovs(called) if _is_ovs(interface) else names.bridge(called)


def _is_ovs(interface: etree._Element) -> bool:
    port = interface.find("virtualport")
    return port is not None and port.get("type") == "openvswitch"


def _attributes(new: Name) -> dict[str, str]:
    keys = {
        Form.BRIDGE: ("bridge",),
        Form.OVS: ("bridge",),
        Form.NETWORK: ("network", "portgroup"),
        Form.DIRECT: ("dev", "mode"),
    }[new.form]
    return dict(zip(keys, new.parts))


def _write(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    if _read(source) == new:
        return
    interface = around(source)
    wanted = _attributes(new)
    yield from set_attribute(spot.parent, interface, "type", _TYPE[new.form])
    for attribute in _ATTRIBUTES:
        yield from set_attribute(spot, source, attribute, wanted.get(attribute))
    for attribute, form in _OF_ONE_FORM.items():
        if new.form is not form:
            yield from set_attribute(spot, source, attribute, None)
    yield from _write_port(spot.parent.at("virtualport"), interface, new)


def _write_port(spot: Spot, interface: etree._Element, new: Name) -> Iterator[Edit]:
    """The ``<virtualport>`` that makes a bridge an OVS bridge comes and goes with that form."""
    port = interface.find("virtualport")
    if new.form is Form.OVS and port is None:
        yield Edit(spot, None, _OVS)
    elif (
        port is not None
        and new.form is not Form.OVS
        and _is_ovs(interface)
        and interface.get("type") == "bridge"
    ):
        yield Edit(spot, etree.tostring(port, encoding="unicode", with_tail=False), None)


def _obstacle(source: etree._Element, new: Name) -> str:
    """What the interface would lose. libvirt drops or rejects each of these on a form without it."""
    interface = around(source)
    old = _read(source)
    if old is None or old.form is new.form:
        return ""
    if Form.DIRECT in (old.form, new.form):
        return "a direct interface can only be mapped to another direct one"
    if interface.find("vlan") is not None and new.form is Form.BRIDGE:
        return "its <vlan> would be lost: a Linux bridge takes none"
    if new.form is Form.OVS and interface.find("port[@isolated='yes']") is not None:
        return "its isolation from other ports would be lost: an OVS bridge has none"
    if new.form is not Form.NETWORK and interface.find("bandwidth/inbound[@floor]") is not None:
        return "its bandwidth floor would be lost: only a libvirt network keeps one"
    return _port_obstacle(interface, new)


def _port_obstacle(interface: etree._Element, new: Name) -> str:
    port = interface.find("virtualport")
    if port is None or (new.form is Form.OVS and port.get("type") == "openvswitch"):
        return ""
    # interfaceid is made by libvirt itself for every OVS port; any other parameter is a person's.
    own = {key for parameters in port.iter("parameters") for key in parameters.attrib} - {"interfaceid"}
    if port.get("type") != "openvswitch" or interface.get("type") != "bridge" or own:
        return "its <virtualport> would be lost"
    return ""


def _first(new: Name) -> str:
    return new.parts[0]


def _tap_role(target: etree._Element) -> Role:
    # An unmanaged device has to be there; any other libvirt makes, under that name.
    unmanaged = around(target).get("type") == "ethernet" and target.get("managed") == "no"
    return Role.UPLINK if unmanaged else Role.OUTPUT


def _anywhere(_: etree._Element) -> bool:
    return True


def _link(element: str, at: str, roles: Roles, when: Test = _anywhere) -> Row:
    """A row for a network device of the host by its own name."""
    return row(element, at, _KINDS, roles, Form.DIRECT, names.direct, when, _first)


_KINDS = (Kind.NETWORK,)
_FORMS = frozenset({Form.BRIDGE, Form.OVS, Form.NETWORK, Form.DIRECT})

ROWS: tuple[Row, ...] = (
    Row("devices/interface/source", ("@bridge", "@network", "@portgroup", "@dev", "@mode"), _KINDS,
        always(Role.UPLINK), _FORMS, _read, _write, obstacle=_obstacle),
    _link("devices/interface/source", "@dev", Role.UPLINK, of_type("user", "vhostuser")),
    _link("devices/interface/portForward", "@dev", Role.UPLINK),
    _link("devices/interface/target", "@dev", _tap_role),
    _link("devices/hostdev/source/interface", "text()", Role.UPLINK),
    row("devices/graphics/listen", "@network", _KINDS, Role.UPLINK, Form.NETWORK, names.network,
        text_of=_first),
)  # fmt: skip
