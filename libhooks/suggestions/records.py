"""Refusals as the journal has them, and what each of them wants of a policy."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterable, Iterator, Mapping

from libhooks import names
from libhooks.decision import PLACES, Kind
from libhooks.names import Name
from libhooks.policy import placenames
from libhooks.policy.diagnostic import Wrong
from libhooks.policy.model import Place, Policy, best_pattern
from libhooks.suggestions.model import Refusal, Want, Wants

#: The requirements that a place could have met, and its kind.
_PLACED = {
    "storage.exists": Kind.STORAGE,
    "storage.shared": Kind.STORAGE,
    "network.exists": Kind.NETWORK,
    "network.listen": Kind.ADDRESS,
    "device.present": Kind.DEVICE,
    "platform.firmware": Kind.FILE,
    "platform.emulator": Kind.FILE,
}
_MAPPED = {f"{kind.value}.mapped": kind for kind in PLACES}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_FINDING = ("code", "level", "where", "wanted", "found", "hint")
#: How a policy's own names are read.
_WRITTEN: Mapping[Kind, Callable[[object], Name]] = {
    Kind.STORAGE: placenames.storage,
    Kind.NETWORK: placenames.network,
    Kind.ADDRESS: placenames.address,
    Kind.DEVICE: placenames.device,
    Kind.FILE: placenames.file,
}
#: How a finding begins that is about what could not be read.
UNKNOWN = "unknown: "
#: How a finding's subject says a name (``Name.spoken``), as a place has it: a pool for its volumes, a device
#: for all its modes, but a port group by itself.
_SPOKEN: Mapping[str, Callable[[str], Name]] = {
    "pool": lambda text: names.pool(text.partition("/")[0]),
    "bridge": names.bridge,
    "ovs": names.ovs,
    "network": lambda text: names.network(*text.split("/", 1)),
    "direct": lambda text: names.direct(text.partition("/")[0]),
    "pci": names.pci,
    "mdev": names.mdev,
    "usb": names.usb,
}


def refusals(records: Iterable[dict[str, Any]]) -> Iterator[Refusal]:
    """The findings that refused a guest, or would have in audit mode."""
    for record in filter(_is_whole, records):
        for finding in record["findings"]:
            audited = finding.get("mode") == "audit"
            if record["verdict"] == "refused" and finding["level"] == "refuse" and not audited:
                subject = finding["where"].partition("  ")[2]
                yield Refusal(
                    record["id"], record["time"], record["host"], record["domain"], _came_from(record),
                    finding["code"], subject, finding["wanted"], finding["found"], finding["hint"],
                )  # fmt: skip


def _is_whole(record: dict[str, Any]) -> bool:
    """Whether a record is what we write: what else stands in a journal is as a line that was cut off."""
    findings = record.get("findings")
    if not isinstance(findings, list) or not all(isinstance(one, dict) for one in findings):
        return False
    texts = [record.get(key) for key in ("id", "time", "host", "domain")]
    texts += [one.get(key) for one in findings for key in _FINDING]
    return all(isinstance(one, str) for one in texts)


def _came_from(record: dict[str, Any]) -> str:
    """The host that the guest says it comes from, "" where it says none that a policy could name.

    Guests say what they like: what would be a pattern, or the host that refused, does not count.
    """
    origin = record.get("origin")
    host = origin.get("host") if isinstance(origin, dict) else origin
    plain = isinstance(host, str) and _HOST.fullmatch(host) is not None and ".." not in host
    return str(host) if plain and host != record["host"] else ""


def wants(found: Iterable[Refusal], policy: Policy) -> Wants:
    """What the refusals want of the policy as it is now; what it has by now, they don't."""
    places: list[Want] = []
    others: list[Refusal] = []
    for refusal in found:
        wanted = _wanted(refusal, policy)
        if wanted is None:
            others.append(refusal)
        else:
            places += wanted
    return Wants(tuple(places), tuple(others))


def _wanted(refusal: Refusal, policy: Policy) -> tuple[Want, ...] | None:
    """What a refusal wants of places; None where no place would have helped."""
    if refusal.found.startswith(UNKNOWN):
        return None
    if refusal.code == "policy.host":
        nameless = (one for one in policy.places if not _named(one, refusal.host))
        return tuple(Want(one.kind, None, one.id, None, refusal) for one in nameless)
    if refusal.code in _MAPPED:
        return _mapped(refusal, policy)
    kind = _PLACED.get(refusal.code)
    name = _name(refusal.subject) if kind is not None and " place" in refusal.hint else None
    if kind is None or name is None or not _is_writable(name, kind):
        return None  # what is missing is not in the policy, or cannot be
    if any(_lies_on(name, place) for place in policy.places if place.kind is kind):
        return ()
    return (Want(kind, name, "", _here(refusal, name), refusal),)


def _mapped(refusal: Refusal, policy: Policy) -> tuple[Want, ...] | None:
    """A place that the policy has, and that has no name on the host."""
    label = refusal.wanted.removesuffix(" on this host")
    if refusal.found != "the place has no name here":
        return None
    places = (one for one in policy.places if one.label == label and not _named(one, refusal.host))
    return tuple(Want(one.kind, _name(refusal.subject), one.id, None, refusal) for one in places)


def _named(place: Place, host: str) -> bool:
    try:
        return best_pattern(place.at, (host, host.partition(".")[0])) is not None
    except ValueError:
        return True  # twice


def _name(subject: str) -> Name | None:
    """The name that a finding is about; None where it is not one that a place could have."""
    form, _, rest = subject.partition(" ")
    try:
        if subject.startswith("/"):
            return names.path(subject)
        return _SPOKEN[form](rest) if form in _SPOKEN else names.address(subject)
    except ValueError:
        return None


def _is_writable(name: Name, kind: Kind) -> bool:
    """Whether a policy takes the name: a guest may have others, with control characters or ``..``."""
    try:
        _WRITTEN[kind](str(name))
    except Wrong:
        return False
    return True


def _lies_on(name: Name, place: Place) -> bool:
    return any(name.remainder(one) is not None for called in place.at.values() for one in called)


def _here(refusal: Refusal, name: Name) -> Name | None:
    """What this host calls it, where what was found leaves no other name."""
    if refusal.code == "network.exists":
        here = re.fullmatch(r"(\S+) is (an OVS|a Linux) bridge", refusal.found)
        if here is None:
            return None
        return names.ovs(here.group(1)) if here.group(2) == "an OVS" else names.bridge(here.group(1))
    if refusal.code == "network.listen" and refusal.found.startswith("this host has "):
        has = refusal.found.removeprefix("this host has ").split(", ")
        alike = [one for one in has if (":" in one) == (":" in str(name)) and one != "none"]
        return names.address(alike[0]) if len(alike) == 1 else None
    return None
