"""The host itself: what doctor, preflight and the service judge, and what of it a stamp tells the hook."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from judging import judged, tree

from libhooks.decision import Finding, Level, Rule
from libhooks.facts.reading.root import Garbage
from libhooks.facts.service.answers import open_services
from libhooks.facts.service.certificate import OPENSSL
from libhooks.facts.service.nftables import Ruleset
from libhooks.origin import Origin
from libhooks.policy.model import Policy, Setting
from libhooks.requirements import service_host

NOW = datetime(2031, 6, 15, tzinfo=timezone.utc)
UUID = "0b1f8a52-6c0e-4b8f-9a57-2f1d7c3e4a60"
GUEST = "<domain type='kvm'><name>web1</name><devices/></domain>"

UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20712 /run/libvirt/libvirt-sock
0000000000000000: 00000003 00000000 00000000 0001 03 20713 /run/libvirt/libvirt-sock-ro
"""
#: A host that is in order: nothing is unmet.
SOUND = {
    "/etc/systemd/system/multi-user.target.wants/libvirtd.service": {
        "link": "/usr/lib/systemd/system/libvirtd.service"
    },
    "/usr/lib/systemd/system/libvirtd.service": {"text": "[Unit]\n"},
    "/proc/net/unix": {"text": UNIX},
    "/proc/sys/kernel/hostname": {"text": "hostb.example.org\n"},
    "/sys/class/dmi/id/product_uuid": {"text": UUID + "\n"},
    "/usr/sbin/nft": {"prints": '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}'},
    "/usr/bin/getent": {"prints": "192.0.2.12      STREAM hostb.example.org\n192.0.2.12      DGRAM\n"},
    "/usr/bin/timedatectl": {"prints": "yes\n"},
}
Stat = dict[str, dict[str, Any]]


