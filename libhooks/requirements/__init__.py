"""The requirements, in the order in which people read what is unmet."""

from __future__ import annotations

from libhooks.requirements import device, network, policy, storage
from libhooks.requirements.model import Requirement

ALL: tuple[Requirement, ...] = (
    *policy.REQUIREMENTS,
    *storage.REQUIREMENTS,
    *network.REQUIREMENTS,
    *device.REQUIREMENTS,
)

#: What must hold even where only the rewritten document is asked for.
REWRITING: tuple[Requirement, ...] = tuple(one for one in ALL if one.rewriting)
