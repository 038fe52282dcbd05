"""The host itself, whatever guest arrives: its daemon, configuration, certificates, firewall, name and clock.

Judged by the service, doctor and preflight, never in the hook: some of the facts come from programs.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

from libhooks.decision import Finding, Level, Spot, Unmet
from libhooks.event import Operation
from libhooks.facts.model import Unknown
from libhooks.facts.service.model import ServiceFacts
from libhooks.policy.model import Policy
from libhooks.requirements import service_settings
from libhooks.requirements.model import GUIDE, LIBVIRT, Scope

#: UUIDs that firmware came with by the thousand.
_NOBODYS = ("03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
            "12345678-1234-5678-90ab-cddeefaabbcc")  # fmt: skip
_HERE = Spot("host", "/domain")


def _unmet(subject: str, wanted: str, found: str | Unknown, hint: str) -> Unmet:
    if isinstance(found, Unknown):
        return Unmet(_HERE, subject, wanted, found.why, hint, unknown=True)
    return Unmet(_HERE, subject, wanted, found, hint)


def daemon(host: ServiceFacts) -> Iterator[Unmet]:
    """libvirt's daemon does not run, or does not start with the host.

    Red Hat's guide wants libvirtd enabled and running on both hosts. Where libvirt is split into daemons,
    that is virtqemud, by itself or by its socket, and beside it virtnetworkd, virtstoraged, virtsecretd,
    virtnodedevd and virtnwfilterd as far as they are installed.

    To fix it: systemctl enable --now libvirtd, or virtqemud.socket and the sockets of the others.
    """
    found = host.daemon()
    wanted = "libvirtd or virtqemud, running and enabled"
    if isinstance(found, Unknown) or found is None:
        why = "neither is installed" if found is None else found
        yield _unmet("", wanted, why, "install libvirt's daemon for QEMU")
        return
    start = f"systemctl enable --now {found.name}{'' if found.name == 'libvirtd' else '.socket'}"
    if not found.listens:
        yield _unmet(found.name, f"{found.name} to be running", "nobody listens on its socket", start)
    if found.starts is None:
        yield _unmet(found.name, "to start with the host", Unknown("systemd does not know it"), start)
    elif not found.starts:
        yield _unmet(found.name, "to start with the host", "it is not enabled", start)
    for name in found.idle:
        hint = f"systemctl enable --now {name}.socket"
        yield _unmet(
            name, "to start with the host or when asked", "neither it nor its socket is enabled", hint
        )


def config(host: ServiceFacts) -> Iterator[Unmet]:
    """libvirt's configuration can't be read, or stands in the way of a migration.

    Judged in qemu.conf and libvirtd.conf or virtqemud.conf: whether libvirt can read them (it does not start
    otherwise); migration_port_min and migration_port_max, which must be a range of ports in which neither
    tcp_port nor tls_port lies; migration_host and migration_address, which must not be this host's loopback;
    and keepalive_interval and keepalive_count, without which a connection that breaks is not noticed and a
    migration waits for ever.
    """
    for path in service_settings.FILES:
        settings = host.settings(path)
        if isinstance(settings, Unknown):
            yield _unmet(path, "to be readable", settings, "see its owner and mode")
        elif settings.broken:
            yield _unmet(path, "a file that libvirt can read", settings.broken, f"correct {path}")
        else:
            for name, wanted, found in service_settings.wrong(path, settings):
                yield _unmet(name, wanted, found, f"correct it in {path}, and restart the daemon")


def tls(host: ServiceFacts) -> Iterator[Unmet]:
    """A certificate for encrypted migration or libvirt's TLS port is missing, not valid, or another host's.

    libvirt's own are in /etc/pki/libvirt and are needed where libvirtd-tls.socket or virtproxyd-tls.socket is
    enabled; QEMU's are in /etc/pki/qemu, or where qemu.conf says, and are needed where migrate_tls_force is
    set. Where nothing needs them, they are judged if they are there. A server's certificate must name this
    host, by the name that the other host connects to. A certificate that ends within two weeks is reported.
    """
    for needed in service_settings.certificates(host):
        if isinstance(needed, Unmet):
            yield needed
            continue
        found = host.certificate(needed.path)
        if isinstance(found, Unknown):
            yield _unmet(needed.path, "a certificate", found, "openssl x509 -text -in the file")
        elif found is not None:
            yield from (_unmet(needed.path, *one) for one in service_settings.invalid(found, needed, host))
        elif needed.why:
            yield _unmet(
                needed.path, f"a certificate: {needed.why}", "no such file", "make one for this host"
            )


def firewall(host: ServiceFacts) -> Iterator[Unmet]:
    """The packet filter does not let the ports of a migration in.

    QEMU here listens on a port of 49152 to 49215, or of migration_port_min to migration_port_max in
    qemu.conf, and the other host's QEMU connects to it. Without it the migration ends with "unable to
    connect". Tunnelled migrations do without. The rules of nftables are walked for a connection of which
    only the port is known, so what depends on an address or a device is unknown.

    To fix it: firewall-cmd --permanent --add-port=49152-49215/tcp; firewall-cmd --reload, or a rule like it.
    """
    first, last = service_settings.ports(host)
    found = host.firewall(first, last)
    wanted = f"TCP ports {first}-{last} open"
    hint = f"firewall-cmd --permanent --add-port={first}-{last}/tcp && firewall-cmd --reload"
    if isinstance(found, Unknown):
        yield _unmet("", wanted, found, "nft list ruleset")
    elif found.closed:
        yield _unmet("", wanted, f"closed: {_ranges(found.closed)}", hint)
    elif found.unclear:
        why = Unknown(f"it depends on more than the port, for {_ranges(found.unclear)}")
        yield _unmet("", wanted, why, "nft list ruleset")


def _ranges(ports: tuple[int, ...]) -> str:
    """Ports in words: ``49152-49160, 49200``."""
    starts = [port for port in ports if port - 1 not in ports]
    ends = [port for port in ports if port + 1 not in ports]
    words = [str(one) if one == end else f"{one}-{end}" for one, end in zip(starts, ends)]
    return ", ".join(words[:4]) + (" ..." if len(words) > 4 else "")


def hostname(host: ServiceFacts) -> Iterator[Unmet]:
    """This host's name leads nowhere, or to every host itself.

    libvirt tells the other host to connect to this host's name, unless migration_host in qemu.conf or the
    migration URI says otherwise, and refuses to do so with a name that begins with "localhost". A name that
    not even this host can resolve, the other one hardly can.

    To fix it: hostnamectl set-hostname, and an entry in DNS or in every host's /etc/hosts.
    """
    qemu = host.settings(service_settings.QEMU)
    if not isinstance(qemu, Unknown) and qemu.text("migration_host"):
        return
    name = host.hostname()
    wanted = "a name that other hosts can connect to"
    if isinstance(name, Unknown) or not name:
        yield _unmet("", wanted, name or "no name", "hostnamectl set-hostname NAME")
    elif name.startswith("localhost"):
        yield _unmet(name, wanted, f"{name}, which is every host itself", "hostnamectl set-hostname NAME")
    else:
        found = host.resolved(name)
        if isinstance(found, Unknown) or not found:
            why = found if isinstance(found, Unknown) else "no address has this name"
            yield _unmet(name, wanted, why, f"getent ahosts {name}")


def host_uuid(host: ServiceFacts) -> Iterator[Unmet]:
    """This host has no UUID of its own.

    libvirt migrates between hosts of different UUIDs only. It takes the firmware's, which some makers give
    to every machine of a series; one that is none (all digits alike) it replaces at each start of the daemon.
    Set host_uuid in /etc/libvirt/libvirtd.conf (or virtqemud.conf) to the output of uuidgen.
    """
    found = host.host_uuid()
    hint = "set host_uuid in /etc/libvirt/libvirtd.conf or virtqemud.conf (uuidgen), and restart the daemon"
    if isinstance(found, Unknown):
        yield _unmet("", "a UUID of this host's own", found, "see that it can be read")
    elif found is None:
        yield _unmet("", "a UUID of this host's own", "none: libvirt makes one up at each start", hint)
    elif found in _NOBODYS:
        yield _unmet(found, "a UUID of this host's own", "one that many machines came with", hint)


def clock(host: ServiceFacts) -> Iterator[Unmet]:
    """This host's clock is not kept by a time service.

    Guests take the time from the host they run on. Between hosts whose clocks differ, a guest's time jumps
    when it migrates; certificates are judged by the clock too. systemctl enable --now chronyd, or
    systemd-timesyncd.
    """
    found = host.synchronised()
    if isinstance(found, Unknown):
        yield _unmet("", "a clock that is kept", found, "timedatectl; chronyc tracking")
    elif not found:
        yield _unmet("", "a clock that is kept", "it is not synchronised", "systemctl enable --now chronyd")


Judge = Callable[[ServiceFacts], Iterator[Unmet]]


class HostRequirement(NamedTuple):
    """A condition that a host must meet: a ``Requirement`` but for what it is given to judge."""

    code: str
    title: str
    source: str
    judge: Judge
    default: Level = Level.WARN
    scope: Scope = Scope.HOST
    operations: tuple[Operation, ...] = ()
    needs_origin: bool = False


def judge(host: ServiceFacts, policy: Policy) -> Iterator[Finding]:
    """What is unmet on a host, with the levels that its policy gives it."""
    for requirement in REQUIREMENTS:
        setting = policy.setting(requirement.code, requirement.default)
        unknown = policy.require.get("unknown", setting)
        for unmet in requirement.judge(host) if setting.level is not Level.OFF else ():
            level, rule, audited = unknown if unmet.unknown else setting
            worded = unmet._replace(found=f"unknown: {unmet.found}") if unmet.unknown else unmet
            yield Finding(requirement.code, level, worded, rule, audited)


REQUIREMENTS: tuple[HostRequirement, ...] = (
    HostRequirement("service.daemon", "libvirt's daemon runs and starts with the host", GUIDE, daemon),
    HostRequirement("service.config", "libvirt's configuration fits migrations", GUIDE, config),
    HostRequirement("service.tls", "certificates are there and valid", LIBVIRT, tls),
    HostRequirement("service.firewall", "the ports of migrations are open", GUIDE, firewall),
    HostRequirement("service.hostname", "the host's name leads to it", GUIDE, hostname),
    HostRequirement("service.host-uuid", "the host has a UUID of its own", LIBVIRT, host_uuid),
    HostRequirement("service.clock", "the host's clock is kept", LIBVIRT, clock),
)
