"""Golden cases: a directory for each, tests/golden/README.md has its files; and the three ways to run one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from libhooks import client, process
from libhooks.door import Answer, Settings, answer
from libhooks.event import Event, Operation
from libhooks.inline import recorded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent
GOLDEN = TESTS / "golden"

#: libvirt promises no more.
ENVIRONMENT = {"LC_ALL": "C"}
#: The distribution's interpreter, as the installed hook has it.
PYTHON = "/usr/bin/python3"
#: As hooks/hook starts, but with the options of a trial.
START = f"""\
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from libhooks.client import package_directories
sys.path.extend(package_directories())
from libhooks.cli.main import main
sys.exit(main(["hook", *sys.argv[1:]]))
"""

_JOURNAL = "var/log/libhooks/decisions.jsonl"
#: What no two decisions have in common.
_PASSING = ("id", "time", "duration_ms")
_KEYS = {"shows", "operation", "host", "facts", "passes", "code"}


class Told(NamedTuple):
    """What came of a case: what libvirt gets and what the journal gets, each without what passes."""

    stdout: bytes
    stderr: str
    code: int
    record: dict[str, Any]


class Case(NamedTuple):
    """A golden case. ``shows`` is the sentence of the specification that it stands for.

    ``passes`` are the requirements that this guest meets here, and not because there is nothing to judge.
    ``code`` is the exit code, where it is not what the record makes of it.
    """

    directory: Path
    shows: str
    operation: Operation
    host: str
    facts: Path
    passes: tuple[str, ...]
    code: int | None
    document: bytes

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def guest(self) -> str:
        """The name that libvirt calls the hook with: the document's."""
        name = etree.fromstring(self.document).findtext("name")
        assert name is not None, f"{self.name}: golden cases are for documents that can be read"
        return name


def cases() -> tuple[Case, ...]:
    """All golden cases, by name."""
    return tuple(_case(file.parent) for file in sorted(GOLDEN.glob("*/case.toml")))


def _case(directory: Path) -> Case:
    with (directory / "case.toml").open("rb") as file:
        told = tomllib.load(file)
    assert told.keys() <= _KEYS, f"{directory.name}: {told.keys() - _KEYS}"
    return Case(
        directory,
        told["shows"],
        Operation(told.get("operation", "migrate")),
        told.get("host", ""),
        directory / told["facts"],
        tuple(told.get("passes", ())),
        told.get("code"),
        (directory / "domain.xml").read_bytes(),
    )


def settings(case: Case, scratch: Path) -> Settings:
    """Where the case is decided: a copy of its facts and its policy, which nobody else may write."""
    root, policy = scratch / "root", scratch / "policy.d"
    shutil.copytree(case.facts, root, symlinks=True)
    if (case.directory / "stat.toml").exists():
        (root / "stat.toml").write_text(_merged(case.facts / "stat.toml", case.directory / "stat.toml"))
    (root / _JOURNAL).parent.mkdir(parents=True, exist_ok=True)
    policy.mkdir(mode=0o755)
    if (case.directory / "policy.toml").exists():
        shutil.copyfile(case.directory / "policy.toml", policy / "policy.toml")
        (policy / "policy.toml").chmod(0o644)
    return Settings(str(policy), case.host, str(root))


def _merged(*files: Path) -> str:
    """stat.toml files as one: of two tables for one path, the last counts."""
    tables: dict[str, dict[str, object]] = {}
    for file in files:
        tables.update(tomllib.loads(file.read_text()) if file.exists() else {})
    lines = []
    for path, table in tables.items():
        lines.append(f"[{json.dumps(path)}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines)


def in_process(case: Case, where: Settings) -> Told:
    """The case decided here, through the door, its record written as the hook writes it."""
    event = Event(case.guest, case.operation)
    given: Answer = recorded(event, answer(event, case.document, where), where.root)
    return Told(given.stdout, _settled(given.stderr), given.code, journalled(where.root))


def as_process(case: Case, where: Settings) -> Told:
    """The case decided as libvirt has it decided: by a process, in libvirt's environment."""
    options = ["--policy", where.policy, "--root", where.root]
    options += ["--host", where.host] if where.host else []
    done = subprocess.run(
        [PYTHON, "-I", "-S", "-c", START, case.guest, case.operation.value, "begin", "-", *options],
        input=case.document,
        capture_output=True,
        env=ENVIRONMENT,
        cwd="/",
        check=False,
    )
    return Told(done.stdout, _settled(done.stderr.decode()), done.returncode, journalled(where.root))


def as_service(case: Case, where: Settings, socket: str) -> Told:
    """The case decided by an answerer that takes trials, its record written as the hook writes it.

    That it was the service is all that its record may tell besides.
    """
    words = [case.guest, case.operation.value, "begin", "-"]
    words += [f"policy={where.policy}", f"root={where.root}", f"host={where.host}"]
    code, journal, line, stdout, stderr = client.ask(socket, words, case.document, time.monotonic())
    process.append(where.root + journal, line)
    record = journalled(where.root)
    assert record["path"] == "service"
    return Told(stdout, _settled(stderr.decode()), code, {**record, "path": "inline"})


def journalled(root: str) -> dict[str, Any]:
    """The one record in a journal, which is taken out of it."""
    file = Path(root) / _JOURNAL
    (line,) = file.read_text("ascii").splitlines()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    entry: dict[str, Any] = json.loads(line)
    return {key: value for key, value in entry.items() if key not in _PASSING}


def _settled(stderr: str) -> str:
    return re.sub(r"^(  record )[0-9A-Z]{26} ", r"\1ID ", stderr, flags=re.MULTILINE)


def expected(case: Case) -> Told:
    """What the case's files say should come of it."""
    record = json.loads((case.directory / "expect.json").read_text())
    refused = record["verdict"] == "refused" and record["enforced"]
    code = int(refused) if case.code is None else case.code
    return Told(_read(case, "expect.xml"), _read(case, "expect.txt").decode(), code, record)


def _read(case: Case, name: str) -> bytes:
    file = case.directory / name
    return file.read_bytes() if file.exists() else b""


def write(case: Case, told: Told) -> None:
    """Make what came of a case what should come of it."""
    _write(case.directory / "expect.xml", told.stdout)
    _write(case.directory / "expect.txt", told.stderr.encode())
    pretty = json.dumps(told.record, indent=2, ensure_ascii=False) + "\n"
    _write(case.directory / "expect.json", pretty.encode())


def _write(file: Path, data: bytes) -> None:
    if data:
        file.write_bytes(data)
    else:
        file.unlink(missing_ok=True)
