"""What else of a guest names something of its host: networks, displays, sockets, logs, CD-ROMs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from lab import Lab
from lab.fixture import POLICY, NewGuest, set_policy
from lab.host import Host
from lab.journal import Decided, decisions
from lab.traveller import Traveller, Uses, attribute

NETWORK = "<network><name>prod</name><forward mode='bridge'/><bridge name='br-prod'/></network>"
ON_A_NETWORK = POLICY.replace('at.hostb = "bridge:br-prod"', 'at.hostb = "network:prod"')
CARD = "interface 52:54:00:10:77:00"
DISK = "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)"

DEVICES = """\
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/srv/images/tools.iso'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <serial type='file'>
      <source path='/srv/logs/console.log'/>
    </serial>
    <channel type='unix'>
      <source mode='bind' path='/srv/logs/agent.sock'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <graphics type='vnc' port='-1' autoport='yes' listen='10.77.0.1' passwd='s3cret'/>
"""
PLACES = """
[address.displays]
at.hosta = "10.77.0.1"
at.hostb = "10.77.0.2"

[file.logs]
at.hosta = "/srv/logs"
at.hostb = "/var/tmp/guest-logs"
"""
PATHS = {
    "cdrom": ("devices/disk[@device='cdrom']/source", "file"),
    "serial": ("devices/serial[@type='file']/source", "path"),
    "channel": ("devices/channel/source", "path"),
    "graphics": ("devices/graphics", "listen"),
    "listen": ("devices/graphics/listen", "address"),
}


def test_network(lab: Lab, web1: Traveller) -> None:
    """An interface on a bridge here is on a libvirt network there, and on the bridge again when back."""
    set_policy(ON_A_NETWORK, *lab.hosts)
    with network(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == Uses(("/mnt/vmstore/web1.qcow2",), "network:prod")
        web1.migrate(lab.hostb, lab.hosta)
        assert web1.uses(lab.hosta) == Uses(("/srv/images/web1.qcow2",), "bridge:br0")
    plugged = f"network.prod, {CARD}: bridge:br0 -> network:prod (10-fleet.toml:10)"
    unplugged = f"network.prod, {CARD}: network:prod -> bridge:br0 (10-fleet.toml:9)"
    assert decisions(lab.hostb) == [Decided("hostb", "migrate", "web1", "rewritten", (DISK, plugged))]
    assert [one.changes[1:] for one in decisions(lab.hosta)] == [(unplugged,)]


def test_inactive_network(lab: Lab, web1: Traveller) -> None:
    """A network that is defined but not active refuses the guest; once it is active the guest comes."""
    set_policy(ON_A_NETWORK, *lab.hosts)
    with network(lab.hostb):
        lab.hostb.virsh("net-destroy", "prod")
        told = web1.is_refused(lab.hosta, lab.hostb)
        assert f"\n  network.active   {CARD}  network prod\n" in told
        assert "\n    hint:   virsh net-start prod; virsh net-autostart prod" in told
        lab.hostb.virsh("net-start", "prod")
        web1.migrate(lab.hosta, lab.hostb)
        web1.migrate(lab.hostb, lab.hosta)
    assert [one.findings for one in decisions(lab.hostb)] == [
        (f"refuse network.active, {CARD}  network prod",),
        (),
    ]


@contextmanager
def network(host: Host) -> Iterator[None]:
    """A libvirt network `prod` over the host's bridge, defined and active."""
    host.virsh("net-define", "/dev/stdin", input=NETWORK)
    host.virsh("net-start", "prod")
    try:
        yield
    finally:
        host.virsh("net-destroy", "prod", check=False)
        host.virsh("net-undefine", "prod")


def test_pool(lab: Lab, web1: Traveller) -> None:
    """A disk that is a file here is a volume of a storage pool there, and the same file again when back."""
    set_policy(POLICY.replace('at.hostb = "/mnt/vmstore"', 'at.hostb = "pool:vms"'), *lab.hosts)
    with pool(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb)
        source = web1.xml(lab.hostb).find("devices/disk[@type='volume']/source")
        assert source is not None
        assert (source.get("pool"), source.get("volume")) == ("vms", "web1.qcow2")
        web1.migrate(lab.hostb, lab.hosta)
        assert web1.uses(lab.hosta) == Uses(("/srv/images/web1.qcow2",), "bridge:br0")
        lab.hostb.virsh("pool-destroy", "vms")
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert "\n    found:  the pool is not active\n    hint:   virsh pool-start vms" in told


