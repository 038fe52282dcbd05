"""Policy files become one policy: what they may say, how they merge, who may have written them."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from libhooks import names
from libhooks.decision import Kind, Level, Rule
from libhooks.policy import files
from libhooks.policy.diagnostic import Diagnostic, PolicyError, Severity
from libhooks.policy.load import diagnose, load
from libhooks.policy.model import Guests, Journal, Mode, Place, Policy, Setting
from libhooks.releases import pair

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")

FLEET = dedent("""
    version = 1
    mode = "enforce"                       # "audit": decide and record, change and refuse nothing

    [storage.images]                       # one shared store, seen at different mount points
    source   = "filer:/images"             # optional: what must be mounted there
    at.hosta = "/srv/images"
    at.hostb = "/mnt/vmstore"
    at."rack2-*" = ["/var/lib/libvirt/images", "/images"]   # first = preferred, rest = also seen here

    [network.prod]                         # one layer-2 segment
    at.hosta = "bridge:br0"
    at.hostb = "network:prod"

    [address.console]                      # listen addresses
    at.hosta = "192.0.2.11"
    at.hostb = "192.0.2.12"

    [file.firmware]                        # same content, kept locally on each host
    at.hosta = "/usr/share/OVMF/OVMF_CODE.fd"
    at.hostb = "/usr/share/edk2/ovmf/OVMF_CODE.fd"

    [require]                              # code = "refuse" | "warn" | "off"
    "storage.shared" = "refuse"
    "device.vectors" = "warn"

    [guest.databases]                      # exceptions for some guests
    match.name = ["db-*"]
    require."capacity.memory" = "refuse"
""").lstrip()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty policy directory that passes all checks."""
    directory = tmp_path / "policy.d"
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    return directory


def write(directory: Path, **texts: str) -> str:
    """Write ``NAME.toml`` files; returns the directory's path."""
    for name, text in texts.items():
        _file(directory / f"{name}.toml", text.encode())
    return str(directory)


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o644)
    return path


def only(diagnostics: tuple[Diagnostic, ...]) -> str:
    """The one diagnostic, without its help."""
    assert len(diagnostics) == 1, diagnostics
    return f"{diagnostics[0].code}: {diagnostics[0].file}: {diagnostics[0].message}"


def test_the_design_s_example_loads(directory: Path) -> None:
    """A fleet's policy has places, levels and exceptions, each with the line that sets it."""
    policy = load(write(directory, fleet=FLEET))
    lines: dict[tuple[Kind, str, str, int], dict[str, tuple[tuple[names.Name, ...], int]]] = {
        (Kind.STORAGE, "images", "filer:/images", 4): {
            "hosta": ((names.path("/srv/images"),), 6),
            "hostb": ((names.path("/mnt/vmstore"),), 7),
            "rack2-*": ((names.path("/var/lib/libvirt/images"), names.path("/images")), 8),
        },
        (Kind.NETWORK, "prod", "", 10): {
            "hosta": ((names.bridge("br0"),), 11),
            "hostb": ((names.network("prod"),), 12),
        },
        (Kind.ADDRESS, "console", "", 14): {
            "hosta": ((names.address("192.0.2.11"),), 15),
            "hostb": ((names.address("192.0.2.12"),), 16),
        },
        (Kind.FILE, "firmware", "", 18): {
            "hosta": ((names.path("/usr/share/OVMF/OVMF_CODE.fd"),), 19),
            "hostb": ((names.path("/usr/share/edk2/ovmf/OVMF_CODE.fd"),), 20),
        },
    }

    def rule(line: int) -> Rule:
        return Rule("fleet.toml", line)

    assert policy == Policy(
        present=True,
        mode=Mode.ENFORCE,
        places=tuple(
            Place(
                kind,
                id,
                {host: called for host, (called, _) in at.items()},
                source,
                rule(line),
                {host: rule(number) for host, (_, number) in at.items()},
            )
            for (kind, id, source, line), at in lines.items()
        ),
        require={
            "storage.shared": Setting(Level.REFUSE, rule(23)),
            "device.vectors": Setting(Level.WARN, rule(24)),
        },
        guests=(
            Guests(
                "databases",
                ("db-*",),
                (),
                None,
                {"capacity.memory": Setting(Level.REFUSE, rule(28))},
                rule(26),
            ),
        ),
        journal=Journal(),
        deadline=10.0,
        digest=policy.digest,
        files=("fleet.toml",),
    )


