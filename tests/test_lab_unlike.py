"""A guest with something of everything moves between two hosts that have none of it alike, there and back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, NamedTuple
from xml.etree import ElementTree

import pytest
from lab import Beat, Host, Lab, missing_extras
from lab.fixture import POLICY, NewGuest, one_cpu, set_policy
from lab.gluster import VOLUME, mount
from lab.guest import last_beat
from lab.journal import Decided, decisions
from lab.namespaces import wait_for
from lab.openvswitch import guest_ports, openvswitch
from lab.traveller import Traveller, attribute

OVS = POLICY.replace("bridge:br-prod", "ovs:ovs-prod")
UNLIKE = f"""{OVS}
[storage.discs]
source   = "filer:/images/discs"
at.hosta = "/srv/discs"
at.hostb = "/media/iso"

[file.firmware]
at.hosta = "/usr/share/OVMF"
at.hostb = "/usr/share/edk2/ovmf"

[file.variables]
at.hosta = "/srv/nvram"
at.hostb = "/var/lib/guests/nvram"

[file.logs]
at.hosta = "/srv/logs"
at.hostb = "/var/log/guests"

[address.displays]
at.hosta = "10.77.0.1"
at.hostb = "10.77.0.2"

[adjust]
cpu-pinning = "fit"
"""
FIRMWARE = """\
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/srv/nvram/unlike1_VARS.fd</nvram>
"""
TUNING = """\
  <cputune>
    <vcpupin vcpu='0' cpuset='1'/>
    <emulatorpin cpuset='0-1'/>
  </cputune>
"""
DEVICES = """\
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/srv/discs/tools.iso'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <channel type='file'>
      <source path='/srv/logs/channel.out'/>
      <log file='/srv/logs/channel.log'/>
      <target type='virtio' name='lab.beat'/>
    </channel>
    <graphics type='vnc' port='-1' autoport='yes' listen='10.77.0.1'/>
