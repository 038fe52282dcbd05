"""Disks: every type of source, and each layer of a backing chain that the document names."""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Spot
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import PATH_KINDS, Role, Row, always, set_attribute

_PATH_ATTRIBUTE = {"file": "file", "block": "dev", "dir": "dir"}
_ATTRIBUTES = ("file", "dev", "dir", "pool", "volume", "protocol", "name")
#: Children of <source> that only a network disk has (libvirt's domainbackingStore schema).
_NETWORK_ONLY = ("host", "initiator", "snapshot", "config", "ssl", "readahead", "timeout", "cookies", "auth")


def _read(source: etree._Element) -> Name | None:
    layer = around(source)
    kind = layer.get("type", "file")
    if kind in _PATH_ATTRIBUTE:
        text = source.get(_PATH_ATTRIBUTE[kind])
        return names.path(text) if text else None
    if kind == "volume":
        return names.pool(source.get("pool", ""), source.get("volume", ""))
    if kind == "network":
        return names.store(
            source.get("protocol", ""), source.get("name", ""), _hosts(source), _secret(source)
        )
    return None


def _hosts(source: etree._Element) -> tuple[str, ...]:
    return tuple(_host_text(host) for host in source.iterchildren("host"))


def _host_text(host: etree._Element) -> str:
    if host.get("socket"):
        return host.get("socket", "")
    name, port = host.get("name", ""), host.get("port")
    bracketed = f"[{name}]" if ":" in name else name
    return f"{bracketed}:{port}" if port else bracketed


def _host_xml(text: str) -> str:
    host = etree.Element("host")
    if text.startswith("/"):
        host.set("transport", "unix")
        host.set("socket", text)
    else:
        name, colon, port = text.rpartition(":")
        whole = not colon or text.endswith("]") or not port.isdigit()
        host.set("name", (text if whole else name).strip("[]"))
        if not whole:
            host.set("port", port)
    return etree.tostring(host, encoding="unicode")


def _secret_element(source: etree._Element) -> etree._Element | None:
    for element in (source, around(source)):
        found = element.find("auth/secret")
        if found is not None:
            return found
    return None


def _secret(source: etree._Element) -> str:
    secret = _secret_element(source)
    return "" if secret is None else secret.get("uuid", "")


def source_type(new: Name, before: str) -> str:
    """libvirt's disk type for a name, as close to the type ``before`` as the name allows."""
    if new.form is Form.POOL:
        return "volume"
    if new.form is Form.STORE:
        return "network"
    device = new.parts[:1] == ("dev",) and new.parts[:2] != ("dev", "shm")
    if before == "dir":
        return "dir"
    return "block" if device else "file"


def _attributes(new: Name, kind: str) -> dict[str, str]:
    if new.form is Form.POOL:
        return {"pool": new.parts[0], "volume": new.parts[1]}
    if new.form is Form.STORE:
        return {"protocol": new.parts[0], **({"name": "/".join(new.parts[1:])} if new.parts[1:] else {})}
    return {_PATH_ATTRIBUTE[kind]: str(new)}


def _write(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    layer = around(source)
    before = layer.get("type")
    kind = source_type(new, before or "file")
    if kind != (before or "file") and not _same_device(_read(source), new):
        yield from set_attribute(spot.parent, layer, "type", kind)
    else:
        kind = before or "file"
    wanted = _attributes(new, kind)
    for attribute in _ATTRIBUTES:
        yield from set_attribute(spot, source, attribute, wanted.get(attribute))
    if kind == "network":
        yield from _write_network(spot, source, new)
    elif before == "network":
        yield from _remove(spot, source, _NETWORK_ONLY)
        yield from _remove(spot.parent, layer, ("auth",))


def _same_device(old: Name | None, new: Name) -> bool:
    """Whether both are paths of one sort, so that the type the document chose stays (a file in /dev)."""
    if old is None or old.form is not Form.PATH or new.form is not Form.PATH:
        return False
    return source_type(old, "file") == source_type(new, "file")


def _write_network(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    if new.hosts != _hosts(source):
        yield from _remove(spot, source, ("host",))
        for ordinal, host in enumerate(new.hosts, 1):
            yield Edit(spot.at(f"host[{ordinal}]"), None, _host_xml(host))
    secret = _secret_element(source)
    if secret is not None and new.secret:
        inside = around(around(secret)) is source
        auth = (spot if inside else spot.parent).at("auth/secret")
        yield from set_attribute(auth, secret, "uuid", new.secret)


def _remove(spot: Spot, source: etree._Element, tags: tuple[str, ...]) -> Iterator[Edit]:
    for tag in tags:
        found = source.findall(tag)
        for ordinal in range(len(found), 0, -1):
            text = etree.tostring(found[ordinal - 1], encoding="unicode", with_tail=False)
            yield Edit(spot.at(f"{tag}[{ordinal}]"), text, None, secret=tag in ("auth", "cookies"))


def _writable(source: etree._Element) -> bool:
    disk = around(source)
    if disk.tag != "disk" or disk.get("device", "disk") not in ("disk", "lun"):
        return False
    return disk.find("readonly") is None


def _obstacle(source: etree._Element, new: Name) -> str:
    if new.form is Form.STORE and new.secret and _secret_element(source) is None:
        return "the place needs a secret, and this disk names no user to authenticate (<auth>)"
    if new.form is Form.POOL and around(source).get("type") == "dir":
        return "a directory disk cannot be a volume of a pool"
    if new.form is Form.STORE and source.get("startupPolicy"):
        return "its startupPolicy would be lost: libvirt allows none on a network disk"
    return ""


def _row(element: str) -> Row:
    covers = tuple(f"@{attribute}" for attribute in _ATTRIBUTES)
    forms = frozenset({Form.PATH, Form.POOL, Form.STORE})
    return Row(element, covers, PATH_KINDS, always(Role.IMAGE), forms, _read, _write, _writable, _obstacle)


def layer_xml(name: Name, format: str) -> etree._Element:
    """A ``<backingStore>`` without one of its own: the layer that ``name`` and its format make."""
    kind = source_type(name, "file")
    layer = etree.Element("backingStore", type=kind)
    etree.SubElement(layer, "format", type=format)
    source = etree.SubElement(layer, "source", _attributes(name, kind))
    for host in name.hosts:
        source.append(etree.fromstring(_host_xml(host)))
    return layer


BACKING = _row("devices/disk/backingStore/source")
ROWS: tuple[Row, ...] = (_row("devices/disk/source"), BACKING)
