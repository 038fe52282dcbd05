"""Places: an index of what each host calls them, and the resolution of a reference through it."""

from __future__ import annotations

from enum import Enum
from typing import Iterator, NamedTuple

from libhooks.decision import Kind, Rule
from libhooks.event import Operation
from libhooks.names import Form, Name
from libhooks.policy.model import Place, best_pattern
from libhooks.references.model import Reference


class Outcome(Enum):
    """What the policy says of a reference."""

    NO_PLACE = "no place"  # no host calls anything by that name: it stays, and is judged as it is
    KEPT = "kept"  # this host calls it so as well
    RENAMED = "renamed"  # this host calls it otherwise
    UNMAPPED = "unmapped"  # the place has no name here
    UNFIT = "unfit"  # it has one that this reference cannot take
    AMBIGUOUS = "ambiguous"  # the hosts it may come from lead to different answers
    UNREADABLE = "unreadable"  # what stands there is no name


class Resolution(NamedTuple):
    """A reference and its answer. ``new`` is set for RENAMED and UNFIT; ``why`` for the failures.

    ``answers`` says, for an ambiguous one, what each host and place would have it be; ``elsewhere``, for one
    without a place, what this host calls the very same thing, or of a network what seems to be it.
    """

    reference: Reference
    outcome: Outcome
    kind: Kind
    place: Place | None = None
    new: Name | None = None
    rule: Rule | None = None
    why: str = ""
    answers: tuple[str, ...] = ()
    elsewhere: str = ""

    @property
    def now(self) -> Name | None:
        """The name that the guest will use here."""
        return self.new if self.outcome is Outcome.RENAMED else self.reference.name


class _Answer(NamedTuple):
    outcome: Outcome
    new: Name | None


class _Entry(NamedTuple):
    host: str
    place: Place
    name: Name


#: Stands for this host among the host patterns of a policy, none of which can be empty.
_HERE = ""


