"""Garbage in /proc, /sys or libvirt's files: unknown, with the file's name, and never an exception.

Each file that a captured tree has, and each that its stat.toml gives a text, is made nonsense of in every way
below; then the door is asked for a guest that uses much of the host, with every code at "refuse".
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest
from golden_cases import GOLDEN, TESTS

from libhooks import requirements
from libhooks.decision import Verdict
from libhooks.door import Answer, Settings, answer
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import File

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GUESTS = TESTS / "garbage"


class Host(NamedTuple):
    """A captured tree of one's own, what its stat.toml says, and a guest that fits there."""

    root: Path
    entries: dict[str, dict[str, Any]]
    document: bytes
    policy: Path


def _host(directory: Path, tree: Path, guest: Path) -> Host:
    root, policy = directory / "root", directory / "policy.d"
    shutil.copytree(tree, root, symlinks=True)
    entries = tomllib.loads((root / "stat.toml").read_text())
    more = guest / "stat.toml"
    entries.update(tomllib.loads(more.read_text()) if more.exists() else {})
    policy.mkdir(mode=0o755)
    text = (guest / "policy.toml").read_text()
    codes = (f'"{one.code}" = "refuse"\n' for one in requirements.ALL if f'"{one.code}"' not in text)
    (policy / "policy.toml").write_text(text + "".join(codes))
    (policy / "policy.toml").chmod(0o644)
    host = Host(root, entries, (guest / "domain.xml").read_bytes(), policy)
    _write_entries(host, entries)
    return host


def _write_entries(host: Host, entries: dict[str, dict[str, Any]]) -> None:
    lines = []
    for path, table in entries.items():
        lines.append(f"[{json.dumps(path)}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    (host.root / "stat.toml").write_text("\n".join(lines))


def decided(host: Host) -> Answer:
    """What becomes of the guest."""
    event = Event("web1", Operation.MIGRATE)
    return answer(event, host.document, Settings(str(host.policy), "hostb", str(host.root)))


def _noise(seed: bytes, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


#: What becomes of a file's bytes; None: a directory stands in its place.
CORRUPTIONS: dict[str, Callable[[bytes], bytes | None]] = {
    "cut in half": lambda data: data[: len(data) // 2],
    "without its end": lambda data: data[:-3],
    "empty": lambda data: b"",
    "noise": lambda data: _noise(data, 4096),
    "noise in it": lambda data: data[: len(data) // 2] + _noise(data, 8) + data[len(data) // 2 :],
    "no UTF-8": lambda data: b"\xff\xfe\x80" + data,
    "a NUL": lambda data: data[: len(data) // 2] + b"\0" + data[len(data) // 2 :],
    "a line": lambda data: b"a" * (1 << 20),
    "a number": lambda data: b"9" * (1 << 20),
    "foreign digits": lambda data: "²٣".encode() + b"\n",
    "a directory": lambda data: None,
}


def _files(root: Path, entries: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    real = {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()} - {"/stat.toml"}
    found = real | {path for path, table in entries.items() if "text" in table}
    return tuple(sorted(path for path in found if not re.fullmatch(_OTHER_DISKS, path)))


@contextmanager
def corrupted(host: Host, path: str, how: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """A file of the host's, for a while other than it was."""
    file, entry = host.root / path[1:], host.entries.get(path, {})
    before = file.read_bytes() if file.exists() else None
    text = entry["text"].encode() if "text" in entry else before
    assert text is not None
    rest = {key: value for key, value in entry.items() if key not in ("text", "size")}
    after = how(text)
    file.parent.mkdir(parents=True, exist_ok=True)
    if after is None:
        file.unlink(missing_ok=True)
        file.mkdir()
    else:
        file.write_bytes(after)
    others = {key: value for key, value in host.entries.items() if key != path}
    _write_entries(host, {**others, path: rest} if rest else others)
    try:
        yield
    finally:
        file.rmdir() if after is None else file.unlink()
        if before is not None:
            file.write_bytes(before)
        _write_entries(host, host.entries)


HOSTS = {"hostb": GOLDEN / "hosts" / "hostb", "san": TESTS / "trees" / "san"}
#: Most of what `san` has are disks that the guest does not.
_OTHER_DISKS = r"/sys/devices/.*/(sd[af-z]\d?|vd.\d?|md\d|nbd\d|rbd\d|drbd\d|nvme[02-9]n.|dm-[4-9])/.*"
#: What is left of a file by these may make sense, and then says what it says.
_MAY_MAKE_SENSE = ("cut in half", "without its end", "empty", "noise in it")


@pytest.fixture(scope="module", params=HOSTS)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host whose guest fits."""
    name = request.param
    return _host(tmp_path_factory.mktemp(name), HOSTS[name], GUESTS / name)


def _told(given: Answer) -> str:
    """What is unknown, in words."""
    assert given.decision is not None
    unmet = [one.unmet for one in given.decision.findings]
    return "\n".join(f"{one.subject}: {one.found}" for one in unmet if one.unknown)


def _named(given: Answer, host: Host) -> set[str]:
    """The files that what is unknown names, by the paths that their links lead to."""
    with open_facts(str(host.root)) as facts:
        files = (facts.file(word.strip(":,")) for word in _told(given).split() if word.startswith("/"))
        return {file.real for file in files if isinstance(file, File)}


def test_no_garbage(host: Host) -> None:
    """As the hosts are, their guests fit, with every code at "refuse"."""
    given = decided(host)
    assert given.decision is not None
    assert given.decision.findings == ()
    assert given.decision.verdict is Verdict.REWRITTEN


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_garbage(host: Host, name: str) -> None:
    """No file makes us fail; where one changes the verdict, what is unknown names it."""
    for path in _files(host.root, host.entries):
        with corrupted(host, path, CORRUPTIONS[name]):
            given = decided(host)
            assert given.failure is None, f"{path}: {given.failure}"
            assert given.decision is not None
            if given.decision.findings and name not in _MAY_MAKE_SENSE:
                assert path in _named(given, host), f"{path}: {given.stderr[:500]}"