def host(directory: Path, changes: Stat | None = None, without: tuple[str, ...] = ()) -> Path:
    """A captured tree of the sound host, changed."""
    tables = {path: table for path, table in {**SOUND, **(changes or {})}.items() if path not in without}
    lines = []
    for path, table in tables.items():
        lines += [f"[{json.dumps(path)}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return tree(directory, stat="\n".join(lines) + "\n")


PLAIN = Policy()
CODES = {one.code for one in service_host.REQUIREMENTS}


def findings(root: Path, policy: Policy = PLAIN) -> list[Finding]:
    with open_services(str(root), NOW.timestamp) as services:
        return list(service_host.judge(services, policy))


def said(root: Path, code: str) -> list[str]:
    """What is found, after the name that it is about."""
    found = [one.unmet for one in findings(root) if one.code == code]
    return [f"{one.subject}: {one.found}" if one.subject else one.found for one in found]


def test_sound_host(tmp_path: Path) -> None:
    """A host that is in order has no findings."""
    assert findings(host(tmp_path)) == []


NOTHING_RUNS = {"text": ""}
BROKEN: Stat = {
    "/proc/net/unix": {"text": "\n"},
    "/etc/libvirt/qemu.conf": {"text": "keepalive_interval = 0\nmigrate_tls_force = 1\n"},
    "/proc/sys/kernel/hostname": {"text": "localhost\n"},
    "/sys/class/dmi/id/product_uuid": {"text": "\n"},
    "/usr/sbin/nft": {
        "prints": '{"nftables": [{"chain": {"family": "inet", "hook": "input", "policy": "drop"}}]}'
    },
    "/usr/bin/timedatectl": {"prints": "no\n"},
}
SILENT: Stat = {
    "/proc/net/unix": {"denied": True},
    "/etc/libvirt/qemu.conf": {"denied": True},
    "/sys/class/dmi/id/product_uuid": {"denied": True},
    **dict.fromkeys(("/usr/sbin/nft", "/usr/bin/getent", "/usr/bin/timedatectl"), NOTHING_RUNS),
}


@pytest.mark.parametrize(("changes", "unknown"), [(BROKEN, False), (SILENT, True)])
def test_every_requirement_is_shown(tmp_path: Path, changes: Stat, unknown: bool) -> None:
    """Each code is unmet on a host where nothing is right, and unknown on one that tells nothing."""
    found = findings(host(tmp_path, changes))
    assert {one.code for one in found if one.unmet.unknown is unknown} == CODES


LIBVIRTD, UNIT = (path for path in SOUND if path.endswith("libvirtd.service"))
MODULAR: Stat = {
    "/usr/lib/systemd/system/virtqemud.service": {"text": ""},
    "/usr/lib/systemd/system/virtqemud.socket": {"text": ""},
    "/etc/systemd/system/sockets.target.wants/virtqemud.socket": {"text": ""},
    "/usr/lib/systemd/system/virtnetworkd.service": {"text": ""},
    "/usr/lib/systemd/system/virtnetworkd.socket": {"text": ""},
    "/etc/systemd/system/sockets.target.wants/virtnetworkd.socket": {"text": ""},
    "/proc/net/unix": {"text": UNIX.replace("libvirt-sock\n", "virtqemud-sock\n")},
}
NO_LIBVIRTD = (LIBVIRTD, UNIT)


@pytest.mark.parametrize(
    ("changes", "without", "found"),
    [
        (MODULAR, (), []),
        (MODULAR, NO_LIBVIRTD, []),
        (MODULAR | {"/usr/lib/systemd/system/virtstoraged.service": {"text": ""}}, NO_LIBVIRTD,
         ["virtstoraged: neither it nor its socket is enabled"]),
        ({}, (LIBVIRTD,), ["libvirtd: it is not enabled"]),
        ({"/etc/systemd/system/libvirtd.service": {"link": "/dev/null"}, "/dev/null": {"kind": "char"}}, (),
         ["libvirtd: unknown: systemd does not know it"]),
        ({"/proc/net/unix": {"text": UNIX.replace("00010000", "00000000")}}, (),
         ["libvirtd: nobody listens on its socket"]),
        ({}, (*NO_LIBVIRTD, "/proc/net/unix"), ["neither is installed"]),
        ({}, NO_LIBVIRTD, ["libvirtd: unknown: systemd does not know it"]),
        ({"/proc/net/unix": {"denied": True}}, (), ["unknown: /proc/net/unix: permission denied"]),
    ],
)  # fmt: skip
def test_daemon(tmp_path: Path, changes: Stat, without: tuple[str, ...], found: list[str]) -> None:
    """The daemon can be reached now and starts with the host, as one or as several."""
    assert said(host(tmp_path, changes, without), "service.daemon") == found


QEMU, DAEMON = "/etc/libvirt/qemu.conf", "/etc/libvirt/libvirtd.conf"


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (QEMU, "#\nmigration_port_min = 5000\nmigration_port_max = 5100\nkeepalive_interval = 10\n", []),
        (QEMU, 'user = "qemu\n', [f"{QEMU}: line 1: a string without its end"]),
        (QEMU, "migration_port_min = 50000\n", ["migration_port_min, migration_port_max: 50000 to 49215"]),
        (QEMU, 'migration_host = "localhost"\n', ["migration_host: localhost"]),
        (QEMU, 'migration_address = "127.0.0.1"\n', ["migration_address: 127.0.0.1"]),
        (QEMU, "keepalive_interval = -1\n",
         ["keepalive_interval: -1: a connection that breaks is never noticed"]),
        (DAEMON, "keepalive_count = 0\n",
         ["keepalive_count: 0: the first sign of life that is late ends a connection"]),
        (DAEMON, 'tcp_port = "49200"\n', ["tcp_port: 49200"]),
    ],
)  # fmt: skip
def test_config(tmp_path: Path, path: str, text: str, found: list[str]) -> None:
    """libvirt's files can be read, and say nothing that a migration would fail by."""
    assert said(host(tmp_path, {path: {"text": text}}), "service.config") == found


def test_config_unknown(tmp_path: Path) -> None:
    """A file that may not be read is unknown, not broken."""
    root = host(tmp_path, {DAEMON: {"denied": True}})
    assert said(root, "service.config") == [f"{DAEMON}: unknown: {DAEMON}: permission denied"]


