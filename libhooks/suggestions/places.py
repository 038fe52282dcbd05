"""What many refusals want, made a few places: paths with a beginning in common are one."""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple

from libhooks.decision import Kind
from libhooks.names import Form, Name
from libhooks.policy.model import Place, Policy
from libhooks.suggestions.model import Refusal, Want

#: Directories that hold all sorts of things: paths that have only these in common are not one place.
_WIDE = frozenset(
    (
        "/", "/srv", "/mnt", "/media", "/home", "/opt", "/run", "/usr", "/usr/share", "/usr/lib",
        "/var", "/var/lib", "/var/lib/libvirt",
    )
)  # fmt: skip
#: Words that are no ID of a place.
_RESERVED = ("at", "source", "match", "mode", "require", "select", "action", "value")
#: Below it, what is in a directory together is not one thing.
_DEVICES = "dev"

#: What is mounted on hosts that are known: by a host's name and a mount's source, where.
Mounted = Mapping[str, Mapping[str, Name]]


class Missing(NamedTuple):
    """A place that is missing, or what a place lacks on some hosts.

    ``name`` is what guests call it, None where the policy has it: there it is ``known``. ``here`` has its
    names on the hosts where those are known.
    """

    kind: Kind
    id: str
    name: Name | None
    here: dict[str, Name]
    known: Place | None
    refusals: tuple[Refusal, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that refused."""
        return tuple(dict.fromkeys(one.host for one in self.refusals))


def missing(wants: Iterable[Want], policy: Policy, mounted: Mounted) -> tuple[Missing, ...]:
    """The places that all wants come to, in their order; an ID is not one of the policy's already."""
    wants = tuple(wants)
    directories = _merged(one for one in wants if not one.place)
    grouped: dict[tuple[Kind, str, str], list[Want]] = {}
    for one in wants:
        place = "" if one.place else str(_place_of(one, directories))
        grouped.setdefault((one.kind, one.place, place), []).append(one)
    known = {(place.kind, place.id): place for place in policy.places}
    taken = {*known, *((kind, word) for kind in Kind for word in _RESERVED)}
    return tuple(
        _lacking(known[kind, id], group, mounted)
        if id
        else _new(_place_of(group[0], directories), group, taken)
        for (kind, id, _), group in grouped.items()
    )


def _lacking(place: Place, group: list[Want], mounted: Mounted) -> Missing:
    """A place of the policy, and what of it is known on the hosts where it has no name."""
    refusals = tuple(one.refusal for one in group)
    here = {one.host: mounted.get(one.host, {}).get(place.source) for one in refusals}
    found = {host: name for host, name in here.items() if name is not None and place.source}
    return Missing(place.kind, place.id, None, found, place, refusals)


def _new(name: Name, group: list[Want], taken: set[tuple[Kind, str]]) -> Missing:
    kind = group[0].kind
    here = {one.refusal.host: one.here for one in group if one.here is not None}
    refusals = tuple(one.refusal for one in group)
    return Missing(kind, _free(kind, _id(name), taken), name, here, None, refusals)


def _place_of(want: Want, directories: tuple[Name, ...]) -> Name:
    """The name of the place that a wanted name lies on."""
    assert want.name is not None
    around = (one for one in directories if want.name.remainder(one) is not None)
    return max(around, key=lambda one: len(one.parts)) if _is_in_directory(want) else want.name


def _is_in_directory(want: Want) -> bool:
    name = want.name
    in_directory = want.kind is Kind.STORAGE and name is not None and name.form is Form.PATH
    return in_directory and name is not None and len(name.parts) > 1 and name.parts[0] != _DEVICES


def _merged(wants: Iterable[Want]) -> tuple[Name, ...]:
    """The directories of paths, those with a beginning in common that tells something made one."""
    found = sorted({one.name.parts[:-1] for one in wants if one.name is not None and _is_in_directory(one)})
    merged: list[tuple[str, ...]] = []
    for parts in found:
        common = _common(merged[-1], parts) if merged else ()
        if str(Name(Form.PATH, common)) in _WIDE:
            merged.append(parts)
        else:
            merged[-1] = common
    return tuple(Name(Form.PATH, parts) for parts in merged)


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    size = next((size for size, (a, b) in enumerate(zip(first, second)) if a != b), None)
    return first[: min(len(first), len(second)) if size is None else size]


def _id(name: Name) -> str:
    """A word for a place: the last of its name."""
    plain = (one if one.isascii() and (one.isalnum() or one in "-_") else "-" for one in name.parts[-1])
    return "".join(plain).strip("-").lower() or name.form.value


def _free(kind: Kind, id: str, taken: set[tuple[Kind, str]]) -> str:
    number, free = 1, id
    while (kind, free) in taken:
        number += 1
        free = f"{id}-{number}"
    taken.add((kind, free))
    return free
