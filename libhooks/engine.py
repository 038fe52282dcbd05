"""The engine: a domain, a policy and facts in; a decision out. No clock, environment or logging."""

from __future__ import annotations

import itertools
from typing import Callable, Iterator, NamedTuple

from libhooks import chain, guard, references, requirements
from libhooks.carried import NOTHING, Carried
from libhooks.causes import told_once
from libhooks.chain import Chain
from libhooks.decision import (
    WAIVER,
    Change,
    Decision,
    Finding,
    Kind,
    Level,
    Spot,
    Undecidable,
    Unmet,
    Verdict,
)
from libhooks.domain import Domain, around, device_key, parse
from libhooks.event import Event
from libhooks.facts.model import Facts
from libhooks.origin import Entry, Identity, Origin
from libhooks.places import Index, Outcome, Resolution
from libhooks.policy.model import Identification, Place, Policy
from libhooks.references.model import Reference, Role
from libhooks.requirements.model import Requirement, Scope, Subject


def decide(
    event: Event,
    document: bytes,
    policy: Policy,
    facts: Facts,
    judged: tuple[Requirement, ...] = requirements.ALL,
    carried: Carried = NOTHING,
) -> Decision:
    """What becomes of a guest that arrives on this host, and what of that it has ``carried`` with it.

    All requirements of ``judged`` that are not off are judged on the rewritten domain, and all
    findings are reported together. Deciding on the output gives Unchanged.
    Raises Undecidable if the document cannot be read or the policy contradicts itself.
    """
    domain = parse(document)
    own = policy.for_guest(event.name, domain.uuid)
    return decide_domain(event, domain, own, facts, judged, carried)


def decide_domain(
    event: Event,
    domain: Domain,
    policy: Policy,
    facts: Facts,
    judged: tuple[Requirement, ...] = requirements.ALL,
    carried: Carried = NOTHING,
    stamped: bool = False,
    indexed: Callable[[tuple[Place, ...], tuple[str, ...]], Index] = Index,
) -> Decision:
    """As ``decide``, for a document that is parsed and a policy with the guest's exceptions applied.

    ``stamped``: what is rewritten goes to libvirt, and says where it runs to the host that it goes to next.
    """
    examined = examine(event, domain, policy, facts, judged, carried, indexed)
    decision = examined.decision
    if not stamped or decision.output is None or policy.origin is Identification.OFF:
        return decision
    return decision._replace(output=_stamped(examined.subject.domain, facts, policy))


class Examined(NamedTuple):
    """A decision, and what it was made of.

    ``resolutions`` and ``followed`` (of images, with the chains behind them) are those of the domain as it
    came in; ``subject`` has those that the requirements judged, after direct edits.
    """

    subject: Subject
    decision: Decision
    resolutions: tuple[Resolution, ...]
    followed: tuple[tuple[Resolution, Chain], ...]


def examine(
    event: Event,
    domain: Domain,
    policy: Policy,
    facts: Facts,
    judged: tuple[Requirement, ...] = requirements.ALL,
    carried: Carried = NOTHING,
    indexed: Callable[[tuple[Place, ...], tuple[str, ...]], Index] = Index,
) -> Examined:
    """As ``decide_domain``, for those who want to know why."""
    index = _index(policy, facts, indexed)

    def resolve(reference: Reference) -> Resolution:
        entry = _entry(reference, carried.origin)
        if entry is None or carried.origin is None:
            return index.resolve(reference, event.operation)
        found = index.resolve(reference, event.operation, carried.origin.names)
        return _identified(found, entry.identity, policy, facts)

    own = _Own(resolve, _copied(carried))
    made = _rewrite(domain, own, policy, facts)
    if made.edited:
        _check_settled(made, _rewrite(made.after, own, policy, facts))
    violations = tuple(guard.check(made.changes, made.after))
    rewritten = domain if violations and guarded(policy) else made.after
    subject = Subject(event, rewritten, made.named.all, made.named.chains, violations, index, policy, facts,
                      carried.origin, made.unfitted)  # fmt: skip
    findings = told_once(_judge(subject, judged, carried))
    return Examined(subject, _decision(rewritten, made.changes, findings), *made.came)


def renamed(domain: Domain, resolve: _Resolve, facts: Facts) -> tuple[Change, ...]:
    """The changes that give a domain's names, and those behind its images, the answers of ``resolve``."""
    return _placed(_named(domain, _Own(resolve, lambda _: False), facts))


_Resolve = Callable[[Reference], Resolution]


class _Own(NamedTuple):
    """What is this guest's own: how its references resolve, and which are no business of ours."""

    resolve: _Resolve
    excused: Callable[[Reference], bool]


