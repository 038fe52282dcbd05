"""Why a guest is decided on as it is: what the engine knows of a decision, put beside the policy's lines."""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase
from typing import Iterator, NamedTuple, Sequence

from libhooks import references, requirements
from libhooks.carried import Carried
from libhooks.decision import ORIGIN, Change, Decision, Finding, Kind, Level, Rule, Unmet
from libhooks.domain import Domain
from libhooks.engine import Examined
from libhooks.event import Event
from libhooks.names import Name
from libhooks.nearest import Near, has_form, nearest
from libhooks.places import Outcome, Resolution
from libhooks.policy.model import DirectEdit, Guests, Place, Policy, Setting, best_pattern
from libhooks.requirements.model import Requirement, Scope, Subject


class Called(NamedTuple):
    """A host's name for a place that a reference lies on."""

    place: Place
    host: str
    name: Name
    rule: Rule


class Named(NamedTuple):
    """A reference, and why it becomes what it becomes.

    ``elsewhere`` are the names that it may come from, ``here`` is this host's pattern. Where no place fits,
    ``near`` is the name that comes nearest, and ``why`` says what there is instead of one. ``layers`` are
    the images that only headers name; ``broken`` says why no more of them are known.
    """

    resolution: Resolution
    elsewhere: tuple[Called, ...]
    here: str
    near: Near | None
    why: str
    layers: tuple[Named, ...] = ()
    broken: Unmet | None = None


class Matched(NamedTuple):
    """A ``[guest.ID]`` table; ``why`` it is not for this guest, "" where it is."""

    guests: Guests
    why: str


class Tuned(NamedTuple):
    """A line of ``[adjust]`` or an ``[edit.ID]``, what it changes, and why it does not where it doesn't."""

    label: str
    rule: Rule
    changes: tuple[Change, ...]
    why: str


class Standing(Enum):
    """What came of a requirement, in the order in which people read it."""

    UNMET = "unmet"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    MET = "met"
    OFF = "off"
    SKIPPED = "skipped"


class Judged(NamedTuple):
    """A requirement, its level and who says so (``guest``: the ID of a guest table, or ""), its outcome."""

    requirement: Requirement
    setting: Setting
    guest: str
    standing: Standing
    why: str
    findings: tuple[Finding, ...]


class Explanation(NamedTuple):
    """A decision with its reasons. ``policy`` is the guest's: its exceptions applied.

    ``carried`` is what counted of what the guest brings along.
    """

    event: Event
    domain: Domain
    host: tuple[str, ...]
    policy: Policy
    decision: Decision
    carried: Carried
    knows_host: bool
    guests: tuple[Matched, ...]
    references: tuple[Named, ...]
    tuned: tuple[Tuned, ...]
    judged: tuple[Judged, ...]


def explanation(domain: Domain, whole: Policy, carried: Carried, examined: Examined) -> Explanation:
    """The reasons of a decision under a policy whose guest tables are not applied yet."""
    subject, decision = examined.subject, examined.decision
    return Explanation(
        subject.event,
        domain,
        subject.facts.host(),
        subject.policy,
        decision,
        carried,
        subject.places.knows_host,
        tuple(_matched(one, subject.event.name, domain.uuid) for one in whole.guests),
        (*_references(examined), *_copied(domain, examined)),
        tuple(_tuned(whole, subject, decision)),
        tuple(sorted(_judged(subject, whole, decision), key=lambda one: list(Standing).index(one.standing))),
    )


def _matched(guests: Guests, name: str, uuid: str) -> Matched:
    return Matched(guests, _mismatch(guests, name, uuid))


def _mismatch(match: Guests | DirectEdit, name: str, uuid: str) -> str:
    """Why a table is not for a guest: what of its ``match`` does not fit."""
    if match.names and not any(fnmatchcase(name, one) for one in match.names):
        return f"its match.name is {', '.join(match.names)}"
    if match.uuids and uuid.lower() not in match.uuids:
        return "its match.uuid has others"
    return ""


def _references(examined: Examined) -> Iterator[Named]:
    """The document's references; what says the same of the same device is told once."""
    subject, told = examined.subject, set()
    chains = {top.reference: chain for top, chain in examined.followed}
    for resolution in examined.resolutions:
        reference, chain = resolution.reference, chains.get(resolution.reference)
        said = (reference.spot.label, reference.name, resolution.outcome, resolution.new)
        if said not in told:
            told.add(said)
            layers = tuple(_named(layer.resolution, subject) for layer in chain.layers) if chain else ()
            yield _named(resolution, subject)._replace(layers=layers, broken=chain.broken if chain else None)


def _copied(domain: Domain, examined: Examined) -> Iterator[Named]:
    """The disks that are none of ours: libvirt copies them, so a waiver of the guest says."""
    known = {one.reference.spot for one in examined.resolutions}
    for reference in references.find(domain):
        if reference.spot not in known:
            why = "libvirt copies this disk, by the guest's waiver (copy-storage)"
            resolution = Resolution(reference, Outcome.KEPT, Kind.STORAGE, why=why)
            yield Named(resolution, (), "", None, why)


