"""`libhooks policy test`, run as a person runs it: what passes, what fails and how that is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from golden_cases import CHECKOUT, GOLDEN

from libhooks.cases.case import read
from libhooks.policy.render import render

BROKEN = Path(__file__).parent / "broken_cases"
POLICY = """\
version = 1
[storage.images]
at.hosta = "/srv/images"
at.hostb = ["/mnt/vmstore", "/images"]
at."rack2-*" = "/var/lib/images"
[network.prod]
at.hosta = "bridge:br0"
at.hostb = "network:prod"
[address.console]
at.hosta = "192.0.2.11"
[require]
"storage.protocol" = "off"
"storage.cache" = "off"
"device.vectors" = "warn"
unknown = "refuse"
[guest.db]
match.name = "db-*"
require."storage.shared" = "warn"
[guest.web]
match.name = "web*"
require."storage.exists" = "refuse"
[adjust]
cpu-pinning = "drop"
vnc-password = "truncate"
[edit.audio]
match.name = "web*"
select = "devices/audio"
action = "remove"
"""
DOMAIN = """\
<domain type='kvm'>
  <name>web1</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <vcpu cpuset='0-3'>4</vcpu>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/srv/images/web1.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""
MOVED = f"""\
shows = "A guest of hosta finds its disk on hostb."
domain = '''
{DOMAIN}'''
facts = "../hostb"
host = "hostb"

[expect]
verdict = "rewritten"
findings = []
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a policy, a host's facts and a test."""
    for name in ("policy.d", "tests"):
        (tmp_path / name).mkdir(mode=0o755)
    shutil.copytree(GOLDEN / "hosts" / "hostb", tmp_path / "hostb")
    (tmp_path / "policy.d" / "10-fleet.toml").write_text(POLICY)
    (tmp_path / "policy.d" / "10-fleet.toml").chmod(0o644)
    case(tmp_path, "moved", MOVED)
    return tmp_path


def case(place: Path, name: str, text: str) -> None:
    """One more case."""
    (place / "tests" / f"{name}.toml").write_text(text)


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`libhooks policy test` with the policy of the place."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
    argv = [sys.executable, "-m", "libhooks", "policy", "test", "--policy", "policy.d", *arguments]
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, env=env, check=False)
    assert "Traceback" not in done.stderr
    return done


def test_passing(place: Path) -> None:
    """Cases beside the policy pass with a line each and a sum."""
    done = run(place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "passed  moved\n\n1 passed\n", "")


def test_failing(place: Path) -> None:
    """What is expected and did not come, and what came instead, on a screen of 80 columns."""
    case(
        place,
        "wrong",
        MOVED.replace('"rewritten"', '"refused"').replace(
            "findings = []",
            'findings = ["storage.mapped", {code = "network.exists", where = "interface 1"}]\n'
            'changes = ["adjust.cpu-pinning", {place = "images", new = "/images/web1.raw"}]\n'
            "xml = '''" + DOMAIN.replace("/srv/images", "/mnt/vmstore") + "'''",
        ),
    )
    done = run(place)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "passed  moved\n"
        "failed  wrong\n"
        "    A guest of hosta finds its disk on hostb.\n"
        "  verdict:  - expected, + got\n"
        "    - refused\n"
        "    + rewritten\n"
        "  changes:  - expected, + got\n"
        "    - images  new /images/web1.raw\n"
        "    + storage.images  disk vda  /srv/images/web1.raw -> /mnt/vmstore/web1.raw\n"
        "  findings:  - expected, + got\n"
        "    - network.exists  interface 1\n"
        "    - storage.mapped\n"
        "  xml:  - expected, + got\n"
        '    - <vcpu cpuset="0-3">4</vcpu>\n'
        "    + <vcpu>4</vcpu>\n"
        "\n"
        "1 passed, 1 failed\n"
    )


