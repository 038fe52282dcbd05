"""journal.cases: what is refused is kept as a case, and nothing waits or fails for that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from golden_cases import CHECKOUT
from test_hook_process import GUEST, LOCAL, POLICY, REFUSAL, Host, Told, host, imported

from libhooks.cases import keep
from libhooks.secrecy import HIDDEN

__all__ = ["host"]

KEEPING = POLICY + "\n[journal]\ncases = true\n"
LONG = "a password of more than sixty bytes, which SPICE does not take at all"
#: What of ours keeping a case imports in the hook.
MODULES = ("answers", "keep", "notation", "written")


def cases(host: Host) -> list[Path]:
    """The files that are kept, hidden ones too."""
    directory = host.root / "var/log/libhooks/cases"
    return sorted(directory.iterdir()) if directory.exists() else []


def libhooks(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command, run as a person runs it."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
    argv = [sys.executable, "-m", "libhooks", *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, env=env, check=False)


def test_refusals_are_kept(host: Host) -> None:
    """A refusal leaves one file, root's alone, called as its record; nothing else does."""
    host.set_policy(KEEPING)
    assert host.run(LOCAL) == Told(1, b"", REFUSAL)
    assert host.run(GUEST).rewrites
    (file,) = cases(host)
    assert file.name == f"{host.records[0]['id']}.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_kept_unasked(host: Host) -> None:
    """Without journal.cases there is no case, and no cost."""
    assert host.run(LOCAL) == Told(1, b"", REFUSAL)
    assert cases(host) == []


def test_what_would_be_refused_is_kept(host: Host) -> None:
    """In audit mode too, where people learn what a policy would do."""
    host.set_policy(KEEPING.replace("version = 1", 'version = 1\nmode = "audit"'))
    assert host.run(LOCAL) == Told(0)
    assert [file.name for file in cases(host)] == [f"{host.records[0]['id']}.toml"]


