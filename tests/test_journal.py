"""The journal: the form of a record, and that it is the same whoever writes it."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from libhooks import journal, process
from libhooks.cli import records
from libhooks.decision import (
    DEFAULT,
    Change,
    Decision,
    Finding,
    Kind,
    Level,
    Rule,
    Spot,
    Unmet,
    Verdict,
)
from libhooks.event import Event, Operation

DISK = Spot("disk vda", "/domain/devices/disk[1]/source")
CHANGE = Change(Kind.STORAGE, "images", DISK, "/srv/web1", "/mnt/web1", Rule("10-fleet.toml", 5), ())
FINDING = Finding(
    "storage.shared", Level.REFUSE, Unmet(DISK, "/mnt/web1", "shared", "ext4", "mount it"), DEFAULT
)
CIRCUMSTANCES = journal.Circumstances(
    Event("wéb\n1", Operation.MIGRATE),
    "hostb",
    "c0ffee",
    "enforce",
    True,
    "d1gest",
    ("10-fleet.toml",),
    "inline",
)
DECISION = Decision(Verdict.REFUSED, (CHANGE,), (FINDING,), None)


def record() -> journal.Record:
    """A record with everything in it."""
    return journal.record(CIRCUMSTANCES, DECISION, None, 1_700_000_000.25, 0.0123)


def test_record_has_the_fields_of_the_contract() -> None:
    """A record says who, where, what, why and under which policy, in a fixed order."""
    told = dict(record())
    assert len(str(told.pop("id"))) == 26
    assert list(told) == [
        "time", "host", "operation", "domain", "uuid", "verdict", "mode", "enforced", "error", "origin",
        "waivers", "changes", "findings", "policy", "duration_ms", "path",
    ]  # fmt: skip
    assert told["time"] == "2023-11-14T22:13:20.250Z"
    assert told["changes"] == [
        {
            "kind": "storage",
            "place": "images",
            "where": "disk vda",
            "old": "/srv/web1",
            "new": "/mnt/web1",
            "rule": "10-fleet.toml:5",
        }
    ]
    assert told["findings"] == [
        {
            "code": "storage.shared",
            "level": "refuse",
            "where": "disk vda  /mnt/web1",
            "wanted": "shared",
            "found": "ext4",
            "hint": "mount it",
            "rule": "default",
        }
    ]
    assert told["duration_ms"] == 12.3


def test_structlog_renders_the_same_bytes() -> None:
    """The hook's line and the line that commands print through structlog are equal."""
    entry, printed = record(), io.BytesIO()
    records.logger(printed).info(entry)  # type: ignore[arg-type]
    assert printed.getvalue() == journal.encode(entry)


def test_a_record_is_one_line_of_ascii() -> None:
    """Whatever a guest is called, its record is one line and moves no cursor."""
    line = journal.encode(record())
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert json.loads(line)["domain"] == "wéb\n1"


def test_ids_sort_by_time() -> None:
    """A later decision has a greater id, whatever its random part."""
    assert journal.new_id(1.000, b"\xff" * 10) < journal.new_id(1.001, b"\0" * 10)


@pytest.mark.parametrize(
    ("operation", "verdict"), [(Operation.MIGRATE, "refused"), (Operation.RESTORE, "unchanged")]
)
def test_failures_of_ours_have_a_verdict_too(operation: Operation, verdict: str) -> None:
    """A failure to decide refuses a guest that migrates, and lets one that is restored start."""
    around = CIRCUMSTANCES._replace(event=Event("web1", operation))
    told = journal.record(around, None, "the policy is invalid", 0, 0)
    assert (told["verdict"], told["error"], told["changes"]) == (verdict, "the policy is invalid", [])


def test_journal_is_made_for_root_alone(tmp_path: Path) -> None:
    """The journal is made with mode 0600 whatever the umask, and lines are added to its end."""
    path, umask = tmp_path / "decisions.jsonl", os.umask(0)
    try:
        process.append(str(path), b"one\n")
        process.append(str(path), b"two\n")
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_journal_follows_no_link(tmp_path: Path) -> None:
    """A link in the journal's place is not followed: it would lead root's writes elsewhere."""
    (tmp_path / "decisions.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        process.append(str(tmp_path / "decisions.jsonl"), b"one\n")
    assert not (tmp_path / "elsewhere").exists()