def test_why_a_verdict_is_another(place: Path) -> None:
    """A case that expects a verdict alone is told the findings that made it another."""
    text = MOVED.replace("findings = []", "").replace('host = "hostb"', 'host = "rack2-7"')
    case(place, "rack", text)
    done = run(place, "-k", "RACK")
    assert done.returncode == 1
    assert done.stdout == (
        "failed  rack\n"
        "    A guest of hosta finds its disk on hostb.\n"
        "  verdict:  - expected, + got\n"
        "    - rewritten\n"
        "    + refused\n"
        "  findings:  - expected, + got\n"
        "      refuse storage.exists  disk vda  /var/lib/images/web1.raw  found: no such\n"
        "      file; what is mounted there is ext4 on /dev/sda2, mounted at /\n"
        "\n"
        "1 failed\n"
    )


def test_a_directory_is_a_case(place: Path) -> None:
    """A directory has its document, its facts and what is expected beside its case.toml."""
    directory = place / "tests" / "whole"
    shutil.copytree(place / "hostb", directory / "facts")
    (directory / "domain.xml").write_text(DOMAIN)
    expect = DOMAIN.replace("/srv/images", "/mnt/vmstore").replace(" cpuset='0-3'", "")
    (directory / "expect.xml").write_text(expect)
    (directory / "case.toml").write_text('[expect]\nverdict = "rewritten"\n')
    (place / "tests" / "more").mkdir()
    assert run(place).stdout == "passed  moved\npassed  whole\n\n2 passed\n"
    assert run(place, "tests/whole").stdout == "passed  whole\n\n1 passed\n"
    (directory / "expect.xml").write_text(DOMAIN)
    done = run(place, "tests/whole")
    assert (done.returncode, done.stdout.count("    + ")) == (1, 2)


def test_names_alone(place: Path) -> None:
    """A case that is about names needs no facts: what it does not say is unknown, and not looked at."""
    expect = "[expect]\nchanges = ['storage.images', 'adjust.cpu-pinning']"
    text = f"domain = '''\n{DOMAIN}'''\nhost = 'hostb'\n{expect}"
    case(place, "names", text)
    assert run(place, "-k", "names").stdout == "passed  names\n\n1 passed\n"
    case(place, "names", text + "\nfindings = []")
    told = run(place, "-k", "names").stdout
    assert "found: unknown: the case\n      does not say\n" in told


def test_a_file_of_facts(place: Path) -> None:
    """Several cases may share what they say of a host."""
    (place / "tests" / "facts").mkdir()
    (place / "tests" / "facts" / "hostb.toml").write_text(
        'host = ["hostb"]\nfile."/mnt/vmstore/web1.raw" = {missing = true}\n'
    )
    text = f"domain = '''\n{DOMAIN}'''\nfacts = 'facts/hostb.toml'\n[expect]\nverdict = 'refused'\n"
    case(place, "gone", text)
    assert run(place, "-k", "gone").stdout == "passed  gone\n\n1 passed\n"


def test_another_name_and_operation(place: Path) -> None:
    """`guest` is the name after --dname, and `operation` how the guest arrives."""
    text = f"domain = '''\n{DOMAIN}'''\nhost = 'hostb'\nguest = 'db-1'\n[expect]\nfindings = []\n"
    case(
        place,
        "renamed",
        text.replace("findings = []", 'findings = [{code = "storage.shared", level = "warn"}]'),
    )
    told = run(place, "-k", "renamed").stdout
    assert "+ refuse storage.exists" in told  # unknown, which the policy refuses whatever the level
    case(place, "renamed", text.replace("[expect]", 'operation = "restore"\n[expect]'))
    assert "storage.shared" not in run(place, "-k", "renamed").stdout


def test_waivers_hold_at_a_time(place: Path) -> None:
    """A case without a time passes whenever it is run; with one, waivers that have expired do not count."""
    metadata = (
        "<metadata><w:waivers xmlns:w='urn:libhooks:waiver:1'>"
        "<w:waiver code='storage.shared' until='2020-01-01T00:00:00Z'/></w:waivers></metadata><devices>"
    )
    document = DOMAIN.replace("/srv/images", "/srv/local").replace("<devices>", metadata)
    text = MOVED.replace(DOMAIN, document).replace("findings = []", "")
    case(place, "waived", text)
    assert run(place, "-k", "waived").stdout == "passed  waived\n\n1 passed\n"
    case(place, "waived", 'time = "2020-01-02T00:00:00Z"\n' + text)
    assert "refuse storage.shared  disk vda  /srv/local/web1.raw" in run(place, "-k", "waived").stdout


