"""libvirt's daemons as systemd has them, and whether anyone can reach them. From files alone."""

from __future__ import annotations

from libhooks.facts.reading.paths import Paths
from libhooks.facts.service.words import Daemon

_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_SOCKETS = "/proc/net/unix"
#: The daemon that runs QEMU's guests, and its socket: one for all drivers, or one for each.
_DAEMONS = (("virtqemud", "/run/libvirt/virtqemud-sock"), ("libvirtd", "/run/libvirt/libvirt-sock"))
#: What virtqemud leaves to others.
_BESIDE = ("virtnetworkd", "virtstoraged", "virtsecretd", "virtnodedevd", "virtnwfilterd")


def daemon(paths: Paths) -> Daemon | None:
    """The one that can be reached, else that starts with the host, else that is installed."""
    found = [_daemon(paths, name, socket) for name, socket in _DAEMONS if _is_here(paths, name, socket)]
    ranked = sorted(found, key=lambda one: (one.listens, bool(one.starts)), reverse=True)
    return ranked[0] if ranked else None


def _is_here(paths: Paths, name: str, socket: str) -> bool:
    return _installed(paths, f"{name}.service") or _listens(paths, socket)


def _daemon(paths: Paths, name: str, socket: str) -> Daemon:
    idle = () if name == "libvirtd" else tuple(one for one in _BESIDE if _sleeps(paths, one))
    return Daemon(name, _starts(paths, name), _listens(paths, socket), idle)


def _sleeps(paths: Paths, name: str) -> bool:
    return _installed(paths, f"{name}.service") and _starts(paths, name) is False


def _starts(paths: Paths, name: str) -> bool | None:
    if not _installed(paths, f"{name}.service"):
        return None
    return starts(paths, f"{name}.service") or starts(paths, f"{name}.socket")


def _installed(paths: Paths, unit: str) -> bool:
    """Whether systemd knows a unit. One that is masked is a link to /dev/null, in the first directory."""
    for directory in _UNITS:
        place = paths.resolve(f"{directory}/{unit}")
        if place.node is not None:
            return place.real != "/dev/null"
    return False


def starts(paths: Paths, unit: str) -> bool:
    """Whether a unit is wanted or required by one that starts with the host (systemctl is-enabled)."""
    for directory in _UNITS:
        for name in paths.names(directory):
            if name.endswith((".wants", ".requires")) and unit in paths.names(f"{directory}/{name}"):
                return _installed(paths, unit)
    return False


def _listens(paths: Paths, socket: str) -> bool:
    """Whether anyone listens on a socket: its file alone may be what a crash has left."""
    lines = (line.split() for line in (paths.text(_SOCKETS, 1 << 22) or "").splitlines())
    # Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
    return any(len(words) > 7 and words[7] == socket and words[3] == "00010000" for words in lines)
