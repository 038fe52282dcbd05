"""The door: one guest arrives, one answer leaves. Every face composes a decision through here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from libhooks import engine, journal, refusal, requirements
from libhooks.carried import NOTHING, Carried, counting
from libhooks.decision import Decision, Undecidable, Verdict
from libhooks.domain import Domain, parse
from libhooks.event import Event, Operation
from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.model import Memo
from libhooks.places import Index
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Mode, Place, Policy
from libhooks.requirements.model import Requirement

if TYPE_CHECKING:
    from libhooks.policy.lastgood import LastGood

POLICY_DIRECTORY = "/etc/libhooks/policy.d"
#: Where a host that asks for it keeps its last valid policy.
_LAST_GOOD = "/var/lib/libhooks/policy"

#: What the hook exits with; at anything but ACCEPTED libvirt refuses the guest.
ACCEPTED, REFUSED, INVALID, INTERNAL = 0, 1, 2, 3


class Settings(NamedTuple):
    """Where to look: the policy, another name for this host (``--host``), another root for its facts.

    ``stamp``: a guest that is rewritten gets this host's origin stamp, as what goes to libvirt has to.
    ``path`` is the record's; ``spent`` are the seconds of the decision's time that are gone already.
    """

    policy: str = POLICY_DIRECTORY
    host: str = ""
    root: str = "/"
    path: str = "inline"
    stamp: bool = True
    spent: float = 0.0

    @property
    def last_good(self) -> str:
        """Where the last valid policy is kept; "" for a trial of another policy on this host."""
        ours = self.policy == POLICY_DIRECTORY or self.root != "/"
        return self.root.rstrip("/") + _LAST_GOOD if ours else ""


class Means(NamedTuple):
    """How a decision comes by what it needs. A process that makes many keeps what stays the same."""

    load: Callable[[str], Policy] = load
    indexed: Callable[[tuple[Place, ...], tuple[str, ...]], Index] = Index
    facts: Callable[[str, float], HostFacts] = open_facts


class Answer(NamedTuple):
    """What goes out of the hook, and the record that goes into ``policy``'s journal.

    In audit mode ``stdout`` and ``stderr`` are empty; ``decision`` is what enforce would have made of
    the guest. It is None where there is only a ``failure`` of our own. ``case`` is what the policy wants
    kept of a refusal, to be written where the record is; ``caseless`` says why there is none all the same.
    A ``warning`` of the record's comes with a decision all the same.
    """

    stdout: bytes
    stderr: str
    code: int
    record: journal.Record
    policy: Policy
    decision: Decision | None
    failure: Failure | None
    case: bytes = b""
    caseless: str = ""
    warning: str = ""


class Failure(NamedTuple):
    """Our own failure to decide, in the words of a refusal."""

    what: str
    detail: str
    hint: str
    code: int


class _Guest(NamedTuple):
    """What comes to be known of a guest on the way to an answer, however far that way goes."""

    event: Event
    host: str = "this host"
    uuid: str = ""
    policy: Policy = Policy(mode=Mode.ENFORCE)
    carried: Carried = NOTHING
    decision: Decision | None = None
    failure: Failure | None = None
    case: bytes = b""
    caseless: str = ""
    warning: str = ""


def answer(
    event: Event,
    document: bytes,
    settings: Settings,
    judged: tuple[Requirement, ...] = requirements.ALL,
    means: Means = Means(),  # noqa: B008 - immutable
) -> Answer:
    """Decide on a guest, and say it in every form that is needed. Never raises."""
    began, clock = time.time(), time.monotonic()
    guest = _decided(_Guest(event), document, settings, judged, means)
    enforced = guest.policy.mode is Mode.ENFORCE
    record = journal.record(_circumstances(guest, settings), guest.decision, _error(guest), began,
                            time.monotonic() - clock)  # fmt: skip
    stdout, stderr, code = _spoken(guest, _where(record, guest)) if enforced else (b"", "", ACCEPTED)
    return Answer(stdout, stderr, code, record, guest.policy, guest.decision, guest.failure, guest.case,
                  guest.caseless, guest.warning)  # fmt: skip


def _decided(
    guest: _Guest, document: bytes, settings: Settings, judged: tuple[Requirement, ...], means: Means
) -> _Guest:
    """The guest with a decision or a failure. Each step adds to what the next one's failure can tell."""
    try:
        guest = _with_policy(guest, settings, means)
        left = max(0.0, guest.policy.deadline - settings.spent)
        with means.facts(settings.root, left) as host_facts:
            facts = Memo(host_facts, settings.host)
            guest = guest._replace(host=next(iter(facts.host()), guest.host))
            if guest.failure is not None:
                return guest
            domain = parse(document)
            guest = guest._replace(uuid=domain.uuid, policy=_policy(guest, domain))
            guest = guest._replace(carried=brought(guest.policy, domain, guest.event, facts.host()))
            decision = engine.decide_domain(guest.event, domain, guest.policy, facts, judged, guest.carried,
                                            settings.stamp, means.indexed)  # fmt: skip
            return _with_case(guest._replace(decision=decision), domain, facts)
    except Undecidable as error:
        return guest._replace(failure=Failure("it cannot be judged", str(error), "", REFUSED))
    except Exception as error:  # noqa: BLE001 - a face must answer libvirt, whatever happens
        return guest._replace(failure=internal(error))