def certificate(directory: Path, names: str, begins: timedelta, ends: timedelta) -> str:
    """A certificate that openssl makes, as PEM."""
    times = [f"{NOW + one:%y%m%d%H%M%SZ}" for one in (begins, ends)]
    config = f"[ca]\ndefault_ca=x\n[x]\ndatabase={directory}/db\nserial={directory}/serial\n"
    config += f"new_certs_dir={directory}\n"
    config += "policy=p\ndefault_md=sha256\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\n"
    config += f"subjectAltName={names}\n" if names else "basicConstraints=CA:false\n"
    (directory / "c").write_text(config)
    (directory / "db").write_text("")
    (directory / "serial").write_text("01\n")
    request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = [
        "-keyout",
        str(directory / "key"),
        "-out",
        str(directory / "csr"),
        "-subj",
        "/CN=hostb.example.org",
    ]
    subprocess.run([OPENSSL, *request, *files], check=True, capture_output=True)
    sign = ["ca", "-batch", "-notext", "-selfsign", "-config", str(directory / "c"), "-extensions", "e"]
    sign += [
        "-keyfile",
        str(directory / "key"),
        "-in",
        str(directory / "csr"),
        "-out",
        str(directory / "crt"),
    ]
    sign += ["-startdate", times[0], "-enddate", times[1]]
    subprocess.run([OPENSSL, *sign], check=True, capture_output=True)
    return (directory / "crt").read_text()


SERVER = "/etc/pki/libvirt/servercert.pem"
DAY = timedelta(days=1)


@pytest.mark.skipif(not Path(OPENSSL).exists(), reason="there is no openssl")
@pytest.mark.parametrize(
    ("names", "begins", "ends", "found"),
    [
        ("DNS:hostb.example.org", -DAY, 300 * DAY, []),
        ("DNS:other,DNS:hostb", -DAY, 300 * DAY, []),
        ("DNS:*.example.org,IP:192.0.2.12", -DAY, 300 * DAY, []),
        ("", -DAY, 300 * DAY, []),
        ("DNS:hosta.example.org,IP:192.0.2.11", -DAY, 300 * DAY, ["it is for hosta.example.org, 192.0.2.11"]),
        ("DNS:hostb", -30 * DAY, -3 * DAY, ["its time ended 3 days ago"]),
        ("DNS:hostb", DAY, 30 * DAY, ["its time has not begun"]),
        ("DNS:hostb", -30 * DAY, 10 * DAY, ["it ends in 10 days"]),
    ],
)
def test_certificate(
    tmp_path: Path, names: str, begins: timedelta, ends: timedelta, found: list[str]
) -> None:
    """A certificate is valid now and for some time to come, and names this host."""
    (tmp_path / "ca").mkdir()
    pem = certificate(tmp_path / "ca", names, begins, ends)
    root = host(tmp_path / "root", {SERVER: {"text": pem}})
    assert said(root, "service.tls") == [f"{SERVER}: {one}" for one in found]


def test_certificates_that_must_be(tmp_path: Path) -> None:
    """Where encryption is forced, or the TLS port open, there must be certificates."""
    socket = "libvirtd-tls.socket"
    root = host(
        tmp_path,
        {
            QEMU: {"text": 'migrate_tls_force = 1\nmigrate_tls_x509_cert_dir = "/etc/pki/vm"\n'},
            f"/usr/lib/systemd/system/{socket}": {"text": ""},
            f"/etc/systemd/system/sockets.target.wants/{socket}": {"text": ""},
        },
    )
    missing = ("/etc/pki/vm/ca-cert.pem", "/etc/pki/vm/server-cert.pem", "/etc/pki/CA/cacert.pem", SERVER)
    assert said(root, "service.tls") == [f"{path}: no such file" for path in missing]


@pytest.mark.skipif(not Path(OPENSSL).exists(), reason="there is no openssl")
def test_certificate_unknown(tmp_path: Path) -> None:
    """What openssl does not take for a certificate is unknown."""
    (found,) = said(host(tmp_path, {SERVER: {"text": "-----BEGIN\n"}}), "service.tls")
    assert found.startswith(f"{SERVER}: unknown: openssl failed: ")


def rule(*steps: dict[str, Any], chain: str = "INPUT") -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "t", "chain": chain, "handle": 1, "expr": list(steps)}}


