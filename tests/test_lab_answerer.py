"""Guests migrate to a host with an answerer, whatever state that is in: nobody notices but the journal."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import Iterator

from answering import children
from lab import Host, Lab
from lab.journal import records
from lab.namespaces import wait_for
from lab.traveller import Traveller, Uses

ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
ON_B = Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")


def test_answerer(lab: Lab, web1: Traveller) -> None:
    """An answerer on both hosts decides on guests there and back, each with its one record."""
    with answering(lab.hosta), answering(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == ON_B
        web1.migrate(lab.hostb, lab.hosta)
        assert web1.uses(lab.hosta) == ON_A
    assert paths(lab.hosta) == paths(lab.hostb) == ["service"]


def test_answerer_hangs(lab: Lab, web1: Traveller) -> None:
    """An answerer that was stopped is not waited for: the hook decides, and the guest goes on."""
    with answering(lab.hostb) as answerer:
        for pid in answerer:
            os.kill(pid, signal.SIGSTOP)
        web1.migrate(lab.hosta, lab.hostb)
    assert web1.uses(lab.hostb) == ON_B
    assert paths(lab.hostb) == ["inline"]


def test_answerer_is_killed(lab: Lab, web1: Traveller) -> None:
    """After an answerer was killed its socket is still there, and keeps nobody from migrating."""
    with answering(lab.hostb) as answerer:
        for pid in answerer:
            os.kill(pid, signal.SIGKILL)
        web1.migrate(lab.hosta, lab.hostb)
    assert paths(lab.hostb) == ["inline"]


def test_answerer_refuses(lab: Lab, web1: Traveller) -> None:
    """What the answerer refuses is refused in the same words, and the guest stays where it was."""
    lab.hostb.run(["ip", "link", "set", "br-prod", "name", "br-away"])
    try:
        alone = web1.is_refused(lab.hosta, lab.hostb)
        with answering(lab.hostb):
            served = web1.is_refused(lab.hosta, lab.hostb)
    finally:
        lab.hostb.run(["ip", "link", "set", "br-away", "name", "br-prod"])
    assert without_record(served) == without_record(alone)
    assert paths(lab.hostb) == ["inline", "service"]


def paths(host: Host) -> list[object]:
    """Who decided on the guests that arrived at a host."""
    return [record["path"] for record in records(host)]


def without_record(told: str) -> list[str]:
    return [line for line in told.splitlines() if not line.startswith("  record ")]


@contextmanager
def answering(host: Host) -> Iterator[tuple[int, ...]]:
    """An answerer on a host, as its unit starts it; gives its processes."""
    version = os.readlink(host.path("/usr/lib/libhooks") / "current")
    socket = f"/run/libhooks/answer-{version}.sock"
    host.path("/run/libhooks").mkdir(exist_ok=True)
    with host.popen(["/usr/bin/libhooks", "serve", "answer", "--socket", socket]) as process:
        try:
            yield wait_for(lambda: _processes(host, socket, process), f"the answerer on {host.name}", 20)
        finally:
            process.kill()
    host.path(socket).unlink(missing_ok=True)


def _processes(host: Host, socket: str, process: subprocess.Popen[str]) -> tuple[int, ...]:
    """Those of an answerer that is up; none while it is not."""
    served = children(process.pid)
    workers = children(served[0]) if served else ()
    return (*served, *workers) if len(workers) >= 2 and host.path(socket).exists() else ()
