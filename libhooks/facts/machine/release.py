"""Which system this host runs, and on what: os-release, the processor, the architecture."""

from __future__ import annotations

import re

from libhooks.facts.machine.words import Cpu
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

#: In the order in which os-release(5) has them read.
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
#: RHEL 6 has no os-release, and that of CentOS 7 knows no minor release; this file has both.
_REDHAT_RELEASE = "/etc/redhat-release"
_REDHAT = r"(Red Hat|CentOS|AlmaLinux|Rocky|Oracle).* release (\d+(?:\.\d+)?)"
_IDS = {"Red Hat": "rhel", "CentOS": "centos", "AlmaLinux": "almalinux", "Rocky": "rocky", "Oracle": "ol"}

#: The kernel's own word since 6.1, which is libvirt's too.
_ARCH = "/proc/sys/kernel/arch"
#: Else a program that every host has says for which processor it was built (elf(5), e_machine).
_PROGRAM = "/bin/sh"
_ELF = {3: "i686", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64",
        243: "riscv64", 258: "loongarch64"}  # fmt: skip

#: The first processor's part of /proc/cpuinfo fits in here; hosts with hundreds take long to tell of all.
_FIRST_CPU = 8192


def release(paths: Paths) -> tuple[str, str] | None:
    """ID and VERSION_ID; None where no file tells."""
    id, version = _os_release(paths)
    if "." not in version and id in ("", "centos"):
        found = re.search(_REDHAT, paths.text(_REDHAT_RELEASE) or "")
        if found:
            return id or _IDS[found[1]], found[2]
    return (id, version) if id else None


def _os_release(paths: Paths) -> tuple[str, str]:
    for file in _OS_RELEASE:
        text = paths.text(file)
        if text is not None:
            told = dict(_assignment(line) for line in text.splitlines() if "=" in line)
            if not told.get("ID"):
                raise Garbage(f"{file} has no ID")
            return told["ID"], told.get("VERSION_ID", "")
    return "", ""


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip().strip("\"'")


def architecture(paths: Paths) -> str:
    """In libvirt's words. Raises Garbage where nothing tells it."""
    told = paths.line(_ARCH).strip()
    if told:
        if not re.fullmatch(r"[a-z0-9_]{1,16}", told):
            raise Garbage(f"{_ARCH} names no architecture")
        return told
    head = paths.read(_PROGRAM, 20) or b""
    if head[:4] != b"\x7fELF" or len(head) < 20:
        raise Garbage(f"neither {_ARCH} nor {_PROGRAM} tells the architecture")
    little = head[5] == 1
    machine = int.from_bytes(head[18:20], "little" if little else "big")
    if machine not in _ELF:
        raise Garbage(f"{_PROGRAM} is for a processor that we do not know ({machine})")
    return _ELF[machine] + ("le" if machine == 21 and little else "")


def cpu(paths: Paths) -> Cpu | None:
    """The first processor; None where it is not x86."""
    text = paths.beginning("/proc/cpuinfo", _FIRST_CPU) or ""
    told = dict(_field(line) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    if not told:
        raise Garbage("/proc/cpuinfo tells of no processor")
    if "vendor_id" not in told or "flags" not in told:
        return None
    return Cpu(told["vendor_id"], frozenset(told["flags"].split()))


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
