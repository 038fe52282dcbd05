"""The names that a policy gives a place, in the forms of each kind."""

from __future__ import annotations

from typing import Callable, Mapping, cast

from libhooks import names
from libhooks.names import Name
from libhooks.policy.diagnostic import Wrong, closest, nearest, shown
from libhooks.policy.forms import absolute_path, expected, one_or_more, secret, text

PROTOCOLS = (
    "rbd", "iscsi", "gluster", "nbd", "nfs", "ssh", "sheepdog", "vxhs",
    "http", "https", "ftp", "ftps", "tftp",
)  # fmt: skip
MODES = ("vepa", "bridge", "private", "passthrough")
STORAGE = "/abs/path, pool:NAME or a table {protocol, name, hosts, secret}"
NETWORK = "bridge:BR, network:NAME[/PORTGROUP], direct:DEV[/MODE] or ovs:BR"
ADDRESS = "an IPv4 or IPv6 address"
DEVICE = "pci:DDDD:BB:SS.F, mdev:UUID, usb:BUS-PORT or usb:VVVV:PPPP"
#: The kernel's IFNAMSIZ, less the NUL.
_LONGEST_LINK = 15


def storage(value: object) -> Name:
    """``/abs/path``, ``pool:NAME`` or the table of a network disk."""
    if isinstance(value, dict):
        return _store(value)
    told = text(value, STORAGE)
    if told.startswith("/"):
        return _path(told)
    if told.startswith("pool:"):
        return names.pool(_word("a pool's name", told[5:], told))
    raise expected(STORAGE, value, _path_help(told))


def network(value: object) -> Name:
    """``bridge:BR``, ``network:NAME[/PORTGROUP]``, ``direct:DEV[/MODE]`` or ``ovs:BR``."""
    told = text(value, NETWORK)
    form, colon, rest = told.partition(":")
    if not colon or form not in _NETWORKS:
        raise expected(NETWORK, value, _network_help(form, colon, rest))
    return _NETWORKS[form](rest, told)


def address(value: object) -> Name:
    """An IPv4 or IPv6 address that is this host's own: no wildcard, no loopback."""
    told = text(value, ADDRESS)
    try:
        name = names.address(told)
    except ValueError:
        raise expected(ADDRESS, value, _address_help(told)) from None
    if names.is_everywhere(name):
        raise Wrong(f"{told} is never a place", "every host has wildcard and loopback addresses")
    return name


def device(value: object) -> Name:
    """``pci:DDDD:BB:SS.F``, ``mdev:UUID``, ``usb:BUS-PORT`` or ``usb:VVVV:PPPP``."""
    told = text(value, DEVICE)
    form, colon, rest = told.partition(":")
    if not colon or form not in _DEVICES:
        raise expected(DEVICE, value, _device_help(told, rest))
    try:
        return _DEVICES[form](rest)
    except ValueError as error:
        raise expected(DEVICE, value, _device_help(told, rest)) from error


def file(value: object) -> Name:
    """``/abs/path``."""
    return _path(absolute_path(value))


def _path(told: str) -> Name:
    name = names.path(absolute_path(told))
    if not name.parts:
        raise Wrong("the root directory is no place", "name the directory that the hosts share")
    return name


def _path_help(told: str) -> str:
    word, colon, rest = told.partition(":")
    if colon and nearest(word, ("pool",)):
        return f'did you mean "pool:{rest}"?'
    return "" if colon else f'did you mean "/{told}" or "pool:{told}"?'


def _store(table: Mapping[str, object]) -> Name:
    for key in table:
        if key not in ("protocol", "name", "hosts", "secret"):
            raise Wrong(f'unknown key "{key}" of a network disk', _STORE_HELP, (key,))
    if "protocol" not in table:
        raise Wrong('a table without "protocol"', _STORE_HELP)
    parsed = {key: _within(key, _STORE[key], value) for key, value in table.items()}
    if "name" not in parsed and parsed["protocol"] != "nbd":
        raise Wrong('a network disk without "name"', _STORE_HELP)
    hosts = cast("tuple[str, ...]", parsed.get("hosts", ()))
    told = {key: str(parsed.get(key, "")) for key in ("protocol", "name", "secret")}
    return names.store(told["protocol"], told["name"], hosts, told["secret"])


_STORE_HELP = 'a network disk: {protocol = "rbd", name = "vms", hosts = ["mon1:6789"], secret = "UUID"}'