def test_what_cannot_be_decided(place: Path) -> None:
    """A case may expect that nothing can be decided, and no other case passes where nothing is."""
    with (place / "policy.d" / "10-fleet.toml").open("a") as file:
        file.write('[storage.tied]\nat."host?" = "/a"\nat."hos?b" = "/b"\n')
    assert run(place).stdout == (
        "failed  moved\n"
        "    A guest of hosta finds its disk on hostb.\n"
        "  error:  - expected, + got\n"
        "    - a decision\n"
        '    + the policy contradicts itself: "host?" and "hos?b" fit host hostb equally\n'
        "      well\n"
        "\n"
        "1 failed\n"
    )
    case(place, "moved", MOVED.replace('verdict = "rewritten"', 'error = "contradicts itself"'))
    assert run(place).returncode == 0


def test_an_error_that_does_not_come(place: Path) -> None:
    """Where nothing should be decided, a decision is a difference."""
    case(place, "moved", MOVED.replace('verdict = "rewritten"', 'error = "contradicts itself"'))
    assert "    - contradicts itself\n    + a decision: rewritten\n" in run(place).stdout


def test_no_secret_is_told(place: Path) -> None:
    """A difference in the XML shows no password."""
    document = DOMAIN.replace("</devices>", "<graphics type='vnc' passwd='%s'/></devices>")
    text = MOVED.replace(DOMAIN, document % "hunter2") + f"xml = '''{document % 'swordfish'}'''"
    case(place, "moved", text)
    done = run(place)
    assert done.returncode == 1
    assert "hunter2" not in done.stdout
    assert "swordfish" not in done.stdout


