"""The hook as a process: what libvirt gives it, what it gets, and what is left when it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from answering import Answerer
from golden_cases import CHECKOUT, ENVIRONMENT, GOLDEN, PYTHON, START

from libhooks.protocol import MAX_BYTES

GUEST = (GOLDEN / "resolve-prefix" / "domain.xml").read_bytes()
REWRITTEN = (GOLDEN / "resolve-prefix" / "expect.xml").read_bytes()
UNTOUCHED = REWRITTEN
LOCAL = (GOLDEN / "storage-local" / "domain.xml").read_bytes()
POLICY = (GOLDEN / "resolve-prefix" / "policy.toml").read_text()
JOURNAL = "var/log/libhooks/decisions.jsonl"


class Told(NamedTuple):
    """What libvirt gets of a hook."""

    code: int
    stdout: bytes = b""
    stderr: str = ""

    @property
    def rewrites(self) -> bool:
        """Whether it is a guest that gets in with another document."""
        return (self.code, self.stdout[:8], self.stderr) == (0, b"<domain ", "")


class Host(NamedTuple):
    """A host of a test: a tree for its facts and its journal, and a policy."""

    root: Path
    policy: Path

    def command(self, operation: str = "migrate", name: str = "web1") -> list[str]:
        options = ["--policy", str(self.policy), "--root", str(self.root)]
        return [PYTHON, "-I", "-S", "-c", START, name, operation, "begin", "-", *options]

    def run(self, document: bytes = GUEST, operation: str = "migrate", **more: Any) -> Told:
        given = {"input": document, "env": ENVIRONMENT, "cwd": "/", "timeout": 60, **more}
        done = subprocess.run(self.command(operation), capture_output=True, check=False, **given)
        return Told(done.returncode, done.stdout, _without_id(done.stderr.decode()))

    def run_with(self, redirection: str, document: bytes = GUEST, operation: str = "migrate") -> Told:
        """The hook, started by a shell that closes some of its streams."""
        command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *self.command(operation)]
        done = subprocess.run(
            command, input=document, capture_output=True, env=ENVIRONMENT, cwd="/", check=False
        )
        return Told(done.returncode, done.stdout, _without_id(done.stderr.decode()))

    def set_policy(self, text: str) -> None:
        (self.policy / "policy.toml").write_text(text)
        (self.policy / "policy.toml").chmod(0o644)

    @property
    def records(self) -> list[dict[str, Any]]:
        file = self.root / JOURNAL
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _without_id(stderr: str) -> str:
    """A refusal without its last line, which names the record."""
    assert "Traceback" not in stderr
    head, _, last = stderr.rstrip("\n").rpartition("\n")
    return head + "\n" if last.startswith("  record ") else stderr


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """hostb, with a policy that enforces."""
    host = Host(tmp_path / "root", tmp_path / "policy.d")
    shutil.copytree(GOLDEN / "hosts" / "hostb", host.root)
    (host.root / JOURNAL).parent.mkdir(parents=True)
    host.policy.mkdir(mode=0o755)
    host.set_policy(POLICY)
    return host


HEAD = "libhooks: hostb.example.org refuses guest 'web1': "
REFUSAL = f"""\
{HEAD}1 requirement unmet
  storage.shared   disk vda  /srv/local/web1.raw
    wanted: on shared storage
    found:  ext4 on /dev/sda3, mounted at /srv
    hint:   name the store in a [storage.…] place of the policy, or exempt the guest