def _with_case(guest: _Guest, domain: Domain, facts: Memo) -> _Guest:
    """The guest with its case, where it is refused and the policy wants that kept."""
    refused = guest.decision is not None and guest.decision.verdict is Verdict.REFUSED
    if not refused or not guest.policy.journal.cases:
        return guest
    try:
        from libhooks.cases import written  # few policies want it

        return guest._replace(case=written.case(guest.event, domain, guest.policy, facts.answers, _now()))
    except Exception as error:  # noqa: BLE001 - the decision stands, whatever goes wrong in writing it down
        return guest._replace(caseless=internal(error).detail)


def _with_policy(guest: _Guest, settings: Settings, means: Means) -> _Guest:
    try:
        return guest._replace(policy=means.load(settings.policy))
    except PolicyError as error:
        first, *more = error.diagnostics
        detail = str(first._replace(help="")) + (f" (and {len(more)} more)" if more else "")
        hint = "; ".join(one for one in (first.help, "libhooks policy check shows all") if one)
        failure = Failure("the policy of this host is invalid", detail, hint, INVALID)
        last = last_good(settings)
        if last is None:
            return guest._replace(failure=failure)
        since = f"decided by the last good one, of {journal.rfc3339(last.time)}"
        return guest._replace(policy=last.policy, warning=f"{failure.what}: {failure.detail}; {since}")


def last_good(settings: Settings) -> LastGood | None:
    """The policy that decides while the host's own is invalid, if that is what it asks for."""
    from libhooks.policy import lastgood  # only where something is wrong

    return lastgood.find(settings.last_good) if settings.last_good else None


def _policy(guest: _Guest, domain: Domain) -> Policy:
    return guest.policy.for_guest(guest.event.name, domain.uuid)


def brought(policy: Policy, domain: Domain, event: Event, here: tuple[str, ...]) -> Carried:
    """What the guest brings along to the host of those names, as far as it counts now."""
    return counting(domain, policy, event, here, _now())


def _now() -> str:
    """The time as waivers have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def internal(error: Exception) -> Failure:
    """An error of ours: its kind and place. Its text may quote the document, so it stays out."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    hint = "report this with the guest's definition, its passwords removed"
    return Failure("an error inside libhooks", f"{type(error).__name__} in {place}", hint, INTERNAL)


def _error(guest: _Guest) -> str | None:
    failed = "" if guest.failure is None else f"{guest.failure.what}: {guest.failure.detail}"
    return "; ".join(one for one in (guest.warning, failed) if one) or None


def _circumstances(guest: _Guest, settings: Settings) -> journal.Circumstances:
    mode, policy = guest.policy.mode, guest.policy
    enforced = mode is Mode.ENFORCE
    return journal.Circumstances(
        guest.event,
        guest.host,
        guest.uuid,
        mode.value,
        enforced,
        policy.digest,
        policy.files,
        settings.path,
        guest.carried,
    )


def _where(record: journal.Record, guest: _Guest) -> str:
    return f"record {record['id']} in {guest.policy.journal.path} on {guest.host}"


def _spoken(guest: _Guest, where: str) -> tuple[bytes, str, int]:
    """What the hook says and exits with under a policy that is enforced."""
    failure, decision = guest.failure, guest.decision
    if failure is not None:
        return _failed(guest, failure, where)
    if decision is None or decision.verdict is Verdict.UNCHANGED:
        return b"", "", ACCEPTED
    if decision.verdict is Verdict.REWRITTEN:
        return decision.output or b"", "", ACCEPTED
    return b"", refusal.text(guest.host, guest.event.name, decision.findings, where), REFUSED


def _failed(guest: _Guest, failure: Failure, where: str) -> tuple[bytes, str, int]:
    """Failures of ours refuse a guest that migrates, and let one that is restored start as it was:
    a mistake in a policy must not keep a rebooted host's saved guests down."""
    if guest.event.operation is Operation.RESTORE:
        return b"", "", ACCEPTED
    told = refusal.failure(guest.host, guest.event.name, failure.what, failure.detail, failure.hint, where)
    return b"", told, failure.code
