"""What of a policy no case exercises."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, NamedTuple

from libhooks.cases.case import Case
from libhooks.cases.run import applied, examine, facts_of
from libhooks.decision import DEFAULT, Decision, Kind, Level, Rule, Undecidable
from libhooks.engine import Examined
from libhooks.names import Name
from libhooks.places import Resolution
from libhooks.policy.diagnostic import dotted
from libhooks.policy.model import Place, Policy, Setting, best_pattern


class Line(NamedTuple):
    """A part of a policy that a case can exercise: its rule, and what stands there."""

    rule: Rule
    text: str


class Coverage(NamedTuple):
    """The names of places and the other rules: all of them, and those that no case exercises."""

    names: tuple[Line, ...]
    rules: tuple[Line, ...]
    missed: tuple[Line, ...]


#: The names and rules that cases exercise.
Exercised = set[Line]


def coverage(policy: Policy, cases: Iterable[Case]) -> Coverage:
    """What cases exercise of a policy.

    A name counts where a guest arrives with it, or gets it; a level where a finding has it, or would have
    it if it were not "off"; exceptions where a guest matches; adjustments and edits where they change one.
    """
    names, rules = tuple(_names(policy)), tuple(_rules(policy))
    exercised: Exercised = set()
    for case in cases:
        exercised |= _exercised(policy, case)
    return Coverage(names, rules, tuple(one for one in (*names, *rules) if one not in exercised))


def _names(policy: Policy) -> Iterator[Line]:
    for place in policy.places:
        for host, names in place.at.items():
            yield from (_name(place, host, name) for name in names)


def _name(place: Place, host: str, name: Name) -> Line:
    return Line(place.rules[host], f"{place.label}  {dotted(('at', host))}  {name}")


def _rules(policy: Policy) -> Iterator[Line]:
    yield from _levels("require", policy.require)
    for table in policy.guests:
        yield _table("guest", table.id, table.rule)
        yield from _levels(f"guest.{table.id}.require", table.require)
    yield from (_adjustment(key, one.rule) for key, one in policy.adjust.items())
    yield from (_table("edit", edit.id, edit.rule) for edit in policy.edits)


def _levels(table: str, require: Mapping[str, Setting]) -> Iterator[Line]:
    for code, setting in require.items():
        yield Line(setting.rule, f'[{table}]  "{code}" = "{setting.level.value}"')


def _table(kind: str, id: str, rule: Rule) -> Line:
    return Line(rule, f"[{kind}.{id}]")


def _adjustment(key: str, rule: Rule) -> Line:
    return Line(rule, f"[adjust]  {key}")


def _exercised(policy: Policy, case: Case) -> Exercised:
    name, uuid = case.event.name, case.domain.uuid
    found = {_table("guest", one.id, one.rule) for one in policy.guests if one.match(name, uuid)}
    with facts_of(case, policy) as facts:
        try:
            examined = examine(case, _loud(applied(case, policy)), facts)
        except Undecidable:
            return found  # what the case shows is that nothing was decided
        found |= set(_met(_named(examined), facts.host()))
    return found | set(_fired(policy, examined.decision))


def _loud(policy: Policy) -> Policy:
    """The policy with a finding for each level that is off, to see whether anything would have had it."""
    loud = {
        code: one._replace(level=Level.WARN) if one.level is Level.OFF else one
        for code, one in policy.require.items()
    }
    return policy._replace(require=loud)


def _fired(policy: Policy, decision: Decision) -> Iterator[Line]:
    fired = {finding.rule for finding in decision.findings} - {DEFAULT}
    yield from (line for line in _rules(policy) if '"' in line.text and line.rule in fired)
    for change in decision.changes:
        if change.kind is Kind.ADJUST:
            yield _adjustment(change.place, change.rule)
        elif change.kind is Kind.EDIT:
            yield _table("edit", change.place, change.rule)


def _named(examined: Examined) -> tuple[Resolution, ...]:
    """All that the guest and its images' headers name, and what the policy says of it."""
    layers = (layer for _, chain in examined.followed for layer in chain.layers)
    return (*examined.resolutions, *(layer.resolution for layer in layers))


def _met(named: tuple[Resolution, ...], me: tuple[str, ...]) -> Iterator[Line]:
    for one in named:
        if one.place is None:
            continue
        here = best_pattern(one.place.at, me)
        for host, names in one.place.at.items():
            met = (one.reference.name, one.new if host == here else None)
            yield from (_name(one.place, host, name) for name in names if any(_under(it, name) for it in met))


def _under(name: Name | None, place: Name) -> bool:
    return name is not None and name.remainder(place) is not None
