"""Images: every type of source, of disks and what is behind them, and of the nvram."""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks import names
from libhooks.decision import Edit, Kind, Spot
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references import extras
from libhooks.references.model import (
    IMAGES,
    PATH_KINDS,
    Role,
    Row,
    always,
    of_type,
    path_row,
    remove,
    set_attribute,
)  # fmt: skip

_PATH_ATTRIBUTE = {"file": "file", "block": "dev", "dir": "dir"}
_ATTRIBUTES = ("file", "dev", "dir", "pool", "volume", "protocol", "name")

#: How many hosts a network disk names, where it is not one.
_ANY_HOSTS = ("rbd", "gluster")


def _type(layer: etree._Element) -> str:
    return layer.get("type", "file")


def _read(source: etree._Element) -> Name | None:
    kind = _type(around(source))
    if kind in _PATH_ATTRIBUTE:
        text = source.get(_PATH_ATTRIBUTE[kind])
        return names.path(text) if text else None
    if kind == "volume":
        pool, volume = source.get("pool"), source.get("volume")
        return names.pool(pool, volume) if pool and volume else None
    return _read_store(source) if kind == "network" else None


def _read_store(source: etree._Element) -> Name:
    secret = extras.secret_element(source)
    uuid = "" if secret is None else secret.get("uuid", "")
    return names.store(source.get("protocol", ""), source.get("name", ""), _hosts(source), uuid)


def _hosts(source: etree._Element) -> tuple[str, ...]:
    return tuple(_host_text(host) for host in source.iterchildren("host"))


def _host_text(host: etree._Element) -> str:
    if host.get("socket"):
        return host.get("socket", "")
    name, port = host.get("name", ""), host.get("port")
    bracketed = f"[{name}]" if ":" in name else name
    return f"{bracketed}:{port}" if port else bracketed


def _host_attributes(text: str) -> dict[str, str]:
    if text.startswith("/"):
        return {"transport": "unix", "socket": text}
    name, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or not port.isdigit():
        return {"name": text.strip("[]")}
    return {"name": name.strip("[]"), "port": port}


def _host_xml(text: str) -> str:
    return etree.tostring(etree.Element("host", _host_attributes(text)), encoding="unicode")


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


def _type_after(source: etree._Element, new: Name) -> str:
    """The type of an image once it is called by another name.

    Between paths of one sort the type stays that the document chose, even for a file in /dev.
    """
    before, old = _type(around(source)), _read(source)
    if old is not None and old.form is new.form is Form.PATH and source_type(old, "") == source_type(new, ""):
        return before
    return source_type(new, before)


def _attributes(new: Name, kind: str, slash: str = "") -> dict[str, str]:
    if new.form is Form.POOL:
        return {"pool": new.parts[0], "volume": new.parts[1]}
    if new.form is Form.STORE:
        name = "/".join(new.parts[1:])
        return {"protocol": new.parts[0], **({"name": slash + name} if name else {})}
    return {_PATH_ATTRIBUTE[kind]: str(new)}


def _slash(source: etree._Element, new: Name) -> str:
    """What the name of a network disk starts with: exports are paths, and elsewhere it stays as it was."""
    same = source.get("protocol") == new.parts[0]
    return "/" if new.parts[0] == "nfs" or (same and source.get("name", "").startswith("/")) else ""


