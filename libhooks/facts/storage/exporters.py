"""Who exports storage: the servers behind what this host uses, and what this host exports itself.

No name server is asked: it may not answer, and /etc/hosts has the names that storage is mounted by wherever
a host must boot without one.
"""

from __future__ import annotations

import re

from libhooks.facts.reading.paths import Paths
from libhooks.facts.storage import block
from libhooks.facts.surroundings.words import Exports

_NFSD = "/proc/fs/nfsd"
_EXPORTS = ("/etc/exports", "/var/lib/nfs/etab")
_LIO = "/sys/kernel/config/target/core"
_VOLUMES = "/var/lib/glusterd/vols"
_ESCAPE = r"\\([0-7]{3})"
_TRADDR = r"(?:^|,)traddr=([^,]+)"


def portals(paths: Paths, path: str) -> tuple[str, ...]:
    """The addresses of the servers that a block device is reached at: iSCSI portals, NVMe controllers."""
    node = paths.node(path)
    if node is None or node.device is None:
        return ()
    found: list[str] = []
    for leaf in block.directories(paths, node.device):
        found += _iscsi(paths, leaf) or _nvme(paths, leaf)
    return tuple(dict.fromkeys(found))


def _iscsi(paths: Paths, directory: str) -> list[str]:
    """The connections of a session, as the initiator was told to make them, and as it made them."""
    parts = directory.split("/")
    sessions = [at for at, part in enumerate(parts) if part.startswith("session") and part[7:].isdecimal()]
    found = []
    for session in ("/".join(parts[: at + 1]) for at in sessions):
        for name in paths.names(session):
            if name.startswith("connection"):
                own = f"{session}/{name}/iscsi_connection/{name}"
                found += [paths.line(f"{own}/persistent_address"), paths.line(f"{own}/address")]
    return [address.lower() for address in found if address]


def _nvme(paths: Paths, directory: str) -> list[str]:
    parent = directory.rpartition("/")[0]
    controllers = [f"{parent}/{name}" for name in paths.names(parent) if re.fullmatch(r"nvme\d+", name)]
    texts = (paths.line(f"{controller}/address") for controller in (parent, *controllers))
    return [match[1].lower() for match in (re.search(_TRADDR, text) for text in texts) if match is not None]


def bricks(paths: Paths, volume: str) -> tuple[str, ...]:
    """The hosts of a GlusterFS volume's bricks (HOST:-PATH), where this host is one of the volume's pool."""
    if "/" in volume or volume in ("", ".", ".."):
        return ()
    names = paths.names(f"{_VOLUMES}/{volume}/bricks")
    return tuple(dict.fromkeys(name.partition(":")[0].lower() for name in names if ":" in name))


def called(paths: Paths, name: str) -> tuple[str, ...]:
    """The addresses that /etc/hosts has for a name."""
    lines = (line.split("#")[0].split() for line in (paths.text("/etc/hosts") or "").splitlines())
    own = name.lower()
    return tuple(words[0].lower() for words in lines if own in (word.lower() for word in words[1:]))


def exports(paths: Paths) -> Exports:
    """What this host exports now: directories while its NFS server runs, devices and files as LIO targets."""
    return Exports(_directories(paths), _backstores(paths))


def _directories(paths: Paths) -> tuple[str, ...]:
    threads = f"{_NFSD}/threads"
    if paths.node(threads) is None or paths.number(threads) == 0:
        return ()
    more = [f"/etc/exports.d/{name}" for name in paths.names("/etc/exports.d") if name.endswith(".exports")]
    texts = [paths.text(path) or "" for path in (*_EXPORTS, *more)]
    return tuple(dict.fromkeys(path for text in texts for path in exported(text)))


def exported(text: str) -> tuple[str, ...]:
    """The directories of exports(5): each line's first word, in quotes or with its blanks as ``\\040``."""
    lines = text.replace("\\\n", " ").splitlines()
    return tuple(_first(line.strip()) for line in lines if line.strip()[:1] in ("/", '"'))


def _first(line: str) -> str:
    word = line[1:].partition('"')[0] if line[0] == '"' else line.split()[0]
    return re.sub(_ESCAPE, lambda match: chr(int(match[1], 8)), word).rstrip("/") or "/"


def _backstores(paths: Paths) -> tuple[str, ...]:
    found = []
    for adapter in paths.names(_LIO):
        if adapter.rpartition("_")[0] in ("iblock", "fileio", "pscsi"):
            stores = (f"{_LIO}/{adapter}/{name}" for name in paths.names(f"{_LIO}/{adapter}"))
            found += [
                paths.line(f"{store}/udev_path") for store in stores if paths.node(f"{store}/udev_path")
            ]
    return tuple(path for path in found if path)
