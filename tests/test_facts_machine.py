"""The machine: emulators, processor, memory and devices, read from trees."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from golden_cases import GOLDEN

from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.machine.words import Cpu, Emulator, Held, HostDevice, Pages
from libhooks.facts.model import Facts, Unknown

HOSTB = GOLDEN / "hosts" / "hostb"
QEMU = "/usr/bin/qemu-system-x86_64"
_DIGEST = "926803a9278e445ec919c2b6cbd8c1c449c75b26dcb1686b774314180376c725"
NOTES = f"/var/cache/libvirt/qemu/capabilities/{_DIGEST}.xml"
OTHER = f"{NOTES} is about another build of it"
SILENT = Unknown("neither /proc/sys/kernel/arch nor /bin/sh tells the architecture")
STATUS = "<domstatus><domain type='kvm'><name>db1</name><devices>{}</devices></domain></domstatus>"


def facts(root: Path, stat: str = "", **files: str) -> HostFacts:
    """A host of these files; a name's ``__`` is a slash, its ``_dot_`` a dot."""
    if stat:
        (root / "stat.toml").write_text(stat)
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return open_facts(str(root))


def hostb() -> HostFacts:
    return open_facts(str(HOSTB))


def test_emulator() -> None:
    """What libvirt noted of an emulator, where it is about this very build."""
    machines = ("pc-i440fx-7.2", "pc", "pc-q35-7.2", "q35", "pc-q35-7.1", "pc-q35-5.1", "microvm")
    assert hostb().emulator(QEMU) == Emulator(7002005, 9000000, "x86_64", machines)
    assert hostb().emulator("/usr/bin/kvm") is None


def test_blockers() -> None:
    """What KVM lacks for a CPU model; emulation's answer is another one."""
    assert hostb().blockers(QEMU, "max") == ()
    assert hostb().blockers(QEMU, "EPYC") == ("fxsr-opt", "cr8legacy", "sse4a")
    assert hostb().blockers(QEMU, "EPYC-Rome") is None
    assert hostb().blockers(QEMU, "E.*") is None


@pytest.mark.parametrize(
    ("stat", "why"),
    [
        ("", f"libvirt has not asked it yet (no {NOTES})"),
        (f'["{NOTES}"]\ntext = "<qemuCaps><qemuctime>8</qemuctime></qemuCaps>"', OTHER),
        (f'["{NOTES}"]\ntext = "<qemuCaps><qemuctime>x</qemuctime></qemuCaps>"', OTHER),
        (f'["{NOTES}"]\ntext = "<qemuCaps><machine"', f"{NOTES} makes no sense"),
        (f'["{NOTES}"]\ntext = ""', f"{NOTES} makes no sense"),
        (f'["{NOTES}"]\ndenied = true', f"{NOTES}: permission denied"),
    ],
)  # fmt: skip
def test_emulator_asked(tmp_path: Path, stat: str, why: str) -> None:
    """Where no notes fit, the emulator is asked; where it can't be, the finding says of both why."""
    program = f'["{QEMU}"]\nmode = 0o755\nchanged = 7\n'
    prints = 'prints = "Supported machines are:\\nq35 a PC (alias of pc-q35-8.0)\\npc-q35-8.0 a PC\\n"\n'
    asked = facts(tmp_path, f"{program}{prints}{stat}\n").emulator(QEMU)
    assert asked == Emulator(0, 0, "", ("q35", "pc-q35-8.0"))
    told = facts(tmp_path, f"{program}{stat}\n")
    assert told.emulator(QEMU) == Unknown(f"{why}; nothing runs in a captured tree")
    assert told.blockers(QEMU, "max") == Unknown(why)
    (tmp_path / "stat.toml").write_text(f'{program}prints = "usage: ..."\n{stat}\n')
    assert open_facts(str(tmp_path)).emulator(QEMU) == Unknown(f"{why}; -machine help lists none")


