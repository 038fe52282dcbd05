"""How a network device is wired: what it is plugged into, whether that is up, and which segment that makes.

From sysfs, /proc/net/vlan and /proc/net/route alone (linux: Documentation/ABI/testing/sysfs-class-net).
"""

from __future__ import annotations

from typing import Iterator

from libhooks.facts.network.links import plain, xml
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage
from libhooks.facts.surroundings.words import Port, Wire

_NET = "/sys/class/net"
_FILTERS = "/etc/libvirt/nwfilter"
#: A device that knows no carrier (a tap, a VLAN on a dummy) says "unknown" and works.
_WORKING = ("up", "unknown")
_STATES = (*_WORKING, "notpresent", "down", "lowerlayerdown", "testing", "dormant")


def wire(paths: Paths, name: str) -> Wire | None:
    """A network device and its ports, if it is a bridge; None where there is none of that name."""
    if not plain(name) or paths.node(f"{_NET}/{name}") is None:
        return None
    ports = paths.names(f"{_NET}/{name}/brif")
    return Wire(_up(paths, name), tuple(_port(paths, port) for port in ports))


def _port(paths: Paths, name: str) -> Port:
    # Of all kinds of devices that can be a port, only taps have flags of that name: guests hang on them.
    return Port(name, _up(paths, name), paths.node(f"{_NET}/{name}/tun_flags") is not None)


def _up(paths: Paths, name: str) -> bool:
    path = f"{_NET}/{name}/operstate"
    state = paths.line(path)
    if state not in _STATES:
        raise Garbage(f"{path} is no state")
    return state in _WORKING


def mtu(paths: Paths, name: str) -> int | None:
    """The largest packet that a network device carries, in bytes; None where there is none of that name."""
    if not plain(name) or paths.node(f"{_NET}/{name}") is None:
        return None
    return paths.number(f"{_NET}/{name}/mtu")


def segment(paths: Paths, name: str) -> str | None:
    """A segment in words that two hosts can compare: its VLAN, its subnet, its gateway, as far as known here.

    "vlan 42, subnet 192.0.2.0/24, gateway 192.0.2.1". "" where this host knows nothing of the segment.
    """
    if not plain(name) or paths.node(f"{_NET}/{name}") is None:
        return None
    ports = paths.names(f"{_NET}/{name}/brif")
    vlans = sorted({vlan for vlan in (_vlan(paths, port) for port in (name, *ports)) if vlan})
    words = [f"vlan {' '.join(vlans)}"] if vlans else []
    return ", ".join((*words, *_routes(paths.text("/proc/net/route") or "", name)))


def bridges_on(paths: Paths, wanted: str) -> tuple[str, ...]:
    """The bridges here on a segment that ``segment`` described on another host.

    Neither host need know all of it: what both know has to be the same, and a VLAN or a subnet be among it.
    """
    named = tuple(name for name in paths.names(_NET) if paths.node(f"{_NET}/{name}/bridge") is not None)
    return tuple(name for name in named if _alike(wanted, segment(paths, name) or ""))


def _alike(there: str, here: str) -> bool:
    known, own = (
        dict(part.split(" ", 1) for part in text.split(", ") if " " in part) for text in (there, here)
    )
    both = known.keys() & own.keys()
    return bool(both & {"vlan", "subnet"}) and all(known[key] == own[key] for key in both)


def _vlan(paths: Paths, device: str) -> str:
    """The VLAN that a device is on, "" if it is not a VLAN's (/proc/net/vlan/DEVICE)."""
    for line in (paths.text(f"/proc/net/vlan/{device}") or "").splitlines():
        words = line.split()
        if len(words) > 2 and words[1] == "VID:" and words[2].isdecimal():
            return words[2]
    return ""


def _routes(text: str, device: str) -> Iterator[str]:
    """The subnets on a device, and the gateway of the default route by it."""
    rows = [line.split() for line in text.splitlines()[1:]]
    own = [row for row in rows if len(row) > 7 and row[0] == device]
    try:
        subnets = sorted(_subnet(row) for row in own if _direct(row))
        gateways = sorted({_address(row[2]) for row in own if int(row[1], 16) == 0 and int(row[2], 16)})
    except ValueError:
        raise Garbage("/proc/net/route makes no sense") from None
    if subnets:
        yield f"subnet {' '.join(subnets)}"
    if gateways:
        yield f"gateway {' '.join(gateways)}"


def _direct(row: list[str]) -> bool:
    return int(row[2], 16) == 0 and int(row[7], 16) not in (0, 0xFFFFFFFF)


def _subnet(row: list[str]) -> str:
    return f"{_address(row[1])}/{bin(int(row[7], 16)).count('1')}"


def _address(digits: str) -> str:
    """An address as the kernel prints it there: as a number in the order of this machine's bytes."""
    number = int(digits, 16)
    return ".".join(str(number >> shift & 255) for shift in (0, 8, 16, 24))


def nwfilter(paths: Paths, name: str) -> tuple[str, ...] | None:
    """The filters that a network filter refers to; None where there is no such filter."""
    if not plain(name):
        return None
    element = xml(paths, f"{_FILTERS}/{name}.xml", "filter")
    if element is None:
        return None
    return tuple(dict.fromkeys(one.get("filter", "") for one in element.findall("filterref")))
