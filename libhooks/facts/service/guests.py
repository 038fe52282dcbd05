"""The guests that run here, from the status files that libvirt keeps of them in /run/libvirt/qemu.

Their form is libvirt's own: only the process and the ``<domain>`` in them are looked at. libvirt makes the
file of a guest that arrives after its hook, and removes it when the guest ends.
"""

from __future__ import annotations

import re

from lxml import etree

from libhooks.facts.network.links import parsed
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage, missing, words
from libhooks.facts.surroundings.words import Running

_STATUS = "/run/libvirt/qemu"
#: A guest with hundreds of disks and a capabilities list has a status file of some 500 KiB.
_LARGEST = 1 << 23
_PID = r"<domstatus\b[^>]*\bpid=['\"]([1-9][0-9]{0,9})['\"]"


def active(paths: Paths, name: str, uuid: str) -> Running | None:
    """The active guest of that name or UUID; None where there is none."""
    for file in _files(paths):
        data = paths.text(f"{_STATUS}/{file}", _LARGEST)
        # Parsing each guest's file would cost a millisecond a guest; nearly all are ruled out as text.
        if data is None or (file != f"{name}.xml" and (not uuid or uuid.lower() not in data.lower())):
            continue
        found = _guest(parsed(f"{_STATUS}/{file}", data), file)
        if found is not None and (found.name == name or found.uuid == uuid.lower()) and _lives(paths, data):
            return found
    return None


def _files(paths: Paths) -> list[str]:
    try:
        return [name for name in paths.names(_STATUS) if name.endswith(".xml")]
    except OSError as error:
        if missing(error):
            return []
        raise Garbage(f"{_STATUS}: {words(error)}") from None


def _guest(root: etree._Element, file: str) -> Running | None:
    domain = root if root.tag == "domain" else root.find("domain")
    if domain is None:
        raise Garbage(f"{_STATUS}/{file} holds no domain")
    return Running(domain.findtext("name") or "", (domain.findtext("uuid") or "").strip().lower())


def _lives(paths: Paths, data: str) -> bool:
    """Whether its process does: after a crash of both, the file stays until libvirt has looked at it."""
    match = re.search(_PID, data)
    return match is None or paths.node(f"/proc/{match[1]}") is not None