def test_every_other_key_loads(directory: Path) -> None:
    """Network disks, all network forms, guests by UUID, the journal and the hook's deadline."""
    text = dedent("""
        version = 1
        [storage.ceph.at]
        HostA = {protocol = "rbd", name = "vms/images", hosts = ["mon1:6789", "[2001:db8::1]:6789"], \
        secret = "2EC115D7-3A88-3CEB-BC12-0AC909A6FD87"}
        hostb = ["pool:ceph", {protocol = "nbd", hosts = "/run/nbd.sock"}]
        [network.dmz.at]
        hosta = ["direct:eth0/bridge", "direct:eth1"]
        hostb = ["ovs:ovsbr0", "network:dmz/web"]
        [address.console.at]
        hosta = "2001:DB8::11"
        [require]
        unknown = "warn"
        [guest.one]
        match.uuid = "c7a5fdbdcdaf9455926ad65c16db1809"
        match.name = "web1"
        mode = "audit"
        require.unknown = "refuse"
        [journal]
        path = "/srv/log/decisions.jsonl"
        required = true
        [hook]
        deadline = 2.5
        [platform]
        releases = ["debian 12 -> debian 13", "rhel 8.6+ <-> rhel 9"]
    """).lstrip()
    policy = load(write(directory, all=text))
    secret = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
    assert {place.label: dict(place.at) for place in policy.places} == {
        "storage.ceph": {
            "hosta": (names.store("rbd", "vms/images", ("mon1:6789", "[2001:db8::1]:6789"), secret),),
            "hostb": (names.pool("ceph"), names.store("nbd", "", ("/run/nbd.sock",))),
        },
        "network.dmz": {
            "hosta": (names.direct("eth0", "bridge"), names.direct("eth1")),
            "hostb": (names.ovs("ovsbr0"), names.network("dmz", "web")),
        },
        "address.console": {"hosta": (names.address("2001:db8::11"),)},
    }
    assert policy.require == {"unknown": Setting(Level.WARN, Rule("all.toml", 11))}
    assert policy.guests == (
        Guests(
            "one",
            ("web1",),
            ("c7a5fdbd-cdaf-9455-926a-d65c16db1809",),
            Mode.AUDIT,
            {"unknown": Setting(Level.REFUSE, Rule("all.toml", 16))},
            Rule("all.toml", 12),
        ),
    )
    assert policy.journal == Journal("/srv/log/decisions.jsonl", required=True)
    assert policy.deadline == 2.5
    assert policy.releases == (pair("debian 12 -> debian 13"), pair("rhel 8.6+ <-> rhel 9"))


def test_later_files_override_key_by_key(directory: Path) -> None:
    """A leaf of a later file replaces the earlier one, with its rule; everything else stays."""
    base = dedent("""
        version = 1
        mode = "audit"
        [storage.images]
        source = "filer:/images"
        at.hosta = ["/srv/images", "/images"]
        at.hostb = "/mnt/images"
        [require]
        "storage.shared" = "refuse"
        "storage.exists" = "refuse"
        [guest.web]
        match.name = "web*"
        mode = "audit"
    """).lstrip()
    site = dedent("""
        version = 1
        [guest.db]
        match.name = "db*"
        [guest.web]
        match.name = ["www*"]
        [require]
        "storage.shared" = "warn"
        [storage.images]
        at.HOSTA = "/vm"
        at.hostc = "/mnt/c"
    """).lstrip()
    path = write(directory, **{"20-site": site, "10-base": base})
    policy = load(path)
    first, second = "10-base.toml", "20-site.toml"
    assert policy.files == (first, second)
    assert policy.mode is Mode.AUDIT
    assert policy.places == (
        Place(
            Kind.STORAGE,
            "images",
            {
                "hosta": (names.path("/vm"),),
                "hostb": (names.path("/mnt/images"),),
                "hostc": (names.path("/mnt/c"),),
            },
            "filer:/images",
            Rule(first, 3),
            {"hosta": Rule(second, 9), "hostb": Rule(first, 6), "hostc": Rule(second, 10)},
        ),
    )
    assert policy.require == {
        "storage.shared": Setting(Level.WARN, Rule(second, 7)),
        "storage.exists": Setting(Level.REFUSE, Rule(first, 9)),
    }
    assert policy.guests == (
        Guests("web", ("www*",), (), Mode.AUDIT, {}, Rule(first, 10)),
        Guests("db", ("db*",), (), None, {}, Rule(second, 2)),
    )


