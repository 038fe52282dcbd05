"""The companion: watches libvirtd and does what the hook cannot, for no hook may ask libvirtd anything.

It repairs the saved definitions of guests that arrived, records what became of them, and stamps those that
run. Nothing depends on it: what it misses it catches up with when it is there again.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from contextlib import closing
from typing import Callable

from libhooks.decision import Undecidable
from libhooks.libvirtd import events
from libhooks.libvirtd.errors import NoGuest, Rejected, Unreachable
from libhooks.libvirtd.events import Happening, What
from libhooks.libvirtd.hosts import Host
from libhooks.originals import Originals
from libhooks.policy.diagnostic import PolicyError
from libhooks.service.accompanying import Accompaniment
from libhooks.service.stamper import Stamper
from libhooks.service.systemd import Notifier
from libhooks.service.telling import speaker

#: Seconds between attempts to reach libvirtd, at first and at most.
_SOON, _LATE = 0.5, 15.0
#: Seconds between two looks at those that do not come.
_LOOK = 30.0


class Companion:
    """One run of it, until it is told to end."""

    def __init__(self, uri: str, policy: str, originals: Originals) -> None:
        self._uri = uri
        self._tell = speaker()
        self._notifier = Notifier(os.environ)
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._accompaniment = Accompaniment(policy, originals, self._tell)
        self._stamper = Stamper(policy, self._tell)
        self._ended = False
        self._looked = 0.0

    def run(self) -> None:
        """Watch, and connect again and again; returns at SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        events.run_loop()
        self._stamper.start()
        self._notifier.tell("READY=1")
        pause = _SOON
        while not self._ended:
            try:
                self._happenings = queue.SimpleQueue()  # what another connection told is over
                host = events.listen(self._uri, self._happenings)
                pause = _SOON
                with closing(host):
                    self._watch(host)
            except Unreachable as error:
                if pause == _SOON:
                    self._tell.warning("libvirtd cannot be reached; trying again", because=str(error))
                self._notifier.tell(f"STATUS=waiting for libvirtd: {error}")
                self._wait(pause)
                pause = min(2 * pause, _LATE)
        self._notifier.tell("STOPPING=1")

    def _watch(self, host: Host) -> None:
        """Work with a connection until it breaks (Unreachable), or the end."""
        self._notifier.tell(f"STATUS=watching {self._uri}")
        self._tell.info("watching guests", connection=self._uri)
        self._try(lambda: self._accompaniment.begin(host))
        for guest in host.everyone():
            self._stamper.take(host, guest.uuid)
        while not self._ended:
            happening = self._next()
            if happening is None:
                self._look(host)
            elif happening.what is What.CLOSED:
                raise Unreachable("it ended the connection")
            else:
                self._handle(host, happening)

    def _handle(self, host: Host, happening: Happening) -> None:
        self._try(lambda: self._accompaniment.happened(host, happening))
        if happening.what in (What.STARTED, What.ARRIVED):
            self._stamper.take(host, happening.uuid)

    def _look(self, host: Host) -> None:
        if time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            self._try(lambda: self._accompaniment.look(host))

    def _try(self, act: Callable[[], None]) -> None:
        """Do something of which the rest does not depend."""
        try:
            act()
        except NoGuest:
            return  # it was there a moment ago
        except Unreachable:
            raise
        except (Rejected, Undecidable, PolicyError, OSError) as error:
            self._tell.warning("a guest cannot be accompanied", because=str(error).partition("\n")[0])
        except Exception as error:  # noqa: BLE001 - the next guest is to be accompanied all the same
            self._tell.error("an error inside libhooks; please report it", because=repr(error))

    def _next(self) -> Happening | None:
        """What happened next; None after a while in which nothing did."""
        self._notifier.tell("WATCHDOG=1")
        try:
            return self._happenings.get(timeout=self._notifier.interval or 5.0)
        except queue.Empty:
            return None

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._ended and time.monotonic() < end:
            self._notifier.tell("WATCHDOG=1")
            time.sleep(min(0.5, seconds))

    def _end(self, *_: object) -> None:
        self._ended = True
        self._happenings.put(Happening(What.CLOSED))


def serve(uri: str, policy: str, directory: str) -> None:
    """Accompany the guests of a libvirtd until SIGTERM."""
    os.umask(0o077)
    os.chdir("/")
    Companion(uri, policy, Originals(directory)).run()
