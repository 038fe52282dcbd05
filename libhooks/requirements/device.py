"""Devices: which cannot leave their host, and what the guest has of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterator

from lxml import etree

from libhooks.decision import Level, Spot, Unmet
from libhooks.facts.model import Unknown, VirtualNetwork
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.devices import devices, label
from libhooks.requirements.model import BOTH, LIBVIRT, MIGRATE, Requirement, Subject

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Held, HostDevice


def migratable(subject: Subject) -> Iterator[Unmet]:
    """The guest has a device whose state cannot leave its host.

    Devices of the host (PCI other than the transient half of a teaming pair, mediated, SCSI and vDPA ones),
    file systems of the host (virtiofs, 9p, mtp), transient and NVMe disks, shared memory whose role is not
    master, a TPM of the host, enclaves, 3D acceleration, and memory that is encrypted for one processor. USB
    devices may go: the guest sees its own unplugged, and the one here plugged in.

    libvirt at the source refuses most of them itself, before this host is asked. Left to this are what an
    older or newer libvirt lets pass, --unsafe, and what QEMU alone finds once the migration runs: 9p file
    systems, mtp, NVMe controllers, enclaves, 3D acceleration and encrypted memory.

    Take the device from the guest, or pair it with an ordinary one (teaming). Some drivers can migrate what
    usually can't (vfio variants, NVIDIA's vGPUs, virtiofsd since 1.11): for guests with such a device say
    require."device.migratable" = "off" in a [guest.NAME] table; likewise for guests that go offline.
    """
    for element, step in devices(subject):
        found = _STAYS.get(element.tag, _goes)(element, subject)
        if found:
            yield _unmigratable(Spot(label(element, step), f"/domain/devices/{step}"), found)
    encrypted = subject.domain.root.find("launchSecurity")
    if encrypted is not None:
        found = f"memory encrypted for one processor ({encrypted.get('type', 'unknown')})"
        yield _unmigratable(Spot("launchSecurity", "/domain/launchSecurity"), found)


def _unmigratable(spot: Spot, found: str) -> Unmet:
    hint = (
        'take it from the guest, or set "device.migratable" = "off" for a guest whose driver can migrate it'
    )
    return Unmet(spot, "", "a device that can migrate", found, hint)


def _goes(_: etree._Element, __: Subject) -> str:
    return ""


def _hostdev_stays(element: etree._Element, _: Subject) -> str:
    kind = element.get("type", "")
    return "" if kind == "usb" or _failover(element) else f"a device of the host ({kind or 'unknown'})"


def _failover(element: etree._Element) -> bool:
    """Half of a pair that QEMU unplugs before it migrates, and plugs in again where the guest goes on."""
    teaming = element.find("teaming")
    return teaming is not None and teaming.get("type") == "transient"


def _interface_stays(element: etree._Element, subject: Subject) -> str:
    kind, source = element.get("type", ""), element.find("source")
    if kind == "vdpa":
        return "a vDPA interface"
    if kind == "network" and source is not None and not _failover(element):
        network = subject.facts.network(source.get("network", ""))
        pool = isinstance(network, VirtualNetwork) and network.forward == "hostdev"
        return "a device of the host, from the network's pool" if pool else ""
    return "a device of the host" if kind == "hostdev" and not _failover(element) else ""


def _filesystem_stays(element: etree._Element, _: Subject) -> str:
    driver = element.find("driver")
    kind = "" if driver is None else driver.get("type", "")
    return f"{kind if kind in ('virtiofs', 'mtp') else '9p'}: files of the host, with their state"


def _disk_stays(element: etree._Element, _: Subject) -> str:
    target = element.find("target")
    if element.find("transient") is not None:
        return "transient: what it holds stays where it is"
    if element.get("type") in ("nvme", "vhostvdpa"):
        return "a device of the host"
    return "an NVMe controller" if target is not None and target.get("bus") == "nvme" else ""


def _shmem_stays(element: etree._Element, _: Subject) -> str:
    return "" if element.get("role") == "master" else "shared memory whose role is not master"


def _tpm_stays(element: etree._Element, _: Subject) -> str:
    backend = element.find("backend")
    return "the host's own TPM" if backend is not None and backend.get("type") == "passthrough" else ""


def _memory_stays(element: etree._Element, _: Subject) -> str:
    return "an enclave of the processor" if element.get("model") == "sgx-epc" else ""


def _video_stays(element: etree._Element, _: Subject) -> str:
    found = element.find("model/acceleration")
    return "3D acceleration" if found is not None and found.get("accel3d") == "yes" else ""


#: What of a device stays behind, by element; "" where it can go.
_STAYS: dict[str, Callable[[etree._Element, Subject], str]] = {
    "hostdev": _hostdev_stays,
    "interface": _interface_stays,
    "filesystem": _filesystem_stays,
    "disk": _disk_stays,
    "shmem": _shmem_stays,
    "tpm": _tpm_stays,
    "memory": _memory_stays,
    "video": _video_stays,
}


def present(subject: Subject) -> Iterator[Unmet]:
    """A device of the host that the guest is to have is not on this host, or not free.

    Looked for under the name that the guest uses here: a PCI device with an IOMMU group, a mediated device,
    or exactly one USB device, that no other active guest has. One that libvirt is not to manage has to be
    bound to vfio-pci already. USB devices whose startupPolicy lets them be absent may be absent.

    Name what each host calls the device in a device place; make mediated devices with virsh
    nodedev-create or mdevctl.
    """
    for resolution, name in subject.named(Role.PASSTHROUGH):
        if not _optional(resolution):
            yield from _absent(resolution, name, subject)


def _optional(resolution: Resolution) -> bool:
    element = resolution.reference.element
    return element is not None and element.get("startupPolicy") in ("optional", "requisite")


def _absent(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    device, spot = subject.facts.device(name.form.value, name.parts[0]), resolution.reference.spot
    wanted = "a free device of that name"
    if isinstance(device, Unknown):
        yield Unmet(spot, name.spoken, wanted, device.why, "see that /sys/bus can be read", True)
        return
    found = "no such device on this host" if device is None else _unfit(resolution, name, device)
    if found or device is None:
        yield Unmet(spot, name.spoken, wanted, found, _device_hint(resolution))
        return
    others = subject.facts.held()
    if isinstance(others, Unknown):
        yield Unmet(spot, name.spoken, wanted, others.why, "see libvirt's file about that guest", True)
    else:
        yield from _taken(spot, name, _holder(name.form, device, subject, others))


def _unfit(resolution: Resolution, name: Name, device: HostDevice) -> str:
    if device.fits > 1:
        return f"{device.fits} devices of that vendor and product"
    if not device.isolated:
        return "it is in no IOMMU group"
    if name.form is Form.PCI and _unmanaged(resolution) and device.driver != "vfio-pci":
        return f"it is bound to {device.driver or 'no driver'}, and libvirt is not to manage it"
    return ""


def _unmanaged(resolution: Resolution) -> bool:
    element = resolution.reference.element
    around = [] if element is None else [element, *element.iterancestors("hostdev", "interface", "source")]
    return not any(one.get("managed") == "yes" for one in around)


def _holder(form: Form, device: HostDevice, subject: Subject, others: tuple[Held, ...]) -> str:
    """The other guest that has a device, "" if none does."""
    own = subject.domain.uuid
    fits = (one for one in others if (one.form, one.key) == (form.value, device.key) and one.uuid != own)
    return next((one.guest for one in fits), "")


def _taken(spot: Spot, name: Name, guest: str) -> Iterator[Unmet]:
    if guest:
        hint = "stop that guest, or name another device in the place"
        yield Unmet(spot, name.spoken, "a free device of that name", f"guest {guest} has it", hint)


def _device_hint(resolution: Resolution) -> str:
    if resolution.place is not None:
        return f"correct the name of {resolution.place.label} ({resolution.rule})"
    return "name what each host calls it in a [device.…] place"


def tpm(subject: Subject) -> Iterator[Unmet]:
    """The secret that the guest's virtual TPM is encrypted with is not defined on this host.

    The TPM's state travels with the guest (unless it lies on shared storage); its passphrase does not. Define
    the secret here with the same UUID and value: virsh secret-define, virsh secret-set-value. Only the
    presence of its definition is looked at, never its value; one that is ephemeral can't be seen.
    """
    for at, secret in enumerate(subject.domain.root.iterfind("devices/tpm/backend/encryption"), 1):
        uuid = secret.get("secret", "").lower()
        found = subject.facts.file(f"/etc/libvirt/secrets/{uuid}.xml")
        spot, wanted = Spot("tpm", f"/domain/devices/tpm[{at}]/backend/encryption"), "to be defined here"
        if isinstance(found, Unknown):
            yield Unmet(
                spot, f"secret {uuid}", wanted, found.why, "see that /etc/libvirt/secrets can be read", True
            )
        elif found is None:
            hint = "virsh secret-define it here, with the same UUID, and virsh secret-set-value"
            yield Unmet(spot, f"secret {uuid}", wanted, "no such secret", hint)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "device.migratable",
        "it has no device that cannot migrate",
        LIBVIRT,
        Level.REFUSE,
        MIGRATE,
        migratable,
    ),
    Requirement(
        "device.present", "host devices that it has are here, and free", LIBVIRT, Level.REFUSE, BOTH, present
    ),
    Requirement("device.tpm", "the secret of its virtual TPM is here", LIBVIRT, Level.WARN, BOTH, tpm),
)
