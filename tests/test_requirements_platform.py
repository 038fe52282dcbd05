"""What the guest needs of the platform, where it says which one it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import HOSTB, judged, tree

from libhooks.decision import Unmet
from libhooks.origin import Origin
from libhooks.policy.model import Policy
from libhooks.releases import pair
from libhooks.requirements.platform import older
from libhooks.requirements.platform_cpu import cpu_compared

GUEST = """\
<domain type='kvm'>
  <name>web1</name>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>"""
UNSTAMPED = GUEST.replace("<emulator>/usr/bin/qemu-system-x86_64</emulator>", "")


def told(unmet: list[Unmet]) -> list[tuple[str, str, bool]]:
    return [(one.subject, one.found, one.unknown) for one in unmet]


def rhel(tmp_path: Path, version: str) -> Path:
    return _os_release(tmp_path, "rhel", version)


def _os_release(tmp_path: Path, id: str, version: str) -> Path:
    file = tmp_path / "etc" / "os-release"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'ID="{id}"\nVERSION_ID="{version}"\n')
    return tmp_path


def test_release_that_fits(tmp_path: Path) -> None:
    """From 6.5 to 7.2 is on the guide's list."""
    assert not judged("platform.release", GUEST, rhel(tmp_path, "7.2"), Origin("a", os=("centos", "6.5")))


def test_release_that_does_not(tmp_path: Path) -> None:
    """Backwards over a major release is not; the finding names both ends and what would allow it."""
    (unmet,) = judged("platform.release", GUEST, rhel(tmp_path, "6.10"), Origin("a", os=("ol", "7.9")))
    assert (unmet.subject, unmet.found) == ("rhel 7.9 -> rhel 6.10", "the guide does not support that")
    assert unmet.hint.endswith('add "rhel 7.9 -> rhel 6.10" to [platform] releases')


def test_release_by_policy(tmp_path: Path) -> None:
    """The policy's list counts instead of the guide's."""
    policy = Policy(releases=(pair("debian 12 -> debian 13"),))
    here = _os_release(tmp_path, "debian", "13")
    assert not judged("platform.release", GUEST, here, Origin("a", os=("debian", "12")), policy)
    (unmet,) = judged("platform.release", GUEST, here, Origin("a", os=("debian", "11")), policy)
    assert unmet.found == "the policy's [platform] releases do not have that"


def test_release_unknown(tmp_path: Path) -> None:
    """A host that does not say what it is leaves it open; so does garbage, which is named."""
    origin = Origin("a", os=("rhel", "7.9"))
    for why in ("there is no /etc/os-release", "/etc/os-release has no ID"):
        assert told(judged("platform.release", GUEST, tmp_path, origin)) == [("", why, True)]
        _os_release(tmp_path, "", "")


@pytest.mark.parametrize("origin", [None, Origin("a"), Origin("a", os=("", "7"))])
def test_release_not_told(origin: Origin | None) -> None:
    """A guest that does not say where it comes from is not judged by it."""
    assert not judged("platform.release", GUEST, HOSTB, origin)


def test_version_that_fits() -> None:
    """As new as at the source, or newer."""
    assert not judged("platform.version", GUEST, HOSTB, Origin("a", qemu=7002005, libvirt=8000000))


def test_version_older() -> None:
    """QEMU and libvirt are compared each by itself."""
    unmet = judged("platform.version", GUEST, HOSTB, Origin("a", qemu=8001000, libvirt=10000000))
    assert [(one.wanted, one.found) for one in unmet] == [
        ("QEMU 8.1.0, as on its host, or later", "QEMU 7.2.5"),
        ("libvirt 10.0.0, as on its host, or later", "libvirt 9.0.0"),
    ]


def test_version_unknown(tmp_path: Path) -> None:
    """An emulator that libvirt has not looked at yet speaks for its machine types alone."""
    stat = '["/usr/bin/qemu-system-x86_64"]\nprints = "Supported machines are:\\npc-q35-7.2 a PC\\n"\n'
    origin = Origin("a", qemu=7002005)
    (unmet,) = judged("platform.version", GUEST, tree(tmp_path, stat=stat), origin)
    assert (unmet.unknown, unmet.found) == (
        True,
        "libvirt has not recorded the version of /usr/bin/qemu-system-x86_64",
    )
    assert not judged("platform.machine", GUEST, tmp_path, origin)


@pytest.mark.parametrize("origin", [None, Origin("a")])
def test_version_not_told(origin: Origin | None) -> None:
    """Without versions to compare with, nothing is judged; nor without an emulator."""
    assert not judged("platform.version", GUEST, HOSTB, origin)
    assert not judged("platform.version", UNSTAMPED, HOSTB, Origin("a", qemu=9000000))


def test_for_preflight() -> None:
    """What only a connection tells is judged by functions on what it told."""
    assert not list(cpu_compared(1)) + list(cpu_compared(2))
    assert [one.unknown for result in (0, -1) for one in cpu_compared(result)] == [False, True]
    (unmet,) = judged("platform.version", GUEST, HOSTB, Origin("a", qemu=7002006))
    assert list(older("QEMU", 7002006, 7002005, unmet.spot, "")) == [unmet]


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        ("pc-q35-10.0", "of those, pc-q35-7.2 is the newest that it knows"),
        ("pc-i440fx-rhel7.6.0", "none like it among the 7 that it knows"),
        ("pc-i440fx-2.12", "of those, pc-i440fx-7.2 is the newest that it knows"),
        ("microvm2", "none like it among the 7 that it knows"),
    ],
)
def test_the_nearest_machine_type(machine: str, found: str) -> None:
    """What is offered instead is the newest of its family, by number and not by letter."""
    (unmet,) = judged("platform.machine", GUEST.replace("pc-q35-7.2", machine))
    assert (unmet.subject, unmet.found) == (machine, found)


def test_an_emulator_that_others_may_write(tmp_path: Path) -> None:
    """What anybody may write is not run, nor what does not look like QEMU."""
    prints = 'prints = "Supported machines are:\\npc-q35-7.2 a PC\\n"\n'
    why = "libvirt has not asked it yet (no /var/cache/libvirt/qemu/capabilities/"
    tree(tmp_path, stat=f'["/usr/bin/qemu-system-x86_64"]\nmode = 0o777\n{prints}\n["/bin/rm"]\n{prints}')
    for path in ("/usr/bin/qemu-system-x86_64", "/bin/rm"):
        (unmet,) = judged("platform.machine", GUEST.replace("/usr/bin/qemu-system-x86_64", path), tmp_path)
        assert (unmet.unknown, unmet.found.startswith(why)) == (True, True)


@pytest.mark.parametrize(("byte", "arch"), [("\x3e", "x86_64"), ("\x28", "armv7l"), ("\x16", "s390x")])
def test_architecture_of_older_kernels(tmp_path: Path, byte: str, arch: str) -> None:
    """Before Linux 6.1 the architecture is that of the programs."""
    header = b"\x7fELF\x02\x01" + bytes(12) + byte.encode() + b"\0"
    for path, data in (("bin/sh", header), ("dev/kvm", b"")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    tree(tmp_path, stat='["/dev/kvm"]\nkind = "char"\n')
    assert not judged("platform.arch", UNSTAMPED.replace("x86_64", arch), tmp_path)
    (unmet,) = judged("platform.arch", UNSTAMPED.replace("x86_64", "ppc64le"), tmp_path)
    assert unmet.found == f"this host is {arch}"
