"""The engine: a domain, a policy and facts in; a decision out. No clock, environment or logging."""

from __future__ import annotations

from typing import Iterator

from libhooks import chain, guard, references, requirements
from libhooks.chain import Chain
from libhooks.decision import Change, Decision, Finding, Level, Undecidable, Unmet, Verdict
from libhooks.domain import Domain, parse
from libhooks.event import Event
from libhooks.facts.model import Facts
from libhooks.places import Index, Outcome, Resolution
from libhooks.policy.model import Policy
from libhooks.references.model import Reference, Role
from libhooks.requirements.model import Requirement, Subject


def decide(
    event: Event,
    document: bytes,
    policy: Policy,
    facts: Facts,
    judged: tuple[Requirement, ...] = requirements.ALL,
) -> Decision:
    """What becomes of a guest that arrives on this host.

    All requirements of ``judged`` that are not off are judged on the rewritten domain, and all
    findings are reported together. Deciding on the output gives Unchanged.
    Raises Undecidable if the document cannot be read or the policy contradicts itself.
    """
    domain = parse(document)
    return decide_domain(event, domain, policy.for_guest(event.name, domain.uuid), facts, judged)


def decide_domain(
    event: Event,
    domain: Domain,
    policy: Policy,
    facts: Facts,
    judged: tuple[Requirement, ...] = requirements.ALL,
) -> Decision:
    """As ``decide``, for a document that is parsed and a policy with the guest's exceptions applied."""
    index = _index(policy, facts)

    def resolve(reference: Reference) -> Resolution:
        return index.resolve(reference, event.operation)

    resolutions = tuple(resolve(reference) for reference in references.find(domain))
    followed = tuple((top, chain.follow(top, resolve, facts)) for top in resolutions if _is_image(top))
    changes = (*_changes(resolutions), *_chain_changes(followed))
    chains = tuple(one for _, one in followed)
    behind = tuple(layer.resolution for one in chains for layer in one.layers)
    violations = tuple(guard.check(changes))
    rewritten = _applied(domain, () if violations else changes)
    subject = Subject(event, rewritten, resolutions + behind, chains, violations, index, policy, facts)
    findings = tuple(_judge(subject, judged))
    return _decision(rewritten, changes, findings)


def _index(policy: Policy, facts: Facts) -> Index:
    try:
        return Index(policy.places, facts.host())
    except ValueError as error:
        raise Undecidable(f"the policy contradicts itself: {error}") from error


def _applied(domain: Domain, changes: tuple[Change, ...]) -> Domain:
    return domain.edited(edit for change in changes for edit in change.edits) if changes else domain


def _is_image(resolution: Resolution) -> bool:
    return resolution.reference.role is Role.IMAGE and resolution.now is not None


def _changes(resolutions: tuple[Resolution, ...]) -> Iterator[Change]:
    for resolution in resolutions:
        reference, new = resolution.reference, resolution.new
        if resolution.outcome is not Outcome.RENAMED or new is None:
            continue
        if resolution.place is not None and resolution.rule is not None and reference.element is not None:
            edits = tuple(reference.row.write(reference.spot, reference.element, new))
            old = str(reference.name)
            yield Change(
                resolution.kind, resolution.place.id, reference.spot, old, str(new), resolution.rule, edits
            )


def _chain_changes(followed: tuple[tuple[Resolution, Chain], ...]) -> Iterator[Change]:
    for top, found in followed:
        if found.broken is None and chain.changed(found):
            yield from found.change(top)


def _judge(subject: Subject, judged: tuple[Requirement, ...]) -> Iterator[Finding]:
    for requirement in judged:
        setting = subject.policy.setting(requirement.code, requirement.default)
        if setting.level is Level.OFF or subject.event.operation not in requirement.operations:
            continue
        unknown = subject.policy.require.get("unknown", setting)
        for unmet in requirement.judge(subject):
            level, rule = unknown if unmet.unknown else setting
            if level is not Level.OFF:
                yield Finding(requirement.code, level, _worded(unmet), rule)


def _worded(unmet: Unmet) -> Unmet:
    return unmet._replace(found=f"unknown: {unmet.found}") if unmet.unknown else unmet


def _decision(rewritten: Domain, changes: tuple[Change, ...], findings: tuple[Finding, ...]) -> Decision:
    if any(finding.level is Level.REFUSE for finding in findings):
        return Decision(Verdict.REFUSED, changes, findings, None)
    if changes:
        return Decision(Verdict.REWRITTEN, changes, findings, rewritten.serialise())
    return Decision(Verdict.UNCHANGED, (), findings, None)