def test_files_are_read_in_byte_order(directory: Path) -> None:
    """``Z`` comes before ``a``, and UTF-8 after both, whatever the locale."""
    texts = {name: f'version = 1\nmode = "{mode}"\n' for name, mode in (("ä", "audit"), ("a", "enforce"))}
    policy = load(write(directory, Z="version = 1\n", **texts))
    assert (policy.files, policy.mode) == (("Z.toml", "a.toml", "ä.toml"), Mode.AUDIT)


@pytest.mark.parametrize(
    "texts",
    [{}, {"empty": ""}, {"example": "# version = 1\n# mode = ...\n"}, {"bare": "version = 1\n\n[require]\n"}],
)
def test_files_that_set_nothing_are_no_policy(directory: Path, texts: dict[str, str]) -> None:
    """Without a policy libhooks audits: a commented example changes nothing."""
    assert load(write(directory, **texts)) == Policy()


def test_a_directory_that_is_not_there_is_no_policy(tmp_path: Path) -> None:
    """A fresh host audits. A file that was asked for by name must be there."""
    assert load(str(tmp_path / "policy.d")) == Policy()
    _, diagnostics = diagnose(str(tmp_path / "fleet.toml"))
    assert only(diagnostics) == "unreadable: fleet.toml: cannot be read: No such file or directory"


def test_a_policy_enforces_unless_it_says_otherwise(directory: Path) -> None:
    """Whoever writes a policy wants it followed."""
    assert load(write(directory, a='version = 1\n[require]\n"storage.shared" = "off"\n')).mode is Mode.ENFORCE


def test_a_single_file_is_a_policy(directory: Path) -> None:
    """``--policy`` may name one file; the directory around it does not matter then."""
    path = write(directory, fleet=FLEET)
    directory.chmod(0o777)
    assert load(f"{path}/fleet.toml").files == ("fleet.toml",)


def test_several_paths_make_one_policy(directory: Path, tmp_path: Path) -> None:
    """Files and directories given together merge in the order given."""
    extra = _file(tmp_path / "extra.toml", b'version = 1\nmode = "audit"\n')
    policy, diagnostics = diagnose(write(directory, fleet=FLEET), str(extra))
    assert diagnostics == ()
    assert policy is not None
    assert (policy.files, policy.mode) == (("fleet.toml", "extra.toml"), Mode.AUDIT)


def test_the_digest_names_the_text(directory: Path) -> None:
    """The same files have the same digest; another byte or another name has another."""
    path = write(directory, fleet=FLEET)
    first = load(path).digest
    assert len(first) == 16
    assert load(path).digest == first
    write(directory, fleet=FLEET + "\n")
    assert load(path).digest != first
    write(directory, fleet=FLEET)
    (directory / "fleet.toml").rename(directory / "flett.toml")
    assert load(path).digest != first


def test_only_toml_files_are_policy(directory: Path) -> None:
    """Editors' and package managers' leftovers, hidden files and notes are none."""
    write(directory, fleet=FLEET)
    for name in (".fleet.toml", "fleet.toml~", "fleet.toml.rpmsave", "#fleet.toml#", "README"):
        _file(directory / name, b"no policy")
    assert load(str(directory)).files == ("fleet.toml",)


def test_links_lead_to_policy_files(directory: Path, tmp_path: Path) -> None:
    """A link counts as what it leads to; one that leads nowhere is a mistake."""
    _file(tmp_path / "shared.toml", FLEET.encode())
    (directory / "fleet.toml").symlink_to(tmp_path / "shared.toml")
    assert load(str(directory)).files == ("fleet.toml",)
    (tmp_path / "shared.toml").chmod(0o666)
    assert only(diagnose(str(directory))[1]) == "writable: fleet.toml: others may write it (mode 0666)"
    (tmp_path / "shared.toml").unlink()
    assert only(diagnose(str(directory))[1]) == "unreadable: fleet.toml: a link to nothing"


