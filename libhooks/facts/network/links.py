"""Networks: devices, libvirt's networks and pools as its own files tell them, and addresses."""

from __future__ import annotations

from _socket import AF_INET6, inet_ntop  # of socket, what needs no 8 ms to import

from lxml import etree

from libhooks.facts.model import Link, StoragePool, VirtualNetwork
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

#: libvirt's directory of what is running, and of what is defined.
_NETWORKS = ("/run/libvirt/network", "/etc/libvirt/qemu/networks")
_POOLS = ("/run/libvirt/storage", "/etc/libvirt/storage")
#: Open vSwitch's run directory, as packages have it and as a build from source does.
_OVS = ("/run/openvswitch", "/usr/local/var/run/openvswitch")


def link(paths: Paths, name: str) -> Link | None:
    """A network device.

    sysfs does not tell Open vSwitch's devices from other virtual ones. But ovs-vswitchd listens on
    RUNDIR/BRIDGE.mgmt for each bridge that it runs (vswitchd/bridge.c, bridge_ofproto_controller_for_mgmt),
    and gives each bridge a device of its name, whatever its datapath.
    """
    if not plain(name) or not _is(paths, "dir", f"/sys/class/net/{name}"):
        return None
    if _is(paths, "dir", f"/sys/class/net/{name}/bridge"):
        return Link(name, "bridge")
    if any(_is(paths, "socket", f"{rundir}/{name}.mgmt") for rundir in _OVS):
        return Link(name, "ovs")
    return Link(name, "other")


def _is(paths: Paths, kind: str, path: str) -> bool:
    node = paths.node(path)
    return node is not None and node.kind == kind


def network(paths: Paths, name: str) -> VirtualNetwork | None:
    """A libvirt network: as it runs, else as it is defined."""
    found = _running_or_defined(paths, _NETWORKS, name, "network")
    if found is None:
        return None
    element, active = found
    groups = tuple(group.get("name", "") for group in element.findall("portgroup"))
    forward = element.find("forward")
    bridge = element.find("bridge")
    return VirtualNetwork(
        name,
        active,
        groups,
        # A forward element without a mode means nat; none at all, an isolated network.
        "" if forward is None else forward.get("mode", "nat"),
        "" if bridge is None else bridge.get("name", ""),
    )


def pool(paths: Paths, name: str) -> StoragePool | None:
    """A libvirt storage pool: as it runs, else as it is defined."""
    found = _running_or_defined(paths, _POOLS, name, "pool")
    if found is None:
        return None
    element, active = found
    return StoragePool(name, element.get("type", ""), element.findtext("target/path") or "", active)


def plain(name: str) -> bool:
    """Whether a name can be the name of a file: libvirt and Linux allow no other for these things."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name and len(name) < 250


def _running_or_defined(
    paths: Paths, directories: tuple[str, str], name: str, tag: str
) -> tuple[etree._Element, bool] | None:
    if not plain(name):
        return None
    for directory in directories:
        element = xml(paths, f"{directory}/{name}.xml", tag)
        if element is not None:
            return element, directory == directories[0]
    return None


def xml(paths: Paths, path: str, tag: str) -> etree._Element | None:
    """The element of that tag in one of libvirt's files: its root, or in what it runs, below it.

    None where there is no such file. Raises Garbage where it can't be read or has no such element.
    """
    data = paths.text(path)
    if data is None:
        return None
    root = parsed(path, data)
    element = root if root.tag == tag else root.find(tag)
    if element is None:
        raise Garbage(f"{path} holds no {tag}")
    return element


def parsed(path: str, data: str) -> etree._Element:
    """The root of one of libvirt's files. Raises Garbage, with the file's name, where it is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data.encode("utf-8", "surrogateescape"), parser)
    except etree.XMLSyntaxError:
        raise Garbage(f"{path} is not well-formed") from None


def addresses(paths: Paths) -> tuple[str, ...]:
    """This host's addresses: IPv4 as the kernel's routing knows them, then IPv6."""
    fourth = paths.text("/proc/net/fib_trie")
    if fourth is None:
        raise Garbage("there is no /proc/net/fib_trie")
    found = local_ipv4(fourth)
    if not found:  # Whatever is up, 127.0.0.1 is.
        raise Garbage("/proc/net/fib_trie names no address of this host")
    return tuple(dict.fromkeys((*found, *local_ipv6(paths.text("/proc/net/if_inet6") or ""))))


def local_ipv4(text: str) -> tuple[str, ...]:
    """The addresses of /proc/net/fib_trie that are this host's: ``|-- A`` above ``/32 host LOCAL``."""
    found, leaf = [], ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["|--"] and len(words) == 2:
            leaf = words[1]
        elif words == ["/32", "host", "LOCAL"] and leaf:
            found.append(leaf)
    return tuple(found)


def local_ipv6(text: str) -> tuple[str, ...]:
    """The addresses of /proc/net/if_inet6: 32 hexadecimal digits begin each line."""
    digits = (line.split(" ")[0] for line in text.splitlines())
    return tuple(_ipv6(word) for word in digits if len(word) == 32 and not word.strip("0123456789abcdef"))


def _ipv6(digits: str) -> str:
    return inet_ntop(AF_INET6, bytes.fromhex(digits))
