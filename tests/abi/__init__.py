"""For each row of libhooks' table of the guest's ABI, edits that show what libvirt makes of it.

They are made to guest.xml, a guest that has one of everything.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union


class Example(NamedTuple):
    """An edit to try: a row, a spot, and its new value.

    That of an attribute or text; or an element, which takes the place of the one there or joins its
    siblings; None where it goes.
    """

    row: str
    spot: str
    value: Optional[str]


_Told = Union[tuple[str, Optional[str]], tuple[str, str, Optional[str]]]

QEMU = "xmlns='http://libvirt.org/schemas/domain/qemu/1.0'"
USB = "devices/disk[target/@dev='sdc']"
SCSI = "devices/disk[target/@dev='sda']"
LUN = "devices/disk[target/@dev='sdd']"
CDROM = "devices/disk[target/@dev='sdb']"
SERIAL = "devices/controller[@type='virtio-serial']"
PORT = "devices/controller[@type='pci'][@index='2']"
E1000 = "devices/interface[model/@type='e1000e']"
PLAIN = "devices/interface[@type='direct']"
PLAN9 = "devices/filesystem[2]"
MDEV = "devices/hostdev[@type='mdev']"
PCI = "devices/hostdev[@type='pci']"
TABLET = "devices/input[@type='tablet']"
KEYBOARD = "devices/input[@bus='virtio'][@type='keyboard']"


def examples(*told: _Told) -> tuple[Example, ...]:
    """Rows without a spot of their own mean the row's."""
    return tuple(Example(*one) if len(one) == 3 else Example(one[0], one[0], one[1]) for one in told)


def interface(body: str) -> str:
    """The e1000e, attached otherwise."""
    address = "<address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>"
    return f"<interface {body}<mac address='52:54:00:12:34:57'/><model type='e1000e'/>{address}</interface>"


def lun(body: str) -> str:
    """The LUN, described otherwise."""
    address = "<address type='drive' controller='0' bus='0' target='0' unit='3'/>"
    return f"<disk {body}<target dev='sdd' bus='scsi'/>{address}</disk>"