def test_what_is_no_regular_file_is_a_mistake(directory: Path) -> None:
    """Neither a directory nor a pipe is read, nor waited for."""
    (directory / "a.toml").mkdir()
    os.mkfifo(directory / "b.toml", 0o600)
    _, diagnostics = diagnose(str(directory))
    assert [(one.code, one.file) for one in diagnostics] == [
        ("not-a-file", "a.toml"),
        ("not-a-file", "b.toml"),
    ]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_a_mistake(directory: Path, mode: int) -> None:
    """Who writes the policy redirects every guest's disks."""
    path = write(directory, fleet=FLEET)
    (directory / "fleet.toml").chmod(mode)
    policy, diagnostics = diagnose(path)
    assert policy is None
    assert diagnostics == (
        Diagnostic(
            "writable",
            Severity.ERROR,
            "fleet.toml",
            0,
            0,
            f"others may write it (mode {mode:04o})",
            f"chmod go-w {path}/fleet.toml",
        ),
    )


def test_a_directory_that_others_may_write_is_a_mistake(directory: Path) -> None:
    """Whoever writes the directory writes the policy."""
    path = write(directory, fleet=FLEET)
    directory.chmod(0o775)
    assert only(diagnose(path)[1]) == f"writable: {path}: others may write it (mode 0775)"


@AS_ROOT
def test_a_file_of_another_user_is_a_mistake(directory: Path) -> None:
    """Files and their directory belong to root, or to whoever runs this."""
    path = write(directory, fleet=FLEET)
    os.chown(directory / "fleet.toml", 65534, 0)
    os.chown(directory, 65534, 0)
    _, diagnostics = diagnose(path)
    assert [one[0] for one in diagnostics] == ["owner", "owner"]
    assert [(one.file, one.message, one.help) for one in diagnostics] == [
        (path, "owned by user 65534, not by root", f"chown root {path}"),
        ("fleet.toml", "owned by user 65534, not by root", f"chown root {path}/fleet.toml"),
    ]


@AS_ROOT
def test_a_file_that_may_not_be_read_is_a_mistake(directory: Path) -> None:
    """The message names the file that the running user can't read, and root's files are trusted."""
    path = write(directory, fleet=FLEET, secret="version = 1\n")
    (directory / "secret.toml").chmod(0o600)
    for parent in [directory, *list(directory.parents)[:3]]:
        parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        _, diagnostics = diagnose(path)
    finally:
        os.seteuid(0)
    assert only(diagnostics) == "unreadable: secret.toml: cannot be read: Permission denied"


def test_a_file_has_a_size_that_people_write(directory: Path) -> None:
    """A policy beyond the limit is not read at each migration."""
    path = write(directory, big="# " + "x" * (files.LIMIT - 2))
    assert load(path) == Policy()
    write(directory, big="# " + "x" * (files.LIMIT - 1))
    assert only(diagnose(path)[1]) == "too-large: big.toml: larger than 4 MiB"


def test_a_file_s_odd_name_is_shown_as_text(directory: Path) -> None:
    """No byte of a name reaches a terminal or a journal as it is."""
    _file(Path(os.fsdecode(os.fsencode(directory) + b"/\xff\n.toml")), b"mode = 1\n")
    with pytest.raises(PolicyError) as raised:
        load(str(directory))
    assert str(raised.value) == (
        "\\xff\\x0a.toml:1: no version (start the file with: version = 1) (and 1 more)"
    )


def test_one_line_tells_what_is_wrong_first(directory: Path) -> None:
    """The refusal of a guest carries the first mistake, and how many there are."""
    path = write(directory, **{"10-fleet": "version = 1\n\n\n[storge]\n[hok]\n[reqire]\n"})
    with pytest.raises(PolicyError) as raised:
        load(path)
    assert str(raised.value) == '10-fleet.toml:4: unknown key "storge" (did you mean "storage"?) (and 2 more)'
    assert [one.line for one in raised.value.diagnostics] == [4, 5, 6]


def test_nesting_beyond_reason_is_a_mistake(directory: Path) -> None:
    """A file can't make libhooks fail in a way of its own."""
    path = write(directory, deep="version = 1\nmode = " + "[" * 100_000 + "]" * 100_000)
    assert diagnose(path)[0] is None


def test_a_big_fleet_loads_in_time(directory: Path) -> None:
    """A hundred places of a hundred hosts are no reason to wait."""
    places = (
        f"[storage.s{place}]\n" + "".join(f'at.host{host} = "/srv/{place}/{host}"\n' for host in range(100))
        for place in range(100)
    )
    policy = load(write(directory, fleet="version = 1\n" + "".join(places)))
    assert len(policy.places) == 100
    assert policy.places[99].rules["host99"] == Rule("fleet.toml", 1 + 100 * 101)
