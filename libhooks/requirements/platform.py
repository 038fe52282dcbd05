"""Platform: the release, emulator, machine type and firmware that the guest needs here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from libhooks.decision import Level, Spot, Unmet
from libhooks.facts.model import File, Unknown
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.emulators import emulators, is_kvm
from libhooks.requirements.model import BOTH, GUIDE, LIBVIRT, MIGRATE, Requirement, Subject
from libhooks.requirements.others import left_to

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Emulator

_LOOK = "virsh domcapabilities makes libvirt look at it again"
_DOMAIN = Spot("guest", "/domain")
_MACHINE = Spot("machine", "/domain/os/type")
_ARCH = Spot("architecture", "/domain/os/type")


def release(subject: Subject) -> Iterator[Unmet]:
    """From the release of the host it comes from, a guest should not migrate to the release of this one.

    Red Hat's guide lists between which releases of RHEL migration is supported: 5.x to 5.y and 6.x to 6.y
    (to an older minor release with known issues), 6.5 or later to 7.x, and 7.x to 7.y either way; not from
    5 to 6 or back, and not from 7 to 6. CentOS, AlmaLinux, Rocky and Oracle Linux count as the RHEL that
    they rebuild. Of other systems and later releases the guide says nothing, and so does this.

    To have it otherwise, list the ways that you support; the list then counts alone:
    [platform] releases = ["debian 12 -> debian 13", "rhel 8.6+ <-> rhel 9"].
    """
    from libhooks import releases  # needed only where a guest says where it comes from

    if subject.origin is None or not subject.origin.os[0]:
        return
    wanted, hint = "a way between releases that is supported", "migrate to a host whose release fits"
    here = subject.facts.release()
    if here is None or isinstance(here, Unknown):
        why = here.why if isinstance(here, Unknown) else "there is no /etc/os-release"
        yield Unmet(_DOMAIN, "", wanted, why, "see that it can be read", True)
        return
    source, target = releases.release(*subject.origin.os), releases.release(*here)
    why = releases.obstacle(source, target, subject.policy.releases)
    if why:
        hint = f'{hint}, or add "{source} -> {target}" to [platform] releases'
        yield Unmet(_DOMAIN, f"{source} -> {target}", wanted, why, hint)


def version(subject: Subject) -> Iterator[Unmet]:
    """QEMU or libvirt is older here than on the host that the guest comes from.

    New versions take guests from old ones; the other way round it works by luck. Upgrade this host, or
    migrate to one that is at least as new. Versions here are those that libvirt found when it last asked the
    guest's emulator.
    """
    if subject.origin is None:
        return
    for name, emulator in emulators(subject):
        if isinstance(emulator, Unknown):
            if not left_to("platform.machine", subject):
                yield Unmet(
                    _DOMAIN, str(name), "versions as of where it comes from", emulator.why, _LOOK, True
                )
            continue
        for what, there, here in (
            ("QEMU", subject.origin.qemu, emulator.qemu),
            ("libvirt", subject.origin.libvirt, emulator.libvirt),
        ):
            yield from older(what, there, here, _DOMAIN, str(name))


def older(what: str, there: int, here: int, spot: Spot, asked: str) -> Iterator[Unmet]:
    """Whether a version, as libvirt counts, is older here than there; 0 is not known. Of preflight's too."""
    wanted = f"{what} {_version(there)}, as on its host, or later"
    hint = f"upgrade {what} here, or migrate to a host that has it"
    if there and not here:
        why = f"libvirt has not recorded the version of {asked}"
        yield Unmet(spot, "", wanted, why, "virsh domcapabilities makes it look", True)
    elif there > here:
        yield Unmet(spot, "", wanted, f"{what} {_version(here)}", hint)


def _version(number: int) -> str:
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"


def machine(subject: Subject) -> Iterator[Unmet]:
    """The emulator here has no machine type of the guest's name.

    A machine type is a promise about the guest's hardware; one that QEMU learnt after the version on this
    host can't be made here. Upgrade QEMU here, or migrate to a host whose QEMU is at least as new as the one
    that the guest was started with. What the emulator offers is read where libvirt has noted it
    (/var/cache/libvirt/qemu/capabilities); if that is about another build, the emulator itself is asked.
    """
    wanted_type = _type(subject).get("machine", "")
    for name, emulator in emulators(subject) if wanted_type else ():
        wanted = f"a machine type that {name} knows"
        if isinstance(emulator, Unknown):
            yield Unmet(_MACHINE, wanted_type, wanted, emulator.why, _LOOK, True)
        elif wanted_type not in emulator.machines:
            hint = "upgrade QEMU here, or migrate to a host whose QEMU is as new as the source's"
            yield Unmet(_MACHINE, wanted_type, wanted, _nearest(wanted_type, emulator), hint)


def _nearest(wanted: str, emulator: Emulator) -> str:
    """What an emulator has instead: the newest of the same family, else how many of others."""
    family = _family(wanted)
    same = [one for one in emulator.machines if _family(one) == family and one != family]
    if not same:
        return f"none like it among the {len(emulator.machines)} that it knows"
    newest = max(same, key=lambda one: [int(digits) for digits in re.findall(r"\d+", one[len(family) :])])
    return f"of those, {newest} is the newest that it knows"


def _family(machine: str) -> str:
    """``pc-q35`` of ``pc-q35-7.2``, ``pc-q35-rhel`` of ``pc-q35-rhel9.2.0``."""
    return re.sub(r"-?[0-9.]+$", "", machine)