def test_json(place: Path) -> None:
    """For programs, one object a case."""
    case(place, "wrong", MOVED.replace('"rewritten"', '"unchanged"'))
    case(place, "broken", "")
    done = run(place, "--json")
    told = {one["case"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 2
    assert {name: one["result"] for name, one in told.items()} == {
        "broken": "invalid",
        "moved": "passed",
        "wrong": "failed",
    }
    assert told["wrong"]["verdict"] == "rewritten"
    assert told["wrong"]["differences"] == [
        {"key": "verdict", "sign": "-", "text": "unchanged"},
        {"key": "verdict", "sign": "+", "text": "rewritten"},
    ]
    assert told["broken"]["problems"][0] == (
        'tests/broken.toml:1: the case has no domain (add domain = "domain.xml")'
    )


def test_coverage(place: Path) -> None:
    """What no case exercises is listed with its line: names of places, host by host, and other rules."""
    done = run(place, "--coverage")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "passed  moved\n"
        "\n"
        "1 passed\n"
        "\n"
        "no case exercises:\n"
        "  10-fleet.toml:4   storage.images  at.hostb  /images\n"
        '  10-fleet.toml:5   storage.images  at."rack2-*"  /var/lib/images\n'
        "  10-fleet.toml:7   network.prod  at.hosta  bridge:br0\n"
        "  10-fleet.toml:8   network.prod  at.hostb  network:prod\n"
        "  10-fleet.toml:10  address.console  at.hosta  192.0.2.11\n"
        '  10-fleet.toml:12  [require]  "storage.protocol" = "off"\n'
        '  10-fleet.toml:13  [require]  "storage.cache" = "off"\n'
        '  10-fleet.toml:14  [require]  "device.vectors" = "warn"\n'
        '  10-fleet.toml:15  [require]  "unknown" = "refuse"\n'
        "  10-fleet.toml:16  [guest.db]\n"
        '  10-fleet.toml:18  [guest.db.require]  "storage.shared" = "warn"\n'
        '  10-fleet.toml:21  [guest.web.require]  "storage.exists" = "refuse"\n'
        "  10-fleet.toml:24  [adjust]  vnc-password\n"
        "  10-fleet.toml:25  [edit.audio]\n"
        "exercised: 2 of 7 names of places, 2 of 11 other rules\n"
    )


def test_full_coverage(place: Path) -> None:
    """A rule is exercised by a case in which it fires, or would if its level were not "off"."""
    document = DOMAIN.replace(
        "</devices>",
        "<interface type='bridge'><source bridge='br0'/></interface><audio id='1' type='none'/>"
        "<graphics type='vnc' listen='192.0.2.11' passwd='more than eight'/></devices>",
    )
    document = document.replace("type='raw'", "type='raw' cache='writeback' queues='40'")
    base = f"domain = '''\n{document}'''\nfacts = '../hostb'\n"
    expect = "[expect]\nverdict = 'refused'\n"
    case(place, "b", f"{base}host = 'hostb'\n{expect}")
    case(place, "a", f"{base}host = 'hosta'\n{expect}")
    case(place, "rack", f"{base.replace('/srv/images', '/images')}host = 'rack2-1'\nguest = 'db-7'\n{expect}")
    text = document.replace("/srv/images", "/mnt/gluster")
    case(place, "gluster", f"domain = '''\n{text}'''\nfacts = '../hostb'\n{expect}")
    case(place, "local", f"domain = '''\n{document}'''\nguest = 'db-7'\nhost = 'hostb'\n{expect}")
    done = run(place, "--coverage")
    assert done.stdout.endswith(
        "no case exercises:\n"
        '  10-fleet.toml:18  [guest.db.require]  "storage.shared" = "warn"\n'
        "exercised: 7 of 7 names of places, 10 of 11 other rules\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "nowhere: No such file or directory; name a directory with cases"),
        (("policy.d/10-fleet.toml/x",), "Not a directory; name a directory with cases"),
        (("hostb/mnt",), "hostb/mnt: there is no case; libhooks policy test --help says what one looks like"),
        (("-k", "nothing"), "tests: there is no case with 'nothing' in its name"),
        (("--policy", "nowhere"), "nowhere: there is no such policy"),
        (("--policy", "hostb/stat.toml"), "the policy is invalid: stat.toml"),
    ],
)
def test_misuse(place: Path, arguments: tuple[str, ...], told: str) -> None:
    """What cannot be tested is said in one line, and the exit code is 2."""
    done = run(place, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_shows_a_case(place: Path) -> None:
    """`--help` has all keys of a case, and fits a screen's width."""
    done = run(place, "--help")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    for key in (
        "shows",
        "domain",
        "host",
        "operation",
        "time",
        "guest",
        "facts",
        "verdict",
        "changes",
        "findings",
        "xml",
    ):
        assert f"\n  {key} " in done.stdout


@pytest.mark.parametrize("file", sorted(BROKEN.glob("*.toml")), ids=lambda file: file.stem)
def test_mistakes_are_told_exactly_so(file: Path, regenerate: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake that a case can hold is shown with its place, its line and what would help."""
    monkeypatch.chdir(BROKEN)
    found, problems = read(file.name)
    assert found is None
    told = render(problems)
    if regenerate:
        file.with_suffix(".txt").write_text(told)
    assert told == file.with_suffix(".txt").read_text()


@pytest.mark.parametrize("name", sorted(file.name for file in BROKEN.glob("*.toml")))
def test_an_invalid_case_is_no_passing_one(place: Path, name: str) -> None:
    """A case with mistakes makes the exit code 2, whatever the others come to."""
    shutil.copytree(BROKEN / "facts", place / "tests" / "facts")
    shutil.copyfile(BROKEN / name, place / "tests" / name)
    done = run(place)
    assert done.returncode == 2
    assert done.stdout.endswith("\n1 passed, 1 invalid\n")


@pytest.mark.parametrize("stat", ["[", '["/mnt"]\nmode = 7\nnonsense = 1\n'])
def test_a_tree_that_cannot_be_read(place: Path, stat: str) -> None:
    """A captured tree with a mistake in it makes its cases invalid, not passing."""
    (place / "hostb" / "stat.toml").write_text(stat)
    done = run(place)
    assert (done.returncode, done.stderr) == (2, "")
    assert "moved.toml: error: its facts cannot be read: " in done.stdout
