"""The journal: one JSON object a line, for every decision, and the same to the system log.

This module owns the form. The hook's path renders with ``encode`` alone, because importing structlog
costs more than everything else together; commands and services render through structlog, and a test
holds the two equal. Only names and places reach a record: never the document, never a secret.
"""

from __future__ import annotations

import json
import os
import time
from typing import Mapping, NamedTuple, Sequence, Union

from libhooks.carried import NOTHING, Carried
from libhooks.decision import Change, Decision, Finding, Verdict
from libhooks.event import Event

Value = Union[None, bool, int, float, str, Sequence["Value"], Mapping[str, "Value"]]
Record = Mapping[str, Value]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Circumstances(NamedTuple):
    """What a record tells besides the decision itself.

    ``verdict`` counts where there is no decision, only an ``error`` of our own.
    """

    event: Event
    host: str
    uuid: str
    mode: str
    enforced: bool
    digest: str
    files: tuple[str, ...]
    path: str
    carried: Carried = NOTHING


def new_id(now: float, random: bytes) -> str:
    """A sortable identifier: 48 bits of milliseconds and 80 random bits, in Crockford's base 32 (ULID)."""
    number = (round(now * 1000) << 80) | int.from_bytes(random[:10], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def rfc3339(now: float) -> str:
    """A time in UTC with milliseconds, as RFC 3339 writes it."""
    seconds = int(now)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int((now - seconds) * 1000):03d}Z"


def record(
    circumstances: Circumstances, decision: Decision | None, error: str | None, began: float, took: float
) -> Record:
    """The record of a decision, or of ``error``, our own failure to make one. Times are in seconds."""
    event, enforced = circumstances.event, circumstances.enforced
    refused = event.operation.value == "migrate"
    verdict = decision.verdict if decision else Verdict.REFUSED if refused else Verdict.UNCHANGED
    return {
        "id": new_id(began, os.urandom(10)),
        "time": rfc3339(began),
        "host": circumstances.host,
        "operation": event.operation.value,
        "domain": event.name,
        "uuid": circumstances.uuid,
        "verdict": verdict.value,
        "mode": circumstances.mode,
        "enforced": enforced,
        "error": error,
        "origin": circumstances.carried.origin.host if circumstances.carried.origin else None,
        "waivers": [dict(one._asdict()) for one in circumstances.carried.waivers],
        "changes": [change(one) for one in decision.changes] if decision else [],
        "findings": [finding(one) for one in decision.findings] if decision else [],
        "policy": {"digest": circumstances.digest, "files": list(circumstances.files)},
        "duration_ms": round(took * 1000, 1),
        "path": circumstances.path,
    }


def outcome(id: str, result: str, now: float, definition: str = "", late: bool = False) -> Record:
    """What became of a guest that was let in by the record ``id``: the companion's line, added later.

    ``definition`` says what was made of its saved definition; ``late``: it had ended before that was seen.
    """
    told = {"result": result, "time": rfc3339(now), **({"definition": definition} if definition else {})}
    return {"id": id, "outcome": {**told, **({"late": True} if late else {})}}


def change(made: Change) -> dict[str, str]:
    """What a record tells of a change."""
    return {
        "kind": made.kind.value,
        "place": made.place,
        "where": made.spot.label,
        "old": made.old,
        "new": made.new,
        "rule": str(made.rule),
    }


def finding(found: Finding) -> dict[str, str]:
    """What a record tells of a finding."""
    unmet = found.unmet
    mode = {"mode": "audit"} if found.audited else {}
    return {
        "code": found.code,
        "level": found.level.value,
        "where": f"{unmet.spot.label}  {unmet.subject}".strip(),
        "wanted": unmet.wanted,
        "found": unmet.found,
        "hint": unmet.hint,
        "rule": str(found.rule),
        **mode,
    }


def encode(entry: Record) -> bytes:
    """A record as its line in the journal. ASCII, so that no terminal or log reader can be led astray."""
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
