"""The guest's ABI: what libvirt makes of a difference in each part of a domain, and what the guest does.

A table and no more; ``guard`` applies it. tests/test_lab_abi.py tries every row through libvirt's own
check, so that neither can drift from the other.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Effect(Enum):
    """What comes of a difference between the guest that was sent and the one that is to run."""

    ABORTS = "libvirt aborts the migration"
    BREAKS = "libvirt lets it pass, and the guest breaks or silently becomes another machine"
    FREE = "it is the host's affair, and the guest does not notice"


class Part(NamedTuple):
    """A part of a domain: ``path`` below ``<domain>`` (``*``: any one step), all below it, and what it is.

    Where several hold a spot, the longest path counts.
    """

    path: str
    effect: Effect
    what: str


#: virDomainDefCheckABIStabilityFlags, and the checks that it calls.
_ABORTS = (
    ("@type", "the virtualization type"),
    ("name", "the guest's name"),
    ("uuid", "the guest's UUID"),
    ("genid", "the guest's generation id"),
    ("memory", "the guest's memory"),
    ("currentMemory", "the guest's memory"),
    ("maxMemory", "the guest's memory slots"),
    ("memoryBacking/source", "the memory's source type"),
    ("vcpu", "the virtual CPUs"),
    ("vcpus", "the virtual CPUs"),
    ("cpu", "the CPU"),
    ("sysinfo", "the SMBIOS data"),
    ("os/type", "the machine type"),
    ("os/smbios", "the SMBIOS mode"),
    ("features", "the machine's features"),
    ("clock/timer", "the timers"),
    ("devices/*/address", "a device's address"),
    ("devices/*/acpi", "a device's ACPI index"),
    # Whether a device has one is compared as well, even where all that it says is the host's affair.
    ("devices/*/driver", "a device's virtio options"),
    ("devices/disk/@device", "a disk's kind"),
    ("devices/disk/@model", "a disk's model"),
    ("devices/disk/driver/@queues", "a disk's queues"),
    ("devices/disk/driver/@queue_size", "a disk's queues"),
    ("devices/disk/driver/@iommu", "a disk's virtio options"),
    ("devices/disk/driver/@ats", "a disk's virtio options"),
    ("devices/disk/driver/@packed", "a disk's virtio options"),
    ("devices/disk/driver/@page_per_vq", "a disk's virtio options"),
    ("devices/disk/target", "a disk's target"),
    ("devices/disk/serial", "a disk's serial"),
    ("devices/disk/wwn", "a disk's WWN"),
    ("devices/disk/readonly", "a disk's read-only flag"),
    ("devices/controller", "a controller"),
    ("devices/filesystem/@model", "a file system's model"),
    ("devices/filesystem/target", "a file system's target"),
    ("devices/filesystem/readonly", "a file system's read-only flag"),
    ("devices/interface/mac", "an interface's MAC address"),
    ("devices/interface/model", "an interface's model"),
    ("devices/interface/mtu", "an interface's MTU"),
    ("devices/serial/target", "a serial port's target"),
    ("devices/parallel/target", "a parallel port's target"),
    ("devices/console/target", "a console's target"),
    ("devices/channel/target", "a channel's target"),
    ("devices/input", "an input device"),
    ("devices/tpm/@model", "the TPM's model"),
    ("devices/tpm/backend/@type", "the TPM's kind"),
    ("devices/tpm/backend/@version", "the TPM's version"),
    ("devices/tpm/backend/active_pcr_banks", "the TPM's PCR banks"),
    ("devices/sound", "a sound card"),
    ("devices/video", "a video device"),
    ("devices/hostdev/@mode", "a host device's mode"),
    ("devices/hostdev/@type", "a host device's type"),
    ("devices/redirdev/@bus", "a redirected device's bus"),
    ("devices/redirdev/@type", "a redirected device's type"),
    ("devices/redirfilter", "the redirection filter"),
    ("devices/hub", "a hub"),
    ("devices/watchdog", "a watchdog"),
    ("devices/memballoon", "the memory balloon"),
    ("devices/rng/@model", "a random number generator's model"),
    ("devices/panic", "a panic device"),
    ("devices/shmem", "a shared memory device"),
    ("devices/memory", "a memory device"),
    ("devices/iommu", "the IOMMU"),
    ("devices/vsock", "the vsock device"),
)  # fmt: skip

#: What libvirt does not compare: QEMU loads the state into another machine, or the guest sees another device.
_BREAKS = (
    ("cpu/@match", "the CPU"),
    ("cpu/model/@fallback", "the CPU"),
    ("cpu/numa/cell/@discard", "the CPU"),
    ("clock", "the guest's clock"),
    ("clock/timer/@tickpolicy", "a timer's policy"),
    ("clock/timer/@track", "a timer's policy"),
    ("pm", "the sleep states"),
    ("sysinfo/oemStrings", "the SMBIOS data"),
    ("sysinfo/entry", "the firmware's configuration"),
    ("os/firmware", "the kind of firmware"),
    ("os/loader", "how the firmware is mapped"),
    ("os/bios", "the firmware's configuration"),
    ("os/bootmenu", "the firmware's configuration"),
    ("os/acpi", "the ACPI tables"),
    ("qemu:override", "a device's properties"),
    ("qemu:capabilities", "what QEMU is taken to be capable of"),
    ("devices/*/alias", "a device's alias"),
    ("devices/*/rom", "a device's ROM"),
    ("devices/*/teaming", "a device's team"),
    ("devices/disk/blockio", "a disk's block sizes"),
    ("devices/disk/geometry", "a disk's geometry"),
    ("devices/disk/vendor", "a disk's vendor"),
    ("devices/disk/product", "a disk's product"),
    ("devices/disk/driver/@type", "how a disk's image is read"),
    ("devices/disk/driver/@event_idx", "a disk's virtio options"),
    ("devices/disk/target/@removable", "a disk's removable flag"),
    ("devices/controller/driver/@queues", "a controller's queues"),
    ("devices/controller/driver/@cmd_per_lun", "a controller's queues"),
    ("devices/controller/driver/@max_sectors", "a controller's transfers"),
    ("devices/controller/model", "a controller's model"),
    ("devices/controller/pcihole64", "a controller's address space"),
    ("devices/controller/target", "a controller's place on its bus"),
    ("devices/filesystem/driver/@queue", "a file system's queue"),
    ("devices/interface/driver/@queues", "an interface's queues"),
    ("devices/interface/driver/@rx_queue_size", "an interface's queues"),
    ("devices/interface/driver/@tx_queue_size", "an interface's queues"),
    ("devices/interface/driver/@event_idx", "an interface's virtio options"),
    ("devices/interface/driver/@rss", "an interface's virtio options"),
    ("devices/interface/driver/@rss_hash_report", "an interface's virtio options"),
    ("devices/interface/driver/host", "an interface's offloads"),
    ("devices/interface/driver/guest", "an interface's offloads"),
    ("devices/smartcard/@mode", "a smart card's mode"),
    ("devices/sound/codec", "a sound card's codec"),
    ("devices/video/model/resolution", "a video device's resolution"),
    ("devices/hostdev/@display", "a host device's display"),
    ("devices/hostdev/@ramfb", "a host device's display"),
    ("devices/memory/source/pagesize", "a memory device"),
)  # fmt: skip

#: What libvirt lets pass and the guest does not see, or not before it boots again.
_FREE = (
    "title", "description", "metadata", "memory/@dumpCore", "memoryBacking", "memtune", "blkiotune",
    "cputune", "numatune", "resource", "iothreads", "iothreadids", "defaultiothread", "perf", "seclabel",
    "on_poweroff", "on_reboot", "on_crash", "on_lockfailure", "qemu:commandline", "qemu:deprecation",
    "vcpu/@cpuset", "vcpu/@placement", "os/loader/text()", "os/nvram", "os/kernel", "os/initrd",
    "os/cmdline", "os/dtb", "os/boot", "os/acpi/table/text()", "os/varstore", "os/shim", "bootloader",
    "launchSecurity/quoteGenerationService",
    "devices/emulator", "devices/graphics", "devices/audio", "devices/lease",
    "devices/*/boot", "devices/*/source", "devices/*/log", "devices/*/protocol", "devices/*/rom/@file",
    "devices/disk/@type", "devices/disk/@rawio", "devices/disk/@sgio", "devices/disk/@snapshot",
    "devices/disk/auth", "devices/disk/backingStore", "devices/disk/driver", "devices/disk/encryption",
    "devices/disk/iotune", "devices/disk/mirror", "devices/disk/shareable", "devices/disk/transient",
    "devices/disk/target/@tray",
    "devices/controller/driver/@ioeventfd", "devices/controller/driver/@iothread",
    "devices/filesystem/@accessmode", "devices/filesystem/@dmode", "devices/filesystem/@fmode",
    "devices/filesystem/@multidevs", "devices/filesystem/binary", "devices/filesystem/driver/@format",
    "devices/filesystem/driver/@wrpolicy",
    "devices/interface/@type", "devices/interface/@trustGuestRxFilters", "devices/interface/backend",
    "devices/interface/bandwidth", "devices/interface/coalesce", "devices/interface/downscript",
    "devices/interface/driver/@ioeventfd", "devices/interface/driver/@name",
    "devices/interface/driver/@txmode", "devices/interface/filterref", "devices/interface/link",
    "devices/interface/port", "devices/interface/portForward", "devices/interface/script",
    "devices/interface/target", "devices/interface/tune", "devices/interface/virtualport",
    "devices/interface/vlan",
    "devices/smartcard/@type", "devices/smartcard/certificate", "devices/smartcard/database",
    "devices/serial/@type", "devices/parallel/@type", "devices/console/@type", "devices/channel/@type",
    "devices/tpm/backend", "devices/sound/audio",
    "devices/hostdev/@managed", "devices/hostdev/driver", "devices/hostdev/readonly",
    "devices/hostdev/shareable",
    "devices/watchdog/@action", "devices/memballoon/stats", "devices/rng/rate", "devices/rng/backend",
    "devices/shmem/@name", "devices/shmem/server/@path", "devices/memory/@access",
    "devices/memory/@discard", "devices/vsock/cid", "devices/pstore/path",
)  # fmt: skip

PARTS: tuple[Part, ...] = (
    *(Part(path, Effect.ABORTS, what) for path, what in _ABORTS),
    *(Part(path, Effect.BREAKS, what) for path, what in _BREAKS),
    *(Part(path, Effect.FREE, "") for path in _FREE),
)


class Altered(NamedTuple):
    """What should be instead of a difference, and what would come of it."""

    wanted: str
    because: str


#: What the table does not know is a newer libvirt's, or nobody's.
_UNTRIED = "nobody has tried what libvirt makes of it"


class _Node:
    """A step on the way to parts."""

    def __init__(self) -> None:
        self.part: Part | None = None
        self.below: dict[str, _Node] = {}


class Table:
    """The parts, as a tree: what holds a spot is found in as many looks as it has steps."""

    def __init__(self, parts: tuple[Part, ...] = PARTS) -> None:
        self._root = _Node()
        for part in parts:
            node = self._root
            for step in part.path.split("/"):
                node = node.below.setdefault(step, _Node())
            node.part = part

    def part(self, steps: tuple[str, ...]) -> Part | None:
        """The part that a spot belongs to, None if it is not known.

        ``steps`` lead there from ``<domain>``, without ordinals.
        """
        found, nodes = None, [self._root]
        for step in steps:
            nodes = [node.below[key] for node in nodes for key in (step, "*") if key in node.below]
            found = next((node.part for node in nodes if node.part is not None), found)
        return found

    def altered(self, steps: tuple[str, ...]) -> Altered | None:
        """What is wrong with a difference at a spot; None where nothing is."""
        part = self.part(steps)
        if part is not None:
            return (
                None if part.effect is Effect.FREE else Altered(f"{part.what} untouched", part.effect.value)
            )
        if steps[:1] == ("devices",) and len(steps) == 2:
            return Altered("the number and order of devices untouched", Effect.ABORTS.value)
        return Altered("what libhooks does not know untouched", _UNTRIED)
