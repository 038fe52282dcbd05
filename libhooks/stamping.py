"""Stamping: what this host can say of a guest that runs here, for the host that it goes to next."""

from __future__ import annotations

from typing import Iterator

from libhooks import references
from libhooks.domain import Domain, around, device_key
from libhooks.facts.model import Facts, File, Unknown
from libhooks.names import Form, Name
from libhooks.origin import Entry, Identity, Origin
from libhooks.references.model import Reference, Role

#: Loopback and link-local addresses name a host to itself alone.
_OWN = ("127.", "::1", "fe80:", "169.254.")
_MOST_ADDRESSES = 16
#: What an entry of the stamp can be about.
_NAMED = (Role.IMAGE, Role.UPLINK)


def stamp(domain: Domain, facts: Facts, policy: str) -> Origin:
    """The origin stamp of a guest that runs here under the names that ``domain`` has.

    ``policy`` is the digest of this host's. What cannot be told is left out.
    """
    release, uuid = facts.release(), facts.host_uuid()
    libvirt, qemu = _versions(domain, facts)
    return Origin(
        facts.host()[0],
        uuid if isinstance(uuid, str) else "",
        ("", "") if release is None or isinstance(release, Unknown) else release,
        libvirt,
        qemu,
        policy,
        _addresses(facts),
        tuple(_entries(domain, facts)),
    )


def _entries(domain: Domain, facts: Facts) -> Iterator[Entry]:
    for reference in references.find(domain):
        element, name = reference.element, reference.name
        key = device_key(around(element)) if element is not None and reference.role in _NAMED else ""
        if key and name is not None:
            yield Entry(key, str(name), _identity(reference, name, facts))


def _identity(reference: Reference, name: Name, facts: Facts) -> Identity:
    if name.form is Form.PATH:
        found = facts.identity(str(name))
        return Identity() if found is None or isinstance(found, Unknown) else found
    if reference.role is Role.UPLINK and name.form is Form.BRIDGE:
        segment = facts.segment(name.parts[0])
        return Identity(segment=segment) if isinstance(segment, str) else Identity()
    return Identity()


def _versions(domain: Domain, facts: Facts) -> tuple[int, int]:
    path = (domain.root.findtext("devices/emulator") or "").strip()
    here = facts.emulator(path) if path and isinstance(facts.file(path), File) else None
    return (0, 0) if here is None or isinstance(here, Unknown) else (here.libvirt, here.qemu)


def _addresses(facts: Facts) -> tuple[str, ...]:
    found = facts.addresses()
    if isinstance(found, Unknown):
        return ()
    return tuple(one for one in found if not one.startswith(_OWN))[:_MOST_ADDRESSES]
