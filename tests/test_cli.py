"""The commands, run as a person runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from libhooks import requirements

ROOT = Path(__file__).resolve().parents[1]
POLICY = """\
version = 1
[storage.images]
at.hosta = "/srv/images"
at.hostb = "/mnt/vmstore"
[require]
"storage.exists" = "off"
"storage.shared" = "off"
[journal]
path = "{journal}"
"""
DOMAIN = """\
<domain type='kvm'>
  <name>web1</name>
  <uuid>6f1a2b3c-0000-4000-8000-000000000001</uuid>
  <devices>
    <disk type='file' device='disk'>
      <source file='/srv/images/web1.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a policy and a domain."""
    (tmp_path / "policy.d").mkdir()
    (tmp_path / "policy.d" / "10-fleet.toml").write_text(POLICY.format(journal=tmp_path / "journal.jsonl"))
    (tmp_path / "policy.d" / "10-fleet.toml").chmod(0o644)
    (tmp_path / "web1.xml").write_text(DOMAIN)
    return tmp_path


def run(
    place: Path, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`python3 -m libhooks`, from a directory that is not the checkout."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "80", **environment}
    argv = [sys.executable, "-m", "libhooks", *arguments]
    return subprocess.run(argv, cwd=place, input=stdin, capture_output=True, text=True, env=env, check=False)


TRIAL = ("--policy", "policy.d", "--host", "hostb")


def test_check_shows_verdict_changes_and_diff(place: Path) -> None:
    """`check` says what the hook would do, with the rule that does it and the difference in the XML."""
    done = run(place, "check", *TRIAL, "web1.xml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "web1 on hostb: rewritten\n"
        "  storage.images  disk vda  10-fleet.toml:4\n"
        "    - /srv/images/web1.raw\n"
        "    + /mnt/vmstore/web1.raw\n"
        "\n"
        "--- the guest as it comes\n"
        "+++ the guest as it would run here\n"
        "@@ -5,3 +5,3 @@\n"
        '     <disk type="file" device="disk">\n'
        '-      <source file="/srv/images/web1.raw"/>\n'
        '+      <source file="/mnt/vmstore/web1.raw"/>\n'
        '       <target dev="vda" bus="virtio"/>\n'
    )


def test_check_reads_stdin_and_writes_no_journal(place: Path) -> None:
    """`check` without a file reads stdin; a trial is no decision, so nothing is recorded."""
    done = run(place, "check", *TRIAL, stdin=DOMAIN)
    assert done.returncode == 0
    assert not (place / "journal.jsonl").exists()


def test_check_colours_on_demand(place: Path) -> None:
    """`--color always` colours; a pipe, or NO_COLOR, does not."""
    assert "\x1b[32m" in run(place, "check", *TRIAL, "--color", "always", "web1.xml").stdout
    assert "\x1b" not in run(place, "check", *TRIAL, "web1.xml").stdout


def test_check_json_is_the_record(place: Path) -> None:
    """`check --json` prints the record that the journal would get, one line."""
    done = run(place, "check", "--json", *TRIAL, "web1.xml")
    told = json.loads(done.stdout)
    assert (told["verdict"], told["domain"], told["host"]) == ("rewritten", "web1", "hostb")
    assert done.stdout.count("\n") == 1


def test_check_refuses_with_exit_code_1(place: Path) -> None:
    """A guest that would be refused makes `check` exit 1, and the findings say why."""
    (place / "policy.d" / "20-more.toml").write_text('version = 1\n[require]\n"storage.exists" = "refuse"\n')
    done = run(place, "check", *TRIAL, "web1.xml")
    assert done.returncode == 1
    assert "web1 on hostb: refused\n" in done.stdout
    assert "  refuse storage.exists  disk vda  /mnt/vmstore/web1.raw\n" in done.stdout


def test_audit_accepts_and_says_what_it_would_do(place: Path) -> None:
    """In audit mode nothing is enforced: exit 0, and the words say would."""
    (place / "policy.d" / "20-more.toml").write_text('version = 1\nmode = "audit"\n')
    done = run(place, "check", *TRIAL, "web1.xml")
    assert done.returncode == 0
    assert done.stdout.startswith("web1 on hostb: would be rewritten  (audit: nothing is enforced)\n")


def test_rewrite_prints_the_document_for_another_host(place: Path) -> None:
    """`rewrite` prints the XML for a host, and judges no requirements."""
    done = run(place, "rewrite", *TRIAL, "web1.xml")
    assert (done.returncode, done.stderr) == (0, "")
    assert '<source file="/mnt/vmstore/web1.raw"/>' in done.stdout


def test_rewrite_gives_back_what_does_not_change(place: Path) -> None:
    """Where nothing changes, `rewrite` prints its input byte for byte."""
    done = run(place, "rewrite", "--policy", "policy.d", "--host", "hosta", "web1.xml")
    assert done.stdout == DOMAIN


def test_hook_answers_as_libvirt_expects(place: Path) -> None:
    """`hook` prints the new XML, records the decision with mode 0600, and exits 0."""
    done = run(place, "hook", "web1", "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert '<source file="/mnt/vmstore/web1.raw"/>' in done.stdout
    (line,) = (place / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["verdict"] == "rewritten"


@pytest.mark.parametrize(
    "operation", ["prepare", "start", "started", "stopped", "release", "reconnect", "new"]
)
def test_hook_leaves_other_operations_alone(place: Path, operation: str) -> None:
    """`hook` exits 0 and prints nothing at any other operation, even with a broken policy."""
    (place / "policy.d" / "10-fleet.toml").write_text("broken")
    done = run(place, "hook", "web1", operation, "begin", "-", *TRIAL, stdin=DOMAIN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hook_takes_names_with_dashes(place: Path) -> None:
    """A guest's name may begin with a dash or look like an option's value."""
    done = run(place, "hook", "-web --1", "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    assert done.returncode == 0
    assert json.loads((place / "journal.jsonl").read_text())["domain"] == "-web --1"


def test_log_lists_decisions_and_shows_one(place: Path) -> None:
    """`log` has a line for each decision, `log show` one of them in full."""
    run(place, "hook", "web1", "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    told = json.loads((place / "journal.jsonl").read_text())
    table = run(place, "log", "--policy", "policy.d").stdout
    assert table.endswith(f"{told['id'][-6:]}  migrate web1           rewritten     storage.images\n")
    full = run(place, "log", "--policy", "policy.d", "show", told["id"][-6:].lower()).stdout
    assert full.startswith("web1 on hostb: rewritten\n")
    assert "    - /srv/images/web1.raw\n    + /mnt/vmstore/web1.raw\n" in full


def test_log_json_gives_the_lines_back(place: Path) -> None:
    """`log --json` prints the journal's lines as they are; filters apply."""
    for name in ("web1", "web2"):
        run(place, "hook", name, "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    lines = (place / "journal.jsonl").read_text().splitlines(keepends=True)
    assert run(place, "log", "--json", "--policy", "policy.d").stdout == "".join(lines)
    assert run(place, "log", "--json", "--policy", "policy.d", "--domain", "web2").stdout == lines[1]
    assert run(place, "log", "--json", "--policy", "policy.d", "--verdict", "refused").stdout == ""


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ({"result": "completed", "definition": "repaired"},
         "completed at 2031-06-15T12:00:00.000Z; its saved definition was repaired (libhooks definitions)"),
        ({"result": "completed", "definition": "left", "late": True},
         "completed at 2031-06-15T12:00:00.000Z (seen later); its saved definition could not be repaired: it"
         " will not start by it"),
        ({"result": "failed"}, "failed at 2031-06-15T12:00:00.000Z"),
    ],
)  # fmt: skip
def test_log_shows_outcomes(place: Path, outcome: dict[str, str], shown: str) -> None:
    """What became of a migration stands at the end of its line, and in full with its record."""
    run(place, "hook", "web1", "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    journal = place / "journal.jsonl"
    told = json.loads(journal.read_text())
    line = {"id": told["id"], "outcome": {"time": "2031-06-15T12:00:00.000Z", **outcome}}
    other = {"id": "01NOBODYS", "outcome": {"result": "failed"}}
    journal.write_text("".join(json.dumps(one) + "\n" for one in (other, told, line)))
    table = run(place, "log", "--policy", "policy.d").stdout
    assert table.endswith(f"  migrate web1           rewritten     storage.images  {outcome['result']}\n")
    assert table.count("\n") == 1
    full = run(place, "log", "--policy", "policy.d", "show", told["id"]).stdout
    assert f"\n  {shown}\n" in full
    whole = run(place, "log", "--policy", "policy.d", "--json").stdout
    assert json.loads(whole) == {**told, "outcome": line["outcome"]}


def test_log_survives_a_torn_line(place: Path) -> None:
    """A line that a crash cut short is passed over; the others are shown."""
    run(place, "hook", "web1", "migrate", "begin", "-", *TRIAL, stdin=DOMAIN)
    journal = place / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20] + b"\n" + journal.read_bytes())
    assert run(place, "log", "--policy", "policy.d").stdout.count("\n") == 1


@pytest.mark.parametrize("code", [requirement.code for requirement in requirements.everything()])
def test_explain_tells_what_why_and_how(place: Path, code: str) -> None:
    """Every requirement explains itself, within 80 columns."""
    done = run(place, "explain", code)
    assert done.returncode == 0
    assert f'"{code}" = "refuse", "warn" or "off" in [require]' in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "storage.share"], 'did you mean "storage.shared"?'),
        (["check", "missing.xml"], "missing.xml: No such file or directory"),
        (["check", "policy.d/10-fleet.toml"], "the domain XML cannot be read"),
        (["log", "show"], "libhooks log show ID"),
        (["log", "--policy", "policy.d", "show", "XYZ"], "no record XYZ"),
        (["hook", "web1"], "usage: libhooks hook NAME OPERATION"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_misuse_is_said_with_what_to_do(place: Path, arguments: list[str], said: str) -> None:
    """A command used wrongly exits 2 and says on stderr what is wrong; never a traceback."""
    done = run(place, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_package(place: Path) -> None:
    """Where a package of the distribution's is missing, its name is said, and no report is asked for."""
    program = (
        "import sys; sys.modules['libvirt'] = None; from libhooks.cli.main import main; sys.exit(main())"
    )
    argv = [sys.executable, "-c", program, "waive", "web1", "--list"]
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "libhooks: Python's module libvirt is missing; install python3-libvirt, or run install.sh again\n"
    )


def test_no_command_leads_on(place: Path) -> None:
    """`libhooks` alone says what there is."""
    done = run(place)
    assert done.returncode == 2
    assert "start here:" in done.stdout


def test_invalid_policy_names_file_and_line(place: Path) -> None:
    """An invalid policy makes `check` exit 2, with the file and line of the mistake."""
    (place / "policy.d" / "20-more.toml").write_text('version = 1\n[storge.x]\nat.a = "/x"\n')
    done = run(place, "check", *TRIAL, "web1.xml")
    assert done.returncode == 2
    assert "20-more.toml:2" in done.stdout


def test_policy_check_says_that_all_is_well(place: Path) -> None:
    """`policy check` of a valid policy says so and exits 0; of an invalid one it exits 2."""
    done = run(place, "policy", "check", "policy.d", "--host", "hostb")
    assert (done.returncode, done.stdout) == (0, "policy.d: valid (1 place, mode enforce)\n")
    (place / "policy.d" / "10-fleet.toml").write_text("nonsense\n")
    assert run(place, "policy", "check", "policy.d").returncode == 2