def match(left: dict[str, Any], right: object, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def base(policy: str, name: str = "INPUT") -> dict[str, Any]:
    chain = {"family": "inet", "table": "t", "name": name, "type": "filter", "hook": "input", "prio": 0}
    return {"chain": {**chain, "policy": policy}}


def chain(name: str) -> dict[str, Any]:
    return {"chain": {"family": "inet", "table": "t", "name": name}}


def ruleset(*objects: dict[str, Any]) -> str:
    return json.dumps({"nftables": [{"metainfo": {"json_schema_version": 1}}, *objects]})


DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
LOOPBACK = rule(match({"meta": {"key": "iifname"}}, "lo"), {"accept": None})
ESTABLISHED = rule(match({"ct": {"key": "state"}}, ["established", "related"], "in"), {"accept": None})
SSH = rule(match(DPORT, 22), {"accept": None})
MIGRATION = rule(match(DPORT, {"range": [49152, 49215]}), {"accept": None})
OFFICE = rule(
    match({"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": "192.0.2.0", "len": 24}}),
    {"accept": None},
)
USUAL = (base("drop"), LOOPBACK, ESTABLISHED, SSH)


@pytest.mark.parametrize(
    ("objects", "fates"),
    [
        ((), {"accept"}),
        (USUAL, {"drop"}),
        ((*USUAL, MIGRATION), {"accept"}),
        ((*USUAL, rule(match(DPORT, {"set": [80, {"range": [49000, 49999]}]}), {"accept": None})),
         {"accept"}),
        ((*USUAL, OFFICE), {"accept", "drop"}),
        ((*USUAL, OFFICE, MIGRATION), {"accept"}),
        ((base("accept"), SSH, rule({"reject": {"type": "icmpx"}})), {"drop"}),
        ((base("accept"), rule(match(DPORT, 22, "!="), {"drop": None})), {"drop"}),
        ((base("accept"), rule(match({"meta": {"key": "l4proto"}}, "udp"), {"drop": None})), {"accept"}),
        ((base("drop"), chain("vm"), rule({"jump": {"target": "vm"}}),
          rule(*MIGRATION["rule"]["expr"], chain="vm")), {"accept"}),
        ((base("accept"), chain("vm"), rule({"jump": {"target": "vm"}}), rule({"drop": None}),
          rule({"return": None}, chain="vm")), {"drop"}),
        ((base("drop"), chain("vm"), rule({"goto": {"target": "vm"}}), MIGRATION), {"drop"}),
        ((base("accept"), rule({"vmap": {"key": DPORT, "data": {"set": []}}})), {"accept", "drop"}),
        ((base("accept"), rule({"xt": {"type": "match", "name": "addrtype"}}, {"drop": None})),
         {"accept", "drop"}),
        ((*USUAL,
          {"set": {"family": "inet", "table": "t", "name": "open", "elem": [{"range": [49152, 50000]}]}},
          rule(match(DPORT, "@open"), {"accept": None})), {"accept"}),
        ((base("accept"), base("drop", "second")), {"drop"}),
        ((base("accept"), rule({"counter": {"packets": 1}}, {"log": {}})), {"accept"}),
    ],
)  # fmt: skip
def test_fates(objects: tuple[dict[str, Any], ...], fates: set[str]) -> None:
    """Rules are walked as the kernel walks them; what depends on more than the port can go either way."""
    assert Ruleset(ruleset(*objects)).fates(49152) == fates


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nftables": 3}', "nft: not found"])
def test_no_ruleset(text: str) -> None:
    """What is none of nft's answers is unknown."""
    with pytest.raises(Garbage, match="nft says nothing that makes sense"):
        Ruleset(text)


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ((*USUAL, MIGRATION), []),
        (USUAL, ["closed: 49152-49215"]),
        ((*USUAL, rule(match(DPORT, {"range": [49152, 49200]}), {"accept": None})), ["closed: 49201-49215"]),
        ((*USUAL, OFFICE), ["unknown: it depends on more than the port, for 49152-49215"]),
    ],
)
def test_firewall(tmp_path: Path, objects: tuple[dict[str, Any], ...], found: list[str]) -> None:
    """All ports of qemu.conf's range are open to everyone."""
    root = host(tmp_path, {"/usr/sbin/nft": {"prints": ruleset(*objects)}})
    assert said(root, "service.firewall") == found


def test_firewall_of_another_range(tmp_path: Path) -> None:
    """The range is qemu.conf's."""
    conf = {"text": "migration_port_min = 50000\nmigration_port_max = 50001\n"}
    root = host(tmp_path, {"/usr/sbin/nft": {"prints": ruleset(*USUAL, MIGRATION)}, QEMU: conf})
    assert said(root, "service.firewall") == ["closed: 50000-50001"]


