"""What of a valid policy never comes to anything: names out of reach, hosts and guests that there are not."""

from __future__ import annotations

from itertools import combinations
from typing import Iterator, Mapping, NamedTuple

from libhooks.decision import Kind, Rule
from libhooks.names import Form, Name
from libhooks.policy import overlap
from libhooks.policy.diagnostic import closest, nearest, quoted, shown
from libhooks.policy.model import Place, Policy, fits
from libhooks.policy.overlap import is_glob


class Idle(NamedTuple):
    """Something that comes to nothing, as a diagnostic says it."""

    code: str
    rule: Rule
    message: str
    help: str


class Guest(NamedTuple):
    """A guest that is known on a host."""

    name: str
    uuid: str


#: Forms that interfaces change between; a name of any other form stays of its form.
_INTERCHANGE = {
    Form.BRIDGE: Form.NETWORK,
    Form.OVS: Form.NETWORK,
    Form.POOL: Form.PATH,
    Form.STORE: Form.PATH,
}


def shadowed(policy: Policy) -> Iterator[Idle]:
    """A name that something else of the policy always comes before."""
    for place in policy.places:
        for pattern in place.at:
            longer = next((one for one in place.at if one.startswith(f"{pattern}.") and not is_glob(one)), "")
            if longer and not is_glob(pattern):
                message = (
                    f"at.{pattern} of {place.label} is never read on {longer}, which has a name of its own"
                )
                yield Idle("shadowed", _rule(place, pattern), message, "leave one of them out")
    yield from _files_before_storage(policy)


def _files_before_storage(policy: Policy) -> Iterator[Idle]:
    files = [place for place in policy.places if place.kind is Kind.FILE]
    for store in policy.places if files else ():
        for host in overlap.hosts(policy) if store.kind is Kind.STORAGE else ():
            for file in files:
                both = set(overlap.names(store, host)) & set(overlap.names(file, host))
                for name in sorted(both):
                    message = f"{name} on {host[0]} is {file.label} too, which firmware and kernels count as"
                    help = f"is it shared, or a copy on each host? see {file.rule}"
                    yield Idle("shadowed", store.rule, message, help)


def dead_end(policy: Policy) -> Iterator[Idle]:
    """Two hosts whose names can never stand for each other."""
    for place in policy.places:
        for one, other in combinations(place.at, 2):
            if not _ways(place.at[one]) & _ways(place.at[other]):
                names = f"{place.at[one][0]} on {one} can't become {place.at[other][0]} on {other}"
                help = "bridges, networks and OVS bridges change into each other; all else stays what it is"
                yield Idle("dead-end", _rule(place, other), f"{place.label}: {names}", help)
                break


def _ways(names: tuple[Name, ...]) -> set[Form]:
    return {_INTERCHANGE.get(name.form, name.form) for name in names}


def stray_host(policy: Policy) -> Iterator[Idle]:
    """A host that one place alone names, and that looks like a host which this place lacks."""
    named: dict[str, list[Place]] = {}
    for place in policy.places:
        for pattern in place.at:
            named.setdefault(pattern, []).append(place)
    for pattern, places in named.items():
        known = [one for one, others in named.items() if len(others) > 1 and places[0] not in others]
        meant = nearest(pattern, known) if len(places) == 1 and not is_glob(pattern) else ""
        if meant and _is_slip(pattern, meant):
            message = f"only {places[0].label} names host {shown(pattern)}"
            yield Idle("stray-host", _rule(places[0], pattern), message, f"did you mean at.{_key(meant)}?")


def _is_slip(word: str, meant: str) -> bool:
    """Whether it is a slip of the pen rather than a sibling: hosts' names differ by digits and letters."""
    letters = ["".join(one for one in text if not one.isdecimal()) for text in (word, meant)]
    return letters[0] != letters[1] and (len(word) != len(meant) or sorted(word) == sorted(meant))


def unknown_guests(policy: Policy, guests: tuple[Guest, ...]) -> Iterator[Idle]:
    """A table for guests none of which has been seen here, where some have."""
    tables: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Rule]] = {
        **{f"guest.{one.id}": (one.names, one.uuids, one.rule) for one in policy.guests},
        **{f"edit.{one.id}": (one.names, one.uuids, one.rule) for one in policy.edits},
    }
    for table, (names, uuids, rule) in tables.items() if guests else ():
        if not any(fits(names, uuids, guest.name, guest.uuid) for guest in guests):
            wanted = ", ".join(shown(one) for one in (names or uuids))
            help = closest(names[0], [guest.name for guest in guests]) if names else ""
            message = f"{table} fits none of the guests known on this host: {wanted}"
            yield Idle("unknown-guest", rule, message, help or "fine, if such a guest has yet to arrive")


def _rule(place: Place, pattern: str) -> Rule:
    return place.rules.get(pattern, place.rule)


def _key(host: str) -> str:
    return quoted(host) if "." in host else host