"""


class Thing(NamedTuple):
    """Something of a host that the guest names: hosta's name is in `line` of the policy, hostb's below it."""

    told: str
    line: int
    path: str
    on_a: str
    on_b: str
    forms: tuple[str, str] = ("", "")

    @property
    def to_b(self) -> str:
        """The change of a guest that comes to hostb."""
        (a, b), line = self.forms, self.line + 1
        return f"{self.told}: {a}{self.on_a} -> {b}{self.on_b} (10-fleet.toml:{line})"

    @property
    def to_a(self) -> str:
        """The change of a guest that comes to hosta."""
        a, b = self.forms
        return f"{self.told}: {b}{self.on_b} -> {a}{self.on_a} (10-fleet.toml:{self.line})"


NVRAM = Thing(
    "file.variables, nvram", 25, "os/nvram",
    "/srv/nvram/unlike1_VARS.fd", "/var/lib/guests/nvram/unlike1_VARS.fd",
)  # fmt: skip
TEMPLATE = Thing(
    "file.firmware, nvram", 21, "os/nvram/@template",
    "/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/edk2/ovmf/OVMF_VARS_4M.fd",
)  # fmt: skip
LOG = Thing(
    "file.logs, channel lab.beat", 29, "devices/channel/log/@file",
    "/srv/logs/channel.log", "/var/log/guests/channel.log",
)  # fmt: skip
THINGS = (
    Thing(
        "file.firmware, loader", 21, "os/loader",
        "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/edk2/ovmf/OVMF_CODE_4M.fd",
    ),
    NVRAM,
    TEMPLATE,
    Thing(
        "storage.images, disk vda", 5, "devices/disk[1]/source/@file",
        "/srv/images/unlike1.qcow2", "/mnt/vmstore/unlike1.qcow2",
    ),
    Thing(
        "storage.discs, disk sda", 17, "devices/disk[2]/source/@file",
        "/srv/discs/tools.iso", "/media/iso/tools.iso",
    ),
    Thing(
        "network.prod, interface 52:54:00:10:77:01", 9, "devices/interface/source/@bridge",
        "br0", "ovs-prod", ("bridge:", "ovs:"),
    ),
    Thing(
        "file.logs, channel lab.beat", 29, "devices/channel/source/@path",
        "/srv/logs/channel.out", "/var/log/guests/channel.out",
    ),
    LOG,
    Thing(
        "address.displays, graphics vnc", 33, "devices/graphics/listen/@address", "10.77.0.1", "10.77.0.2"
    ),
)  # fmt: skip
PINS = '<cputune><vcpupin cpuset="1" vcpu="0"></vcpupin><emulatorpin cpuset="0-1"></emulatorpin></cputune>'
PINS_THAT_FIT = '<cputune><emulatorpin cpuset="0"></emulatorpin></cputune>'
TO_B = (
    *(thing.to_b for thing in THINGS),
    "adjust.cpu-pinning, cputune vcpupin[@vcpu='0']/@cpuset: 1 ->  (10-fleet.toml:37)",
    "adjust.cpu-pinning, cputune emulatorpin/@cpuset: 0-1 -> 0 (10-fleet.toml:37)",
)
TO_A = tuple(thing.to_a for thing in THINGS)


@pytest.fixture
def unlike(lab: Lab) -> Iterator[Lab]:
    """The lab, its hosts with one policy, and everything where that says."""
    lacking = missing_extras()
    if lacking:
        pytest.skip(f"this machine lacks what the guest needs: {'; '.join(lacking)}")
    hosta, hostb = lab.hosts
    set_policy(UNLIKE, hosta, hostb)
    hosta.run(["mkdir", "-p", "/srv/nvram", "/srv/logs", f"{hosta.store}/discs"])
    hostb.run(["mkdir", "-p", "/var/lib/guests/nvram", "/var/log/guests"])
    hosta.run(["truncate", "--size=1M", f"{hosta.store}/discs/tools.iso"])
    with (
        discs(hosta, "/srv/discs"),
        discs(hostb, "/media/iso"),
        firmware_elsewhere(hostb),
        openvswitch(hostb, "ovs-prod"),
    ):
        yield lab


def test_there_and_back(unlike: Lab, new_guest: NewGuest) -> None:
    """Whatever the guest has of its host it has of the other one there, and its own again when back.

    Only the pins that the other host lacks do not come back. All the way the guest beats on, on its
    disk, its serial port and its channel, and answers ping. Each way has one record.
    """
    hosta, hostb = unlike.hosts
    guest = new_guest("unlike1", memory=256)
    guest.start(hosta, firmware=FIRMWARE, elements=TUNING, devices=DEVICES)
    assert things(guest, hosta) == [thing.on_a for thing in THINGS]
    beats_on_channel(guest, hosta, LOG.on_a)
    before = parts(guest, hosta)

    with one_cpu(hostb):
        guest.migrate(hosta, hostb)
    assert things(guest, hostb) == [thing.on_b for thing in THINGS]
    beats_on_channel(guest, hostb, LOG.on_b)
    assert guest_ports(hostb, "ovs-prod") == [attribute(guest.xml(hostb), "devices/interface/target", "dev")]
    assert hostb.virsh("vncdisplay", "unlike1").stdout.strip() == "10.77.0.2:0"
    variables = hosta.path(NVRAM.on_a).read_bytes()
    assert variables == hostb.path(NVRAM.on_b).read_bytes()
    assert variables != hostb.path(TEMPLATE.on_b).read_bytes()

    guest.migrate(hostb, hosta)
    assert things(guest, hosta) == [thing.on_a for thing in THINGS]
    beats_on_channel(guest, hosta, LOG.on_a)
    assert guest_ports(hostb, "ovs-prod") == []
    after = parts(guest, hosta)
    assert (before - after, after - before) == ({PINS}, {PINS_THAT_FIT})
    assert decisions(hostb) == [Decided("hostb", "migrate", "unlike1", "rewritten", TO_B)]
    assert decisions(hosta) == [Decided("hosta", "migrate", "unlike1", "rewritten", TO_A)]


def things(guest: Traveller, host: Host) -> list[str]:
    """What the guest, as it runs here, names of its host."""
    domain = guest.xml(host)
    return [_said(domain, *thing.path.split("/@")) for thing in THINGS]


def _said(domain: ElementTree.Element, path: str, name: str = "") -> str:
    return attribute(domain, path, name) if name else domain.findtext(path, "")


def parts(guest: Traveller, host: Host) -> set[str]:
    """What another host would be told of the guest, part for part: libvirt puts devices in another order.

    Without our stamp, which says where the guest runs; it has no other metadata.
    """
    domain = guest.xml(host, "--migratable")
    (devices,) = domain.iterfind("devices")
    found = [part for part in (*domain, *devices) if part.tag not in ("devices", "metadata")]
    return {ElementTree.canonicalize(ElementTree.tostring(part), strip_text=True) for part in found}


def beats_on_channel(guest: Traveller, host: Host, log: str) -> None:
    """The boot that goes on here is heard on the guest's channel too, by this host's log of it."""
    last = guest.beat
    assert last is not None

    def later() -> Beat | None:
        heard = last_beat(host.log(log))
        return heard if heard and heard.number > last.number else None

    assert wait_for(later, f"a beat in {log} on {host.name}").boot == last.boot


@contextmanager
def discs(host: Host, directory: str) -> Iterator[None]:
    """The volume's directory of ISO images, mounted on a host by itself."""
    mount(host, directory, f"{VOLUME}/discs")
    try:
        yield
    finally:
        host.run(["umount", "--lazy", directory])


@contextmanager
def firmware_elsewhere(host: Host) -> Iterator[None]:
    """A host whose distribution has the UEFI firmware at another path than the machine's."""
    host.run(["mkdir", "-p", "/usr/share/edk2"])
    host.run(["mv", "/usr/share/OVMF", "/usr/share/edk2/ovmf"])
    try:
        yield
    finally:
        host.run(["mv", "/usr/share/edk2/ovmf", "/usr/share/OVMF"])