"""


# What comes of a decision.


def test_rewritten(host: Host) -> None:
    """A guest that is rewritten: its document on stdout, nothing on stderr, exit code 0."""
    assert host.run() == Told(0, REWRITTEN)


def test_unchanged(host: Host) -> None:
    """A guest that needs no change: nothing is printed, for any output would taint it."""
    assert host.run(UNTOUCHED) == Told(0)


def test_refused(host: Host) -> None:
    """A guest that is refused: the reasons on stderr, nothing on stdout, exit code 1."""
    assert host.run(LOCAL) == Told(1, b"", REFUSAL)


def test_invalid_policy(host: Host) -> None:
    """Under an invalid policy a guest that migrates is refused with exit code 2."""
    host.set_policy('version = 1\nmoed = "audit"\n')
    told = host.run()
    assert (told.code, told.stdout) == (2, b"")
    assert told.stderr.startswith(f"{HEAD}the policy of this host is invalid\n  policy.toml:2: ")


def test_internal_error(host: Host) -> None:
    """An error of ours refuses a guest that migrates with exit code 3, and names no contents."""
    (host.root / "stat.toml").write_text("[")
    told = host.run()
    assert (told.code, told.stdout) == (3, b"")
    assert told.stderr.startswith("libhooks: this host refuses guest 'web1': an error inside libhooks\n")
    assert host.records[0]["error"].startswith(
        "an error inside libhooks: Garbage in libhooks.facts.reading.tree:"
    )


@pytest.mark.parametrize(
    "damage", ["version = 1\nmoed = 3\n", "[", "version = 1\n[storage.images]\nat.hostb = 7\n"]
)
def test_invalid_policy_at_restore(host: Host, damage: str) -> None:
    """Under an invalid policy a saved guest starts as it was, silently; the journal has the error."""
    host.set_policy(damage)
    assert host.run(operation="restore") == Told(0)
    (record,) = host.records
    assert record["error"].startswith("the policy of this host is invalid: policy.toml:")
    assert (record["verdict"], record["operation"]) == ("unchanged", "restore")


@pytest.mark.parametrize("document", [b"", b"<domain>", b"<!DOCTYPE domain><domain/>", b"<network/>"])
def test_unreadable_at_restore(host: Host, document: bytes) -> None:
    """A saved guest whose document libhooks cannot read is libvirt's to judge; the journal has the error."""
    assert host.run(document, operation="restore") == Told(0)
    assert host.records[0]["error"].startswith("it cannot be judged: the do")


def test_refused_at_restore(host: Host) -> None:
    """Findings refuse a saved guest as they refuse one that migrates."""
    told = host.run(GUEST.replace(b"web1.raw", b"gone.raw"), operation="restore")
    assert (told.code, told.stdout) == (1, b"")
    assert "storage.exists   disk vda  /mnt/vmstore/deep/er/gone.raw" in told.stderr


@pytest.mark.parametrize(
    "operation", ["prepare", "start", "started", "stopped", "release", "reconnect", "attach", ""]
)
def test_other_operations(host: Host, operation: str) -> None:
    """At every other operation, known or not, nothing is decided, printed or recorded."""
    host.set_policy("[")
    assert host.run(b"<", operation=operation) == Told(0)
    assert host.records == []


# The streams.


def test_bytes(host: Host) -> None:
    """Documents are bytes in UTF-8, whatever the locale; in C a name beyond ASCII is one like others."""
    case = GOLDEN / "text-names"
    host.set_policy((case / "policy.toml").read_text())
    assert host.run((case / "domain.xml").read_bytes()) == Told(0, (case / "expect.xml").read_bytes())


def test_stdout_is_taken_away() -> None:
    """Nothing but the answer reaches libvirt: what anything else prints goes nowhere."""
    program = f"""\
import os, sys
sys.path.insert(0, {str(CHECKOUT)!r})
from libhooks.client import package_directories
sys.path.extend(package_directories())
from libhooks import inline
libvirt = inline._take_stdout()
print("a library's greeting", flush=True)
os.write(1, b"and another")
os.system("echo and what a child says")
os.write(libvirt, b"<domain/>")
"""
    done = subprocess.run(
        [PYTHON, "-I", "-S", "-c", program], capture_output=True, env=ENVIRONMENT, check=True
    )
    assert (done.stdout, done.stderr) == (b"<domain/>", b"")


def test_stdin_closed(host: Host) -> None:
    """Without a document nothing can be judged: a guest that migrates is refused, with a record."""
    told = host.run_with("<&-")
    assert (told.code, told.stdout) == (1, b"")
    assert told.stderr.startswith(f"{HEAD}it cannot be judged\n  the domain XML cannot be read: ")
    assert host.run_with("<&-", operation="restore") == Told(0)
    assert [record["verdict"] for record in host.records] == ["refused", "unchanged"]


def test_stdin_is_a_directory(host: Host) -> None:
    """A standard input that cannot be read is like one that is closed."""
    assert host.run_with("</").code == 1


def test_stdout_closed(host: Host) -> None:
    """A document that cannot be handed over is no success: libvirt would take silence for it."""
    assert host.run_with(">&-") == Told(3)
    assert host.run_with(">&-", UNTOUCHED) == Told(0)
    assert host.run_with(">&-", LOCAL) == Told(1, b"", REFUSAL)