def _entry(reference: Reference, origin: Origin | None) -> Entry | None:
    """What the stamp says of a reference's device, where it says just what stands there."""
    if origin is None or reference.element is None or reference.name is None:
        return None
    return origin.entry(device_key(around(reference.element)), str(reference.name))


def _identified(found: Resolution, identity: Identity, policy: Policy, facts: Facts) -> Resolution:
    if found.outcome is not Outcome.NO_PLACE or found.reference.role not in (Role.IMAGE, Role.UPLINK):
        return found
    from libhooks.identification import identified  # only for what no place names

    return identified(found, identity, policy.origin, facts)


def _copied(carried: Carried) -> Callable[[Reference], bool]:
    """Which references are of disks that libvirt copies; rewritten, they would be copied onto themselves."""
    if not carried.waivers:
        return lambda _: False
    from libhooks import waiver  # few guests have any

    def copied(one: Reference) -> bool:
        return one.role is Role.IMAGE and waiver.copied(carried.waivers, one.spot.label, one.writable)

    return copied


class _Named(NamedTuple):
    """What a domain names of the host, and what the headers of its images name behind them."""

    resolutions: tuple[Resolution, ...]
    followed: tuple[tuple[Resolution, Chain], ...]

    @property
    def chains(self) -> tuple[Chain, ...]:
        return tuple(one for _, one in self.followed)

    @property
    def all(self) -> tuple[Resolution, ...]:
        return self.resolutions + tuple(layer.resolution for one in self.chains for layer in one.layers)


class _Rewritten(NamedTuple):
    """What places, adjustments and edits make of a domain; ``edited`` where edits found something to do.

    ``came`` is what the domain named before any edit, ``named`` what it names after it.
    """

    changes: tuple[Change, ...]
    after: Domain
    came: _Named
    named: _Named
    unfitted: tuple[Unmet, ...]
    edited: bool


def _rewrite(domain: Domain, own: _Own, policy: Policy, facts: Facts) -> _Rewritten:
    named = _named(domain, own, facts)
    placed = _placed(named)
    changes, unfitted = _adjusted(domain, policy, facts)
    after = _applied(domain, (*placed, *changes))
    made = _Rewritten((*placed, *changes), after, named, named, unfitted, False)
    return _edited(domain, made, own, policy, facts) if policy.edits else made


def _placed(named: _Named) -> tuple[Change, ...]:
    return _merged(itertools.chain(_changes(named.resolutions), _chain_changes(named.followed)))


def _adjusted(domain: Domain, policy: Policy, facts: Facts) -> tuple[tuple[Change, ...], tuple[Unmet, ...]]:
    if not policy.adjust:
        return (), ()
    from libhooks.adjust import adjust  # most policies have none

    return adjust(domain, policy.adjust, facts)


def _edited(domain: Domain, made: _Rewritten, own: _Own, policy: Policy, facts: Facts) -> _Rewritten:
    from libhooks import edits  # most guests have none

    direct, after = edits.made(made.after, policy.edits)
    if not direct:
        return made
    named = _named(after, own._replace(resolve=_settled(made.named, own.resolve)), facts)
    changes = edits.told(domain, made.changes, direct, after)
    return _Rewritten(changes, after, made.came, named, made.unfitted, True)


def _check_settled(made: _Rewritten, again: _Rewritten) -> None:
    """Raise Undecidable where deciding on the outcome would change it ``again``: a guest must not wander."""
    for change in again.changes:
        rules = dict.fromkeys(_ruled(one) for one in (*made.changes, change) if one.kind is Kind.EDIT)
        told = ", ".join({**rules, _ruled(change): None})
        raise Undecidable(
            f"the outcome would be changed again ({change.spot.label}) by rules at odds: {told}"
        )


def _ruled(change: Change) -> str:
    return f"{change.kind.value}.{change.place} ({change.rule})"


def _named(domain: Domain, own: _Own, facts: Facts) -> _Named:
    resolutions = tuple(own.resolve(one) for one in references.find(domain) if not own.excused(one))
    chain.expect(resolutions, facts)
    images = (one for one in resolutions if _is_image(one))
    return _Named(resolutions, tuple((top, chain.follow(top, own.resolve, facts)) for top in images))


def _settled(before: _Named, resolve: _Resolve) -> _Resolve:
    """How references resolve after direct edits, which have the last word: no name is rewritten again."""
    known = {_place(one.reference): one for one in before.resolutions}

    def settle(reference: Reference) -> Resolution:
        found = known.get(_place(reference))
        if found is not None and found.now == reference.name:
            return found._replace(reference=found.reference._replace(element=reference.element))
        found = resolve(reference)
        return (
            found._replace(outcome=Outcome.NO_PLACE, new=None) if found.outcome is Outcome.RENAMED else found
        )

    return settle


