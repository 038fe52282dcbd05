"""Stamping the guests that run here, in a thread of its own: it waits for migrations under way."""

from __future__ import annotations

import queue
import threading
from typing import Callable

from libhooks import stamp, stamping
from libhooks.decision import Undecidable
from libhooks.domain import parse
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.libvirtd.errors import NoGuest, Rejected, Unreachable
from libhooks.libvirtd.guests import Guest
from libhooks.libvirtd.hosts import Host
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Identification, Policy
from libhooks.service.telling import Speaker

KEY = "libhooks"


class Stamper:
    """Takes guests by their UUIDs, and gives them the stamp of this host where they have another or none."""

    def __init__(self, policy: str, tell: Speaker) -> None:
        self._policy = policy
        self._tell = tell
        self._waiting: queue.Queue[tuple[Host, str]] = queue.Queue()

    def start(self) -> None:
        """Begin to work."""
        threading.Thread(target=self._work, name="stamper", daemon=True).start()

    def take(self, host: Host, uuid: str) -> None:
        """A guest that runs here under names that are to be told to the next host."""
        self._waiting.put((host, uuid))

    def _work(self) -> None:
        while True:
            host, uuid = self._waiting.get()
            try:
                self._stamp(host.by_uuid(uuid))
            except (NoGuest, Unreachable):
                continue  # it is gone; after a break of the connection all are taken again
            except (Rejected, Undecidable, PolicyError, OSError) as error:
                self._tell.warning("a guest cannot be stamped", guest=uuid, because=str(error))
            except Exception as error:  # noqa: BLE001 - the other guests are to be stamped all the same
                self._tell.error(
                    "an error inside libhooks; please report it", guest=uuid, because=repr(error)
                )

    def _stamp(self, guest: Guest) -> None:
        policy = load(self._policy)
        policy = policy.for_guest(guest.name, guest.uuid)
        if not policy.present or policy.origin is Identification.OFF or guest.is_arriving:
            return
        if guest.runs:
            _mark(guest, guest.running, policy, saved=False)
            if guest.is_saved:
                _mark(guest, guest.definition, policy, saved=True)


def _mark(guest: Guest, read: Callable[[], bytes], policy: Policy, saved: bool) -> None:
    """Give a guest's document its stamp, by the names that this very document has."""
    domain = parse(read())
    with open_facts("/", policy.deadline) as facts:
        now = stamping.stamp(domain, Memo(facts), policy.digest)
    if stamp.read(domain) != now:
        guest.carry(stamp.written(now), KEY, stamp.NAMESPACE, saved)
