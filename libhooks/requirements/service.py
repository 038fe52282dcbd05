"""The host's own state as far as this guest is concerned: who is here already, and whose configuration it is.

What concerns the host whatever guest arrives is in service_host.py.
"""

from __future__ import annotations

from typing import Iterator

from libhooks.decision import Level, Spot, Unmet
from libhooks.facts.model import Unknown
from libhooks.requirements.model import GUIDE, LIBVIRT, MIGRATE, Requirement, Subject
from libhooks.requirements.sharing import SHARED_FILESYSTEMS, described

_ETC = "/etc/libvirt"


def duplicate(subject: Subject) -> Iterator[Unmet]:
    """A guest of that name, or with that UUID, already runs on this host.

    libvirt runs no two guests of one name or UUID. Usually it is the same guest, started here by hand while
    it runs elsewhere, on the same disks: find out which of the two is right before stopping one. For
    another guest of that name, migrate under a new one (virsh migrate --dname NAME), or give one of them
    another UUID.
    """
    name, uuid = subject.event.name, subject.domain.uuid
    found = subject.facts.active(name, uuid)
    wanted = "no active guest of that name or UUID"
    if isinstance(found, Unknown):
        yield Unmet(Spot("guest", "/domain/name"), name, wanted, found.why, "see that it can be read", True)
    elif found is not None and found.name == name:
        hint = "see which of the two is the right one (virsh list on both hosts), or use --dname"
        yield Unmet(Spot("guest", "/domain/name"), name, wanted, f"{name} runs here", hint)
    elif found is not None:
        hint = f"give one of them another UUID (virsh edit {found.name})"
        yield Unmet(
            Spot("guest", "/domain/uuid"), uuid, wanted, f"{found.name} runs here with this UUID", hint
        )


def shared_etc(subject: Subject) -> Iterator[Unmet]:
    """/etc/libvirt is on shared storage.

    Red Hat's guide: each host has its own. Otherwise two daemons write one set of definitions: both start
    the guests that start with the host, and each removes what the other has defined. Mount only the images
    from shared storage.
    """
    mount = subject.facts.mount(_ETC)
    wanted = f"{_ETC} on this host's own storage"
    spot = Spot("host", "/domain")
    if isinstance(mount, Unknown):
        yield Unmet(spot, _ETC, wanted, mount.why, "see that its storage answers", True)
    elif mount.fstype in SHARED_FILESYSTEMS:
        yield Unmet(spot, _ETC, wanted, described(mount), "give this host an /etc/libvirt of its own")


def host_uuid(subject: Subject) -> Iterator[Unmet]:
    """This host has the UUID of the host that the guest comes from.

    libvirt then takes the two for one host and refuses to migrate between them. Hosts get the same UUID
    from firmware that all machines of a series share, or by being cloned. Set host_uuid in
    /etc/libvirt/libvirtd.conf (or virtqemud.conf) to the output of uuidgen, and restart the daemon.

    Of a host by itself, whatever guest there is, this code is also about a UUID that many machines have, or
    that libvirt makes up each time because the firmware has none. No command of this version judges that yet.
    """
    there = subject.origin.host_uuid.lower() if subject.origin is not None else ""
    here = subject.facts.host_uuid()
    wanted = "another host UUID than the guest's last host"
    spot = Spot("host", "/domain")
    if isinstance(here, Unknown):
        yield Unmet(spot, "", wanted, here.why, "see that it can be read", True)
    elif there and here == there:
        hint = "set host_uuid in /etc/libvirt/libvirtd.conf or virtqemud.conf, and restart the daemon"
        yield Unmet(spot, "", wanted, f"both have {here}", hint)


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("service.duplicate", "no active guest has that name or UUID", LIBVIRT, Level.REFUSE, MIGRATE,
                duplicate),
    Requirement("service.shared-etc", "/etc/libvirt is the host's own", GUIDE, Level.REFUSE, MIGRATE,
                shared_etc),
    Requirement("service.host-uuid", "hosts have different UUIDs", LIBVIRT, Level.REFUSE, MIGRATE, host_uuid,
                needs_origin=True),
)  # fmt: skip
