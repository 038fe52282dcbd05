"""What a host can do with a guest's tuning: share out CPUs, count events, label processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from libhooks.facts.host import open_facts
from libhooks.facts.model import Facts, Unknown

ROOT = "25 1 8:2 / / rw - ext4 /dev/sda2 rw"
V1 = "31 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct"
MEMORY = "32 25 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
V2 = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
HYBRID = "33 25 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"
SOFTWARE = {
    "cpu_clock", "task_clock", "page_faults", "context_switches", "cpu_migrations", "page_faults_min",
    "page_faults_maj", "alignment_faults", "emulation_faults",
}  # fmt: skip


def host(directory: Path, files: dict[str, str]) -> Facts:
    """A host that has these files and no others."""
    tables = (f"[{json.dumps(path)}]\ntext = {json.dumps(text)}\n" for path, text in files.items())
    (directory / "stat.toml").write_text("\n".join(tables))
    return open_facts(str(directory))


@pytest.mark.parametrize(
    ("mounts", "controllers", "version"),
    [
        ((V2,), {"/sys/fs/cgroup": "cpuset cpu io memory pids"}, 2),
        ((V2,), {"/sys/fs/cgroup": "cpuset io"}, 0),
        ((V2,), {"/sys/fs/cgroup": ""}, 0),
        ((V1, MEMORY), {}, 1),
        ((MEMORY,), {}, 0),
        ((V1, HYBRID), {"/sys/fs/cgroup/unified": ""}, 1),
        ((), {}, None),
        ((V2,), {}, Unknown("there is no /sys/fs/cgroup/cgroup.controllers")),
    ],
)
def test_cpu_controller(
    tmp_path: Path, mounts: tuple[str, ...], controllers: dict[str, str], version: object
) -> None:
    """The controller is in one version of control groups, in none, or there are no groups at all."""
    files = {"/proc/self/mountinfo": "\n".join((ROOT, *mounts)) + "\n"}
    files |= {f"{group}/cgroup.controllers": f"{text}\n" for group, text in controllers.items()}
    assert host(tmp_path, files).cpu_controller() == version


@pytest.mark.parametrize(
    ("sources", "events"),
    [
        (("software/type",), set()),
        (
            ("software/type", "cpu/events/cpu-cycles", "cpu/events/ref-cycles"),
            {"cpu_cycles", "ref_cpu_cycles"},
        ),
        (("cpu_core/events/instructions", "cpu_atom/events/branch-misses"), {"instructions"}),
        (("cpu/events/mem-loads", "intel_cqm/type"), {"cmt", "mbmt", "mbml"}),
    ],
)
def test_perf_events(tmp_path: Path, sources: tuple[str, ...], events: set[str]) -> None:
    """The kernel's own events can always be counted, the processor's where its driver lists them."""
    facts = host(tmp_path, {f"/sys/bus/event_source/devices/{source}": "1\n" for source in sources})
    assert facts.perf_events() == frozenset(SOFTWARE | events)


def test_perf_events_of_a_silent_driver(tmp_path: Path) -> None:
    """Where the processor's driver does not list them, it is taken to know them all."""
    facts = host(tmp_path, {"/sys/bus/event_source/devices/armv8_pmuv3_0/type": "8\n"})
    found = facts.perf_events()
    assert isinstance(found, frozenset)
    assert {"cpu_cycles", "bus_cycles"} <= found
    assert not {"cmt"} & found


def test_perf_events_unknown(tmp_path: Path) -> None:
    """A host that shows no sources of events is not known to have none."""
    assert host(tmp_path, {}).perf_events() == Unknown("there is no /sys/bus/event_source/devices")


@pytest.mark.parametrize(
    ("files", "models"),
    [
        ({}, {"dac"}),
        ({"/sys/fs/selinux/enforce": "1"}, {"dac", "selinux"}),
        ({"/sys/module/apparmor/parameters/enabled": "Y\n"}, {"dac", "apparmor"}),
        ({"/sys/module/apparmor/parameters/enabled": "N\n"}, {"dac"}),
        ({"/sys/fs/selinux/enforce": "1", "/etc/libvirt/qemu.conf": 'security_driver = "none"\n'}, {"dac"}),
        (
            {"/sys/fs/selinux/enforce": "1", "/etc/libvirt/qemu.conf": 'security_driver = [ "selinux" ]\n'},
            {"dac", "selinux"},
        ),
        (
            {"/sys/fs/selinux/enforce": "1", "/etc/libvirt/qemu.conf": '#security_driver = "x"\n'},
            {"dac", "selinux"},
        ),
    ],
)
def test_security_models(tmp_path: Path, files: dict[str, str], models: set[str]) -> None:
    """libvirt's own model is always there, the kernel's where it is in force and qemu.conf wants it."""
    assert host(tmp_path, files).security_models() == frozenset(models)


def test_security_models_unknown(tmp_path: Path) -> None:
    """A configuration that makes no sense tells nothing."""
    found = host(tmp_path, {"/etc/libvirt/qemu.conf": "security_driver = [\n"}).security_models()
    assert isinstance(found, Unknown)
    assert found.why.startswith("/etc/libvirt/qemu.conf: line ")
