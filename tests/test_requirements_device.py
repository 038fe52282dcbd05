"""Devices: their vectors, whether they can leave their host, and what they have of this one."""

from __future__ import annotations

import pytest
from judging import judged

GUEST = """\
<domain type='kvm'>
  <name>web1</name>
  <vcpu{cpus}</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  <devices>{devices}</devices>
</domain>"""
SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>"
FILES = "files of the host, with their state"
DISK = "<disk><target dev='vda' bus='virtio'/></disk>"


def guest(devices: str, machine: str = "pc-q35-7.2", cpus: str = ">2") -> str:
    return GUEST.format(devices=devices, machine=machine, cpus=cpus)


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        ("pc-q35-5.2", ["67 vectors", "65 vectors"]),
        ("pc-q35-10.0", ["67 vectors", "65 vectors"]),
        ("pc-q35-5.1", []),
        ("pc-i440fx-2.12", []),
        ("pc-q35-rhel8.4.0", ["67 vectors", "65 vectors"]),
        ("pc-q35-rhel8.3.0", []),
        ("pc-i440fx-rhel7.6.0", []),
        ("pc-q35-jammy", ["67 vectors", "65 vectors"]),
        ("pc-q35-focal", []),
        ("pc-²-5.²", ["67 vectors", "65 vectors"]),
        ("pc-q35-focal-hpb", []),
    ],
)
def test_queues_of_their_own(machine: str, found: list[str]) -> None:
    """As measured: since QEMU 5.2 one queue a virtual CPU, before that one."""
    assert [one.found for one in judged("device.vectors", guest(SCSI + DISK, machine, ">64"))] == found


@pytest.mark.parametrize(
    ("devices", "found"),
    [
        ("<interface><model type='virtio'/><driver queues='15'/></interface>", []),
        ("<interface><model type='virtio'/><driver queues='16'/></interface>", ["34 vectors"]),
        ("<interface><model type='virtio-net'/><driver queues='16'/></interface>", ["34 vectors"]),
        ("<interface><model type='e1000'/><driver queues='16'/></interface>", []),
        ("<interface><driver queues='16'/></interface>", []),
        ("<controller type='virtio-serial' vectors='0'/>", []),
        ("<controller type='virtio-serial' vectors='33'/>", ["33 vectors"]),
        ("<controller type='virtio-serial' vectors='-1'/>", []),
        ("<controller type='virtio-serial' vectors='9999999999999'/>", []),
        ("<controller type='scsi' model='virtio-scsi'><driver queues='30'/></controller>", ["33 vectors"]),
        ("<disk><target bus='virtio'/><driver queues='32'/><address type='ccw'/></disk>", []),
        ("<disk><target bus='virtio'/><driver queues='32'/><address type='pci'/></disk>", ["33 vectors"]),
        ("<disk><target bus='scsi'/><driver queues='32'/></disk>", []),
    ],
)  # fmt: skip
def test_vectors(devices: str, found: list[str]) -> None:
    """Two a queue and two more, one a queue and one more, three more, or as many as it says; on PCI alone."""
    assert [one.found for one in judged("device.vectors", guest(devices))] == found


@pytest.mark.parametrize(
    ("device", "found"),
    [
        ("<hostdev type='pci'/>", "a device of the host (pci)"),
        ("<hostdev type='scsi'/>", "a device of the host (scsi)"),
        ("<hostdev mode='capabilities' type='misc'/>", "a device of the host (misc)"),
        ("<hostdev type='usb'/>", ""),
        ("<hostdev type='pci'><teaming type='transient' persistent='ua-x'/></hostdev>", ""),
        ("<hostdev type='pci'><teaming type='persistent'/></hostdev>", "a device of the host (pci)"),
        ("<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>", "a vDPA interface"),
        ("<interface type='network'><source network='prod'/></interface>", ""),
        ("<interface type='network'><source network='damaged'/></interface>", ""),
        ("<filesystem type='mount'><driver type='mtp'/></filesystem>", f"mtp: {FILES}"),
        ("<filesystem type='mount'><driver type='path'/></filesystem>", f"9p: {FILES}"),
        ("<disk type='nvme'/>", "a device of the host"),
        ("<disk type='file'><target bus='virtio'/></disk>", ""),
        ("<shmem name='x'/>", "shared memory whose role is not master"),
        ("<tpm><backend type='external'/></tpm>", ""),
        ("<memory model='dimm'/>", ""),
        ("<video><model type='virtio'><acceleration accel3d='no'/></model></video>", ""),
    ],
)  # fmt: skip
def test_migratable(device: str, found: str) -> None:
    """What stays behind is said in words; what can go is not mentioned."""
    assert [one.found for one in judged("device.migratable", guest(device))] == ([found] if found else [])


def hostdev(bus: str, managed: str = "yes") -> str:
    source = f"<source><address domain='0' bus='0x{bus}' slot='0' function='0'/></source>"
    return f"<hostdev mode='subsystem' type='pci' managed='{managed}'>{source}</hostdev>"


def nvme(managed: str) -> str:
    address = "<address domain='0' bus='0x42' slot='0' function='0'/>"
    return f"<disk type='nvme'><source managed='{managed}'>{address}</source></disk>"


def usb(bus: str, policy: str = "mandatory") -> str:
    address = f"<address bus='{bus}' port='2'/>"
    return f"<hostdev type='usb'><source startupPolicy='{policy}'>{address}</source></hostdev>"


_UUID = "7c3c4f8a-63ca-4da2-8b74-dc6f8fc4553a"
MDEV = f"<hostdev type='mdev'><source><address uuid='{_UUID}'/></source></hostdev>"


@pytest.mark.parametrize(
    ("device", "found"),
    [
        (hostdev("41"), []),
        (hostdev("41", "no"), []),
        (hostdev("42"), []),
        (hostdev("42", "no"), ["it is bound to nvidia, and libvirt is not to manage it"]),
        (hostdev("43"), ["it is in no IOMMU group"]),
        (hostdev("4f"), ["no such device on this host"]),
        (nvme("no"), ["it is bound to nvidia, and libvirt is not to manage it"]),
        (nvme("yes"), []),
        (MDEV, []),
        (usb("1"), []),
        (usb("9", "requisite"), []),
        (usb("9", "mandatory"),
         ["no such device on this host"]),
    ],
)  # fmt: skip
def test_present(device: str, found: list[str]) -> None:
    """Here, isolated, and free for whoever is to bind it."""
    assert [one.found for one in judged("device.present", guest(device))] == found


def test_tpm_without_a_secret() -> None:
    """A TPM that is not encrypted needs none."""
    assert not judged("device.tpm", guest("<tpm><backend type='emulator'/></tpm>"))
