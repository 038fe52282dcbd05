"""A guest: its domain XML, and its heartbeat as read from outside."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

from .host import Host
from .kernel import Boot
from .network import GUEST_NETWORK

KERNEL = "/var/lib/libvirt/boot/vmlinuz"  # the same on both hosts
INITRAMFS = "/var/lib/libvirt/boot/initramfs"
CMDLINE = "console=ttyS0 quiet panic=1 mitigations=off audit=0 apparmor=0 random.trust_cpu=on"
SECTOR = 512
BEAT = re.compile(r"^beat ([0-9a-f-]{36}) (\d+)\s*$", re.MULTILINE)
XML = """\
<domain type='qemu'>
  <name>{guest.name}</name>
  <uuid>{guest.uuid}</uuid>
  <memory unit='MiB'>{guest.memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{guest.machine}'>hvm</type>
{firmware}    <kernel>{kernel}</kernel>
    <initrd>{initramfs}</initrd>
    <cmdline>{cmdline} lab.address={guest.address}</cmdline>
  </os>
  <features><acpi/></features>
{elements}  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='{guest.format}' cache='none'/>
      <source file='{store}/{guest.disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <mac address='{guest.mac}'/>
      <source bridge='{bridge}'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'>
      <log file='{log}'/>
    </serial>
    <memballoon model='none'/>
{devices}  </devices>
</domain>
"""


class Guest(NamedTuple):
    """What makes a guest the same one on both hosts. `number` (0 to 99) tells guests of one lab apart."""

    name: str
    number: int = 0
    memory: int = 128  # MiB
    format: str = "qcow2"
    machine: str = "q35"

    @property
    def uuid(self) -> str:
        """Drawn from the name, so that it is known before the guest exists."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))

    @property
    def mac(self) -> str:
        """The address of its network card."""
        return f"52:54:00:10:77:{self.number:02x}"

    @property
    def address(self) -> str:
        """Where it answers ping."""
        return f"{GUEST_NETWORK}.{100 + self.number}"

    @property
    def disk(self) -> str:
        """Its image, relative to the store."""
        return f"{self.name}.{self.format}"

    @property
    def log(self) -> str:
        """What it writes to its serial port, on the host it runs on; begun anew whenever it arrives."""
        return f"/var/log/libvirt/qemu/{self.name}-serial.log"


class Beat(NamedTuple):
    """A heartbeat: `boot` is drawn at each boot of the guest, `number` grows by one a beat."""

    boot: str
    number: int


def domain_xml(guest: Guest, host: Host, *, firmware: str = "", elements: str = "", devices: str = "") -> str:
    """The guest's domain XML in the words of `host`, with more of `<os>`, `<domain>` and `<devices>`."""
    return XML.format(
        guest=guest,
        kernel=KERNEL,
        initramfs=INITRAMFS,
        cmdline=CMDLINE,
        store=host.store,
        bridge=host.bridge,
        log=guest.log,
        firmware=firmware,
        elements=elements,
        devices=devices,
    )


def provide_boot_files(host: Host, boot: Boot) -> None:
    """Put kernel and initramfs where `domain_xml` says they are."""
    host.write(KERNEL, boot.kernel)
    host.write(INITRAMFS, boot.initramfs)


def create_disk(guest: Guest, host: Host, size: str = "64M") -> None:
    """Create the guest's empty image on the shared volume, through one host."""
    host.run(["qemu-img", "create", "-q", "-f", guest.format, f"{host.store}/{guest.disk}", size])


def beat_on_serial(guest: Guest, host: Host) -> Beat | None:
    """The last beat the guest wrote to its serial port on this host; None before the first."""
    return last_beat(host.log(guest.log))


def beat_on_disk(guest: Guest, host: Host) -> Beat | None:
    """The beat in the guest's disk image, read through this host's mount; None before the first."""
    image = f"{host.store}/{guest.disk}"
    read = f"read -v 0 {SECTOR}"
    dump = host.run(["qemu-io", "--force-share", "-r", "-f", guest.format, "-c", read, image]).stdout
    # lines such as "00000000:  62 65 61 74 ...  beat"
    rows = re.findall(r"^[0-9a-f]{8}:  ((?:[0-9a-f]{2} ){16})", dump, re.MULTILINE)
    return last_beat(bytes.fromhex("".join(rows)).decode(errors="replace"))


def last_beat(text: str) -> Beat | None:
    """The last beat in what a guest has written; None if there is none."""
    beats = BEAT.findall(text)
    return Beat(beats[-1][0], int(beats[-1][1])) if beats else None
