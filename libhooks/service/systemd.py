"""What systemd and a service say to each other: sockets by number, signs of life by datagram.

The protocols of sd_listen_fds(3) and sd_notify(3), which ask for no library.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import Mapping

_FIRST = 3


def listening(environment: Mapping[str, str]) -> socket.socket | None:
    """The socket that systemd listens on for us; None where it did not start us, or for no socket."""
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS", "0") == "0":
        return None
    found = socket.socket(fileno=_FIRST)
    found.set_inheritable(False)
    return found


class Notifier:
    """Tells systemd how a service is. Says nothing where nobody asked for it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        #: Seconds between two signs of life, half of what systemd waits for one; 0: none are asked for.
        self.interval = int(environment.get("WATCHDOG_USEC", "0")) / 2e6 if ours else 0.0
        self._next = 0.0

    def tell(self, *states: str) -> None:
        """Send states as sd_notify(3) has them: ``READY=1``, ``STOPPING=1``. Never waits."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as speaker:
            try:
                speaker.sendto("\n".join(states).encode(), self._address)
            except OSError as error:  # a systemd that is behind, or restarts: work goes on meanwhile
                print(f"<4>libhooks: systemd does not hear us: {error.strerror}", file=sys.stderr, flush=True)

    def live(self) -> None:
        """A sign of life, where it is time for one."""
        now = time.monotonic()
        if self.interval and now >= self._next:
            self._next = now + self.interval
            self.tell("WATCHDOG=1")
