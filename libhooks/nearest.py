"""The name of a place that comes nearest to one that lies on none: for people who wonder why."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

from libhooks.decision import Kind, Rule
from libhooks.names import Form, Name
from libhooks.policy.model import Place

#: Names that have less in common are no help, difflib's ratio.
_ALIKE = 0.6


class Near(NamedTuple):
    """A name that comes near to another, where it stands, and in words what tells them apart."""

    place: Place
    host: str
    name: Name
    rule: Rule
    differs: str


class _Candidate(NamedTuple):
    place: Place
    host: str
    name: Name


def nearest(name: Name, kinds: Sequence[Kind], places: Sequence[Place]) -> Near | None:
    """Of all hosts' names for places of these kinds the one that is most like ``name``; None if none is."""
    from difflib import SequenceMatcher  # no decision needs it

    best: tuple[tuple[int, float], _Candidate] | None = None
    for one in _candidates(name.form, kinds, places):
        size = len(one.name.parts)
        common = _common(name.parts, one.name.parts)
        alike = SequenceMatcher(None, "/".join(name.parts[:size]), "/".join(one.name.parts)).ratio()
        if (common * 2 >= size or alike >= _ALIKE) and (best is None or (common, alike) > best[0]):
            best = (common, alike), one
    if best is None:
        return None
    place, host, found = best[1]
    return Near(place, host, found, place.rules.get(host, place.rule), _difference(name, found))


def has_form(form: Form, kinds: Sequence[Kind], places: Sequence[Place]) -> bool:
    """Whether any host calls any place of these kinds by a name of the form."""
    return any(True for _ in _candidates(form, kinds, places))


def _candidates(form: Form, kinds: Sequence[Kind], places: Sequence[Place]) -> Iterator[_Candidate]:
    for place in places:
        for host, called in place.at.items() if place.kind in kinds else ():
            yield from (_Candidate(place, host, name) for name in called if name.form is form)


def _common(parts: tuple[str, ...], others: tuple[str, ...]) -> int:
    pairs = enumerate(zip(parts, others))
    return next((number for number, (one, other) in pairs if one != other), min(len(parts), len(others)))


def _difference(name: Name, near: Name) -> str:
    common = _common(name.parts, near.parts)
    if common == len(near.parts):
        if near.hosts and sorted(near.hosts) != sorted(name.hosts):
            return f"its hosts are others: {', '.join(name.hosts) or 'none'}"
        return "its secret is another one"
    if common == len(name.parts):
        return f'that lies below it, in "{near.parts[common]}"'
    return f'it differs at "{name.parts[common]}" ("{near.parts[common]}" there)'