def arch(subject: Subject) -> Iterator[Unmet]:
    """The guest's architecture does not run here, or KVM does not.

    A guest of type kvm needs /dev/kvm and a processor of its own architecture; any guest needs an emulator
    that emulates it. Where there is no /dev/kvm, load the module (modprobe kvm_intel or kvm_amd), or switch
    virtualization on in this host's firmware settings.
    """
    guest = _type(subject).get("arch", "")
    if is_kvm(subject):
        yield from _no_kvm(subject)
        yield from _other_processor(subject, guest)
    for name, emulator in emulators(subject) if guest else ():
        if isinstance(emulator, Unknown):
            if not left_to("platform.machine", subject):
                yield Unmet(_ARCH, guest, f"an emulator of {guest}", emulator.why, _LOOK, True)
            continue
        if not emulator.arch or _runs(emulator.arch, guest):
            continue
        hint = f"name the emulator for {guest} in a [file.…] place, or install it"
        yield Unmet(_ARCH, guest, f"an emulator of {guest}", f"{name} emulates {emulator.arch}", hint)


def _no_kvm(subject: Subject) -> Iterator[Unmet]:
    device = subject.facts.file("/dev/kvm")
    if isinstance(device, Unknown):
        yield Unmet(_DOMAIN, "type kvm", "/dev/kvm", device.why, "see that it can be read", True)
    elif device is None or device.kind != "char":
        found = "no /dev/kvm" if device is None else f"/dev/kvm is a {device.kind}"
        hint = "load kvm_intel or kvm_amd, or switch virtualization on in the firmware"
        yield Unmet(_DOMAIN, "type kvm", "/dev/kvm", found, hint)


def _other_processor(subject: Subject, guest: str) -> Iterator[Unmet]:
    here = subject.facts.architecture()
    wanted = f"a processor that runs {guest}"
    if isinstance(here, Unknown):
        yield Unmet(_ARCH, guest, wanted, here.why, "see that it can be read", True)
    elif guest and not _runs(here, guest):
        yield Unmet(_ARCH, guest, wanted, f"this host is {here}", f"migrate to a host that is {guest}")


#: Other architectures that a processor, or its emulator, runs as well as its own.
_ALSO = {"x86_64": ("i686",), "aarch64": ("armv7l",), "ppc64": ("ppc64le",), "ppc64le": ("ppc64",)}


def _runs(here: str, guest: str) -> bool:
    return guest == here or guest in _ALSO.get(here, ())


def emulator(subject: Subject) -> Iterator[Unmet]:
    """The emulator that the guest names is not on this host.

    libvirt looks at it even before it calls a hook, and then fails with its own message, so this is seen
    after a rewrite, and by libhooks check. Name where each host has it in a file place; distributions differ:
    /usr/bin/qemu-system-x86_64, /usr/libexec/qemu-kvm.
    """
    for resolution, name in subject.named(Role.EMULATOR, form=Form.PATH):
        yield from _file(subject, resolution, name, "install QEMU")


def firmware(subject: Subject) -> Iterator[Unmet]:
    """The firmware that the guest starts from is not on this host: its loader, or its nvram's template.

    The template is needed only where the nvram itself is not here. (All other files are storage.exists's.)
    Install the firmware's package (ovmf, edk2-ovmf, AAVMF ...), or, where this host has it elsewhere, say so
    in a file place; it must be the same build, or at least of the same size.
    """
    for resolution, name in subject.named(Role.FIRMWARE, form=Form.PATH):
        element = resolution.reference.element
        if element is None or element.tag == "loader" or not _has_nvram(subject):
            yield from _file(subject, resolution, name, "install the firmware's package")


def _has_nvram(subject: Subject) -> bool:
    return any(
        isinstance(subject.facts.file(str(name)), File)
        for _, name in subject.named(Role.NVRAM, form=Form.PATH)
    )


def _file(subject: Subject, resolution: Resolution, name: Name, install: str) -> Iterator[Unmet]:
    file, spot = subject.facts.file(str(name)), resolution.reference.spot
    if isinstance(file, Unknown):
        yield Unmet(spot, name.spoken, "the file on this host", file.why, "see that it can be read", True)
    elif file is None or file.kind != "file":
        found = "no such file" if file is None else f"a {file.kind}"
        yield Unmet(spot, name.spoken, "the file on this host", found, f"{install}, or {_placed(resolution)}")


def _placed(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"correct the name of {resolution.place.label} ({resolution.rule})"
    return "name where each host has it in a [file.…] place"


def _type(subject: Subject) -> dict[str, str]:
    element = subject.domain.root.find("os/type")
    return {} if element is None else {str(name): str(value) for name, value in element.attrib.items()}


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "platform.release", "the way from its release to this one is supported", GUIDE, Level.WARN, MIGRATE,
        release, needs_origin=True,
    ),
    Requirement(
        "platform.version", "QEMU and libvirt are as new as where it comes from", LIBVIRT, Level.WARN, BOTH,
        version, needs_origin=True,
    ),
    Requirement(
        "platform.machine", "the emulator knows its machine type", LIBVIRT, Level.REFUSE, BOTH, machine
    ),
    Requirement("platform.arch", "its architecture runs here", LIBVIRT, Level.REFUSE, BOTH, arch),
    Requirement("platform.emulator", "its emulator is here", LIBVIRT, Level.REFUSE, BOTH, emulator),
    Requirement("platform.firmware", "its firmware is here", LIBVIRT, Level.REFUSE, BOTH, firmware),
)  # fmt: skip