def _within(key: str, parse: Callable[[object], object], value: object) -> object:
    try:
        return parse(value)
    except Wrong as wrong:
        raise Wrong(f"{key}: {wrong.message}", wrong.help, (key, *wrong.within)) from None


def _protocol(value: object) -> str:
    told = text(value, "a protocol of network disks")
    if told not in PROTOCOLS:
        help = closest(told, PROTOCOLS) or f"known here: {', '.join(PROTOCOLS)}"
        raise expected("a protocol of network disks", value, help)
    return told


def _store_name(value: object) -> str:
    told = text(value, "a pool, volume or export")
    if ".." in told.split("/") or not told.strip("/"):
        raise expected("a pool, volume or export", value)
    return told


def _store_host(value: object) -> str:
    words = 'a host: "NAME", "NAME:PORT", "[IPV6]:PORT" or "/SOCKET"'
    told = text(value, words)
    host, colon, port = told.rpartition(":")
    if not colon or told.endswith("]"):
        host, port = told, "1"
    bracketed = host[:1] == "[" and host[-1:] == "]" and _is_address(host[1:-1])
    wrong = not bracketed and (not host or set(host) & set(" :/[]"))
    if not told.startswith("/") and (wrong or not port.isdecimal() or not 0 < int(port) < 65536):
        raise expected(words, value)
    return told


_STORE: Mapping[str, Callable[[object], object]] = {
    "protocol": _protocol,
    "name": _store_name,
    "hosts": lambda value: one_or_more(value, _store_host),
    "secret": secret,
}


def _word(what: str, word: str, told: str) -> str:
    if not word or "/" in word or word != word.strip() or word in (".", ".."):
        raise Wrong(f"expected {what}, found {shown(word)} in {shown(told)}")
    return word


def _link(what: str, word: str, told: str) -> str:
    if len(_word(what, word, told)) > _LONGEST_LINK or " " in word:
        raise Wrong(f"no network device can be called {shown(word)}", "at most 15 characters, no blanks")
    return word


def _bridge(rest: str, told: str) -> Name:
    return names.bridge(_link("a bridge's name", rest, told))


def _ovs(rest: str, told: str) -> Name:
    return names.ovs(_link("a bridge's name", rest, told))


def _network(rest: str, told: str) -> Name:
    name, slash, group = rest.partition("/")
    _word("a network's name", name, told)
    return names.network(name, _word("a port group's name", group, told) if slash else "")


def _direct(rest: str, told: str) -> Name:
    device, slash, how = rest.partition("/")
    _link("a network device's name", device, told)
    if slash and how not in MODES:
        help = closest(how, MODES) or f"known here: {', '.join(MODES)}"
        raise Wrong(f"{shown(how)} is no mode of direct", help)
    return names.direct(device, how)


_NETWORKS: Mapping[str, Callable[[str, str], Name]] = {
    "bridge": _bridge,
    "network": _network,
    "direct": _direct,
    "ovs": _ovs,
}


def _network_help(form: str, colon: str, rest: str) -> str:
    if not colon:
        return f'did you mean "bridge:{form}" or "network:{form}"?'
    meant = nearest(form, _NETWORKS)
    return f'did you mean "{meant}:{rest}"?' if meant else ""


def _is_address(told: str) -> bool:
    try:
        names.address(told)
    except ValueError:
        return False
    return True


def _address_help(told: str) -> str:
    if "/" in told:
        return f'without the prefix length: "{told.partition("/")[0]}"'
    if told.startswith("[") or "%" in told:
        return f'without brackets and zone: "{told.strip("[]").partition("%")[0]}"'
    return "host names are not looked up" if told[:1].isalpha() and ":" not in told else ""


_DEVICES: Mapping[str, Callable[[str], Name]] = {"pci": names.pci, "mdev": names.mdev, "usb": names.usb}
#: The characters of an address that lspci shows without its domain.
_SHORT_PCI = 7


def _device_help(told: str, rest: str) -> str:
    """The name that is meant by what lspci or lsusb show, or a guest's definition."""
    for bare in (rest.replace("0x", ""), told):
        for prefix, parse in _DEVICES.items():
            try:
                meant = parse(f"0000:{bare}" if len(bare) == _SHORT_PCI else bare)
            except ValueError:
                continue
            return f'did you mean "{prefix}:{meant.parts[0]}"?'
    return ""
