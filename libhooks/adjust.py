"""Adjustments: what of a guest's tuning depends on the host, dropped or fitted to what this host has.

A new one is a function below and its line in ADJUSTMENTS. Each gives the parts that it changes; where a
fact cannot be read it changes nothing and says so: what is dropped by mistake, nobody puts back.
"""

from __future__ import annotations

from typing import Callable, Iterator, Mapping, NamedTuple, Union

from lxml import etree

from libhooks.decision import Change, Edit, Kind, Spot, Unmet
from libhooks.domain import Domain
from libhooks.facts.model import Facts, Unknown
from libhooks.numbers import numbers, written
from libhooks.policy.model import Adjustment, How
from libhooks.spots import Spots

#: VNC's protocol takes eight bytes, libspice-server sixty (SPICE_MAX_PASSWORD_LENGTH).
_LONGEST = {"vnc": 8, "spice": 60}
#: cgroup v2's cpu.weight. libvirt puts <shares> there as they are, and lets v1's up to 262144 into the XML.
_MOST_WEIGHT = 10000
#: What a guest without shares has, in v1 and in v2: others are to keep their proportion to it.
_USUAL_SHARES, _USUAL_WEIGHT = 1024, 100
_READ = "see that /sys and /proc of this host can be read; the guest keeps what it has"
_CORRECT = "correct it in the guest's definition on the source"


class Part(NamedTuple):
    """A part of the guest that changes: what people are told of it, and the edits."""

    spot: Spot
    old: str
    new: str
    edits: tuple[Edit, ...]


class Adjusted(NamedTuple):
    """The changes of all adjustments, and what could not be fitted because something is not known."""

    changes: tuple[Change, ...]
    unfitted: tuple[Unmet, ...]


_Found = Iterator[Union[Part, Unmet]]


def adjust(domain: Domain, wanted: Mapping[str, Adjustment], facts: Facts) -> Adjusted:
    """What the policy's adjustments make of a guest; those that it does not have cost nothing."""
    changes: list[Change] = []
    unfitted: list[Unmet] = []
    for key in [key for key in ADJUSTMENTS if key in wanted]:
        how, rule = wanted[key]
        for found in ADJUSTMENTS[key](domain.root, how, facts):
            if isinstance(found, Unmet):
                unfitted.append(found)
            else:
                changes.append(Change(Kind.ADJUST, key, found.spot, found.old, found.new, rule, found.edits))
    return Adjusted(tuple(changes), tuple(unfitted))


def passwords(root: etree._Element, _: How, __: Facts) -> _Found:
    """VNC and SPICE passwords, on every display: QEMU takes no longer ones, and libvirt not all of them."""
    spots = Spots()
    for display in root.iterfind("devices/graphics[@passwd]"):
        longest, old = _LONGEST.get(display.get("type", "")), display.get("passwd", "").encode()
        if longest is not None and len(old) > longest:
            new = old[:longest].decode("utf-8", "ignore")
            edit = Edit(spots.of(display, "@passwd"), old.decode(), new, secret=True)
            yield Part(
                spots.of(display), f"a password of more than {longest} bytes", "its beginning", (edit,)
            )


def pinning(root: etree._Element, how: How, facts: Facts) -> _Found:
    """The host's CPUs: of the guest, of its virtual CPUs, of QEMU itself and of I/O threads."""
    paths = ("vcpu", "cputune/vcpupin", "cputune/emulatorpin", "cputune/iothreadpin")
    pins = [(one, "@cpuset") for path in paths for one in root.iterfind(f"{path}[@cpuset]")]
    return _sets(pins, how, facts.cpus, "CPUs")


def numa(root: etree._Element, how: How, facts: Facts) -> _Found:
    """The host's NUMA nodes: of the guest's memory, of its own nodes, and of memory devices."""
    paths = ("numatune/memory", "numatune/memnode")
    sets = [(one, "@nodeset") for path in paths for one in root.iterfind(f"{path}[@nodeset]")]
    sets += [(one, "text()") for one in root.iterfind("devices/memory/source/nodemask")]
    return _sets(sets, how, facts.nodes, "NUMA nodes")


