"""What rewriting itself can run into: a policy that has no answer, or none that is safe."""

from __future__ import annotations

from typing import Iterator

from libhooks.decision import Kind, Level, Spot, Unmet
from libhooks.names import Form
from libhooks.places import Outcome, Resolution
from libhooks.references import commandline
from libhooks.requirements.model import BOTH, GUIDE, Judge, Requirement, Subject

_OWN = "libhooks"
#: How a policy writes the names that a reference can take.
_WRITTEN = {
    Form.PATH: "/abs/path",
    Form.POOL: "pool:NAME",
    Form.STORE: "{protocol, name, ...}",
    Form.BRIDGE: "bridge:BR",
    Form.OVS: "ovs:BR",
    Form.NETWORK: "network:NAME",
    Form.DIRECT: "direct:DEV",
    Form.ADDRESS: "an IP address",
    Form.PCI: "pci:DDDD:BB:SS.F",
    Form.MDEV: "mdev:UUID",
    Form.USB: "usb:BUS-PORT",
}


def host(subject: Subject) -> Iterator[Unmet]:
    """The policy has places, and none of them says what this host calls them.

    Usually the host goes by another name than the policy thinks. libhooks matches the patterns of
    ``at.HOST`` with the first line of /etc/libhooks/host if that file exists, else with the fully
    qualified host name and then the short one. Write this host's names into the places, or the name
    that the policy knows it by into /etc/libhooks/host. Reported once a guest, not once a disk.
    """
    if subject.places.all and not subject.places.knows_host:
        names = ", ".join(subject.facts.host()) or "no name"
        yield Unmet(
            Spot("policy", "/domain"),
            "",
            "a policy that names this host",
            f"no at.HOST pattern fits {names}",
            "add this host to the places, or write the name they use into /etc/libhooks/host",
        )


def ambiguous(subject: Subject) -> Iterator[Unmet]:
    """The hosts that a guest may come from lead to different answers for one of its names.

    Without knowing which host sent the guest, libhooks takes every host of the policy into account.
    Where two of them call different things by the same name, rewriting would be a guess. Let the names
    differ, or make the places one.
    """
    for resolution in _with(subject, Outcome.AMBIGUOUS):
        found = "; ".join(resolution.answers)
        hint = "give the places names that do not collide between hosts"
        yield _unmet(resolution, "one answer, whatever host the guest comes from", found, hint)


def _mapped(subject: Subject, kind: Kind) -> Iterator[Unmet]:
    for resolution in subject.resolutions:
        if resolution.kind is not kind:
            continue
        if resolution.outcome is Outcome.UNMAPPED and resolution.place and subject.places.knows_host:
            place = resolution.place
            hint = f"give {place.label} a name on this host ({place.rule.file})"
            yield _unmet(resolution, f"{place.label} on this host", "the place has no name here", hint)
        elif resolution.outcome is Outcome.UNREADABLE:
            hint = "correct it in the guest's definition on the source"
            yield _unmet(resolution, f"a name that a {kind.value} place could be", resolution.why, hint)
        elif resolution.outcome is Outcome.UNFIT and resolution.place and kind is not Kind.NETWORK:
            wanted = f"{resolution.new.spoken if resolution.new else resolution.place.label} here"
            fitting = _fitting(resolution)
            hint = f"give {resolution.place.label} a name {fitting} on this host ({resolution.rule})"
            yield _unmet(resolution, wanted, resolution.why, hint)


def _fitting(resolution: Resolution) -> str:
    """What to write instead of a name that does not fit."""
    forms = resolution.reference.row.forms
    if resolution.new is None or resolution.new.form in forms:
        return "of another form"
    return "of the form " + " or ".join(words for form, words in _WRITTEN.items() if form in forms)


def _arguments(subject: Subject, kind: Kind) -> Iterator[Unmet]:
    """Places of this kind that QEMU is told of directly: once a place, and nothing of what QEMU is told."""
    found = (
        subject.places.resolve(reference, subject.event.operation)
        for reference in commandline.find(subject.domain.root)
    )
    elsewhere = (Outcome.UNFIT, Outcome.UNMAPPED, Outcome.AMBIGUOUS)
    told = {
        one.place.label: one for one in found if one.place and one.kind is kind and one.outcome in elsewhere
    }
    for label, resolution in told.items() if subject.places.knows_host else ():
        yield Unmet(
            resolution.reference.spot,
            "",
            f"no path in it that lies on {label}",
            "one does, the hosts call it differently, and libhooks leaves these arguments as they are",
            "let a device of libvirt's do it, or call the place alike on all hosts",
        )


