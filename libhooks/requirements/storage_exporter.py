"""Storage: who exports it."""

from __future__ import annotations

from typing import Iterator

from libhooks.chain import location
from libhooks.decision import Level, Unmet
from libhooks.facts.model import Facts, File, Mount, Unknown
from libhooks.names import Form, Name
from libhooks.origin import Origin
from libhooks.requirements.model import GUIDE, MIGRATE, Requirement, Subject, unmet
from libhooks.requirements.sharing import SHARED_FILESYSTEMS, hidden, under, written

#: Options of a mount that name the addresses of its servers: NFS and SMB, Ceph's monitors.
_SERVER_OPTIONS = ("addr", "mountaddr", "mon_addr")
#: Cluster file systems on a device that somebody may export.
_ON_DEVICES = ("gfs2", "ocfs2")
_WANTED = "storage that neither this host nor the guest's last one exports"
_HINT = "let a third host export it: when its exporter stops, so do all its guests"


def separate(subject: Subject) -> Iterator[Unmet]:
    """This host, or the one that the guest comes from, exports the guest's storage itself.

    Red Hat's guide wants a third host to export it. If one of the two is the exporter, its guests on the
    other host stop with it, which is what migrating them away is to prevent; and an NFS server that mounts
    its own export can lock up when memory is short.

    Compared are the servers of mounts (NFS, SMB, GlusterFS, Ceph), iSCSI portals, NVMe controllers and the
    hosts of network disks with this host's addresses and names, as far as /etc/hosts has them: no name
    server is asked. Directories that this host exports by NFS and devices that it offers as iSCSI targets
    count too, as do the addresses of the guest's last host where its origin stamp tells them.

    To fix it: move the export. If every host is to export a part (hyperconverged), set the code to "off".
    """
    told = set()
    for resolution, name in written(subject):
        for found in _exported(name, subject):
            key = (resolution.reference.spot.label, found)
            if key in told:
                continue
            told.add(key)
            unknown = isinstance(found, Unknown)
            hint = "see that this file can be read" if unknown else _HINT
            yield unmet(resolution, name, _WANTED, found.why if isinstance(found, Unknown) else found,
                        hint, unknown)  # fmt: skip


def _exported(name: Name, subject: Subject) -> Iterator[str | Unknown]:
    """Who of the two hosts exports what is behind a name, in words."""
    path = location(name, subject.facts)
    if isinstance(path, Unknown):
        yield path
    elif path is not None:
        yield from _at_path(path, subject)
    for host in name.hosts if name.form is Form.STORE else ():
        if not host.startswith("/"):
            yield from _whose(_bare(host), subject)


def _at_path(path: str, subject: Subject) -> Iterator[str | Unknown]:
    file = subject.facts.file(path)
    if isinstance(file, File):
        yield from _by_us(path, file, subject.facts)
    servers = _servers(path, file, subject.facts)
    if isinstance(servers, Unknown):
        yield servers
        return
    for server in servers:
        yield from _whose(server, subject)


def _servers(path: str, file: File | Unknown | None, facts: Facts) -> tuple[str, ...] | Unknown:
    if file is None:
        return ()
    if isinstance(file, Unknown):
        shown = hidden(path, facts)
        return file if shown is None else _named(shown)
    mount = facts.mount(path)
    if isinstance(mount, Unknown):
        return mount
    if file.kind != "block" and mount.fstype not in _ON_DEVICES:
        return _of_mount(mount, path, facts)
    device = path if file.kind == "block" else mount.source
    below = facts.block(device)
    return below if isinstance(below, Unknown) else facts.portals(device)


def _of_mount(mount: Mount, path: str, facts: Facts) -> tuple[str, ...] | Unknown:
    """The servers of a mount: by its options where it says so, for the name may mean anything by now."""
    options = facts.mount_options(path)
    if isinstance(options, Unknown) or mount.fstype not in SHARED_FILESYSTEMS:
        return options if isinstance(options, Unknown) else ()
    addresses = [
        _bare(one)
        for option in options
        if option.partition("=")[0] in _SERVER_OPTIONS
        for one in option.partition("=")[2].split("/")
    ]
    if mount.fstype == "fuse.glusterfs":
        bricks = facts.bricks(mount.source.partition(":")[2].strip("/").split("/")[0])
        return bricks if isinstance(bricks, Unknown) else (*_named(mount), *bricks)
    return tuple(addresses) or _named(mount)


def _named(mount: Mount) -> tuple[str, ...]:
    """The servers in a source: ``HOST:/PATH``, ``HOST:PORT,...:/PATH``, ``HOST@tcp:/FS``, ``//HOST/FS``."""
    if mount.source.startswith("//"):
        return (mount.source[2:].split("/")[0].lower(),)
    hosts = mount.source.rpartition(":/")[0] or mount.source.partition(":")[0]
    return tuple(_bare(host.partition("@")[0]) for host in hosts.split(",") if host and "=" not in host)


def _bare(host: str) -> str:
    """A server's name or address without port, brackets and what Ceph puts in front of it."""
    text = host.rpartition("]")[0].rpartition("[")[2] if "]" in host else host
    whole = "]" in host or text.count(":") != 1
    return (text if whole else text.partition(":")[0]).lower()


def _whose(server: str, subject: Subject) -> Iterator[str | Unknown]:
    here = _is_here(server, subject.facts)
    if isinstance(here, Unknown):
        yield here
    elif here:
        yield f"this host exports it ({server})"
    elif subject.origin is not None and _is_origin(server, subject.origin):
        yield f"{subject.origin.host}, where the guest comes from, exports it ({server})"


def _is_here(server: str, facts: Facts) -> bool | Unknown:
    own = facts.addresses()
    known = facts.called(server)
    if server in ("localhost", "::1") or server.startswith("127."):
        return True
    if server in (name.lower() for name in facts.host()):
        return True
    if isinstance(own, Unknown) or isinstance(known, Unknown):
        return own if isinstance(own, Unknown) else Unknown(known.why if isinstance(known, Unknown) else "")
    return any(address in own for address in (server, *known))


def _is_origin(server: str, origin: Origin) -> bool:
    names = (origin.host.lower(), origin.host.partition(".")[0].lower())
    return server in (*names, *(address.lower() for address in origin.addresses))


def _by_us(path: str, file: File, facts: Facts) -> Iterator[str | Unknown]:
    """Whether this host exports a directory or a device that it has itself."""
    exports = facts.exports()
    if isinstance(exports, Unknown):
        yield exports
    elif file.kind == "block":
        for store in exports.backstores:
            other = facts.file(store)
            if isinstance(other, Unknown):
                yield other
            elif isinstance(other, File) and other.device == file.device:
                yield f"this host offers {store} as a target"
    else:
        mount = facts.mount(path)
        if isinstance(mount, Mount) and mount.fstype not in SHARED_FILESYSTEMS:
            yield from (f"this host exports {one}" for one in exports.directories if under(one, file.real))


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "storage.separate",
        "neither end of a migration exports the storage",
        GUIDE,
        Level.WARN,
        MIGRATE,
        separate,
    ),
)
