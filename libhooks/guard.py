"""The guard: no change of ours may touch what the guest sees.

libvirt aborts a migration whose destination differs in a guest-visible part, with a message that
nobody understands; and some differences pass its check and then break the guest. Either way the guard
is first, and names the rule that would have done it.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

from libhooks.decision import Change, Edit


class Guarded(NamedTuple):
    """A part of a domain, as a path below ``<domain>`` (``*``: any one step), and what it is."""

    path: str
    what: str


#: virDomainDefCheckABIStabilityFlags and the checks it calls; tried on libvirt 9.0 one by one.
ABI: tuple[Guarded, ...] = (
    Guarded("name", "the guest's name"),
    Guarded("uuid", "the guest's UUID"),
    Guarded("genid", "the guest's generation id"),
    Guarded("@type", "the virtualization type"),
    Guarded("memory", "the guest's memory"),
    Guarded("maxMemory", "the guest's memory slots"),
    Guarded("memoryBacking/source", "the memory's source type"),
    Guarded("vcpu", "the virtual CPUs"),
    Guarded("vcpus", "the virtual CPUs"),
    Guarded("cpu", "the CPU model"),
    Guarded("os/type", "the machine type"),
    Guarded("os/smbios", "the SMBIOS mode"),
    Guarded("sysinfo", "the SMBIOS data"),
    Guarded("features", "the machine's features"),
    Guarded("clock/timer", "the timers"),
    Guarded("devices/*/address", "a device's address"),
    Guarded("devices/*/alias", "a device's alias"),
    Guarded("devices/disk/@device", "a disk's kind"),
    Guarded("devices/disk/@model", "a disk's model"),
    Guarded("devices/disk/target", "a disk's target"),
    Guarded("devices/disk/serial", "a disk's serial"),
    Guarded("devices/disk/wwn", "a disk's WWN"),
    Guarded("devices/disk/readonly", "a disk's read-only flag"),
    Guarded("devices/disk/driver/@queues", "a disk's queues"),
    Guarded("devices/interface/mac", "an interface's MAC address"),
    Guarded("devices/interface/model", "an interface's model"),
    Guarded("devices/interface/mtu", "an interface's MTU"),
    Guarded("devices/interface/driver", "an interface's virtio options"),
    Guarded("devices/controller", "a controller"),
    Guarded("devices/filesystem/target", "a file system's target"),
    Guarded("devices/filesystem/readonly", "a file system's read-only flag"),
    Guarded("devices/filesystem/driver", "a file system's driver"),
    Guarded("devices/hostdev/@mode", "a host device's mode"),
    Guarded("devices/hostdev/@type", "a host device's type"),
    Guarded("devices/serial/target", "a serial port's target"),
    Guarded("devices/console/target", "a console's target"),
    Guarded("devices/parallel/target", "a parallel port's target"),
    Guarded("devices/channel/target", "a channel's target"),
    Guarded("devices/video", "the video device"),
    Guarded("devices/memballoon", "the memory balloon"),
    Guarded("devices/tpm/@model", "the TPM's model"),
    Guarded("devices/memory/target", "a memory device"),
    Guarded("devices/iommu", "the IOMMU"),
    Guarded("devices/vsock", "the vsock device"),
    Guarded("devices/rng/driver", "a random number generator's virtio options"),
)

#: libvirt's check lets these pass; the guest then fails or silently changes (semantics, tried live).
SILENT: tuple[Guarded, ...] = (
    Guarded("devices/disk/blockio", "a disk's block sizes"),
    Guarded("devices/disk/driver/@event_idx", "a disk's virtio options"),
    Guarded("os/loader/@type", "how the firmware is mapped"),
)


class Violation(NamedTuple):
    """An edit that the guard does not let pass, the change it is part of, and what it would touch."""

    change: Change
    edit: Edit
    what: str


def check(changes: tuple[Change, ...]) -> Iterator[Violation]:
    """The edits that would alter a guarded part, or the number or order of the guest's devices."""
    for change in changes:
        for edit in change.edits:
            what = _guarded(_steps(edit.spot.xpath))
            if what:
                yield Violation(change, edit, what)


def _steps(xpath: str) -> tuple[str, ...]:
    """The steps below <domain>, without their ordinals."""
    return tuple(step.partition("[")[0] for step in xpath.split("/")[2:])


def _guarded(steps: tuple[str, ...]) -> str:
    if len(steps) == 2 and steps[0] == "devices":
        return "the number and order of devices"
    for row in (*ABI, *SILENT):
        guarded = row.path.split("/")
        if len(guarded) <= len(steps) and all(one in ("*", step) for one, step in zip(guarded, steps)):
            return row.what
    return ""
