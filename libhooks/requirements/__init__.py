"""The requirements, in the order in which people read what is unmet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from libhooks.requirements import (
    capacity,
    deadline,
    device,
    device_vectors,
    network,
    network_wiring,
    platform,
    platform_cpu,
    policy,
    service,
    storage,
    storage_access,
    storage_exporter,
    storage_identity,
    storage_sharing,
)
from libhooks.requirements.model import Requirement

if TYPE_CHECKING:
    from libhooks.requirements.service_host import HostRequirement

ALL: tuple[Requirement, ...] = (
    *policy.REQUIREMENTS,
    *storage.REQUIREMENTS,
    *storage_sharing.REQUIREMENTS,
    *storage_identity.REQUIREMENTS,
    *storage_exporter.REQUIREMENTS,
    *storage_access.REQUIREMENTS,
    *network.REQUIREMENTS,
    *network_wiring.REQUIREMENTS,
    *platform.REQUIREMENTS,
    *platform_cpu.REQUIREMENTS,
    *device_vectors.REQUIREMENTS,
    *device.REQUIREMENTS,
    *capacity.REQUIREMENTS,
    *service.REQUIREMENTS,
    # The last: it tells what the others found no time for.
    *deadline.REQUIREMENTS,
)

#: What must hold even where only the rewritten document is asked for.
REWRITING: tuple[Requirement, ...] = tuple(one for one in ALL if one.rewriting)


def everything() -> tuple[Union[Requirement, HostRequirement], ...]:
    """Each code once: besides ALL those of scope HOST, which no decision judges and the hook never loads."""
    from libhooks.requirements import service_host

    codes = {one.code for one in ALL}
    return (*ALL, *(one for one in service_host.REQUIREMENTS if one.code not in codes))
