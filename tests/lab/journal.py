"""A host's journal of decisions as tests compare it: every record whole, without what differs at each run."""

from __future__ import annotations

import json
import re
import stat
from typing import Any, NamedTuple

from .host import Host

JOURNAL = "/var/log/libhooks/decisions.jsonl"
KEYS = [
    "id", "time", "host", "operation", "domain", "uuid", "verdict", "mode", "enforced", "error", "origin",
    "waivers", "changes", "findings", "policy", "duration_ms", "path",
]  # fmt: skip
SHAPES = {
    "id": r"[0-9A-HJKMNP-TV-Z]{26}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "duration_ms": r"\d+\.\d",
    "origin": "None|hosta|hostb",
    "waivers": r"\[(\{'code': .*\})?\]",
    "path": "inline|service",
}


class Decided(NamedTuple):
    """One record, its changes and findings each in a line of text."""

    host: str
    operation: str
    domain: str
    verdict: str
    changes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    mode: str = "enforce"
    error: str | None = None


def decisions(host: Host) -> list[Decided]:
    """All records of a host, oldest first; the journal is root's alone and each record has its form."""
    return [_decided(record) for record in records(host)]


def records(host: Host) -> list[dict[str, Any]]:
    """All records of a host as they are, each looked at for its form. No journal has none.

    What became of their guests stands in lines of its own (companion.py).
    """
    file = host.path(JOURNAL)
    if not file.exists():
        return []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    found = [line for line in lines if "outcome" not in line]
    for record in found:
        _check(record)
    return found


def forget(host: Host) -> None:
    """Remove a host's journal."""
    host.path(JOURNAL).unlink(missing_ok=True)


def _check(record: dict[str, Any]) -> None:
    assert list(record) == KEYS
    for key, shape in SHAPES.items():
        assert re.fullmatch(shape, str(record[key])), (key, record[key])
    assert record["enforced"] == (record["mode"] == "enforce")


def _decided(record: dict[str, Any]) -> Decided:
    return Decided(
        host=record["host"],
        operation=record["operation"],
        domain=record["domain"],
        verdict=record["verdict"],
        changes=tuple(
            "{kind}.{place}, {where}: {old} -> {new} ({rule})".format(**one) for one in record["changes"]
        ),
        findings=tuple("{level} {code}, {where}".format(**one) for one in record["findings"]),
        mode=record["mode"],
        error=record["error"],
    )
