"""The processor: what the guest's CPU asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator

from libhooks.decision import Level, Spot, Unmet
from libhooks.facts.model import Unknown
from libhooks.requirements.emulators import emulators, is_kvm
from libhooks.requirements.model import BOTH, LIBVIRT, Requirement, Subject
from libhooks.requirements.others import left_to

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Cpu

_CPU = Spot("cpu", "/domain/cpu")

#: libvirt's names of x86 features that /proc/cpuinfo calls otherwise.
_FLAGS = {
    "sse4.1": "sse4_1", "sse4.2": "sse4_2", "pclmuldq": "pclmulqdq", "sha-ni": "sha_ni",
    "avx512-vpopcntdq": "avx512_vpopcntdq", "avx512vbmi2": "avx512_vbmi2", "avx512vnni": "avx512_vnni",
    "avx512bitalg": "avx512_bitalg", "avx512-bf16": "avx512_bf16", "avx512-fp16": "avx512_fp16",
    "avx-vnni": "avx_vnni", "amx-bf16": "amx_bf16", "amx-int8": "amx_int8", "amx-tile": "amx_tile",
    "md-clear": "md_clear", "nrip-save": "nrip_save",
}  # fmt: skip
#: Features that a processor shows in cpuinfo under libvirt's own name whenever it has them. Of all others
#: (what KVM makes up, what Linux hides, what only an MSR tells) its silence says nothing.
_SHOWN = frozenset((
    "sse", "sse2", "ssse3", "sse4a", "mmx", "mmxext", "3dnow", "3dnowext", "3dnowprefetch",
    "misalignsse", "aes", "avx", "avx2", "f16c", "fma", "fma4", "xop", "tbm", "bmi1", "bmi2", "abm",
    "movbe", "popcnt", "rdrand", "rdseed", "adx", "cx16", "lm", "nx", "syscall", "rdtscp", "pdpe1gb",
    "fsgsbase", "smep", "smap", "erms", "invpcid", "pcid", "pku", "clflushopt", "clwb", "gfni", "vaes",
    "vpclmulqdq", "avx512f", "avx512dq", "avx512ifma", "avx512pf", "avx512er", "avx512cd", "avx512bw",
    "avx512vl", "avx512vbmi", "xsave", "xsaveopt", "xsavec", "xgetbv1", "xsaves", "svm", "vmx", "npt",
    "umip", "hle", "rtm", "mpx", "la57",
))  # fmt: skip
_VENDORS = {"Intel": "GenuineIntel", "AMD": "AuthenticAMD", "Hygon": "HygonGenuine"}


def cpu(subject: Subject) -> Iterator[Unmet]:
    """This host's processor seems to lack what the guest's CPU has.

    A hint, from what libvirt noted of the CPU models that KVM can offer here, and from /proc/cpuinfo: the
    vendor, and required features that Linux shows. libvirt itself compares exactly when the guest starts;
    virsh hypervisor-cpu-compare asks it before you migrate. Only for guests of type kvm with a named CPU
    model: what host-passthrough passes through, the document does not say.

    To fix it, give the guest a model that all hosts have (virsh hypervisor-cpu-baseline) and restart it,
    or update the processor's microcode where that hides a feature.
    """
    element = subject.domain.root.find("cpu")
    if element is None or element.get("mode") != "custom" or not is_kvm(subject):
        return
    yield from _no_model(subject, element.findtext("model") or "", _features(subject, "disable"))
    vendor, required = element.findtext("vendor") or "", _features(subject, "require")
    if vendor or required:
        yield from _lacking(subject, vendor, required)


def _features(subject: Subject, policy: str) -> tuple[str, ...]:
    found = subject.domain.root.iterfind("cpu/feature")
    return tuple(one.get("name", "") for one in found if one.get("policy") == policy)


def _no_model(subject: Subject, model: str, without: tuple[str, ...]) -> Iterator[Unmet]:
    for name, emulator in emulators(subject) if model else ():
        missing = None if isinstance(emulator, Unknown) else subject.facts.blockers(str(name), model)
        if isinstance(emulator, Unknown) and not left_to("platform.machine", subject):
            hint = "virsh domcapabilities makes libvirt look at it again"
            yield Unmet(_CPU, model, f"a CPU model that {name} has", emulator.why, hint, True)
        if isinstance(emulator, Unknown) or isinstance(missing, Unknown):
            continue  # what an emulator says of itself has no models
        hint = "give the guest a model that all its hosts have, and restart it"
        if missing is None:
            yield Unmet(_CPU, model, f"a CPU model that {name} has", "no such model", hint)
        elif set(missing) - set(without):
            found = f"KVM lacks {_listed(one for one in missing if one not in without)} here"
            yield Unmet(_CPU, model, "a CPU model that KVM can offer here", found, hint)


def _lacking(subject: Subject, vendor: str, required: tuple[str, ...]) -> Iterator[Unmet]:
    here = subject.facts.cpu()
    wanted, hint = "a processor that has what the guest's CPU has", "see virsh hypervisor-cpu-compare"
    if isinstance(here, Unknown):
        yield Unmet(_CPU, "", wanted, here.why, "see that /proc/cpuinfo can be read", True)
    elif here is not None and _VENDORS.get(vendor, here.vendor) != here.vendor:
        yield Unmet(_CPU, "", f"a processor of {vendor}", f"one of {here.vendor}", hint)
    elif here is not None:
        missing = [one for one in required if not _has(here, one)]
        if missing:
            yield Unmet(_CPU, "", wanted, f"this processor has no {_listed(missing)}", hint)


def _has(cpu: Cpu, feature: str) -> bool:
    flag = _FLAGS.get(feature, feature if feature in _SHOWN else "")
    return not flag or flag in cpu.flags


def _listed(features: Iterable[str]) -> str:
    """Features in words, not more than a line of them."""
    all_of_them = list(features)
    more = f" and {len(all_of_them) - 8} more" if len(all_of_them) > 8 else ""
    return ", ".join(all_of_them[:8]) + more


def cpu_compared(result: int) -> Iterator[Unmet]:
    """What virConnectCompareHypervisorCPU says of the guest's CPU, as a finding: of preflight's.

    Its results: 0 incompatible, 1 identical, 2 a superset; anything else means that it could not tell.
    """
    wanted, hint = "a CPU that this host can give the guest", "virsh hypervisor-cpu-compare says what differs"
    if result == 0:
        yield Unmet(_CPU, "", wanted, "libvirt compared them: incompatible", hint)
    elif result not in (1, 2):
        yield Unmet(_CPU, "", wanted, "libvirt could not compare them", hint, True)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("platform.cpu", "the processor has what its CPU has", LIBVIRT, Level.WARN, BOTH, cpu),
)