def _sets(
    sets: list[tuple[etree._Element, str]],
    how: How,
    question: Callable[[], frozenset[int] | Unknown],
    things: str,
) -> _Found:
    """Sets of what the host has, in an attribute or text of each element: cut down, or gone with it."""
    here = question() if sets and how is How.FIT else frozenset[int]()
    spots = Spots()
    if isinstance(here, Unknown):
        yield _unknown(spots.of(sets[0][0]), f"to know the {things} that are online here", here)
        return
    for element, last in sets:
        spot, told = spots.of(element, last), _value(element, last)
        try:
            wanted = numbers(told)
        except ValueError:
            yield Unmet(spot, told, f"a set of {things}", "it is none", _CORRECT)
            continue
        if not wanted <= here:
            yield _fitted(element, spot, wanted & here, spots)


def _fitted(element: etree._Element, spot: Spot, left: frozenset[int], spots: Spots) -> Part:
    """What becomes of a set of which only some is ``left`` here; where none is, the set goes."""
    last = spot.xpath.rpartition("/")[2]
    old, new = _value(element, last), written(left) if left else None
    if new is not None or element.tag == "vcpu":
        return Part(spot, old, new or "", (Edit(spot, old, new),))
    return Part(spot, old, "", (spots.gone(element),))


def _value(element: etree._Element, last: str) -> str:
    return (element.text if last == "text()" else element.get(last[1:])) or ""


def shares(root: etree._Element, how: How, facts: Facts) -> _Found:
    """The guest's share of the CPUs. cgroup v1 and v2 count it otherwise, and libvirt does not convert.

    A number does not say which of the two it was meant for, so only one that is too large here is
    converted, in the proportion of the defaults, as systemd does it.
    """
    found = root.find("cputune/shares")
    if found is None:
        return
    spot, old = Spots().of(found, "text()"), (found.text or "").strip()
    version = facts.cpu_controller() if how is How.FIT else None
    if isinstance(version, Unknown):
        yield _unknown(spot, "to know the control groups of this host", version)
    elif (
        how is How.DROP or version == 0
    ):  # with groups but no controller, libvirt starts no guest with shares
        yield Part(spot, old, "", (Spots().gone(found),))
    elif not (old.isascii() and old.isdigit() and len(old) < 20):
        yield Unmet(spot, old, "a number of shares", "it is none", _CORRECT)
    elif version == 2 and int(old) > _MOST_WEIGHT:
        new = str(min(_MOST_WEIGHT, int(old) * _USUAL_WEIGHT // _USUAL_SHARES))
        yield Part(spot, old, new, (Edit(spot, found.text, new),))


def perf(root: etree._Element, how: How, facts: Facts) -> _Found:
    """The events that are counted for the guest: libvirt starts none with one that cannot be."""
    spots, counted = Spots(), list(root.iterfind("perf/event[@enabled='yes']"))
    here = facts.perf_events() if counted and how is How.FIT else frozenset[str]()
    if isinstance(here, Unknown):
        yield _unknown(spots.of(counted[0]), "to know the events that can be counted here", here)
        return
    for event in counted:
        if event.get("name") not in here:
            spot = spots.of(event)
            yield Part(spot, event.get("name", ""), "", (spots.gone(event),))


def labels(root: etree._Element, how: How, facts: Facts) -> _Found:
    """Security labels: DROP the fixed ones, so that libvirt makes its own; FIT those of models not here."""
    spots = Spots()
    found = [one for one in root.iter("seclabel") if not any(True for _ in one.iterancestors("metadata"))]
    here = facts.security_models() if found and how is How.FIT else frozenset[str]()
    if isinstance(here, Unknown):
        yield _unknown(spots.of(found[0]), "to know the security models of this host", here)
        return
    for label in found:
        foreign = label.get("model") is not None and label.get("model") not in here
        fixed = label.get("type") == "static" or label.find("label") is not None
        if foreign if how is How.FIT else fixed:
            told = " ".join(filter(None, (label.get("model"), label.findtext("label"))))
            yield Part(spots.of(label), told, "", (spots.gone(label),))


def _unknown(spot: Spot, wanted: str, fact: Unknown) -> Unmet:
    return Unmet(spot, "", wanted, fact.why, _READ, unknown=True)


#: By the keys of ``[adjust]``, in the order in which they are made.
ADJUSTMENTS: Mapping[str, Callable[[etree._Element, How, Facts], _Found]] = {
    "vnc-password": passwords,
    "cpu-pinning": pinning,
    "numa": numa,
    "shares": shares,
    "perf": perf,
    "seclabel": labels,
}
