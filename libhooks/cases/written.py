"""A decision written as a case: what ``journal.cases`` keeps of a refusal. No secret is in it.

Imported in the hook's process where a policy wants that and a guest is refused; nothing else is.
"""

from __future__ import annotations

from typing import Iterator, Mapping

from libhooks import engine, journal
from libhooks.carried import counting
from libhooks.cases.answers import Answers, Told
from libhooks.cases.notation import long, value
from libhooks.decision import Decision, Undecidable
from libhooks.domain import Domain
from libhooks.event import Event
from libhooks.policy.diagnostic import dotted, quoted
from libhooks.policy.model import Policy
from libhooks.secrecy import HIDDEN, masked

#: What of a change and of a finding a case expects. Its rule and its hint are not the guest's affair.
CHANGE = ("kind", "place", "where", "old", "new")
FINDING = ("code", "level", "mode", "where", "wanted", "found")
#: The lengths up to which an adjustment leaves a password as it is (VNC's, SPICE's).
_LENGTHS = (8, 60)


def case(event: Event, domain: Domain, policy: Policy, told: Told, now: str) -> bytes:
    """A decision as a file of ``libhooks policy test``, its secrets removed.

    ``policy`` has the guest's exceptions applied; ``now`` tells which waivers hold. What the case expects is
    decided on what it holds: where a secret mattered, on what stands in its place.
    """
    shown = masked(domain, _as_long)
    decision, error = _decided(event, shown, policy, told, now)
    lines = [
        f"shows = {quoted(f'{event.name}, kept when it was refused')}",
        f"time = {quoted(now)}",
        f"operation = {quoted(event.operation.value)}",
        *([f"guest = {quoted(event.name)}"] if event.name != domain.name else []),
        f"domain = {long(shown.serialise().decode())}",
        "",
        *_expectations(decision, error),
        *facts(told),
    ]
    return "\n".join(lines).encode() + b"\n"


def _as_long(secret: str) -> str:
    """What stands for a secret, long enough to be adjusted as that would be, and telling no more of it."""
    length = len(secret.encode())
    return HIDDEN.ljust(max((least + 1 for least in _LENGTHS if length > least), default=0), ".")


def _decided(
    event: Event, domain: Domain, policy: Policy, told: Told, now: str
) -> tuple[Decision | None, str]:
    answers = Answers(told)
    carried = counting(domain, policy, event, answers.host(), now)
    try:
        return engine.decide_domain(event, domain, policy, answers, carried=carried), ""
    except Undecidable as error:
        return None, str(error)


def _expectations(decision: Decision | None, error: str) -> Iterator[str]:
    yield "[expect]"
    if decision is None:
        yield f"error = {quoted(error)}"
        return
    yield f"verdict = {quoted(decision.verdict.value)}"
    lists = {
        "changes": [_of(journal.change(one), CHANGE) for one in decision.changes],
        "findings": [_of(journal.finding(one), FINDING) for one in decision.findings],
    }
    yield from (f"{name} = []" for name, tables in lists.items() if not tables)
    for name, tables in lists.items():
        for table in tables:
            yield from ("", f"[[expect.{name}]]", *(f"{key} = {quoted(text)}" for key, text in table.items()))


def _of(record: Mapping[str, str], keys: tuple[str, ...]) -> dict[str, str]:
    return {key: record[key] for key in keys if record.get(key)}


def facts(told: Told) -> Iterator[str]:
    """The answers, a table for each question that has arguments."""
    yield from ("", "[facts]")
    tables: dict[str, list[str]] = {}
    for (question, argument), answer in told.items():
        words = argument if isinstance(argument, tuple) else (argument,)
        if words:
            tables.setdefault(question, []).append(f"{dotted(words)} = {value(answer)}")
        else:
            yield f"{question} = {value(answer)}"
    for question, lines in tables.items():
        yield from ("", f"[facts.{question}]", *lines)
