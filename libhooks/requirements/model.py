"""What a requirement is, and what it is given to judge."""

from __future__ import annotations

from enum import Enum
from typing import Callable, Iterator, NamedTuple

from libhooks.chain import Chain
from libhooks.decision import Kind, Level, Unmet
from libhooks.domain import Domain, around, device_key
from libhooks.event import Event, Operation
from libhooks.facts.model import Facts
from libhooks.guard import Violation
from libhooks.names import Form, Name
from libhooks.origin import Entry, Origin
from libhooks.places import Index, Outcome, Resolution
from libhooks.policy.model import Policy
from libhooks.references.model import Role


class Subject(NamedTuple):
    """A decision so far: the domain as it would run here, and how it came to be.

    ``resolutions`` are those of the document and of the images that only headers name. Where the guard
    found ``violations``, the domain is still the one that came in. ``origin`` is what the guest says of the
    host it comes from, None where it says nothing. ``unfitted`` is what no adjustment could be made of.
    """

    event: Event
    domain: Domain
    resolutions: tuple[Resolution, ...]
    chains: tuple[Chain, ...]
    violations: tuple[Violation, ...]
    places: Index
    policy: Policy
    facts: Facts
    origin: Origin | None = None
    unfitted: tuple[Unmet, ...] = ()

    def named(self, *roles: Role, form: Form | None = None) -> Iterator[tuple[Resolution, Name]]:
        """The references of some roles (and of one form) with the names that the guest uses here.

        Not those that are refused for having no answer here: what they were called elsewhere says nothing.
        """
        for resolution in self.resolutions:
            now = resolution.now
            if now is None or resolution.reference.role not in roles or form not in (None, now.form):
                continue
            if not self._refused(resolution):
                yield resolution, now

    def entry(self, resolution: Resolution) -> Entry | None:
        """What the origin stamp says of a reference's device under the name that it came with."""
        reference = resolution.reference
        if self.origin is None or reference.element is None or reference.name is None:
            return None
        return self.origin.entry(device_key(around(reference.element)), str(reference.name))

    def _refused(self, resolution: Resolution) -> bool:
        code = self._code_of(resolution)
        return bool(code) and self.policy.setting(code, Level.REFUSE).level is Level.REFUSE

    def _code_of(self, resolution: Resolution) -> str:
        """The requirement that says why a reference has no answer here, "" if it has one."""
        if resolution.outcome in (Outcome.NO_PLACE, Outcome.KEPT, Outcome.RENAMED):
            return ""
        if resolution.outcome is Outcome.AMBIGUOUS:
            return "policy.ambiguous"
        if resolution.outcome is Outcome.UNMAPPED and not self.places.knows_host:
            return "policy.host"
        if resolution.outcome is Outcome.UNFIT and resolution.kind is Kind.NETWORK:
            return "network.form"
        return f"{resolution.kind.value}.mapped"


def unmet(
    resolution: Resolution, name: Name, wanted: str, found: str, hint: str, unknown: bool = False
) -> Unmet:
    """What a reference does not meet, told by the name that the guest uses here."""
    return Unmet(resolution.reference.spot, name.spoken, wanted, found, hint, unknown)


Judge = Callable[[Subject], Iterator[Unmet]]

#: The documents that requirements come from.
GUIDE = "Red Hat, Virtualization Deployment and Administration Guide (RHEL 7), 15.1 Migration Requirements"
LIBVIRT = "libvirt"

BOTH = (Operation.MIGRATE, Operation.RESTORE)
MIGRATE = (Operation.MIGRATE,)


class Scope(Enum):
    """Whom a requirement is about, and so when it is judged.

    ``GUEST``: at every decision. ``HOST``: the daemon, its configuration, certificates, firewall and
    clock; judged outside the hook, which never runs a command.
    """

    GUEST = "guest"
    HOST = "host"


class Requirement(NamedTuple):
    """A condition that a guest must meet here.

    ``source`` is the document that demands it. ``judge`` gives what is unmet; its docstring is what
    ``libhooks explain`` prints. ``rewriting`` marks what rewriting itself can run into, which holds
    even where only the rewritten document is asked for. What ``needs_origin`` cannot be told without the
    origin stamp, and is skipped and not listed where a guest has none.
    """

    code: str
    title: str
    source: str
    default: Level
    operations: tuple[Operation, ...]
    judge: Judge
    rewriting: bool = False
    scope: Scope = Scope.GUEST
    needs_origin: bool = False
