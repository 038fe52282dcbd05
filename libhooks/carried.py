"""What travels with a guest in its metadata: where it comes from, and what it was given leave for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from libhooks.domain import Domain
from libhooks.origin import Origin

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