def test_firewall_before_nftables(tmp_path: Path) -> None:
    """Rules of a packet filter that is not looked at are unknown."""
    root = host(tmp_path, {"/proc/net/ip_tables_names": {"text": "filter\nnat\n"}})
    (found,) = said(root, "service.firewall")
    assert found.startswith("unknown: the rules of iptables-legacy are not read")


NAME = "/proc/sys/kernel/hostname"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({NAME: {"text": "localhost.localdomain\n"}},
         ["localhost.localdomain: localhost.localdomain, which is every host itself"]),
        ({"/usr/bin/getent": {"prints": ""}}, ["hostb.example.org: no address has this name"]),
        ({"/usr/bin/getent": {"text": ""}}, ["hostb.example.org: unknown: nothing runs in a captured tree"]),
        ({NAME: {"text": "localhost\n"}, QEMU: {"text": 'migration_host = "hostb.example.org"\n'}}, []),
    ],
)  # fmt: skip
def test_hostname(tmp_path: Path, changes: Stat, found: list[str]) -> None:
    """The name that libvirt tells the other host leads somewhere."""
    assert said(host(tmp_path, changes), "service.hostname") == found


FIRMWARE = "/sys/class/dmi/id/product_uuid"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({FIRMWARE: {"text": "ffffffff-ffff-ffff-ffff-ffffffffffff\n"}},
         ["none: libvirt makes one up at each start"]),
        ({FIRMWARE: {"text": "03000200-0400-0500-0006-000700080009\n"}},
         ["03000200-0400-0500-0006-000700080009: one that many machines came with"]),
        ({FIRMWARE: {"denied": True}}, [f"unknown: {FIRMWARE}: permission denied"]),
        ({FIRMWARE: {"denied": True}, DAEMON: {"text": f'host_uuid = "{UUID}"\n'}}, []),
        ({DAEMON: {"text": 'host_uuid_source = "machine-id"\n'},
          "/etc/machine-id": {"text": UUID.replace("-", "") + "\n"}}, []),
    ],
)  # fmt: skip
def test_host_uuid(tmp_path: Path, changes: Stat, found: list[str]) -> None:
    """A host has a UUID, and not one that came with the mainboard of many."""
    assert said(host(tmp_path, changes), "service.host-uuid") == found


@pytest.mark.parametrize(
    ("there", "found"), [(UUID.upper(), [f"both have {UUID}"]), (UUID[::-1], []), ("", [])]
)
def test_uuid_of_the_source(tmp_path: Path, there: str, found: list[str]) -> None:
    """A guest that comes from a host with this host's UUID can't migrate."""
    unmet = judged("service.host-uuid", GUEST, host(tmp_path), Origin("hosta", there))
    assert [one.found for one in unmet] == found


def test_uuid_unknown(tmp_path: Path) -> None:
    """A UUID that can't be read is not taken for another one."""
    root = host(tmp_path, {FIRMWARE: {"denied": True}})
    (unmet,) = judged("service.host-uuid", GUEST, root, Origin("hosta", UUID))
    assert unmet.unknown


@pytest.mark.parametrize(
    ("printed", "found"),
    [("yes\n", []), ("no\n", ["it is not synchronised"]), ("\n", ['unknown: timedatectl says ""'])],
)
def test_clock(tmp_path: Path, printed: str, found: list[str]) -> None:
    """A time service keeps the clock."""
    root = host(tmp_path, {"/usr/bin/timedatectl": {"prints": printed}})
    assert said(root, "service.clock") == found


def test_levels(tmp_path: Path) -> None:
    """A policy sets these codes as any other, and the level of what is unknown."""
    root = host(tmp_path, {"/usr/bin/timedatectl": {"prints": ""}, "/usr/bin/getent": {"prints": ""}})
    rule = Rule("10-fleet.toml", 5)
    require = {"service.hostname": Setting(Level.OFF, rule), "unknown": Setting(Level.REFUSE, rule)}
    (found,) = findings(root, Policy(require=require))
    assert (found.code, found.level, found.rule) == ("service.clock", Level.REFUSE, rule)
