"""Running a case: what comes of it, and how that differs from what should."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from libhooks import engine, journal
from libhooks.carried import counting
from libhooks.cases.answers import Answers
from libhooks.cases.case import Case, Part
from libhooks.decision import Decision, Undecidable
from libhooks.domain import Domain, parse
from libhooks.facts.host import open_facts
from libhooks.facts.model import Facts, Memo
from libhooks.policy.model import Policy
from libhooks.secrecy import masked


class Difference(NamedTuple):
    """Something that a case expects and did not get (``-``), or the other way about (``+``).

    What it got and did not ask for (blank) says why the rest differs.
    """

    key: str
    sign: str
    text: str


class Outcome(NamedTuple):
    """What came of a case: a decision, or the ``error`` that prevented one, and all differences."""

    case: Case
    decision: Decision | None
    error: str
    differences: tuple[Difference, ...]


def run(case: Case, policy: Policy) -> Outcome:
    """Decide on a case under a policy. Raises OSError or ValueError where its captured tree can't be read."""
    try:
        with facts_of(case, policy) as facts:
            decision = examine(case, applied(case, policy), facts).decision
    except Undecidable as error:
        return Outcome(case, None, str(error), tuple(_undecided(case, str(error))))
    return Outcome(case, decision, "", tuple(_differences(case, decision)))


def examine(case: Case, policy: Policy, facts: Facts) -> engine.Examined:
    """What becomes of a case's guest under a policy that is applied to it, and why. Raises Undecidable."""
    carried = counting(case.domain, policy, case.event, facts.host(), case.time)
    return engine.examine(case.event, case.domain, policy, facts, carried=carried)


def applied(case: Case, policy: Policy) -> Policy:
    """The policy for this guest."""
    return policy.for_guest(case.event.name, case.domain.uuid)


@contextmanager
def facts_of(case: Case, policy: Policy) -> Iterator[Facts]:
    """The facts that a case is decided with: those that it tells, or those of its captured tree."""
    if not isinstance(case.facts, str):
        yield Answers(case.facts, case.host)
        return
    with open_facts(case.facts, policy.deadline) as facts:
        yield Memo(facts, case.host)


def _undecided(case: Case, error: str) -> Iterator[Difference]:
    if case.expected.error is None or case.expected.error not in error:
        yield from _is("error", case.expected.error or "a decision", error)


def _differences(case: Case, decision: Decision) -> Iterator[Difference]:
    expected = case.expected
    if expected.error is not None:
        yield from _is("error", expected.error, f"a decision: {decision.verdict.value}")
    changes, findings = map(journal.change, decision.changes), map(journal.finding, decision.findings)
    if expected.verdict not in (None, decision.verdict):
        yield from _is("verdict", expected.verdict.value if expected.verdict else "", decision.verdict.value)
        if expected.findings is None:
            yield from (Difference("findings", " ", told_finding(one)) for one in findings)
    if expected.changes is not None:
        yield from _unlike("changes", expected.changes, changes, told_change)
    if expected.findings is not None:
        yield from _unlike("findings", expected.findings, findings, told_finding)
    if expected.xml is not None:
        yield from _unlike_xml(expected.xml, case.domain, decision)


def _is(key: str, expected: str, got: str) -> Iterator[Difference]:
    yield Difference(key, "-", expected)
    yield Difference(key, "+", got)


def _unlike(
    key: str, expected: Sequence[Part], got: Iterator[dict[str, str]], told: Callable[[Part], str]
) -> Iterator[Difference]:
    """What is expected and fits nothing that is left, and what is left in the end."""
    left: list[Mapping[str, str]] = list(got)
    for part in sorted(expected, key=len, reverse=True):  # what says more chooses first
        fit = next((one for one in left if part.items() <= one.items()), None)
        if fit is None:
            yield Difference(key, "-", told(part))
        else:
            left.remove(fit)
    for one in left:
        yield Difference(key, "+", told(one))


def told_change(part: Part) -> str:
    """A change as people read it, or what a case says of one."""
    label = ".".join(filter(None, (part.get("kind", ""), part.get("place", ""))))
    names = [f"{key} {part[key]}" for key in ("old", "new") if part.get(key)]
    arrow = f"{part['old']} -> {part['new'] or 'gone'}" if "old" in part and "new" in part else "".join(names)
    return "  ".join(filter(None, (label, part.get("where", ""), arrow)))


def told_finding(part: Part) -> str:
    """A finding as people read it, or what a case says of one."""
    rest = [f"{key}: {part[key]}" for key in ("wanted", "found") if part.get(key)]
    head = " ".join(filter(None, (part.get("level", ""), part.get("code", ""))))
    return "  ".join(filter(None, (head, part.get("where", ""), *rest[-1:])))


def _unlike_xml(expected: Domain, came: Domain, decision: Decision) -> Iterator[Difference]:
    """The lines in which two documents differ, both as we would write them, and no secret."""
    got = came if decision.output is None else parse(decision.output)
    before, after = (masked(one).serialise().decode().splitlines() for one in (expected, got))
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            yield Difference("xml", line[0], line[1:].strip())
