"""What libvirtd tells of guests' coming and going, put into a queue as it happens."""

from __future__ import annotations

import queue
import threading
from enum import Enum
from typing import NamedTuple

import libvirt

from libhooks.libvirtd.hosts import Host, reach


class What(Enum):
    """What happened to a guest, as far as it concerns whoever accompanies migrations."""

    DEFINED = "defined"
    STARTED = "started"  # by itself, not by a migration to this host
    ARRIVED = "arrived"  # its migration to this host has ended, and it runs here
    STOPPED = "stopped"  # it ended, or never came to run
    DESTROYED = "destroyed"  # somebody, or libvirt for a source that is gone, ended it
    LEFT = "left"  # its migration to another host has ended
    CLOSED = "closed"  # no guest: the connection


class Happening(NamedTuple):
    """One thing that happened to a guest. ``uuid`` is "" for CLOSED."""

    what: What
    uuid: str = ""
    name: str = ""


_STOPPED = {
    libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED: What.DESTROYED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED: What.LEFT,
}


def meaning(event: int, detail: int) -> What | None:
    """What a lifecycle event of libvirt means; None for those that concern nobody here."""
    if event == libvirt.VIR_DOMAIN_EVENT_DEFINED:
        return What.DEFINED
    if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
        return _STOPPED.get(detail, What.STOPPED)
    if event == libvirt.VIR_DOMAIN_EVENT_STARTED:
        return None if detail == libvirt.VIR_DOMAIN_EVENT_STARTED_MIGRATED else What.STARTED
    arrived = detail == libvirt.VIR_DOMAIN_EVENT_RESUMED_MIGRATED
    return What.ARRIVED if event == libvirt.VIR_DOMAIN_EVENT_RESUMED and arrived else None


def run_loop() -> None:
    """Start libvirt's event loop in a thread of its own. Once, before any connection is made."""
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, name="libvirt", daemon=True).start()


def listen(uri: str, happenings: queue.SimpleQueue[Happening]) -> Host:
    """A host whose guests' lives are told to a queue, and the connection's end too. Raises Unreachable."""
    host = reach(uri)

    def tell(uuid: str, name: str, event: int, detail: int) -> None:
        what = meaning(event, detail)
        if what is not None:
            happenings.put(Happening(what, uuid, name))

    host.watch(tell, lambda: happenings.put(Happening(What.CLOSED)))
    return host