class Index:
    """The names of all places, by kind and text, as seen from one host.

    Building it looks at every name once; resolving costs one look-up for each part of a name, however
    many places there are.
    Raises ValueError if two patterns of a place fit this host equally well.
    """

    def __init__(self, places: tuple[Place, ...], me: tuple[str, ...]) -> None:
        self._mine: dict[tuple[Kind, str], tuple[Name, ...]] = {}
        self._pattern: dict[tuple[Kind, str], str] = {}
        self._entries: dict[tuple[Kind, Form, tuple[str, ...]], list[_Entry]] = {}
        self._me = tuple(one.lower() for one in me)
        self.all = places
        hosts = _hosts(places)
        for place in places:
            self._add(place, hosts, me)

    @property
    def knows_host(self) -> bool:
        """Whether any place has a name on this host."""
        return bool(self._mine)

    def _add(self, place: Place, hosts: dict[str, None], me: tuple[str, ...]) -> None:
        pattern = best_pattern(place.at, me)
        if pattern is not None:
            self._mine[place.kind, place.id] = place.at[pattern]
            self._pattern[place.kind, place.id] = pattern
            self._enter(place, _HERE, place.at[pattern])
        for host, theirs in _by_host(place, hosts):
            self._enter(place, host, theirs)

    def _enter(self, place: Place, host: str, called: tuple[Name, ...]) -> None:
        for name in called:
            key = (place.kind, name.form, name.parts)
            self._entries.setdefault(key, []).append(_Entry(host, place, name))

    def resolve(
        self, reference: Reference, operation: Operation, came_from: tuple[str, ...] = ()
    ) -> Resolution:
        """This host's name for a reference, by the rules of the design's section 1.

        ``came_from``: the names of the host that the reference's device is known to come from, if it is.
        """
        kinds, name = reference.row.kinds, reference.name
        if name is None:
            return Resolution(reference, Outcome.UNREADABLE, kinds[-1], why=reference.malformed)
        if name.climbs:
            why = "it has a .. in it, and links make its meaning uncertain"
            return Resolution(reference, Outcome.UNREADABLE, kinds[-1], why=why)
        if came_from:
            found = {kind: self._of_host(kind, name, came_from) for kind in kinds}
        else:
            found = {kind: self._origins(kind, name) for kind in kinds}
        if (
            not came_from
            and operation is Operation.RESTORE
            and any(_here(origins) for origins in found.values())
        ):
            # What this host saved is called as this host calls it.
            found = {kind: _here(origins) for kind, origins in found.items()}
        for kind, origins in found.items():
            if origins:
                return self._answer(reference, kind, name, origins)
        return Resolution(reference, Outcome.NO_PLACE, kinds[-1])

    def _origins(self, kind: Kind, name: Name) -> tuple[_Entry, ...]:
        """For each host it may come from, the place of that host's longest name that contains it.

        A host that calls two places by the same name counts with both.
        """
        longest: dict[str, int] = {}
        found: list[_Entry] = []
        for size in range(len(name.parts), -1, -1):
            for entry in self._entries.get((kind, name.form, name.parts[:size]), ()):
                fits = name.remainder(entry.name) is not None
                if fits and longest.setdefault(entry.host, size) == size:
                    found.append(entry)
        return tuple(found)

    def _of_host(self, kind: Kind, name: Name, host: tuple[str, ...]) -> tuple[_Entry, ...]:
        """The places of one host's longest name that contains it."""
        for size in range(len(name.parts), -1, -1):
            found = tuple(
                entry
                for entry in self._entries.get((kind, name.form, name.parts[:size]), ())
                if name.remainder(entry.name) is not None and self._is_of(entry, host)
            )
            if found:
                return found
        return ()

    def _is_of(self, entry: _Entry, host: tuple[str, ...]) -> bool:
        if set(self._me) & {one.lower() for one in host}:
            return entry.host == _HERE
        pattern = _pattern_of_another(list(entry.place.at), host)
        return entry.host == pattern

    def _answer(
        self, reference: Reference, kind: Kind, name: Name, origins: tuple[_Entry, ...]
    ) -> Resolution:
        answers = [self._name_here(name, entry) for entry in origins]
        place = next((entry.place for entry in origins if entry.host == _HERE), origins[0].place)
        if len(set(answers)) > 1:
            told = [_told(entry, answer) for entry, answer in zip(origins, answers) if entry.host != _HERE]
            return Resolution(
                reference, Outcome.AMBIGUOUS, kind, place, rule=place.rule, answers=tuple(dict.fromkeys(told))
            )
        answer = answers[0]
        found = Resolution(reference, answer.outcome, kind, place, answer.new, self._rule(place))
        return self._fit(reference, found)

    def _fit(self, reference: Reference, answer: Resolution) -> Resolution:
        """The answer, or why the reference cannot take it."""
        if answer.new is None:
            return answer
        if answer.new.form not in reference.row.forms:
            return answer._replace(outcome=Outcome.UNFIT, why=f"it cannot be a {answer.new.form.value}")
        if answer.new.form is Form.POOL and len(answer.new.parts) < 2:
            return answer._replace(outcome=Outcome.UNFIT, why="a pool itself is no volume")
        lost = reference.row.obstacle(reference.element, answer.new) if reference.element is not None else ""
        if answer.outcome is Outcome.UNFIT:
            return answer._replace(why=lost or _unfit(answer.new))
        return answer._replace(outcome=Outcome.UNFIT, why=lost) if lost else answer

    def _rule(self, place: Place) -> Rule:
        return place.rules.get(self._pattern.get((place.kind, place.id), ""), place.rule)

    def _name_here(self, name: Name, entry: _Entry) -> _Answer:
        remainder = name.remainder(entry.name) or ()
        mine = self._mine.get((entry.place.kind, entry.place.id), ())
        if entry.host == _HERE or any(name.remainder(one) == remainder for one in mine):
            return _Answer(Outcome.KEPT, None)
        if not mine:
            return _Answer(Outcome.UNMAPPED, None)
        chosen = next((one for one in mine if one.form is name.form), mine[0])
        outcome = Outcome.RENAMED if chosen.holds(remainder) else Outcome.UNFIT
        return _Answer(outcome, chosen.extended(remainder, name))


def _here(origins: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    """Of the places that a name may come from, those of this host."""
    return tuple(entry for entry in origins if entry.host == _HERE)


def _hosts(places: tuple[Place, ...]) -> dict[str, None]:
    return {host: None for place in places for host in place.at}


def _by_host(place: Place, hosts: dict[str, None]) -> Iterator[tuple[str, tuple[Name, ...]]]:
    """What each host of the policy calls a place; a glob stands for the hosts that nothing else names."""
    yield from place.at.items()
    globs = [pattern for pattern in place.at if set(pattern) & set("*?[")]
    for host in hosts if globs else ():
        pattern = None if host in place.at else _pattern_of_another(globs, (host,))
        if pattern is not None:
            yield host, place.at[pattern]


def _pattern_of_another(patterns: list[str], host: tuple[str, ...]) -> str | None:
    try:
        return best_pattern(patterns, host)
    except ValueError:
        # A tie on another host is that host's to refuse; what it calls the place is not known.
        return None


def _told(entry: _Entry, answer: _Answer) -> str:
    means = str(answer.new) if answer.new else "itself" if answer.outcome is Outcome.KEPT else "no name here"
    return f"from {entry.host} ({entry.place.label}): {means}"


def _unfit(new: Name) -> str:
    if new.form is Form.POOL:
        return f"a pool has no directories, so {new} cannot be a volume of it"
    return f"its {new.parts[-1]} would be lost: a {new.form.value} has no room for it"