def test_stdout_full(host: Host) -> None:
    """A standard output that takes nothing is like one that is closed."""
    assert host.run_with(">/dev/full") == Told(3)


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_stderr_closed(host: Host, redirection: str) -> None:
    """A refusal that nobody reads is a refusal, of saved guests too."""
    assert host.run_with(redirection, LOCAL) == Told(1)
    missing = GUEST.replace(b"web1.raw", b"gone.raw")
    assert host.run_with(redirection, missing, "restore") == Told(1)


def test_all_closed(host: Host) -> None:
    """Without any stream the record is still written."""
    assert host.run_with("<&- >&- 2>&-").code == 1
    assert len(host.records) == 1


def test_huge(host: Host) -> None:
    """Of 50 MB no more is read than a domain can have, and the guest is refused."""
    told = host.run(b"<domain>" + b" " * 50_000_000 + b"</domain>")
    assert told == Told(1, b"", f"{HEAD}it cannot be judged\n  the domain XML is larger than 8 MiB\n")


def test_large(host: Host) -> None:
    """A document that is merely large comes through whole, though no pipe holds it."""
    padding = b"<!--" + b"x" * (MAX_BYTES // 2) + b"-->"
    before, after = (one.replace(b"<devices>", padding + b"<devices>") for one in (GUEST, REWRITTEN))
    assert host.run(before) == Told(0, after)


def test_slow(host: Host) -> None:
    """A document is read to its end, however long libvirt takes to write it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(host.command(), stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as hook:
        assert hook.stdin is not None
        for at in range(0, len(GUEST), 200):
            hook.stdin.write(GUEST[at : at + 200])
            hook.stdin.flush()
            time.sleep(0.02)
        stdout, stderr = hook.communicate(timeout=60)
    assert (stdout, stderr) == (REWRITTEN, b"")


# The journal.


def test_record(host: Host) -> None:
    """Each decision leaves one record, readable by root alone."""
    host.run()
    host.run(UNTOUCHED)
    host.run(LOCAL)
    assert [record["verdict"] for record in host.records] == ["rewritten", "unchanged", "refused"]
    assert (host.root / JOURNAL).stat().st_mode & 0o777 == 0o600
    assert len({record["id"] for record in host.records}) == 3


def test_record_before_the_answer(host: Host) -> None:
    """The record is written before libvirt has its answer, and before the process ends."""
    padding = b"<!--" + b"x" * 1_000_000 + b"-->"
    document = GUEST.replace(b"<devices>", padding + b"<devices>")
    pipe = subprocess.PIPE
    with subprocess.Popen(host.command(), stdin=pipe, stdout=pipe, env=ENVIRONMENT) as hook:
        assert hook.stdin is not None
        assert hook.stdout is not None
        hook.stdin.write(document)
        hook.stdin.close()
        first = hook.stdout.read(1)  # the pipe is full, and the hook waits
        assert [record["verdict"] for record in host.records] == ["rewritten"]
        assert hook.poll() is None
        assert len(first + hook.stdout.read()) > 1_000_000
    assert len(host.records) == 1


def test_records_side_by_side(host: Host) -> None:
    """Hooks that run at the same time leave one whole line each."""
    pipe = subprocess.PIPE
    hooks = [subprocess.Popen(host.command(), stdin=pipe, stdout=pipe, env=ENVIRONMENT) for _ in range(6)]
    for hook in hooks:
        assert hook.stdin is not None
        hook.stdin.write(GUEST)
        hook.stdin.close()
    for hook in hooks:
        assert hook.stdout is not None
        assert hook.stdout.read() == REWRITTEN
        hook.stdout.close()
        assert hook.wait(60) == 0
    assert [record["verdict"] for record in host.records] == ["rewritten"] * 6


UNRECORDED = "  no record of this: /var/log/libhooks/decisions.jsonl: No such file or directory\n"


def test_unwritable_journal(host: Host) -> None:
    """A journal that cannot be written blocks no migration, and no refusal points to a record in it."""
    (host.root / JOURNAL).parent.rmdir()
    assert host.run() == Told(0, REWRITTEN)
    assert host.run(LOCAL) == Told(1, b"", REFUSAL + UNRECORDED)
    assert host.records == []


def test_required_journal(host: Host) -> None:
    """Where the policy wants a record, a guest without one is refused; a saved one is not."""
    host.set_policy(POLICY + "\n[journal]\nrequired = true\n")
    assert host.run().rewrites
    (host.root / JOURNAL).unlink()
    (host.root / JOURNAL).parent.rmdir()
    told = host.run()
    assert (told.code, told.stdout) == (3, b"")
    assert told.stderr == (
        f"{HEAD}its decision cannot be recorded, and the policy wants a record\n"
        "  /var/log/libhooks/decisions.jsonl: No such file or directory\n"
        "  hint:   make room for the journal, or set required = false in [journal]\n"
    )
    assert host.run(operation="restore").rewrites
    assert host.run(LOCAL) == Told(1, b"", REFUSAL + UNRECORDED)


def test_journal_of_the_policy(host: Host) -> None:
    """The policy says where the journal is; in a trial with another root, below that."""
    host.set_policy(POLICY + '\n[journal]\npath = "/var/guests.jsonl"\n')
    assert host.run().rewrites
    assert host.records == []
    assert len((host.root / "var" / "guests.jsonl").read_text().splitlines()) == 1


# What is around the process.


def test_environment(host: Host, tmp_path: Path) -> None:
    """No variable changes what the hook's Python does."""
    bad = tmp_path / "bad"
    bad.mkdir()
    for name in ("lxml.py", "json.py", "sitecustomize.py", "usercustomize.py", "os.py"):
        (bad / name).write_text("raise SystemExit('imported from a variable')\n")
    environment = {
        "LC_ALL": "C",
        "PYTHONPATH": str(bad),
        "PYTHONHOME": str(bad),
        "PYTHONSTARTUP": str(bad / "os.py"),
        "PYTHONUSERBASE": str(bad),
        "PYTHONINSPECT": "1",
        "PYTHONVERBOSE": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "utf-16",
        "PYTHONUTF8": "nonsense",
        "PYTHONBREAKPOINT": "os.abort",
        "HOME": str(bad),
        "TMPDIR": str(bad),
        "PATH": "",
    }
    assert host.run(env=environment) == Told(0, REWRITTEN)
    assert host.run(LOCAL, env=environment) == Told(1, b"", REFUSAL)
    assert host.run(env={}) == Told(0, REWRITTEN)


def test_working_directory(host: Host, tmp_path: Path) -> None:
    """Where the hook is started makes no difference, even where that is no more."""
    (tmp_path / "lxml.py").write_text("raise SystemExit('imported from the working directory')\n")
    (tmp_path / "libhooks").mkdir()
    assert host.run(cwd=tmp_path) == Told(0, REWRITTEN)
    gone = tmp_path / "gone"
    gone.mkdir()
    command = ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone), *host.command()]
    done = subprocess.run(command, input=GUEST, capture_output=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stdout) == (0, REWRITTEN)


