"""The companion on a host of the lab, as systemd would run it; and what it has seen through."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any, Iterator

from .host import Host
from .journal import JOURNAL
from .namespaces import wait_for

SAID = "/var/log/libhooks-companion.log"
KEPT = "/var/lib/libhooks"


class Companion:
    """A companion that runs on a host."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def says(self, words: str, times: int = 1) -> str:
        """Waits until it has said something so often; all that it said."""

        def said() -> str:
            text = self.host.log(SAID, 1000)
            return text if text.count(words) >= times else ""

        return wait_for(said, f"the companion to say '{words}' {times} times", 20)


@contextmanager
def accompanied(*hosts: Host) -> Iterator[tuple[Companion, ...]]:
    """Hosts with a companion each, that watches."""
    processes = []
    try:
        for host in hosts:
            host.path(SAID).unlink(missing_ok=True)
            command = ["sh", "-c", f"exec libhooks serve companion 2>{SAID}"]
            processes.append(host.popen(command, stdin=PIPE))
        found = tuple(Companion(host) for host in hosts)
        for one in found:
            one.says("watching guests")
        yield found
        for host in hosts:
            assert "please report it" not in host.log(SAID, 1000)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
            process.communicate()


def outcomes(host: Host) -> list[dict[str, Any]]:
    """The outcomes of a host's journal, oldest first, each of a record that stands before it."""
    file, ids, found = host.path(JOURNAL), set(), []
    for line in file.read_text().splitlines() if file.exists() else ():
        entry = json.loads(line)
        if "outcome" in entry:
            assert list(entry) == ["id", "outcome"]
            assert entry["id"] in ids
            found.append(entry["outcome"])
        else:
            ids.add(entry["id"])
    return found


def ended(host: Host, number: int = 1) -> list[tuple[str, str]]:
    """Waits for so many outcomes; what each was, and what was made of the definition."""
    wait_for(lambda: len(outcomes(host)) >= number, f"{number} outcomes on {host.name}", 20)
    return [(one["result"], one.get("definition", "")) for one in outcomes(host)]


def originals(host: Host) -> list[Path]:
    """The definitions that a host keeps as they were."""
    return sorted(host.path(f"{KEPT}/definitions").glob("*.xml"))
