"""What this host can do with a guest's tuning: share out CPUs, count events, label processes."""

from __future__ import annotations

from libhooks.facts.reading import conf
from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, Entry, entries
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

_SOURCES = "/sys/bus/event_source/devices"
_QEMU_CONF = "/etc/libvirt/qemu.conf"
#: libvirt's perf events (virPerfEventType), by what has to be there to count them. The kernel itself:
_SOFTWARE = (
    "cpu_clock", "task_clock", "page_faults", "context_switches", "cpu_migrations", "page_faults_min",
    "page_faults_maj", "alignment_faults", "emulation_faults",
)  # fmt: skip
#: The processor, with the names that its driver on x86 gives them.
_HARDWARE = {
    "cpu_cycles": "cpu-cycles",
    "instructions": "instructions",
    "cache_references": "cache-references",
    "cache_misses": "cache-misses",
    "branch_instructions": "branch-instructions",
    "branch_misses": "branch-misses",
    "bus_cycles": "bus-cycles",
    "stalled_cycles_frontend": "stalled-cycles-frontend",
    "stalled_cycles_backend": "stalled-cycles-backend",
    "ref_cpu_cycles": "ref-cycles",
}
#: The processor's monitor of its caches; Linux has not let anyone else look at it since 4.14.
_CACHES = ("cmt", "mbmt", "mbml")
#: What the kernel calls processors whose drivers do not list the events that they know.
_SILENT = ("arm", "cpum_cf", "riscv", "power")


def cpu_controller(paths: Paths) -> int | None:
    """The version of control groups (1 or 2) that shares out CPUs, 0 where none does; None without any.

    As libvirt looks for it (virCgroupDetect): version 2 first, and the controller is in one only.
    """
    found = entries(paths.text(TABLE, TABLE_LIMIT) or "")
    groups = [mount for mount in found if mount.fstype in ("cgroup", "cgroup2")]
    if any(_unified(paths, mount) for mount in groups if mount.fstype == "cgroup2"):
        return 2
    if any("cpu" in mount.options for mount in groups if mount.fstype == "cgroup"):
        return 1
    return 0 if groups else None


def _unified(paths: Paths, mount: Entry) -> bool:
    listed = paths.text(f"{mount.point}/cgroup.controllers")
    if listed is None:
        raise Garbage(f"there is no {mount.point}/cgroup.controllers")
    return "cpu" in listed.split()


def perf_events(paths: Paths) -> frozenset[str]:
    """libvirt's names of the events that can be counted here."""
    sources = paths.names(_SOURCES)
    if not sources:
        raise Garbage(f"there is no {_SOURCES}")
    found = {*_SOFTWARE, *(_CACHES if "intel_cqm" in sources else ())}
    for source in sources:
        if source in ("cpu", "cpu_core"):
            known = paths.names(f"{_SOURCES}/{source}/events")
            found |= {event for event, name in _HARDWARE.items() if name in known}
        elif source.startswith(_SILENT):
            found |= _HARDWARE.keys()
    return frozenset(found)


def security_models(paths: Paths) -> frozenset[str]:
    """The models of security labels in force: libvirt's own for ownership, and the kernel's if it has any."""
    found = set()
    if paths.node("/sys/fs/selinux/enforce") is not None:
        found.add("selinux")
    if paths.line("/sys/module/apparmor/parameters/enabled") == "Y":
        found.add("apparmor")
    told = conf.settings(paths, _QEMU_CONF).get("security_driver")
    wanted = (told,) if isinstance(told, str) else told
    return frozenset((found if wanted is None else found.intersection(wanted)) | {"dac"})
