"""What in a domain has a text of its own and is yet no reference, and why.

``libhooks policy explain`` says it to people, and a test holds rows and exceptions together against
libvirt's schema: whatever a domain can say is one or the other. The hook never imports this.
"""

from __future__ import annotations

from typing import Mapping

from libhooks.references.model import CHARACTER_DEVICES

_ABI = "the guest sees it, and libvirt or the guard stops a migration that would change it"
_GUEST = "it means something to the guest alone, whatever the host"
_FLEET = "it means the same on every host"
_ADJUST = "it is [adjust]'s: what fits depends on this host, and no two hosts have a common name for it"
_LABEL = "it is [adjust]'s: a label of the host's security driver"
_OTHER = "only other hypervisors' guests have it, and those never come to this hook"
_WORD = "it is one of libvirt's own words, not a name"
_PORT = "ports are no places: let libvirt choose them, or set one with an [edit]"
_OF_ONE = "a secret belongs to one disk or guest, not to a place: define it on every host, with one UUID"
_LIVE = "libvirt tells of what is running and does not read it from a document that arrives"
_SCSI = "places have no form for SCSI hosts: write the device as a disk (a LUN), or use an [edit]"
_AUDIO = "it names something of the desktop session that the host plays to, not of the host"

#: Paths below ``<domain>``, as rows have them; ``*`` stands for any one step, ``**`` for any number.
EXCEPTIONS: Mapping[str, str] = {
    # The guest itself.
    "name/text()": _ABI,
    "uuid/text()": _ABI,
    "genid/text()": _ABI,
    "title/text()": _GUEST,
    "description/text()": _GUEST,
    "cpu/**": _ABI,
    "sysinfo/**": _ABI,
    "features/**": _ABI,
    "clock/@adjustment": _GUEST,
    "clock/@timezone": _GUEST,
    "os/type/@machine": _ABI,
    "os/cmdline/text()": _GUEST,
    "launchSecurity/*/text()": "it is sealed for one guest and one processor",
    # What devices are to the guest.
    "devices/*/address/*": _ABI,
    "devices/*/alias/@name": _ABI,
    "devices/*/boot/@loadparm": _GUEST,
    "devices/*/teaming/@persistent": "it is the alias of another device of the guest",
    "devices/*/target/@port": _ABI,
    "devices/*/acpi/@nodeset": "it counts the guest's own nodes",
    "devices/controller/master/@startport": _ABI,
    "devices/disk/target/@dev": _ABI,
    "devices/disk/serial/text()": _ABI,
    "devices/disk/wwn/text()": _ABI,
    "devices/disk/vendor/text()": _ABI,
    "devices/disk/product/text()": _ABI,
    "devices/disk/driver/@name": _WORD,
    "devices/disk/iotune/group_name/text()": _GUEST,
    "devices/disk/throttlefilters/throttlefilter/@group": _GUEST,
    "throttlegroups/throttlegroup/group_name/text()": _GUEST,
    "devices/interface/mac/*": _ABI,
    "devices/interface/model/@type": _ABI,
    "devices/interface/ip/*": _GUEST,
    "devices/interface/route/*": _GUEST,
    "devices/interface/backend/@hostname": _GUEST,
    "devices/interface/backend/@fqdn": _GUEST,
    "devices/channel/target/@address": _ABI,
    "devices/channel/target/@name": _ABI,
    "devices/filesystem/target/@dir": _ABI,
    "devices/memory/uuid/text()": _ABI,
    "devices/redirfilter/**": "it says what the guest's user may plug in, wherever that user is",
    "devices/shmem/@name": "guests that share the memory find it by this name, on whatever host",
    "devices/video/model/acceleration/@rendernode":
        "the guard keeps all of <video>; the render node of a display stands in its <gl>, which is one",
    # Disks.
    "devices/disk/mirror/**": _LIVE,
    "**/source/@fdgroup": "whoever starts the guest hands libvirt its files, under a name of their own",
    "**/source/@query": "it belongs to a URL, which means the same everywhere",
    "**/source/@tlsHostname": "it is what the server's certificate says",
    "**/source/snapshot/@name": "it names a state of the image, which is the same wherever it is read",
    "**/source/cookies/**": "it belongs to a URL, which means the same everywhere",
    "**/source/initiator/iqn/@name": "it is what the storage knows the guest by, on whatever host",
    "**/source/identity/@user": _FLEET,
    "**/source/identity/@group": _FLEET,
    "**/source/identity/@username": _FLEET,
    "**/auth/@username": "it belongs to the store's secret, which a place can name",
    "**/auth/secret/@usage": "it is the secret's other name: a place names it by its UUID",
    "**/encryption/secret/*": _OF_ONE,
    "**/encryption/cipher/*": _WORD,
    "**/encryption/ivgen/*": _WORD,
    "**/seclabel/**": _LABEL,
    "devices/lease/lockspace/text()": "sanlock knows the lockspace by it on every host",
    "devices/lease/key/text()": "sanlock knows the lease by it on every host",
    # Network.
    "devices/interface/source/@portid": _LIVE,
    "devices/interface/source/ip/*": "libvirt gives it to the tap device that it makes for the guest",
    "devices/interface/source/route/*": "libvirt gives it to the tap device that it makes for the guest",
    "devices/interface/source/address/@device": "an interface is made of PCI devices only",
    "devices/interface/source/vendor/@id": "an interface is made of PCI devices only",
    "devices/interface/source/product/@id": "an interface is made of PCI devices only",
    "devices/interface/virtualport/parameters/*": "the switch knows the port by it, on every host",
    "devices/interface/filterref/@filter": "it is defined on every host under one name: network.filter",
    "devices/interface/filterref/parameter/*": _GUEST,
    "devices/*/driver/@model": "it is a kernel module's name",
    # Character devices, displays and sound.
    "**/source/@service": _PORT,
    **{f"{device}/source/@mode": _WORD for device in CHARACTER_DEVICES},
    "**/source/@channel": "the display's client knows the channel by it",
    "devices/*/@tty": "it is the old form of a running guest's terminal",
    "devices/smartcard/certificate/text()": "it is the nickname of a certificate in the database",
    "devices/graphics/@passwd": "it is [adjust]'s: a password",
    "devices/graphics/@username": "it is what the user logs in with",
    "devices/graphics/@keymap": _WORD,
    "devices/graphics/@display": _AUDIO,
    "devices/audio/@serverName": _AUDIO,
    "devices/audio/*/@serverName": _AUDIO,
    "devices/audio/*/@clientName": _AUDIO,
    "devices/audio/*/@connectPorts": _AUDIO,
    "devices/audio/*/@name": _AUDIO,
    "devices/audio/*/@streamName": _AUDIO,
    # Devices of the host that places have no form for.
    "devices/hostdev/source/@wwpn": "a vhost-scsi target: places have no form for it; use an [edit]",
    "devices/hostdev/source/adapter/**": _SCSI,
    "devices/hostdev/source/address/@target": _SCSI,
    "devices/hostdev/source/address/@unit": _SCSI,
    "devices/tpm/backend/encryption/@secret": _OF_ONE,
    "devices/tpm/backend/profile/*": "it says what the TPM is to the guest",
    # What the host gives the guest of itself.
    "vcpu/@cpuset": _ADJUST,
    "cputune/**": _ADJUST,
    "numatune/**": _ADJUST,
    "devices/memory/source/nodemask/text()": _ADJUST,
    "memoryBacking/hugepages/page/@nodeset": "it counts the guest's own nodes",
    "iommufd/@fdgroup": "whoever starts the guest hands libvirt its files, under a name of their own",
    "resource/partition/text()": "it is a control group, no file: make it on every host, or use an [edit]",
    "resource/fibrechannel/@appid": "the fabric knows the guest by it",
    "seclabel/**": _LABEL,
    # QEMU, told directly: paths of places are a finding, the rest is nobody's business.
    "qemu:commandline/qemu:env/@name": _WORD,
    "qemu:capabilities/**": _WORD,
    "qemu:override/**": "what it means only QEMU knows: it is kept, and can be set with an [edit]",
    # Other hypervisors.
    "os/root/text()": _OTHER,
    "os/init/text()": _OTHER,
    "os/initarg/text()": _OTHER,
    "os/initenv/*": _OTHER,
    "os/initdir/text()": _OTHER,
    "os/inituser/text()": _OTHER,
    "os/initgroup/text()": _OTHER,
    "bootloader_args/text()": _OTHER,
    "devices/*/backenddomain/@name": _OTHER,
    "devices/filesystem/source/@name": _OTHER,
    "devices/hostdev/ip/*": _OTHER,
    "devices/hostdev/route/*": _OTHER,
    "devices/interface/guest/*": _OTHER,
    "devices/interface/source/@name": _OTHER,
    "devices/interface/source/@switchid": _OTHER,
    "devices/interface/source/@portgroupid": _OTHER,
    "**/source/@master": _OTHER,
    "**/source/@slave": _OTHER,
    "lxc:namespace/**": _OTHER,
    "bhyve:commandline/**": _OTHER,
    "xen:commandline/**": _OTHER,
    "vmware:datacenterpath/text()": _OTHER,
}  # fmt: skip


def reason(spot: str) -> str:
    """Why a spot (a path below ``<domain>`` ending in ``@attribute`` or ``text()``) is no reference.

    "" where nothing is known of it: it is a reference, a number, or newer than this version.
    """
    return next((why for pattern, why in EXCEPTIONS.items() if fits(pattern, spot)), "")


def fits(pattern: str, spot: str) -> bool:
    """Whether a pattern of the table means a spot."""
    return _fits(tuple(pattern.split("/")), tuple(spot.split("/")))


def _fits(pattern: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    if not pattern:
        return not steps
    if pattern[0] == "**":
        return any(_fits(pattern[1:], steps[skipped:]) for skipped in range(len(steps) + 1))
    return bool(steps) and pattern[0] in ("*", steps[0]) and _fits(pattern[1:], steps[1:])