def _place(reference: Reference) -> tuple[object, ...]:
    return reference.spot.xpath, reference.row.element, reference.row.covers


def guarded(policy: Policy) -> bool:
    """Whether the guard refuses what it finds."""
    return policy.setting("guard.abi", Level.REFUSE).level is Level.REFUSE


def _index(
    policy: Policy, facts: Facts, indexed: Callable[[tuple[Place, ...], tuple[str, ...]], Index]
) -> Index:
    try:
        return indexed(policy.places, facts.host())
    except ValueError as error:
        raise Undecidable(f"the policy contradicts itself: {error}") from error


def _applied(domain: Domain, changes: tuple[Change, ...]) -> Domain:
    return domain.edited(edit for change in changes for edit in change.edits) if changes else domain


_GUEST = Spot("guest", "/domain")


def _is_image(resolution: Resolution) -> bool:
    return resolution.reference.role is Role.IMAGE and resolution.now is not None


def _changes(resolutions: tuple[Resolution, ...]) -> Iterator[Change]:
    for resolution in resolutions:
        reference, new = resolution.reference, resolution.new
        if resolution.outcome is not Outcome.RENAMED or new is None:
            continue
        if resolution.rule is not None and reference.element is not None:
            edits = tuple(reference.row.write(reference.spot, reference.element, new))
            place, old = resolution.place.id if resolution.place else "origin", str(reference.name)
            yield Change(resolution.kind, place, reference.spot, old, str(new), resolution.rule, edits)


def _merged(changes: Iterator[Change]) -> tuple[Change, ...]:
    """The changes, those that say the same made one: a display's address stands in two spots."""
    found: dict[tuple[object, ...], Change] = {}
    for change in changes:
        said = (change.kind, change.place, change.spot.label, change.old, change.new)
        first = found.get(said)
        found[said] = change if first is None else first._replace(edits=first.edits + change.edits)
    return tuple(found.values())


def _chain_changes(followed: tuple[tuple[Resolution, Chain], ...]) -> Iterator[Change]:
    for top, found in followed:
        if found.broken is None and chain.changed(found):
            yield from found.change(top)


def _judge(subject: Subject, judged: tuple[Requirement, ...], carried: Carried) -> Iterator[Finding]:
    for requirement in judged:
        setting = subject.policy.setting(requirement.code, requirement.default)
        if not _applies(requirement, subject):
            continue
        if setting.level is Level.OFF:
            yield from _exempt(requirement, subject.policy)
            continue
        unknown = subject.policy.require.get("unknown", setting)
        for unmet in requirement.judge(subject):
            level, rule, audited = unknown if unmet.unknown else setting
            if _waived(requirement, unmet, carried):
                yield Finding(requirement.code, Level.OFF, _worded(unmet), WAIVER)
            elif level is not Level.OFF:
                yield Finding(requirement.code, level, _worded(unmet), rule, audited)


def _exempt(requirement: Requirement, policy: Policy) -> Iterator[Finding]:
    """What is not judged because this guest is an exception, not because nobody asks for it."""
    setting = policy.exempt.get(requirement.code)
    if setting is not None:
        unmet = Unmet(_GUEST, "", requirement.title, "not judged: this guest is exempt", "")
        yield Finding(requirement.code, Level.OFF, unmet, setting.rule)


def _waived(requirement: Requirement, unmet: Unmet, carried: Carried) -> bool:
    if not carried.waivers:
        return False
    from libhooks import waiver

    return waiver.waived(carried.waivers, requirement.code, unmet.spot.label)


def _applies(requirement: Requirement, subject: Subject) -> bool:
    """Whether a requirement is one of the guest's, at this operation, and can be told here."""
    told = subject.origin is not None or not requirement.needs_origin
    return requirement.scope is Scope.GUEST and subject.event.operation in requirement.operations and told


def _worded(unmet: Unmet) -> Unmet:
    return unmet._replace(found=f"unknown: {unmet.found}") if unmet.unknown else unmet


def _decision(rewritten: Domain, changes: tuple[Change, ...], findings: tuple[Finding, ...]) -> Decision:
    if any(finding.refuses for finding in findings):
        return Decision(Verdict.REFUSED, changes, findings, None)
    if changes:
        return Decision(Verdict.REWRITTEN, changes, findings, rewritten.serialise())
    return Decision(Verdict.UNCHANGED, (), findings, None)


def _stamped(rewritten: Domain, facts: Facts, policy: Policy) -> bytes:
    from libhooks import stamp, stamping  # only for what is rewritten anyway

    rewritten.mark(stamp.written(stamping.stamp(rewritten, facts, policy.digest)))
    return rewritten.serialise()
