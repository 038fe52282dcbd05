"""`libhooks suggest`: what was refused becomes a policy that a person fills in, and that lets it in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from golden_cases import CHECKOUT, GOLDEN

from libhooks.policy.load import diagnose

DOMAIN = """\
<domain type='kvm'>
  <name>{name}</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{path}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <mac address='52:54:00:12:34:56'/>
      <source bridge='br0'/>
    </interface>
    <graphics type='vnc' listen='192.0.2.11'/>
  </devices>
</domain>
"""
POLICY = """\
version = 1
[storage.other]
at.hosta = "/srv/other"
at."hostb.example.org" = "/mnt/gluster"
[journal]
path = "/var/journal.jsonl"
"""


class Place:
    """A host that guests arrive at: its tree, its policy and its journal."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copytree(GOLDEN / "hosts" / "hostb", directory / "hostb")
        (directory / "policy.d").mkdir(mode=0o755)
        self.policy("10-fleet", POLICY)

    def policy(self, name: str, text: str) -> None:
        """A file of the policy."""
        file = self.directory / "policy.d" / f"{name}.toml"
        file.write_text(text)
        file.chmod(0o644)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command, with the policy of the place."""
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
        argv = [sys.executable, "-m", "libhooks", *arguments, "--policy", "policy.d", "--root", "hostb"]
        done = subprocess.run(
            argv, cwd=self.directory, input=stdin, capture_output=True, text=True, env=env, check=False
        )
        assert "Traceback" not in done.stderr
        return done

    def arrive(self, name: str, path: str, document: str = DOMAIN) -> int:
        """A guest arrives; the hook's exit code."""
        given = document.format(name=name, path=path)
        return self.run("hook", name, "migrate", "begin", "-", stdin=given).returncode

    @property
    def journal(self) -> Path:
        return self.directory / "hostb" / "var" / "journal.jsonl"

    @property
    def ids(self) -> list[str]:
        return [json.loads(line)["id"][-6:] for line in self.journal.read_text().splitlines()]

    def suggest(self, *arguments: str) -> str:
        """What is suggested, which is always a valid file of a policy."""
        done = self.run("suggest", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        file = self.directory / "suggested.toml"
        file.write_text(done.stdout)
        file.chmod(0o644)
        assert diagnose(str(file))[1] == ()
        return done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """hostb, whose policy knows one store."""
    return Place(tmp_path)


GUESTS = (
    ("web1", "/srv/images/web/web1.raw"),
    ("web2", "/srv/images/web/web2.raw"),
    ("db1", "/srv/images/db1.raw"),
)


def test_refusals_become_places(place: Place) -> None:
    """Paths with a beginning in common are one place; each part says from whom it comes, and why."""
    assert [place.arrive(*guest) for guest in GUESTS] == [1, 1, 1]
    first, second, third = place.ids
    _, _, *lines = place.suggest().splitlines(keepends=True)
    assert "".join(lines) == (
        "# Fill in the names that are commented out, delete the places that you do not\n"
        "#   want, and put the file into the policy. A place without a name on a host\n"
        "#   refuses guests there; libhooks policy check says what is left to do.\n"
        "version = 1\n"
        "\n"
        f"# 3 refusals of web1, web2, db1 (libhooks log show {first}, {second}, {third})\n"
        "#   storage.exists  /srv/images/web/web1.raw: no such file; what is mounted\n"
        "#     there is ext4 on /dev/sda3, mounted at /srv\n"
        "#   storage.exists  /srv/images/web/web2.raw: no such file; what is mounted\n"
        "#     there is ext4 on /dev/sda3, mounted at /srv\n"
        "#   storage.exists  /srv/images/db1.raw: no such file; what is mounted there is\n"
        "#     ext4 on /dev/sda3, mounted at /srv\n"
        "[storage.images]\n"
        'at.elsewhere = "/srv/images"  # the hosts that these guests come from\n'
        '# at."hostb.example.org" = "/..."  # where it has /srv/images\n'
        "\n"
        f"# 3 refusals of web1, web2, db1 (libhooks log show {first}, {second}, {third})\n"
        "#   network.exists  bridge br0: no br0 on this host\n"
        "[network.br0]\n"
        'at.elsewhere = "bridge:br0"  # the hosts that these guests come from\n'
        '# at."hostb.example.org" = "bridge:..."  # what it calls bridge:br0\n'
        "\n"
        f"# 3 refusals of web1, web2, db1 (libhooks log show {first}, {second}, {third})\n"
        "#   network.listen  192.0.2.11: this host has 192.0.2.12, 2001:db8::12\n"
        "[address.192-0-2-11]\n"
        'at.elsewhere = "192.0.2.11"  # the hosts that these guests come from\n'
        '# at."hostb.example.org" = "192.0.2.12"  # the only one that it has\n'
    )


def test_what_is_filled_in_lets_them_in(place: Place) -> None:
    """A person fills in what this host calls each place; the guests that were refused get in."""
    for guest in GUESTS:
        place.arrive(*guest)
    filled = place.suggest().replace('# at."hostb', 'at."hostb')
    filled = filled.replace('"/..."', '"/mnt/vmstore"').replace('"bridge:..."', '"bridge:br1"')
    place.policy("50-suggested", filled)
    assert place.run("policy", "check").returncode == 0
    (place.directory / "hostb" / "mnt" / "vmstore" / "db1.raw").write_bytes(b"\0" * 4096)
    assert place.arrive("db1", "/srv/images/db1.raw") == 0
    record = json.loads(place.journal.read_text().splitlines()[-1])
    assert (record["verdict"], [change["place"] for change in record["changes"]]) == (
        "rewritten",
        ["images", "br0", "192-0-2-11"],
    )
    assert "the policy has places by now for all" in place.suggest("--domain", "db1")


def test_as_it_is_it_loosens_nothing(place: Place) -> None:
    """What nobody has filled in lets nobody in."""
    for guest in GUESTS:
        place.arrive(*guest)
    place.policy("50-suggested", place.suggest())
    assert [place.arrive(*guest) for guest in GUESTS] == [1, 1, 1]


def test_exemptions_are_commented_out(place: Place) -> None:
    """A level is for the guests that were refused, a warning, and nothing until a person says so."""
    place.arrive("web*1", "/srv/local/web1.raw")
    place.policy("10-fleet", POLICY + '[require]\n"device.vectors" = "refuse"\n')
    queues = DOMAIN.replace("type='raw'/>", "type='raw' queues='40'/>")
    place.arrive("db1", "/mnt/gluster/web1.raw", queues)
    told = place.suggest()
    assert (
        "# or, if they may come in all the same, for these guests alone:\n"
        "# [guest.despite-storage-shared]\n"
        '# match.name = ["web[*]1"]\n'
        '# require."storage.shared" = "warn"\n'
    ) in told
    assert ("#   device.vectors: 41 vectors\n#   to do: ") in told.replace("  disk vda", "")
    assert '# match.name = ["db1"]\n# require."device.vectors" = "warn"\n' in told
    policy, _ = diagnose(str(place.directory / "suggested.toml"))
    assert policy is not None
    assert (dict(policy.require), policy.guests, policy.edits) == ({}, (), ())
    uncommented = "".join(
        line.removeprefix("# ") if line.startswith(("# [guest", "# match", "# require")) else line
        for line in told.splitlines(keepends=True)
    )
    place.policy("50-suggested", uncommented)
    assert '"storage.shared" = "warn"' in uncommented
    assert place.run("policy", "check").returncode == 0


def test_what_would_kill_a_guest_is_no_exemption(place: Place) -> None:
    """Nobody is told to let in what cannot start, runs twice, or nobody knows."""
    place.arrive("web1", "/mnt/dead/web1.raw")
    (place.directory / "hostb/run/libvirt/qemu").mkdir(parents=True, exist_ok=True)
    (place.directory / "hostb/run/libvirt/qemu/web2.xml").write_text(
        "<domstatus state='running'><domain type='kvm'><name>web2</name>"
        "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1800</uuid></domain></domstatus>"
    )
    place.arrive("web2", "/mnt/gluster/web1.raw")
    told = place.suggest()
    assert "unknown: no answer in 2 s" in told
    assert "service.duplicate  web2: web2 runs here" in told
    assert "[guest." not in told


def record(**given: Any) -> dict[str, Any]:
    """A record of a refusal."""
    finding = {
        "code": "storage.mapped", "level": "refuse", "where": "disk vda  /srv/other/a.raw",
        "wanted": "storage.other on this host", "found": "the place has no name here",
        "hint": "give storage.other a name on this host (10-fleet.toml)", "rule": "default",
    }  # fmt: skip
    whole = {
        "id": "01JD0000000000000000000001", "time": "2026-01-02T03:04:05.678Z", "host": "hostc",
        "operation": "migrate", "domain": "web1", "verdict": "refused", "enforced": True, "origin": None,
        "changes": [], "findings": [{**finding, **given.pop("finding", {})}],
    }  # fmt: skip
    return {**whole, **given}


def written(place: Place, *records: object) -> None:
    """A journal of these records."""
    place.journal.write_text("".join(json.dumps(one) + "\n" for one in records))


def suggested(place: Place, *records: object) -> str:
    """What is suggested from these records, without the comments above it."""
    written(place, *records)
    return place.suggest().partition("version = 1\n")[2]


def test_a_place_without_a_name(place: Place) -> None:
    """A place that the policy has gets a line for the host; what others call it helps to find it."""
    assert suggested(place, record(), record(id="01JD0000000000000000000002", host="hostd")) == (
        "\n"
        "# 2 refusals of web1 (libhooks log show 000001, 000002)\n"
        "#   storage.mapped  /srv/other/a.raw: the place has no name here\n"
        "[storage.other]\n"
        '# at.hostc = "/..."  # where it has /srv/other of hosta, /mnt/gluster of hostb.example.org\n'
        '# at.hostd = "/..."  # where it has /srv/other of hosta, /mnt/gluster of hostb.example.org\n'
    )


def test_what_is_mounted_is_known(place: Place) -> None:
    """Where the policy says what is mounted at a place, this host's own mounts say where it has it."""
    more = '[storage.images]\nsource = "filer.example.org:/images"\nat.hosta = "/srv/images"\n'
    place.policy("10-fleet", POLICY.replace("[journal]", more + "[journal]"))
    finding = {"where": "disk vda  /srv/images/a.raw", "wanted": "storage.images on this host"}
    told = suggested(place, record(host="hostb.example.org", finding=finding))
    assert told.endswith(
        "[storage.images]\n"
        'at."hostb.example.org" = "/mnt/vmstore"  # as it was found there\n'
    )  # fmt: skip


def test_a_host_that_no_place_names(place: Place) -> None:
    """Each place of the policy gets a line for it."""
    finding = {"code": "policy.host", "where": "policy", "wanted": "a policy that names this host",
               "found": "no at.HOST pattern fits hostc", "hint": "add this host to the places"}  # fmt: skip
    told = suggested(place, record(finding=finding))
    assert "[storage.other]\n# at.hostc = " in told
    place.policy("20-more", 'version = 1\nstorage.other.at.hostc = "/mnt/other"\n')
    assert "the policy has places by now" in place.suggest()


@pytest.mark.parametrize(
    ("code", "subject", "found", "lines"),
    [
        ("network.exists", "bridge br9", "br9 is an OVS bridge",
         '[network.br9]\n'
         'at.elsewhere = "bridge:br9"{}\n'
         'at.hostc = "ovs:br9"  # as it was found there\n'),
        ("network.exists", "ovs br9", "br9 is a Linux bridge",
         '[network.br9]\n'
         'at.elsewhere = "ovs:br9"{}\n'
         'at.hostc = "bridge:br9"  # as it was found there\n'),
        ("network.exists", "direct eno7/vepa", "no eno7 on this host",
         '[network.eno7]\n'
         'at.elsewhere = "direct:eno7"{}\n'
         '# at.hostc = "direct:..."  # what it calls direct:eno7\n'),
        ("network.exists", "network lan/web", "no network lan on this host",
         '[network.web]\nat.elsewhere = "network:lan/web"{}\n'
         '# at.hostc = "bridge:..."  # what it calls network:lan/web\n'),
        ("network.listen", "2001:db8::11", "this host has 192.0.2.12, 192.0.2.13",
         '[address.2001-db8--11]\n'
         'at.elsewhere = "2001:db8::11"{}\n'
         '# at.hostc = "..."  # what it calls 2001:db8::11\n'),
        ("network.listen", "192.0.2.11", "this host has none",
         '[address.192-0-2-11]\n'
         'at.elsewhere = "192.0.2.11"{}\n'
         '# at.hostc = "..."  # what it calls 192.0.2.11\n'),
        ("device.present", "usb 046d:c52b", "no such device on this host",
         '[device.046d-c52b]\n'
         'at.elsewhere = "usb:046d:c52b"{}\n'
         '# at.hostc = "usb:..."  # what it calls usb:046d:c52b\n'),
        ("storage.exists", "pool images/web1", "no such pool",
         '[storage.images]\n'
         'at.elsewhere = "pool:images"{}\n'
         '# at.hostc = "/..."  # where it has pool:images\n'),
        ("storage.exists", "/dev/vg/web1", "no such file",
         '[storage.web1]\n'
         'at.elsewhere = "/dev/vg/web1"{}\n'
         '# at.hostc = "/..."  # where it has /dev/vg/web1\n'),
        ("storage.exists", "/srv/source/\"a\\.raw", "no such file",
         '[storage.source-2]\n'
         'at.elsewhere = "/srv/source"{}\n'
         '# at.hostc = "/..."  # where it has /srv/source\n'),
        ("storage.exists", "/srv/größe/a.raw", "no such file",
         '[storage.gr--e]\n'
         'at.elsewhere = "/srv/größe"{}\n'
         '# at.hostc = "/..."  # where it has /srv/größe\n'),
        ("platform.firmware", "/usr/share/OVMF/OVMF_CODE.fd", "no such file",
         '[file.ovmf_code-fd]\nat.elsewhere = "/usr/share/OVMF/OVMF_CODE.fd"{}\n'
         '# at.hostc = "/..."  # where it has /usr/share/OVMF/OVMF_CODE.fd\n'),
    ],
)  # fmt: skip
def test_each_form_of_name(place: Place, code: str, subject: str, found: str, lines: str) -> None:
    """Every kind of place and form of name comes out as a policy writes it, known where a fact tells it."""
    hint = "name it in a place of the policy"
    finding = {"code": code, "where": f"disk vda  {subject}", "found": found, "hint": hint}
    told = suggested(place, record(finding=finding))
    assert told.endswith(lines.format("  # the hosts that these guests come from"))


def test_the_origin_names_the_host(place: Place) -> None:
    """Where guests say which host they come from, the place has its name."""
    finding = {"code": "storage.exists", "where": "disk vda  /srv/images/a.raw", "hint": "name it in a place"}
    told = suggested(place, record(finding=finding, origin={"host": "hosta"}))
    assert 'at.hosta = "/srv/images"  # where the guests say they come from\n' in told


@pytest.mark.parametrize(
    ("paths", "ids"),
    [
        (("/srv/a/x", "/srv/b/y"), ["a", "b"]),
        (("/srv/vm/a/x", "/srv/vm/b/y", "/srv/vm/c/d/z"), ["vm"]),
        (("/var/lib/libvirt/images/x", "/var/lib/libvirt/qemu/nvram/y"), ["images", "nvram"]),
        (("/srv/vm/x", "/srv/vmstore/y"), ["vm", "vmstore"]),
        (("/a/vm/x", "/b/vm/y"), ["vm", "vm-2"]),
        (("/srv/other-place/other/x",), ["other-2"]),
        (("/web1.raw", "/dev/sdb", "/dev/sdc"), ["sdb", "sdc", "web1-raw"]),
    ],
)  # fmt: skip
def test_what_is_one_place(place: Place, paths: tuple[str, ...], ids: list[str]) -> None:
    """A beginning in common makes one place where it tells something; an ID is new to the policy."""
    findings = [
        {
            **record()["findings"][0],
            "code": "storage.exists",
            "where": f"disk vda  {path}",
            "hint": "in a place",
        }
        for path in paths
    ]
    written(place, record(findings=findings))
    place.suggest()
    policy, _ = diagnose(str(place.directory / "suggested.toml"))
    assert policy is not None
    assert sorted(one.id for one in policy.places) == ids


def test_which_refusals(place: Place) -> None:
    """--since and --domain say which refusals count; what got in, with or without warnings, never does."""
    old = record(id="01JD0000000000000000000000", time="2020-01-01T00:00:00.000Z", domain="old")
    warned = record(verdict="unchanged", domain="warned")
    warning = record(domain="mixed", finding={"level": "warn"})
    audited = record(domain="mixed", finding={"mode": "audit"})
    written(place, old, record(), warned, warning, audited)
    assert "1 refusal of" in place.suggest("--since", "2026-01-01")
    assert "2 refusals of old, web1" in place.suggest("--since", "2019-12-31")
    assert "1 refusal of old" in place.suggest("--domain", "old")
    nobody = "# nobody was refused, says hostb/var/journal.jsonl: there is nothing to suggest\n"
    assert place.suggest("--since", "1m") == nobody
    assert place.suggest("--domain", "mixed") == nobody
    place.journal.unlink()
    assert place.suggest() == nobody


def test_a_damaged_journal(place: Place) -> None:
    """Lines that are no records of ours are passed over."""
    damaged = [{"verdict": "refused"}, {**record(), "findings": [1]}, {**record(), "domain": None}, [], 7]
    damaged += [record(finding={"where": None}), {**record(), "findings": None}]
    told = suggested(place, *damaged, record())
    assert told.startswith("\n# 1 refusal of web1 (libhooks log show 000001)\n")


@pytest.mark.parametrize("path", ['/srv/x"\n[require]\n"storage.shared"="off"\n#/a.raw', "/srv/../a"])
def test_names_that_no_policy_has(place: Place, path: str) -> None:
    """What a policy cannot name is told, and no place."""
    finding = {"code": "storage.shared", "where": f"disk vda  {path}", "hint": "name it in a place"}
    told = suggested(place, record(finding=finding))
    assert "\n# 1 refusal of web1" in told
    assert "\n[" not in told


def test_hostile_names(place: Place) -> None:
    """Whatever guests and their files are called, what is suggested is what it says."""
    loosened = '[require]\n"storage.shared" = "off"'
    finding = {
        "code": "storage.shared",
        "where": "disk vda  /srv/x'] # \"/a.raw",
        "found": f"ext4\n{loosened}",
        "hint": f"name it in a place\n{loosened}",
    }
    guest = f'web1"\n{loosened}\n\x1b[2J'
    written(place, record(domain=guest, finding=finding), record(domain=guest, finding={"found": loosened}))
    told = place.suggest()
    assert "\x1b" not in told
    policy, _ = diagnose(str(place.directory / "suggested.toml"))
    assert policy is not None
    assert [str(name) for one in policy.places for names in one.at.values() for name in names] == [
        "/srv/x'] # \""
    ]
    assert (policy.mode.value, dict(policy.require), policy.guests) == ("enforce", {}, ())


@pytest.mark.parametrize("origin", ["*", "hostc", "a..b", "", None, 7, {"host": "host[ab]"}, {}])
def test_an_origin_that_is_no_host(place: Place, origin: object) -> None:
    """A guest that says it comes from every host, or from the one that refused it, is not believed."""
    finding = {"code": "storage.exists", "where": "disk vda  /srv/images/a.raw", "hint": "name it in a place"}
    told = suggested(place, record(finding=finding, origin=origin))
    assert 'at.elsewhere = "/srv/images"' in told
    assert told.count("\nat.") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--since", "yesterday"), "--since yesterday: expected a date like 2026-01-31, or 12h, 7d or 2w"),
        (("--journal", "nowhere.jsonl"), "nowhere.jsonl: there is no such file; name a journal"),
        (("--journal", "hostb"), "hostb: Is a directory"),
    ],
)
def test_misuse(place: Place, arguments: tuple[str, ...], told: str) -> None:
    """What makes no sense is said in one line, and the exit code is 2."""
    done = place.run("suggest", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_broken_policy(place: Place) -> None:
    """What a policy lacks cannot be told of one that cannot be read."""
    place.policy("10-fleet", "version = 2\n")
    done = place.run("suggest")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("libhooks: the policy is invalid: 10-fleet.toml:1: ")