def _write(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    if _read(source) == new:
        return
    layer, kind = around(source), _type_after(source, new)
    if kind != _type(layer):
        yield from set_attribute(spot.parent, layer, "type", kind)
    wanted = _attributes(new, kind, _slash(source, new))
    for attribute in _ATTRIBUTES:
        yield from set_attribute(spot, source, attribute, wanted.get(attribute))
    for extra in _dropped(source, new):
        yield from extras.drop(spot, source, extra)
    yield from _write_hosts(spot, source, new)
    yield from _write_secret(spot, source, new)


def _dropped(source: etree._Element, new: Name) -> tuple[str, ...]:
    before, after = _type(around(source)), _type_after(source, new)
    old = source.get("protocol", "") if before == "network" else before
    return extras.dropped(source, old, new.parts[0] if after == "network" else after)


def _write_hosts(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    """Host by host, in the places of those that are there: what else stands between them stays."""
    found = source.findall("host")
    for ordinal, (host, text) in enumerate(zip(found, new.hosts), 1):
        yield from _write_host(spot.at(f"host[{ordinal}]"), host, text)
    yield from remove(spot, source, "host", beyond=len(new.hosts))
    for ordinal, text in enumerate(new.hosts[len(found) :], len(found) + 1):
        yield Edit(spot.at(f"host[{ordinal}]"), None, _host_xml(text))


def _write_host(spot: Spot, host: etree._Element, text: str) -> Iterator[Edit]:
    if _host_text(host) == text:
        return
    wanted = _host_attributes(text)
    if "socket" not in wanted and host.get("transport", "unix") != "unix":
        wanted["transport"] = host.get("transport", "")
    for attribute in ("transport", "name", "port", "socket"):
        yield from set_attribute(spot, host, attribute, wanted.get(attribute))


def _write_secret(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    secret = extras.secret_element(source)
    if secret is not None and new.secret and "auth" not in _dropped(source, new):
        inside = around(around(secret)) is source
        auth = (spot if inside else spot.parent).at("auth/secret")
        yield from set_attribute(auth, secret, "uuid", new.secret)
        yield from set_attribute(auth, secret, "usage", None)


def _writable(source: etree._Element) -> bool:
    disk = around(source)
    if disk.tag == "dataStore":
        disk = around(around(disk))
    if disk.tag != "disk" or disk.get("device", "disk") not in ("disk", "lun"):
        return False
    return disk.find("readonly") is None


def _obstacle(source: etree._Element, new: Name) -> str:
    dropped = _dropped(source, new)
    if new.form is Form.POOL and _type(around(source)) == "dir":
        return "a directory disk cannot be a volume of a pool"
    if around(source).get("device") == "lun" and not _can_be_lun(_type_after(source, new), new):
        return "a LUN is a block device or an iSCSI disk"
    lost = extras.loss(source, dropped)
    return _store_obstacle(source, new, dropped) if new.form is Form.STORE and not lost else lost


def _store_obstacle(source: etree._Element, new: Name, dropped: tuple[str, ...]) -> str:
    protocol = new.parts[0]
    if new.secret and (extras.secret_element(source) is None or "auth" in dropped):
        return "the place needs a secret, and this disk names no user to authenticate (<auth>)"
    if protocol not in _ANY_HOSTS and len(new.hosts) != 1:
        return f"{protocol} takes one host, and the place names {len(new.hosts) or 'none'}"
    return ""


def _can_be_lun(kind: str, new: Name) -> bool:
    return new.parts[0] == "iscsi" if kind == "network" else kind in ("block", "volume")


def _lun_obstacle(_: etree._Element, new: Name) -> str:
    return "" if new.parts[0] == "iscsi" else "a SCSI device of the host can only be another iSCSI one"


def _read_lun(source: etree._Element) -> Name | None:
    iscsi = around(source).get("type") == "scsi" and source.get("protocol") == "iscsi"
    return _read_store(source) if iscsi else None


def _write_lun(spot: Spot, source: etree._Element, new: Name) -> Iterator[Edit]:
    if _read_lun(source) != new:
        yield from set_attribute(spot, source, "name", "/".join(new.parts[1:]))
        yield from _write_hosts(spot, source, new)
        yield from _write_secret(spot, source, new)


def _unmanaged(source: etree._Element) -> bool:
    return around(source).get("managed") != "yes"


_STORE = ("@name", "host/@name", "auth/secret/@uuid")
_COVERS = (*(f"@{attribute}" for attribute in _ATTRIBUTES), "host/@socket", *_STORE[1:])


def _image(element: str) -> Row:
    covers = (*_COVERS, "../auth/secret/@uuid") if element == "devices/disk/source" else _COVERS
    # An nvram is never a volume of a pool: qemuValidateDomainDefNvram.
    forms = {Form.PATH, Form.STORE} | (set() if element.startswith("os/") else {Form.POOL})
    role = always(Role.NVRAM if element == "os/nvram/source" else Role.IMAGE)
    return Row(element, covers, PATH_KINDS, role, frozenset(forms), _read, _write, _writable, _obstacle)


def _around_image(element: str) -> tuple[Row, ...]:
    """What an image needs of its host besides the image."""
    return (
        path_row(element, "@path", Role.ENDPOINT, of_type("vhostuser")),
        path_row(element, "@dev", Role.ENDPOINT, of_type("vhostvdpa", "ctl")),
        path_row(f"{element}/reservations/source", "@path", Role.ENDPOINT, _unmanaged),
        path_row(f"{element}/config", "@file", Role.BOOT),
        path_row(f"{element}/knownHosts", "@path", Role.BOOT),
        path_row(f"{element}/identity", "@keyfile", Role.BOOT),
        path_row(f"{element}/identity", "@agentsock", Role.ENDPOINT),
    )


def layer_xml(name: Name, format: str) -> etree._Element:
    """A ``<backingStore>`` without one of its own: the layer that ``name`` and its format make."""
    kind = source_type(name, "file")
    layer = etree.Element("backingStore", type=kind)
    etree.SubElement(layer, "format", type=format)
    slash = "/" if name.parts[0] == "nfs" else ""
    source = etree.SubElement(layer, "source", _attributes(name, kind, slash))
    for host in name.hosts:
        source.append(etree.fromstring(_host_xml(host)))
    return layer


BACKING = _image("devices/disk/backingStore/source")
ROWS: tuple[Row, ...] = (
    *(BACKING if one == BACKING.element else _image(one) for one in IMAGES),
    *(row for one in IMAGES for row in _around_image(one)),
    Row("devices/hostdev/source", _STORE, (Kind.STORAGE,), always(Role.ENDPOINT),
        frozenset({Form.STORE}), _read_lun, _write_lun, obstacle=_lun_obstacle),
)  # fmt: skip
