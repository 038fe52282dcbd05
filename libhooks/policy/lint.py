"""What a valid policy says that its author hardly meant."""

from __future__ import annotations

from typing import Callable, Collection, Iterator, NamedTuple

from libhooks.decision import Kind, Level, Rule
from libhooks.names import Name
from libhooks.policy import overlap, reach
from libhooks.policy.diagnostic import Diagnostic, Severity, quoted, shown
from libhooks.policy.model import Place, Policy, Setting, best_pattern
from libhooks.policy.overlap import Host, is_glob
from libhooks.policy.reach import Guest


class Fleet(NamedTuple):
    """What a policy is judged for.

    ``hosts`` are hosts known to exist, each with all its names, the best first. ``judged`` are the
    requirements that this version judges; None where that does not matter. ``guests`` are those that have
    been seen.
    """

    hosts: tuple[Host, ...] = ()
    judged: Collection[str] | None = None
    guests: tuple[Guest, ...] = ()


_ANY = Fleet()


def lint(policy: Policy, fleet: Fleet = _ANY) -> tuple[Diagnostic, ...]:
    """Warnings about a valid policy, and errors that only certain hosts would meet."""
    return tuple(problem for rule in RULES for problem in rule(policy, fleet))


def tied(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """Two patterns fit a host equally well."""
    for place in policy.places:
        for host in _everyone(policy, fleet):
            try:
                best_pattern(place.at, host)
            except ValueError as error:
                help = f"add at.{quoted(host[0])} = ..."
                yield _error("tie", place.rule, f"{place.label}: {error}", help)


def same_names(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """One name on one host would be two places."""
    told = set()
    for host in _everyone(policy, fleet):
        for name, first, second in _twice(policy, host):
            if (name, first.label, second.label) not in told:
                told.add((name, first.label, second.label))
                message = f"{name} on {host[0]} is {first.label} as well as {second.label}"
                yield _error("same-name", _rule(second, host), message, f"see {_rule(first, host)}")


def lonely(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """A place that only one host has maps nothing to nothing."""
    for place in policy.places:
        if not place.at:
            yield _warning("no-host", place.rule, f"{place.label} names no host", "add at.HOST = ...")
        elif len(place.at) == 1 and not is_glob(next(iter(place.at))):
            message = f"{place.label} names one host only: nothing can be rewritten"
            yield _warning("one-host", place.rule, message, "say what the other hosts call it")


def nameless(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """A host that no place names refuses guests with ``policy.host``."""
    for host in fleet.hosts:
        if policy.places and not any(_rules(place, host) for place in policy.places):
            known = dict.fromkeys(pattern for place in policy.places for pattern in place.at)
            help = f"the places name {', '.join(known)}" if known else ""
            yield _warning("no-place", policy.places[0].rule, f"no place names host {shown(host[0])}", help)


def ambiguous(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """A name means one thing where a guest comes from one host, and another from another.

    Such a guest is refused with ``policy.ambiguous`` unless it says where it comes from.
    """
    for found in overlap.overlaps(policy):
        sides = [f"{meaning} on {host}" for host, meaning in found.meanings.items()]
        message = f"{found.example} is {' and '.join(sides)}: {found.arrival} can't tell which"
        yield _warning("ambiguous", found.rule, message, "let the hosts' names differ")


def unjudged(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """A requirement is demanded that this version accepts and does not judge."""
    for code, setting in _settings(policy):
        known = fleet.judged is None or code in fleet.judged or code == "unknown"
        if not known and setting.level is not Level.OFF:
            message = f"this version of libhooks does not judge {code}"
            yield _warning("unjudged", setting.rule, message, "no guest is refused for it yet")


def pointless(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """A table that fits no guest, or changes nothing for those it fits."""
    matches = [(f"guest.{one.id}", one.names, one.rule) for one in policy.guests]
    matches += [(f"edit.{one.id}", one.names, one.rule) for one in policy.edits]
    for table, names, rule in matches:
        impossible = [name for name in names if "/" in name]
        if impossible:
            message = f"{table}: no guest is called {shown(impossible[0])}"
            yield _warning("no-guest", rule, message, "libvirt allows no / in a name")
    for guests in policy.guests:
        if guests.mode is None and not guests.require:
            message = f"guest.{guests.id} changes nothing"
            yield _warning("no-effect", guests.rule, message, "add mode or require")


def idle(policy: Policy, fleet: Fleet) -> Iterator[Diagnostic]:
    """What comes to nothing on any host, or for any guest."""
    for found in (
        *reach.shadowed(policy),
        *reach.dead_end(policy),
        *reach.stray_host(policy),
        *reach.unknown_guests(policy, fleet.guests),
    ):
        yield _warning(*found)


#: In the order of their diagnostics.
RULES: tuple[Callable[[Policy, Fleet], Iterator[Diagnostic]], ...] = (
    tied,
    same_names,
    lonely,
    nameless,
    ambiguous,
    unjudged,
    pointless,
    idle,
)


def _everyone(policy: Policy, fleet: Fleet) -> tuple[Host, ...]:
    return tuple(dict.fromkeys((*overlap.hosts(policy), *fleet.hosts)))


def _twice(policy: Policy, host: Host) -> Iterator[tuple[Name, Place, Place]]:
    seen: dict[tuple[Kind, Name], Place] = {}
    for place in policy.places:
        for name in overlap.names(place, host):
            first = seen.setdefault((place.kind, name), place)
            if first is not place:
                yield name, first, place


def _rules(place: Place, host: Host) -> list[Rule]:
    """The rules of a place that fit a host, the best first; several where it is tied."""
    try:
        patterns = [best_pattern(place.at, host)]
    except ValueError:
        return [place.rule]
    return [place.rules.get(pattern, place.rule) for pattern in patterns if pattern is not None]


def _rule(place: Place, host: Host) -> Rule:
    return next(iter(_rules(place, host)), place.rule)


def _settings(policy: Policy) -> Iterator[tuple[str, Setting]]:
    yield from policy.require.items()
    for guests in policy.guests:
        yield from guests.require.items()


def _error(code: str, rule: Rule, message: str, help: str) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, rule.file, rule.line, 0, message, help)


def _warning(code: str, rule: Rule, message: str, help: str) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, rule.file, rule.line, 0, message, help)
