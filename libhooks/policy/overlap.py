"""Where the hosts of a policy call different things by the same name."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple

from libhooks.decision import PLACES, Rule
from libhooks.names import Form, Name
from libhooks.policy.model import Place, Policy, best_pattern

#: All the names that one host goes by, the best first.
Host = tuple[str, ...]

_GLOB = set("*?[")


class Meaning(NamedTuple):
    """What a name means on one host: what follows the name of which place."""

    place: Place
    remainder: tuple[str, ...]

    def __str__(self) -> str:
        below = f"{'/'.join(self.remainder)} of " if self.remainder else ""
        return below + self.place.label


class Overlap(NamedTuple):
    """A name that the hosts do not agree about, as one that ``arrival`` would refuse."""

    example: Name
    rule: Rule
    meanings: Mapping[str, Meaning]
    arrival: str


def is_glob(pattern: str) -> bool:
    """Whether a host pattern can fit more than one host."""
    return bool(set(pattern) & _GLOB)


def hosts(policy: Policy) -> tuple[Host, ...]:
    """The hosts that a policy names; for each glob one that it fits."""
    patterns = dict.fromkeys(pattern for place in policy.places for pattern in place.at)
    return tuple((_sample(pattern),) for pattern in patterns)


def names(place: Place, host: Host) -> tuple[Name, ...]:
    """What a host calls a place. Nothing where two patterns fit it equally well: that is an error."""
    try:
        pattern = best_pattern(place.at, host)
    except ValueError:
        return ()
    return place.at[pattern] if pattern is not None else ()


def overlaps(policy: Policy) -> Iterator[Overlap]:
    """All names of a policy that hosts would resolve differently, depending on where a guest came from."""
    everyone = hosts(policy)
    for kind in PLACES:
        places = [place for place in policy.places if place.kind is kind]
        views = {host[0]: [(place, names(place, host)) for place in places] for host in everyone}
        for example, rule in _examples(places).items():
            meanings = {host: one for host, view in views.items() for one in _meanings(view, example)}
            if len({(place.id, remainder) for place, remainder in meanings.values()}) > 1:
                yield from _refused(Overlap(example, rule, meanings, ""), views)


_View = list[tuple[Place, tuple[Name, ...]]]


def _examples(places: list[Place]) -> Mapping[Name, Rule]:
    """A name that lies under each of the places' names, and the rule that sets it."""
    return {
        _below(name): place.rules.get(pattern, place.rule)
        for place in places
        for pattern, called in place.at.items()
        for name in called
    }


def _below(name: Name) -> Name:
    files = name.form in (Form.PATH, Form.POOL, Form.STORE)
    return name.extended(("disk.img",), name) if files else name


def _meanings(view: _View, example: Name) -> list[Meaning]:
    """What a name means on a host: the place of the longest name that contains it, if any."""
    found = [
        Meaning(place, remainder)
        for place, called in view
        for name in called
        for remainder in [example.remainder(name)]
        if remainder is not None
    ]
    return sorted(found, key=lambda one: len(one.remainder))[:1]


def _refused(overlap: Overlap, views: Mapping[str, _View]) -> Iterator[Overlap]:
    """The overlap with the first host that would have to guess; none if every host has one answer."""
    for me, view in views.items():
        called = {place.id: mine for place, mine in view}
        answers = {
            overlap.example if host == me else _answer(called[meaning.place.id], meaning, overlap.example)
            for host, meaning in overlap.meanings.items()
        }
        if len(answers) > 1:
            yield overlap._replace(arrival=me)
            return


def _answer(mine: tuple[Name, ...], meaning: Meaning, example: Name) -> Name | None:
    if not mine or any(example.remainder(name) == meaning.remainder for name in mine):
        return example if mine else None
    same = next((name for name in mine if name.form is example.form), mine[0])
    return same.extended(meaning.remainder, example)


def _sample(pattern: str) -> str:
    """A host that a pattern fits: each wildcard stands for a digit, each bracket for its first member."""
    text = pattern.replace("*", "0").replace("?", "0")
    while "[" in text and "]" in text:
        before, _, rest = text.partition("[")
        text = before + rest.lstrip("!")[:1] + rest.partition("]")[2]
    return text