@contextmanager
def pool(host: Host) -> Iterator[None]:
    """A storage pool `vms` over the host's store, defined and active."""
    host.virsh("pool-define-as", "vms", "dir", "--target", host.store)
    host.virsh("pool-start", "vms")
    try:
        yield
    finally:
        host.virsh("pool-destroy", "vms", check=False)
        host.virsh("pool-undefine", "vms")


def test_devices(lab: Lab, new_guest: NewGuest) -> None:
    """Display addresses, sockets, logs and CD-ROMs go there and back like disks, and the guest with them."""
    set_policy(POLICY + PLACES, *lab.hosts)
    lab.hosta.run(["mkdir", "-p", "/srv/logs"])
    lab.hostb.run(["mkdir", "-p", "/var/tmp/guest-logs"])
    lab.hosta.run(["truncate", "-s", "1M", "/srv/images/tools.iso"])
    guest = new_guest("desk1")
    guest.start(lab.hosta, devices=DEVICES)
    on_a = {
        "cdrom": "/srv/images/tools.iso",
        "serial": "/srv/logs/console.log",
        "channel": "/srv/logs/agent.sock",
        "graphics": "10.77.0.1",
        "listen": "10.77.0.1",
    }
    on_b = {
        "cdrom": "/mnt/vmstore/tools.iso",
        "serial": "/var/tmp/guest-logs/console.log",
        "channel": "/var/tmp/guest-logs/agent.sock",
        "graphics": "10.77.0.2",
        "listen": "10.77.0.2",
    }
    guest.migrate(lab.hosta, lab.hostb)
    assert devices(guest, lab.hostb) == on_b
    assert lab.hostb.path(on_b["channel"]).is_socket()
    assert lab.hostb.virsh("vncdisplay", "desk1").stdout.strip() == "10.77.0.2:0"
    guest.migrate(lab.hostb, lab.hosta)
    assert devices(guest, lab.hosta) == on_a
    (decided,) = decisions(lab.hostb)
    assert decided.changes == (
        "storage.images, disk vda: /srv/images/desk1.qcow2 -> /mnt/vmstore/desk1.qcow2 (10-fleet.toml:6)",
        "storage.images, disk sda: /srv/images/tools.iso -> /mnt/vmstore/tools.iso (10-fleet.toml:6)",
        "network.prod, interface 52:54:00:10:77:01: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
        "file.logs, serial 1: /srv/logs/console.log -> /var/tmp/guest-logs/console.log (10-fleet.toml:21)",
        "file.logs, channel org.qemu.guest_agent.0: /srv/logs/agent.sock -> /var/tmp/guest-logs/agent.sock"
        " (10-fleet.toml:21)",
        "address.displays, graphics vnc: 10.77.0.1 -> 10.77.0.2 (10-fleet.toml:17)",
    )
    assert "s3cret" not in lab.hostb.path("/var/log/libhooks/decisions.jsonl").read_text()
    assert "s3cret" in lab.hosta.virsh("dumpxml", "--security-info", "desk1").stdout


def test_display_without_a_place(lab: Lab, new_guest: NewGuest) -> None:
    """An address that the target does not have, and no place maps, refuses the guest."""
    guest = new_guest("desk2")
    guest.start(lab.hosta, devices="<graphics type='vnc' port='-1' autoport='yes' listen='10.77.0.1'/>")
    told = guest.is_refused(lab.hosta, lab.hostb)
    assert "\n  network.listen   graphics vnc  10.77.0.1\n" in told
    assert "\n    found:  this host has 10.77.0.2\n" in told


def devices(guest: Traveller, host: Host) -> dict[str, str]:
    """What the guest's devices name of a host."""
    domain = guest.xml(host)
    return {device: attribute(domain, *where) for device, where in PATHS.items()}
