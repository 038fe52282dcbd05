"""What libvirt's settings mean for migrations: their ports, addresses, keepalive and certificates."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from libhooks.decision import Spot, Unmet
from libhooks.facts.model import Unknown
from libhooks.facts.service.model import ServiceFacts
from libhooks.facts.service.words import Certificate, Settings

QEMU = "/etc/libvirt/qemu.conf"
_DAEMONS = ("/etc/libvirt/libvirtd.conf", "/etc/libvirt/virtqemud.conf", "/etc/libvirt/virtproxyd.conf")
FILES = (QEMU, *_DAEMONS)
#: libvirt's own range (qemu.conf), and its daemons' ports.
FIRST, LAST = 49152, 49215
_PORTS = {"tcp_port": "16509", "tls_port": "16514"}
_TLS_SOCKETS = ("libvirtd-tls.socket", "virtproxyd-tls.socket")
_MIGRATE, _ANY = "/etc/pki/libvirt-migrate", "/etc/pki/qemu"
_SOON = 14 * 86400.0

Wrong = tuple[str, str, str]


class Needed(NamedTuple):
    """A certificate's file: a ``server``'s must name this host. ``why`` it must be there, "" if not."""

    path: str
    server: bool
    why: str


def wrong(path: str, settings: Settings) -> Iterator[Wrong]:
    """What stands in the way of a migration in one of FILES: the setting, what is wanted, what is found."""
    if path == QEMU:
        yield from _range(settings)
        yield from _loopback(settings)
    else:
        yield from _daemon_ports(settings)
    yield from _keepalive(settings)


def ports(host: ServiceFacts) -> tuple[int, int]:
    """The range of ports that QEMU listens on for a migration."""
    settings = host.settings(QEMU)
    if isinstance(settings, Unknown):
        return FIRST, LAST
    first, last = (
        _number(settings, "migration_port_min", FIRST),
        _number(settings, "migration_port_max", LAST),
    )
    return (first, last) if 0 < first <= last < 65536 else (FIRST, LAST)


def _number(settings: Settings, name: str, default: int) -> int:
    text = settings.text(name, str(default))
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else -2


def _range(settings: Settings) -> Iterator[Wrong]:
    first, last = (
        _number(settings, "migration_port_min", FIRST),
        _number(settings, "migration_port_max", LAST),
    )
    if not 0 < first <= last < 65536:
        yield "migration_port_min, migration_port_max", "a range of ports", f"{first} to {last}"


def _loopback(settings: Settings) -> Iterator[Wrong]:
    for name in ("migration_host", "migration_address"):
        value = settings.text(name)
        if value.startswith(("localhost", "127.", "::1")):
            yield name, "what the other host can connect to", value


def _daemon_ports(settings: Settings) -> Iterator[Wrong]:
    for name, default in _PORTS.items():
        text = settings.text(name, default)
        if text.isdecimal() and FIRST <= int(text) <= LAST:
            yield name, f"a port outside of {FIRST}-{LAST}, which migrations use", text


def _keepalive(settings: Settings) -> Iterator[Wrong]:
    interval, count = _number(settings, "keepalive_interval", 5), _number(settings, "keepalive_count", 5)
    if interval <= 0:
        found = f"{interval}: a connection that breaks is never noticed"
        yield "keepalive_interval", "seconds between signs of life", found
    elif count < 1:
        found = f"{count}: the first sign of life that is late ends a connection"
        yield "keepalive_count", "signs of life that may be missed", found


def certificates(host: ServiceFacts) -> Iterator[Needed | Unmet]:
    """The certificates that this host has or should have."""
    qemu = host.settings(QEMU)
    if isinstance(qemu, Unknown):
        yield Unmet(Spot("host", "/domain"), QEMU, "to be readable", qemu.why, "see its owner and mode", True)
        return
    forced = "migrate_tls_force is set" if qemu.text("migrate_tls_force") == "1" else ""
    directory = _directory(qemu, host)
    yield Needed(f"{directory}/ca-cert.pem", False, forced)
    yield Needed(f"{directory}/server-cert.pem", True, forced)
    yield Needed(f"{directory}/client-cert.pem", False, "")
    socket = next((one for one in _TLS_SOCKETS if host.starts(one) is True), "")
    listens = f"{socket} is enabled" if socket else ""
    yield Needed("/etc/pki/CA/cacert.pem", False, listens)
    yield Needed("/etc/pki/libvirt/servercert.pem", True, listens)
    yield Needed("/etc/pki/libvirt/clientcert.pem", False, "")


def _directory(qemu: Settings, host: ServiceFacts) -> str:
    """Where QEMU's are: as set, else libvirt's own for migrations if it is there, else the one for all."""
    given = qemu.text("migrate_tls_x509_cert_dir")
    if given or host.exists(_MIGRATE) is True:
        return given.rstrip("/") or _MIGRATE
    return qemu.text("default_tls_x509_cert_dir", _ANY).rstrip("/")


def invalid(found: Certificate, needed: Needed, host: ServiceFacts) -> Iterator[Wrong]:
    """What is wrong with a certificate: what is wanted, what is found, what to do."""
    now, names = host.now(), tuple(name.lower() for name in host.host())
    if not found.begins <= now <= found.ends:
        when = f"ended {_days(now - found.ends)} ago" if now > found.ends else "has not begun"
        yield "a certificate that is valid now", f"its time {when}", "make a new one; see the clock too"
    elif found.ends - now < _SOON:
        yield "a certificate that stays valid", f"it ends in {_days(found.ends - now)}", "make a new one"
    if needed.server and names and not any(_fits(name, names) for name in found.names):
        told = ", ".join(found.names) or "nobody"
        yield f"a certificate for {names[0]}", f"it is for {told}", "make one that names this host"


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day{'' if days == 1 else 's'}"


def _fits(name: str, hosts: tuple[str, ...]) -> bool:
    """Whether a certificate's name is one of a host's; a ``*`` stands for its first part."""
    if name.startswith("*."):
        return any(host.partition(".")[2] == name[2:] for host in hosts)
    return name in hosts