def _named(resolution: Resolution, subject: Subject) -> Named:
    name, place, places = resolution.reference.name, resolution.place, subject.places.all
    if name is None or place is None:
        near = None
        if name is not None and resolution.outcome is Outcome.NO_PLACE:
            near = nearest(name, resolution.reference.row.kinds, places)
        return Named(resolution, (), "", near, _why_none(resolution, places))
    here = best_pattern(place.at, subject.facts.host()) or ""
    if resolution.outcome is Outcome.AMBIGUOUS:
        elsewhere = _longest([one for any in places if any.kind is place.kind for one in _called(name, any)])
    else:
        elsewhere = tuple(one for one in _called(name, place) if one.host != here)
    return Named(resolution, elsewhere, here, None, resolution.why)


def _called(name: Name, place: Place) -> Iterator[Called]:
    """The hosts' names for a place that contain a name."""
    for host, called in place.at.items():
        for one in called:
            if name.remainder(one) is not None:
                yield Called(place, host, one, place.rules.get(host, place.rule))


def _longest(found: Sequence[Called]) -> tuple[Called, ...]:
    """Of each host's names the longest: that is what counts there."""
    most: dict[str, int] = {}
    for one in found:
        most[one.host] = max(most.get(one.host, 0), len(one.name.parts))
    return tuple(one for one in found if len(one.name.parts) == most[one.host])


def _why_none(resolution: Resolution, places: Sequence[Place]) -> str:
    name, kinds = resolution.reference.name, resolution.reference.row.kinds
    if resolution.rule is ORIGIN:
        return 'no place: found by what the guest\'s origin stamp says of the file (origin = "rewrite")'
    if resolution.outcome is not Outcome.NO_PLACE or name is None:
        return resolution.why
    which = " or ".join(kind.value for kind in kinds)
    if not any(place.kind in kinds for place in places):
        return f"the policy has no {which} place"
    if not has_form(name.form, kinds, places):
        return f"no {which} place has a {name.form.value} for a name on any host"
    return f"it lies on no {which} place of any host"


def _tuned(whole: Policy, subject: Subject, decision: Decision) -> Iterator[Tuned]:
    for key, one in whole.adjust.items():
        changes = _changes(decision, Kind.ADJUST, key)
        yield Tuned(
            f"adjust.{key} = {one.how.value}", one.rule, changes, "" if changes else "changes nothing"
        )
    for edit in whole.edits:
        changes = _changes(decision, Kind.EDIT, edit.id)
        mismatch = _mismatch(edit, subject.event.name, subject.domain.uuid)
        why = f"for other guests: {mismatch}" if mismatch else f"changes nothing at {edit.select}"
        yield Tuned(f"edit.{edit.id}", edit.rule, changes, "" if changes else why)


def _changes(decision: Decision, kind: Kind, id: str) -> tuple[Change, ...]:
    return tuple(one for one in decision.changes if one.kind is kind and one.place == id)


def _judged(subject: Subject, whole: Policy, decision: Decision) -> Iterator[Judged]:
    for requirement in requirements.ALL:
        findings = tuple(one for one in decision.findings if one.code == requirement.code)
        setting = subject.policy.setting(requirement.code, requirement.default)
        if setting.level is Level.OFF:
            findings = ()  # that it is not judged is all that they say
        standing, why = _standing(requirement, setting, subject, findings)
        yield Judged(requirement, setting, _guest(requirement.code, whole, subject), standing, why, findings)


def _standing(
    requirement: Requirement, setting: Setting, subject: Subject, findings: tuple[Finding, ...]
) -> tuple[Standing, str]:
    counting = [one for one in findings if one.level is not Level.OFF]
    if counting:
        known = any(not one.unmet.unknown for one in counting)
        return (Standing.UNMET if known else Standing.UNKNOWN), ""
    if setting.level is Level.OFF:
        return Standing.OFF, "exempt" if requirement.code in subject.policy.exempt else ""
    why = _skipped(requirement, subject)
    return Standing.SKIPPED if why else Standing.WAIVED if findings else Standing.MET, why


def _skipped(requirement: Requirement, subject: Subject) -> str:
    """Why a requirement was not judged, "" if it was."""
    if requirement.scope is not Scope.GUEST:
        return "about the host alone"
    if subject.event.operation not in requirement.operations:
        return f"not judged at {subject.event.operation.value}"
    return "needs the guest's origin" if requirement.needs_origin and subject.origin is None else ""


def _guest(code: str, whole: Policy, subject: Subject) -> str:
    """The guest table that gives a requirement its level: the last that matches and names it."""
    fits = (one for one in whole.guests if one.match(subject.event.name, subject.domain.uuid))
    return next((one.id for one in reversed(tuple(fits)) if code in one.require), "")