def test_umask(host: Host) -> None:
    """The daemon's umask opens the journal to nobody."""
    done = subprocess.run(
        host.command(), input=GUEST, capture_output=True, env=ENVIRONMENT, check=False, umask=0
    )
    assert done.stdout == REWRITTEN
    assert (host.root / JOURNAL).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "name", ["-n", "--help", "two words", "größe", "$(false)", "a\nb", "\x1b[2J", "%s", ""]
)
def test_names(host: Host, name: str) -> None:
    """Whatever a guest is called, it is judged; and its name moves no cursor."""
    done = subprocess.run(
        host.command(name=name), input=LOCAL, capture_output=True, env=ENVIRONMENT, check=False
    )
    shown = "".join(one if one.isprintable() else "?" for one in name)
    told = done.stderr.decode()
    assert done.returncode == 1
    assert told.startswith(f"libhooks: hostb.example.org refuses guest '{shown}': 1 requirement unmet\n")
    assert host.records[0]["domain"] == name


def test_name_that_is_not_utf_8(host: Host) -> None:
    """A name in an encoding of its own is judged like any other."""
    command = [os.fsencode(word) for word in host.command()]
    command[command.index(b"web1")] = b"gr\xf6\xdfe"
    done = subprocess.run(command, input=LOCAL, capture_output=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert len(host.records) == 1


# What the process imports: each import costs at every migration.

CLIENT = {"libhooks", "libhooks.client"}
#: What the client adds for a guest that the answerer decides on.
SERVED = CLIENT | {"libhooks.process", "libhooks.protocol", "_socket"}
_INLINE = (
    "abi", "adjust", "carried", "causes", "chain", "decision", "domain", "door", "edits", "engine", "event",
    "guard", "identification", "inline", "journal", "ledger", "names", "numbers", "origin", "places",
    "process", "protocol", "refusal", "secrecy", "selection", "spots", "stamp", "stamping", "waiver",
    "facts", "facts.host", "facts.model",
    "facts.machine", "facts.machine.answers", "facts.machine.capabilities", "facts.machine.hostname",
    "facts.machine.memory", "facts.machine.model", "facts.machine.release", "facts.machine.tuning",
    "facts.machine.words",
    "facts.network", "facts.network.links", "facts.network.wiring",
    "facts.reading", "facts.reading.conf", "facts.reading.guarded", "facts.reading.local",
    "facts.reading.mounts", "facts.reading.paths", "facts.reading.prober", "facts.reading.root",
    "facts.service", "facts.service.guests",
    "facts.storage", "facts.storage.access", "facts.storage.block", "facts.storage.exporters",
    "facts.storage.files", "facts.storage.qcow2", "facts.storage.user",
    "facts.surroundings", "facts.surroundings.answers", "facts.surroundings.model",
    "facts.surroundings.words",
    "policy", "policy.build", "policy.diagnostic", "policy.document", "policy.edits", "policy.files",
    "policy.forms", "policy.load", "policy.locate", "policy.model", "policy.placenames", "policy.schema",
    "policy.settings", "policy.syntax",
    "references", "references.address", "references.commandline", "references.device", "references.extras",
    "references.files", "references.model", "references.network", "references.storage",
    "requirements", "requirements.capacity", "requirements.deadline", "requirements.device",
    "requirements.device_vectors", "requirements.devices", "requirements.emulators", "requirements.model",
    "requirements.network", "requirements.network_wiring", "requirements.others", "requirements.platform",
    "requirements.platform_cpu", "requirements.policy", "requirements.service", "requirements.sharing",
    "requirements.storage", "requirements.storage_access", "requirements.storage_exporter",
    "requirements.storage_identity", "requirements.storage_sharing",
)  # fmt: skip
INLINE = CLIENT | {f"libhooks.{name}" for name in _INLINE}
#: What of Python's library a decision may import beyond lxml and what lxml imports.
LIBRARY = {
    "bisect", "copy", "datetime", "errno", "fcntl", "fnmatch", "json", "lxml", "math", "string",
    "tomli", "tomllib", "typing", "weakref",
}  # fmt: skip
#: What costs milliseconds, or has no business in a hook.
NEVER = {
    "libvirt", "structlog", "argparse", "asyncio", "concurrent", "ctypes", "dataclasses", "email",
    "hashlib", "http", "ipaddress", "logging", "multiprocessing", "pathlib", "pickle", "random",
    "shutil", "site", "socket", "ssl", "subprocess", "tempfile", "threading", "traceback", "unittest",
    "urllib", "uuid", "xml",
}  # fmt: skip

PACKAGES = "from libhooks.client import package_directories; sys.path.extend(package_directories())\n"


def imported(program: str) -> set[str]:
    """The modules that a program has imported when it ends."""
    end = "\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    command = [PYTHON, "-I", "-S", "-c", f"import sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n{program}{end}"]
    done = subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=True)
    return set(done.stderr.decode().split())


