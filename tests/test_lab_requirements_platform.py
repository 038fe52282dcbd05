"""A guest that the target's platform cannot run is refused there, is told why, and runs on where it is."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import Iterator

from lab import Host, Lab
from lab.fixture import POLICY, NewGuest, set_policy
from lab.journal import decisions
from lab.traveller import Traveller, attribute

EMULATOR = "/usr/bin/qemu-system-x86_64"
#: What libvirt noted of the emulator; both hosts have the same.
NOTES = f"/var/cache/libvirt/qemu/capabilities/{sha256(EMULATOR.encode()).hexdigest()}.xml"
HUGE = "<memoryBacking>\n    <hugepages/>\n  </memoryBacking>"


def found(host: Host) -> list[str]:
    """The findings of the one decision on a host."""
    (decided,) = decisions(host)
    assert decided.verdict == "refused"
    return list(decided.findings)


def test_vectors(lab: Lab, new_guest: NewGuest) -> None:
    """64 vectors are a warning, and a refusal where the policy wants one."""
    set_policy(POLICY + '"device.vectors" = "refuse"\n', *lab.hosts)
    guest = new_guest("vectors")
    guest.start(lab.hosta, devices="    <controller type='virtio-serial' index='0' vectors='64'/>\n")
    told = guest.is_refused(lab.hosta, lab.hostb)
    assert (
        told
        == """\
libhooks: hostb refuses guest 'vectors': 1 requirement unmet
  device.vectors   controller virtio-serial 0
    wanted: at most 32 vectors
    found:  64 vectors
    hint:   lower its queues or vectors in the guest's definition, and restart the guest"""
    )
    assert found(lab.hostb) == ["refuse device.vectors, controller virtio-serial 0"]
    set_policy(POLICY, *lab.hosts)
    guest.migrate(lab.hosta, lab.hostb)
    *_, decided = decisions(lab.hostb)
    assert decided.findings == ("warn device.vectors, controller virtio-serial 0",)


def test_hugepages(lab: Lab, web1: Traveller) -> None:
    """Huge pages that the target does not have, nor a hugetlbfs to take them from."""
    xml = lab.hosta.virsh("dumpxml", "--migratable", "web1").stdout
    lab.hosta.write("/root/web1.xml", xml.replace("<vcpu ", f"{HUGE}\n  <vcpu "))
    told = web1.is_refused(lab.hosta, lab.hostb, "--live", "--xml", "/root/web1.xml")
    head = "libhooks: hostb refuses guest 'web1': 2 requirements unmet\n"
    assert told.startswith(f"{head}  capacity.hugepages memory\n")
    assert "    wanted: 64 free pages of 2 MiB\n    found:  0 free\n" in told
    assert (
        "    wanted: a hugetlbfs of 2 MiB pages that libvirt can use\n    found:  none is mounted\n" in told
    )
    assert found(lab.hostb) == ["refuse capacity.hugepages, memory"] * 2


@contextmanager
def without(host: Host, machine: str) -> Iterator[None]:
    """libvirt's notes about the emulator as an older one would have left them, without a machine type."""
    notes = host.path(NOTES)
    text = notes.read_text()
    notes.write_text("".join(line for line in text.splitlines(True) if f"name='{machine}'" not in line))
    try:
        yield
    finally:
        notes.write_text(text)


def test_machine_type(lab: Lab, web1: Traveller) -> None:
    """A machine type that the target's emulator does not know."""
    machine = attribute(web1.xml(lab.hosta), "os/type", "machine")
    with without(lab.hostb, machine):
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert told.startswith(
        f"""\
libhooks: hostb refuses guest 'web1': 1 requirement unmet
  platform.machine machine  {machine}
    wanted: a machine type that {EMULATOR} knows
    found:  of those, pc-q35-7.1 is the newest that it knows
    hint:   """
    )
    assert found(lab.hostb) == [f"refuse platform.machine, machine  {machine}"]
    web1.migrate(lab.hosta, lab.hostb)


def test_emulator_asked(lab: Lab, web1: Traveller) -> None:
    """Where libvirt's notes are about another build of the emulator, the emulator itself is asked."""
    notes = lab.hostb.path(NOTES)
    text = notes.read_text()
    notes.write_text(text.replace("<qemuctime>", "<qemuctime>1").replace("name='pc-q35-7.2'", "name='none'"))
    try:
        web1.migrate(lab.hosta, lab.hostb)
    finally:
        notes.write_text(text)
    (decided,) = decisions(lab.hostb)
    assert decided.findings == ()