def test_processor() -> None:
    """The first processor's flags; of others than x86 we know none."""
    cpu = hostb().cpu()
    assert isinstance(cpu, Cpu)
    assert cpu.vendor == "GenuineIntel"
    assert {"avx2", "vmx"} <= cpu.flags


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n", None),
        ("vendor_id       : IBM/S390\nfeatures\t: esan3\n", None),
        ("vendor_id : GenuineIntel\nflags : a b\n", Cpu("GenuineIntel", frozenset("ab"))),
        ("", Unknown("/proc/cpuinfo tells of no processor")),
        ("\x00\x01 garbage", Unknown("/proc/cpuinfo is no text")),
    ],
)
def test_processors(tmp_path: Path, text: str, found: object) -> None:
    """Each architecture's cpuinfo has a form of its own."""
    assert facts(tmp_path, proc__cpuinfo=text).cpu() == found


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"etc__os-release": "ID=debian\nVERSION_ID=\"12\"\n"}, ("debian", "12")),
        ({"usr__lib__os-release": "ID='rocky'\n# x\nVERSION_ID='9.3'\n"}, ("rocky", "9.3")),
        ({"etc__os-release": "ID=debian\n"}, ("debian", "")),
        ({"etc__os-release": "ID=\"centos\"\nVERSION_ID=\"7\"\n",
          "etc__redhat-release": "CentOS Linux release 7.9.2009 (Core)\n"}, ("centos", "7.9")),
        ({"etc__redhat-release": "Red Hat Enterprise Linux Server release 6.5\n"}, ("rhel", "6.5")),
        ({"etc__redhat-release": "Fedora release 20\n"}, None),
        ({"etc__os-release": "garbage"}, Unknown("/etc/os-release has no ID")),
        ({}, None),
    ],
)  # fmt: skip
def test_release(tmp_path: Path, files: dict[str, str], found: object) -> None:
    """os-release tells; where it does not tell enough, redhat-release does."""
    assert facts(tmp_path, **files).release() == found


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"", SILENT),
        (b"#!/bin/busybox something", SILENT),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00", "aarch64"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\x15\x00", "ppc64le"),
        (b"\x7fELF\x02\x02" + bytes(12) + b"\x00\x15", "ppc64"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xff\xff",
         Unknown("/bin/sh is for a processor that we do not know (65535)")),
    ],
)  # fmt: skip
def test_architecture(tmp_path: Path, head: bytes, found: object) -> None:
    """Without the kernel's word, that of a program that every host has."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").write_bytes(head)
    assert open_facts(str(tmp_path)).architecture() == found
    assert facts(tmp_path, proc__sys__kernel__arch="s390x\n").architecture() == "s390x"


def test_memory(tmp_path: Path) -> None:
    """MemAvailable, in KiB; what else stands there is not taken for it."""
    assert hostb().memory() == 16777216
    assert open_facts(str(tmp_path)).memory() == Unknown("there is no /proc/meminfo")
    told = facts(tmp_path, proc__meminfo="MemAvailable: many kB\nMemFree: 8 kB\n").memory()
    assert told == Unknown("/proc/meminfo has no MemAvailable")


def test_hugepages(tmp_path: Path) -> None:
    """By node, with what may be made on demand; a host without nodes has them on node 0."""
    assert hostb().hugepages() == (Pages(0, 2048, 512, True), Pages(1, 2048, 1024, True))
    assert open_facts(str(tmp_path)).hugepages() == ()
    pool = "sys__kernel__mm__hugepages__hugepages-1048576kB__"
    counters = {"free_hugepages": "3\n", "nr_overcommit_hugepages": "4\n", "surplus_hugepages": "1\n"}
    files = {f"{pool}{name}": text for name, text in counters.items()}
    told = facts(tmp_path, proc__meminfo="Hugepagesize: 2048 kB\n", **files).hugepages()
    assert told == (Pages(0, 1048576, 3, False), Pages(-1, 1048576, 3, False))


def test_online(tmp_path: Path) -> None:
    """CPUs and nodes; a host without NUMA has node 0."""
    assert (hostb().cpus(), hostb().nodes()) == (frozenset(range(8)), frozenset((0, 1)))
    assert open_facts(str(tmp_path)).nodes() == frozenset((0,))
    empty = "/sys/devices/system/cpu/online names none"
    assert open_facts(str(tmp_path)).cpus() == Unknown(empty)


@pytest.mark.parametrize(
    ("form", "id", "found"),
    [
        ("pci", "0000:41:00.0", HostDevice("0000:41:00.0", "vfio-pci", True, 1)),
        ("pci", "0000:43:00.0", HostDevice("0000:43:00.0", "vfio-pci", False, 1)),
        ("pci", "0000:4f:00.0", None),
        ("usb", "1-2", HostDevice("1:4", "", True, 1)),
        ("usb", "0529:0001", HostDevice("1:4", "", True, 1)),
        ("usb", "046d:c52b", HostDevice("1:5", "", True, 2)),
        ("usb", "1-9", None),
        ("usb", "dead:beef", None),
    ],
)
def test_devices(form: str, id: str, found: object) -> None:
    """A device, by what its name is; of a USB device which it is, whatever it was asked for by."""
    assert hostb().device(form, id) == found


def test_held() -> None:
    """What active guests have: devices of their own, and those that their networks gave them."""
    db1 = ("db1", "11111111-2222-4333-8444-555555555555")
    assert hostb().held() == (Held("pci", "0000:44:00.0", *db1), Held("pci", "0000:45:10.2", *db1))


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (STATUS.format("<disk type='nvme'><source><address type='pci' bus='0x9' slot='1'/></source></disk>"),
         (Held("pci", "0000:09:01.0", "db1", ""),)),
        (STATUS.format("<hostdev><source><address uuid='AB'/></source></hostdev>"),
         (Held("mdev", "ab", "db1", ""),)),
        (STATUS.format("<hostdev><source><vendor id='1'/><address bus='1' device='6'/></source></hostdev>"),
         (Held("usb", "1:6", "db1", ""),)),
        (STATUS.format("<hostdev><source><adapter name='x'/><address bus='0'/></source></hostdev>"), ()),
        (STATUS.format("<disk><source file='/x'/></disk>"), ()),
        ("<domstatus/>", ()),
        ("<domstatus><hostdev", Unknown("/run/libvirt/qemu/db1.xml is not well-formed")),
        ("<domstatus><hostdev/></domstatus>", Unknown("/run/libvirt/qemu/db1.xml holds no domain")),
        (STATUS.format("<hostdev><source><address slot='x'/></source></hostdev>"),
         Unknown("a device address of an active guest is no number: x")),
    ],
)  # fmt: skip
def test_held_by_others(tmp_path: Path, status: str, found: object) -> None:
    """Every form of device; garbage is named."""
    assert facts(tmp_path, run__libvirt__qemu__db1_dot_xml=status).held() == found


DIRECTORIES = ("etc", "proc", "sys", "run", "var", "usr", "bin")
QUESTIONS: list[Callable[[Facts], object]] = [
    lambda host: host.release(),
    lambda host: host.architecture(),
    lambda host: host.cpu(),
    lambda host: host.memory(),
    lambda host: host.hugepages(),
    lambda host: host.cpus(),
    lambda host: host.nodes(),
    lambda host: host.emulator(QEMU),
    lambda host: host.blockers(QEMU, "max"),
    lambda host: host.device("pci", "0000:41:00.0"),
    lambda host: host.held(),
]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_garbage(tmp_path: Path, ask: Callable[[Facts], object]) -> None:
    """Bytes that mean nothing, and what can't be read, are unknown: never an exception, never an answer."""
    files = [
        *("etc/os-release", "proc/sys/kernel/arch", "proc/cpuinfo", "proc/meminfo", NOTES[1:]),
        *("sys/devices/system/cpu/online", "sys/devices/system/node/online", "run/libvirt/qemu/a.xml"),
        *("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", QEMU[1:]),
    ]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\xff\xfe\x00 hostdev \n\x80")
    ask(open_facts(str(tmp_path)))
    for error in ("denied = true", "hangs = true", 'error = "EIO"'):
        tables = "\n".join(f'["/{name}"]\n{error}' for name in DIRECTORIES)
        (tmp_path / "stat.toml").write_text(tables)
        assert isinstance(ask(open_facts(str(tmp_path))), Unknown)