def storage_mapped(subject: Subject) -> Iterator[Unmet]:
    """A guest's storage lies on a place that this host does not have.

    Red Hat's guide wants shared storage under the same path on both hosts; a place says where each
    host has it instead. The policy knows this place, but not where this host has it: mount it here and
    say so in the policy, or migrate the guest to a host that has it.

    Where the place's name here does not fit what the guest uses it for, the finding says what would.
    Paths in qemu:commandline are looked at and never rewritten: only QEMU knows what they mean.
    """
    yield from _mapped(subject, Kind.STORAGE)
    yield from _arguments(subject, Kind.STORAGE)


def network_mapped(subject: Subject) -> Iterator[Unmet]:
    """An interface is on a network segment that this host does not have.

    The policy knows the segment, but not what this host calls it. Bridge the segment here and say so
    in the policy, or migrate the guest to a host that has it.
    """
    return _mapped(subject, Kind.NETWORK)


def address_mapped(subject: Subject) -> Iterator[Unmet]:
    """A listen address belongs to a place that has no address on this host."""
    return _mapped(subject, Kind.ADDRESS)


def device_mapped(subject: Subject) -> Iterator[Unmet]:
    """A device of the host that the guest has for its own has no counterpart on this host.

    The policy says which devices of the hosts stand for each other (PCI, mediated and USB ones), and
    names none here. Name one, take the device from the guest, or migrate to a host that has one.
    """
    return _mapped(subject, Kind.DEVICE)


def file_mapped(subject: Subject) -> Iterator[Unmet]:
    """A file that each host keeps for itself (firmware, say) has no path on this host in the policy.

    As with storage.mapped, paths in qemu:commandline are looked at and never rewritten.
    """
    yield from _mapped(subject, Kind.FILE)
    yield from _arguments(subject, Kind.FILE)


def network_form(subject: Subject) -> Iterator[Unmet]:
    """An interface's place exists here, but in a form that would lose part of the interface.

    Bridges, libvirt networks and Open vSwitch bridges stand in for each other; direct (macvtap)
    interfaces only for each other. A port group, VLAN, virtual port or bandwidth floor that the form
    on this host has no room for would be lost silently, so the guest is refused.
    """
    for resolution in _with(subject, Outcome.UNFIT):
        if resolution.kind is Kind.NETWORK and resolution.place:
            fitting = _fitting(resolution)
            kept = "here that keeps it" if fitting == "of another form" else f"{fitting} here"
            hint = f"give {resolution.place.label} a name {kept} ({resolution.rule})"
            yield _unmet(
                resolution,
                f"to become {resolution.new.spoken if resolution.new else resolution.place.label}",
                resolution.why,
                hint,
            )


def guard_abi(subject: Subject) -> Iterator[Unmet]:
    """A change would alter something that the guest sees.

    libvirt would abort the migration, or worse, let it pass and break the guest. The finding names the
    rule that asked for the change; none of the changes is made. Where this is not "refuse", all are.
    """
    for violation in subject.violations:
        change, spot = violation.change, violation.edit.spot
        found = f"{change.kind.value}.{change.place} would change it ({change.rule}): {violation.because}"
        yield Unmet(spot, spot.xpath, violation.wanted, found, "correct that rule of the policy")


def adjust_fit(subject: Subject) -> Iterator[Unmet]:
    """Something that [adjust] should fit to this host could not be fitted.

    What this host has is not known, or what the guest has makes no sense. The guest keeps what it has:
    what is dropped by mistake, nobody puts back. libvirt may then not start it here.
    """
    yield from subject.unfitted


def _with(subject: Subject, outcome: Outcome) -> Iterator[Resolution]:
    return (resolution for resolution in subject.resolutions if resolution.outcome is outcome)


def _unmet(resolution: Resolution, wanted: str, found: str, hint: str) -> Unmet:
    name = resolution.reference.name
    return Unmet(resolution.reference.spot, name.spoken if name else "", wanted, found, hint)


def _own(code: str, title: str, judge: Judge, source: str = _OWN) -> Requirement:
    return Requirement(code, title, source, Level.REFUSE, BOTH, judge, rewriting=True)


REQUIREMENTS: tuple[Requirement, ...] = (
    _own("policy.host", "the policy knows this host", host),
    _own("policy.ambiguous", "a name means one thing, whatever host it comes from", ambiguous),
    _own("storage.mapped", "the guest's storage has a place on this host", storage_mapped, GUIDE),
    _own("network.mapped", "the guest's network segments have a place on this host", network_mapped, GUIDE),
    _own("address.mapped", "listen addresses have a place on this host", address_mapped),
    _own("device.mapped", "the guest's own devices have a counterpart on this host", device_mapped),
    _own("file.mapped", "files kept on each host have a place on this host", file_mapped),
    _own("network.form", "no interface loses anything in a rewrite", network_form),
    _own("guard.abi", "no rewrite alters what the guest sees", guard_abi),
    _own("adjust.fit", "what is to be fitted to this host can be", adjust_fit)._replace(default=Level.WARN),
)
