"""The UUID that libvirt knows this host by: two hosts with one UUID can't migrate to each other.

As libvirt's virSetHostUUIDStr finds it: host_uuid in its configuration, else the firmware's (or the machine
ID, where host_uuid_source says so). One that is no UUID, or all of one digit, it replaces at each start.
"""

from __future__ import annotations

from libhooks.facts.reading import conf
from libhooks.facts.reading.paths import Paths

_DAEMONS = ("/etc/libvirt/virtqemud.conf", "/etc/libvirt/libvirtd.conf")
_FIRMWARE = "/sys/class/dmi/id/product_uuid"
_MACHINE_ID = "/etc/machine-id"
_HEXADECIMAL = frozenset("0123456789abcdef")


def host_uuid(paths: Paths) -> str | None:
    """The host's UUID in the usual form; None where libvirt makes one up. Raises OSError or Garbage."""
    for path in _DAEMONS:
        settings = conf.settings(paths, path)
        given = settings.get("host_uuid", "")
        if isinstance(given, str) and given:
            return valid(given)
        if settings.get("host_uuid_source") == "machine-id":
            return valid(paths.line(_MACHINE_ID))
    return valid(paths.line(_FIRMWARE))


def valid(text: str) -> str | None:
    """A UUID in the usual form, if it is one that libvirt takes (virUUIDIsValid)."""
    digits = text.strip().replace("-", "").lower()
    if len(digits) != 32 or set(digits) - _HEXADECIMAL or len(set(digits)) == 1:
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
