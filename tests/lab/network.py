"""The wiring: one switch, a cable to each machine, and what each machine calls its end."""

from __future__ import annotations

import subprocess
from typing import Mapping

from .errors import LabError
from .host import Host
from .namespaces import ENVIRONMENT, Machine

FILER_ADDRESS = "10.77.0.3"
GUEST_NETWORK = "10.77.0"
PREFIX = 24
# Ports of a bridge forward at once: the default is to listen for 15 s, longer than a migration takes.
BRIDGE = "type bridge forward_delay 0 mcast_snooping 0"


def wire_switch(switch: Machine, machines: tuple[Machine, ...]) -> None:
    """A cable from the switch to each machine, where it appears as eth0."""
    batch = [f"link add name lan0 {BRIDGE}", "link set lan0 up"]
    for machine in machines:
        batch.append(f"link add name {machine.name} type veth peer name eth0 netns {machine.pid}")
        batch.append(f"link set {machine.name} master lan0 up")
    _configure(switch, batch)


def wire_filer(filer: Machine) -> None:
    """The filer has its address on eth0."""
    _configure(
        filer, ["link set lo up", f"address add {FILER_ADDRESS}/{PREFIX} dev eth0", "link set eth0 up"]
    )


def wire_host(host: Host) -> None:
    """A host has its address on the bridge its guests are on; eth0 is the bridge's way out."""
    # A bridge without an address of its own takes the lowest of its ports', guests among them: it would
    # change as guests come and go, and the other host would look for this one in vain for half a minute.
    own = "02:00:" + ":".join(f"{int(part):02x}" for part in host.address.split("."))
    _configure(
        host,
        [
            "link set lo up",
            f"link add name {host.bridge} address {own} {BRIDGE}",
            f"link set eth0 master {host.bridge} up",
            f"address add {host.address}/{PREFIX} dev {host.bridge}",
            f"link set {host.bridge} up",
        ],
    )


def name_machines(machines: tuple[Machine, ...], addresses: Mapping[str, str]) -> None:
    """Every machine knows its own name and everybody's address."""
    hosts = "".join(f"{address} {name}\n" for name, address in addresses.items())
    for machine in machines:
        machine.write("/etc/hosts", "127.0.0.1 localhost\n" + hosts)
        machine.write("/etc/hostname", machine.name + "\n")


def _configure(machine: Machine, batch: list[str]) -> None:
    """Give `ip` its commands in a machine's network but among our process ids: they name the peers."""
    argv = ["nsenter", "--target", str(machine.pid), "--net", "--", "ip", "-batch", "-"]
    done = subprocess.run(
        argv, check=False, input="\n".join(batch) + "\n", capture_output=True, text=True, env=ENVIRONMENT
    )
    if done.returncode:
        raise LabError(f"could not wire {machine.name}", log=done.stderr)