def test_a_kept_case_passes(host: Host, tmp_path: Path) -> None:
    """`log show ID --as-test` writes a case that passes under the policy of then, and says what it was."""
    host.set_policy(KEEPING)
    host.run(LOCAL)
    (tmp_path / "tests").mkdir()
    journal = ("--file", str(host.root / "var/log/libhooks/decisions.jsonl"))
    id = host.records[0]["id"]
    done = libhooks("log", "show", id, "--as-test", "tests", *journal, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tests/web1-{id[-6:]}.toml\n", "")
    shown = libhooks("log", "show", id, "--as-test", *journal, cwd=tmp_path)
    assert shown.stdout == (tmp_path / "tests" / f"web1-{id[-6:]}.toml").read_text() != ""
    passed = libhooks("policy", "test", "--policy", "policy.d", cwd=tmp_path)
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout == f"passed  web1-{id[-6:]}\n\n1 passed\n"
    host.set_policy(KEEPING + '[require]\n"storage.shared" = "warn"\n')
    failed = libhooks("policy", "test", "--policy", "policy.d", cwd=tmp_path)
    assert failed.returncode == 1
    assert "    - refused\n    + unchanged\n" in failed.stdout


def test_a_case_has_no_secret(host: Host, tmp_path: Path) -> None:
    """What is secret in a guest is not kept, and what stands there instead decides alike."""
    host.set_policy(KEEPING + '[adjust]\nvnc-password = "truncate"\n')
    graphics = f"<graphics type='spice' passwd='{LONG}'/><graphics type='vnc' passwd='nine byte'/></devices>"
    document = LOCAL.replace(b"</devices>", graphics.encode())
    document = document.replace(b"</os>", b"</os><sysinfo type='fwcfg'><entry>hunter2</entry></sysinfo>")
    assert host.run(document).code == 1
    (file,) = cases(host)
    kept = file.read_text()
    assert not [secret for secret in (LONG, "nine byte", "hunter2") if secret in kept]
    assert kept.count(HIDDEN) == 3
    done = libhooks("policy", "test", str(file), "--policy", "policy.d", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"passed  {file.stem}\n\n1 passed\n")
    assert [change["place"] for change in host.records[0]["changes"]] == ["vnc-password", "vnc-password"]


def test_a_case_whose_secret_decided(host: Host, tmp_path: Path) -> None:
    """Where a guest was refused for what is secret, its case is what comes of it without."""
    host.set_policy(KEEPING.replace("[storage.images]", '[storage.old]\nat.hosta = "/old"\n[storage.images]'))
    commandline = (
        b"<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        b"<qemu:arg value='file=/srv/images/secret.raw'/></qemu:commandline></domain>"
    )
    assert host.run(GUEST.replace(b"</domain>", commandline)).code == 1
    (file,) = cases(host)
    assert "secret.raw" not in file.read_text()
    done = libhooks("policy", "test", str(file), "--policy", "policy.d", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"passed  {file.stem}\n\n1 passed\n")


def test_a_case_that_cannot_be_written(host: Host) -> None:
    """The guest is answered as ever; its refusal says that nothing is kept of it, and why."""
    host.set_policy(KEEPING)
    (host.root / "var/log/libhooks/cases").write_text("")
    told = host.run(LOCAL)
    assert (told.code, told.stdout) == (1, b"")
    refusal, record, note = re.sub(r"\b[0-9A-Z]{26}\b", "ID", told.stderr).rstrip("\n").rsplit("\n", 2)
    assert refusal + "\n" == REFUSAL
    assert record == "  record ID in /var/log/libhooks/decisions.jsonl on hostb.example.org"
    assert note == "  no case of record ID was kept: /var/log/libhooks/cases: File exists"
    assert len(host.records) == 1


def test_a_case_that_is_too_large(host: Host) -> None:
    """A guest larger than people read is not kept."""
    host.set_policy(KEEPING)
    padding = b"<description>" + b"x" * keep.MOST_BYTES + b"</description></domain>"
    assert (
        "was kept: /var/log/libhooks/cases: the case has"
        in host.run(LOCAL.replace(b"</domain>", padding)).stderr
    )
    assert cases(host) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A case is written whole or not at all."""
    where = tmp_path / "cases"
    program = (
        f"import os; from libhooks.cases import keep; os.makedirs({str(where)!r})\n"
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"try: keep.keep({str(where)!r}, 'ID', b'x' * 2000)\n"
        "except OSError as error: print(error.strerror)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert done.stdout == "File too large\n"
    assert list(where.iterdir()) == []


def test_the_newest_stay(tmp_path: Path) -> None:
    """So many cases are kept as one looks at; the oldest go, and what a killed hook left goes like them."""
    where = tmp_path / "cases"
    where.mkdir()
    (where / ".0000.toml").write_text("cut off")
    (where / "mine").write_text("not ours")
    for number in range(1, keep.MOST + 3):
        keep.keep(str(where), f"{number:04}", b"case")
    kept = [f"{number:04}.toml" for number in range(3, keep.MOST + 3)]
    assert sorted(os.listdir(where)) == [*kept, "mine"]


def test_what_is_there_stays(tmp_path: Path) -> None:
    """No link of somebody else's is followed, and no file of a hook beside this one is touched."""
    (tmp_path / ".ID.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        keep.keep(str(tmp_path), "ID", b"case")
    assert os.listdir(tmp_path) == [".ID.toml"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "{id}", "--as-test"), "no case of record {id} is kept; cases = true in [journal] keeps"),
        (("show", "", "--as-test"), "more than one record ends in that: {id}, "),
        (("--as-test",), "libhooks log show ID: the id of one record"),
    ],
)
def test_what_was_not_kept(host: Host, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    """A record without a case, an ambiguous one and none at all are told apart."""
    host.run(LOCAL)
    host.run(LOCAL)
    words = [word.format(id=host.records[0]["id"]) for word in arguments]
    journal = str(host.root / "var/log/libhooks/decisions.jsonl")
    done = libhooks("log", *words, "--file", journal, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told.format(id=host.records[0]["id"]) in done.stderr


@pytest.mark.parametrize("directory", ["nowhere", "web1.xml"])
def test_where_no_case_can_be_written(host: Host, tmp_path: Path, directory: str) -> None:
    """A directory that is none is said to be none."""
    host.set_policy(KEEPING)
    host.run(LOCAL)
    (tmp_path / "web1.xml").write_bytes(LOCAL)
    journal = str(host.root / "var/log/libhooks/decisions.jsonl")
    done = libhooks("log", "show", "", "--as-test", directory, "--file", journal, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"libhooks: {directory}/web1-")


def test_imports_of_a_refusal(host: Host) -> None:
    """Keeping cases is imported where a policy wants it, and nowhere else."""
    program = f"""\
from libhooks.client import package_directories
sys.path.extend(package_directories())
from libhooks import inline
from libhooks.door import Settings, answer
from libhooks.event import Event, Operation
event = Event("web1", Operation.MIGRATE)
inline.recorded(event, answer(event, {LOCAL!r}, Settings({str(host.policy)!r}, "hostb")), {str(host.root)!r})
"""
    assert [name for name in imported(program) if name.startswith("libhooks.cases")] == []
    host.set_policy(KEEPING)
    found = {name for name in imported(program) if name.startswith("libhooks.cases")}
    assert found == {"libhooks.cases", *(f"libhooks.cases.{name}" for name in MODULES)}
