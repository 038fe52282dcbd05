"""An explanation as JSON, for programs: the names are those of the journal where it has them."""

from __future__ import annotations

from typing import Any

from libhooks.cli.explanation import Called, Explanation, Judged, Matched, Named, Tuned
from libhooks.decision import Change, Finding
from libhooks.nearest import Near

Json = dict[str, Any]


def told(one: Explanation) -> Json:
    """All of it: what the guest is, what was decided, and why."""
    return {
        "host": next(iter(one.host), ""),
        "operation": one.event.operation.value,
        "domain": one.event.name,
        "uuid": one.domain.uuid,
        "verdict": one.decision.verdict.value,
        "mode": one.policy.mode.value,
        "policy": {"digest": one.policy.digest, "files": list(one.policy.files)},
        "knows_host": one.knows_host,
        "origin": one.carried.origin.host if one.carried.origin else None,
        "waivers": [waiver._asdict() for waiver in one.carried.waivers],
        "guests": [_guests(guests) for guests in one.guests],
        "references": [_named(reference) for reference in one.references],
        "tuned": [_tuned(tuned) for tuned in one.tuned],
        "requirements": [_judged(judged) for judged in one.judged],
    }


def _guests(one: Matched) -> Json:
    return {
        "table": f"guest.{one.guests.id}",
        "rule": str(one.guests.rule),
        "applies": not one.why,
        "why": one.why,
    }


def _named(one: Named) -> Json:
    found, place = one.resolution, one.resolution.place
    return {
        "where": found.reference.spot.label,
        "xpath": found.reference.spot.xpath,
        "role": found.reference.role.value,
        "kind": found.kind.value,
        "name": None if found.reference.name is None else str(found.reference.name),
        "outcome": found.outcome.value,
        "new": None if found.new is None else str(found.new),
        "place": None if place is None else place.label,
        "rule": None if found.rule is None else str(found.rule),
        "why": one.why or found.why,
        "identified": found.elsewhere or None,
        "elsewhere": [_called(called) for called in one.elsewhere],
        "answers": list(found.answers),
        "nearest": None if one.near is None else _near(one.near),
        "layers": [_named(layer) for layer in one.layers],
        "broken": None if one.broken is None else one.broken.found,
    }


def _called(one: Called) -> Json:
    return {"place": one.place.label, "host": one.host, "name": str(one.name), "rule": str(one.rule)}


def _near(one: Near) -> Json:
    return {
        "place": one.place.label,
        "host": one.host,
        "name": str(one.name),
        "rule": str(one.rule),
        "differs": one.differs,
    }


def _tuned(one: Tuned) -> Json:
    changes = [_change(change) for change in one.changes]
    return {"line": one.label, "rule": str(one.rule), "changes": changes, "why": one.why}


def _change(one: Change) -> Json:
    return {"where": one.spot.label, "old": one.old, "new": one.new}


def _judged(one: Judged) -> Json:
    return {
        "code": one.requirement.code,
        "level": one.setting.level.value,
        "audited": one.setting.audited,
        "rule": str(one.setting.rule),
        "guest": f"guest.{one.guest}" if one.guest else None,
        "outcome": one.standing.value,
        "why": one.why,
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(one: Finding) -> Json:
    unmet = one.unmet
    return {
        "level": one.level.value,
        "where": unmet.spot.label,
        "subject": unmet.subject,
        "wanted": unmet.wanted,
        "found": unmet.found,
        "hint": unmet.hint,
        "unknown": unmet.unknown,
        "rule": str(one.rule),
    }