def _ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "libhooks"}


def test_imports_of_the_client() -> None:
    """Until a decision is to be made, nothing is imported that Python itself has not imported."""
    assert imported("import libhooks.client") - imported("pass") == CLIENT


def test_imports_of_a_served_guest(trial_answerer: Answerer) -> None:
    """A guest that the answerer decides on costs the hook a socket and two modules more."""
    program = f"""\
import time
from libhooks import client, process
client.ask({str(trial_answerer.socket)!r}, ["web1", "restore"], b"<domain/>", time.monotonic())
"""
    assert imported(program) - imported("pass") == SERVED


def test_imports_of_a_decision(host: Host) -> None:
    """A decision imports lxml, what lxml imports, and a few modules of Python's library."""
    program = f"""\
from libhooks import inline
from libhooks.door import Settings, answer
from libhooks.event import Event, Operation
document = {GUEST!r}
answer(Event("web1", Operation.MIGRATE), document, Settings({str(host.policy)!r}, "hostb"))
"""
    found, lxml = imported(PACKAGES + program), imported(PACKAGES + "from lxml import etree")
    assert _ours(found) <= INLINE
    assert {name.partition(".")[0] for name in found} & NEVER == set()
    libraries = {name.partition(".")[0] for name in found - lxml} - {"libhooks"}
    assert {name for name in libraries if not name.startswith("_")} <= LIBRARY
