"""The guests that a host knows: those that are defined on it, and those that its journal tells of."""

from __future__ import annotations

import glob
import json
from typing import Iterator

from libhooks.decision import Undecidable
from libhooks.domain import parse
from libhooks.policy.reach import Guest

_DEFINITIONS = "/etc/libvirt/qemu/*.xml"


def known_guests(root: str, journal: str) -> tuple[Guest, ...]:
    """All of them, once each. What may not be read, as by others than root, is not known."""
    below = root.rstrip("/")
    found = (*_defined(glob.escape(below) + _DEFINITIONS), *_recorded(below + journal))
    return tuple(dict.fromkeys(found))


def _defined(pattern: str) -> Iterator[Guest]:
    for file in sorted(glob.glob(pattern)):
        data = _contents(file)
        try:
            domain = parse(data)
        except Undecidable:  # libvirt does not know it either
            continue
        yield Guest(domain.name, domain.uuid)


def _recorded(file: str) -> Iterator[Guest]:
    for line in _contents(file).splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # cut off by a crash or a full disk
            continue
        if isinstance(entry, dict) and "domain" in entry:
            yield Guest(str(entry["domain"]), str(entry.get("uuid", "")))


def _contents(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError:  # a warning less, and nobody's refusal
        return b""
