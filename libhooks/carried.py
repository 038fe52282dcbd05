"""What travels with a guest in its metadata: where it comes from, and what it was given leave for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from libhooks.domain import Domain
from libhooks.event import Event, Operation
from libhooks.origin import Origin
from libhooks.policy.model import Identification, Policy

if TYPE_CHECKING:
    from libhooks.waiver import Waiver


class Carried(NamedTuple):
    """What a guest says of itself, none of it to be trusted further than its own migration."""

    origin: Origin | None = None
    waivers: tuple[Waiver, ...] = ()


#: What most guests carry.
NOTHING = Carried()


def carried(domain: Domain, now: str) -> Carried:
    """What a guest brings with it; ``now`` (as Waiver's ``until``) tells which waivers still hold."""
    metadata = domain.root.find("metadata")
    if metadata is None or len(metadata) == 0:
        return NOTHING
    from libhooks import stamp, waiver  # few guests carry anything

    return Carried(stamp.read(domain), waiver.valid(waiver.read(domain), now))


def counting(domain: Domain, policy: Policy, event: Event, here: tuple[str, ...], now: str) -> Carried:
    """What a guest brings with it to the host of those names, as far as the policy lets it count."""
    found = carried(domain, now)
    unwanted = policy.origin is Identification.OFF
    if found.origin is not None and (unwanted or _is_old(found.origin, event, here)):
        found = found._replace(origin=None)
    return found if policy.waivers else found._replace(waivers=())


def _is_old(origin: Origin, event: Event, here: tuple[str, ...]) -> bool:
    """Whether a guest says that it migrates here from here: it was elsewhere since, and nobody stamped it."""
    mine = {name.lower() for name in here}
    return event.operation is Operation.MIGRATE and not mine.isdisjoint(map(str.lower, origin.names))
