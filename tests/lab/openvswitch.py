"""Open vSwitch on a host: a bridge on the guests' segment, switched in user space whatever the kernel has."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from .errors import LabError
from .host import Host
from .namespaces import wait_for

RUN = "/run/openvswitch"
DATABASE = f"{RUN}/conf.db"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
LOG = "/var/log/openvswitch/ovs-vswitchd.log"
DAEMONS = ("ovs-vswitchd", "ovsdb-server")  # in the order they are ended
CABLE = ("cable-linux", "cable-ovs")


@contextmanager
def openvswitch(host: Host, bridge: str) -> Iterator[None]:
    """Open vSwitch runs on a host and has a bridge there, a cable away from the host's own."""
    host.run(["mkdir", "-p", RUN])
    host.run(["ovsdb-tool", "create", DATABASE, SCHEMA])
    try:
        _serve(host)
        _plug(host, bridge)
        yield
    finally:
        host.run(["ovs-vsctl", "--timeout=20", "del-br", bridge], check=False)  # else its device stays
        _end(host)


def guest_ports(host: Host, bridge: str) -> list[str]:
    """The devices of guests that are plugged into a bridge, as Open vSwitch says."""
    ports = host.run(["ovs-vsctl", "list-ports", bridge]).stdout.split()
    return [port for port in ports if port not in CABLE]


def _serve(host: Host) -> None:
    host.run(["ovsdb-server", DATABASE, f"--remote=punix:{RUN}/db.sock", "--pidfile", "--detach"])
    host.run(["ovs-vsctl", "--no-wait", "init"])
    host.run(["ovs-vswitchd", "--pidfile", f"--log-file={LOG}", "--detach"])


def _plug(host: Host, bridge: str) -> None:
    ours, theirs = CABLE
    commands = f"""\
link add name {ours} type veth peer name {theirs}
link set {ours} master {host.bridge} up
link set {theirs} up
"""
    host.run(["ip", "-batch", "-"], input=commands)
    # ovs-vsctl returns when ovs-vswitchd has done it.
    add = ["add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev"]
    done = host.run(["ovs-vsctl", "--timeout=20", *add, "--", "add-port", bridge, theirs], check=False)
    if done.returncode or done.stderr:
        raise LabError(f"{host.name} has no OVS bridge {bridge}", log=done.stderr + host.log(LOG))


def _end(host: Host) -> None:
    """End the daemons, and forget what they knew."""
    for daemon in DAEMONS:
        pidfile = host.path(f"{RUN}/{daemon}.pid")
        if pidfile.exists():
            _stop(host, pidfile.read_text().strip(), daemon)
    host.run(["ip", "link", "del", CABLE[0]], check=False)
    host.run(["rm", "-rf", RUN])


def _stop(host: Host, pid: str, daemon: str) -> None:
    host.run(["busybox", "kill", pid])
    wait_for(lambda: not host.path(f"/proc/{pid}").exists(), f"{daemon} on {host.name} to end")
