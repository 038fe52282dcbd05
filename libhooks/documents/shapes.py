"""What the parsers of a policy's values take, as JSON Schema: never stricter than they are.

A schema sees one value at a time and knows no host; what it lets pass, ``libhooks policy check`` judges.
"""

from __future__ import annotations

from enum import Enum
from typing import Callable, Iterator, Mapping, Union

from libhooks.policy import forms, placenames
from libhooks.policy.forms import Form
from libhooks.policy.model import Action, How, Identification, Mode, OnInvalid

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]
Shape = dict[str, Json]

_HEX = "[0-9A-Fa-f]"
_UUID = f"-*({_HEX}-*){{32}}"
#: A path without .. in it that is not the root directory alone.
_PATH = r"(?!.*/\.\.(/|$))(?!(/\.?)*$)/.*"
_ANY_PATH = r"(?!.*/\.\.(/|$))/.*"
_WORD = r"(?!\.\.?(/|$))[^/\s]([^/]*[^/\s])?"
_LINK = r"(?!\.\.?(/|$))[^/ ]{1,15}"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_SYSTEM = r"\s*(?=[0-9._-]*[a-z])[a-z0-9._-]+(\s+[0-9]+(\.[0-9]+)*\+*)?\s*"


def _ipv6() -> str:
    """All groups, or some on either side of a ``::``; the last two may be an IPv4 address."""
    group, last = f"{_HEX}{{1,4}}", f"({_HEX}{{1,4}}(:{_HEX}{{1,4}})?|{_IPV4})"
    whole = f"({group}:){{6}}({group}:{group}|{_IPV4})"
    short = (
        f"({group}(:{group}){{0,{before - 1}}})?::(({group}:){{0,{5 - before}}}{last})?"
        if before
        else f"::(({group}:){{0,5}}{last})?"
        for before in range(6)
    )
    tails = (f"{group}(:{group}){{5}}::({group})?", f"{group}(:{group}){{6}}::")
    return "|".join((whole, *short, *tails))


def _text(pattern: str) -> Shape:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _words(options: type[Enum], *but: Enum) -> Shape:
    return {"enum": [one.value for one in options if one not in but]}


def _one_or_more(item: Shape) -> Shape:
    return {"anyOf": [*_either(item), {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}]}


def _either(item: Shape) -> Iterator[Shape]:
    """The alternatives of a shape, so that they stand beside the list and not below it."""
    found = item.get("anyOf")
    yield from [one for one in found if isinstance(one, dict)] if isinstance(found, list) else [item]


_PRINTABLE: Shape = {"type": "string", "pattern": r"^(?=.*\S)[^\u0000-\u001f\u007f]*$"}
_LEVELS: list[Json] = ["refuse", "warn", "off"]
_STORE_HOST = rf"/.*|(\[{_HEX}[0-9A-Fa-f:.]*\]|\[::[0-9A-Fa-f:.]*\]|[^ :/\[\]]+)(:[0-9]+)?"
_NETWORK_DISK: Shape = {
    "type": "object",
    "additionalProperties": False,
    "required": ["protocol"],
    "if": {"properties": {"protocol": {"const": "nbd"}}},
    "else": {"required": ["name"]},
    "properties": {
        "protocol": {"enum": list(placenames.PROTOCOLS), "description": "How the disk is reached."},
        "name": {**_text(r"(?!(.*/)?\.\.(/|$))(?=.*[^/]).+"), "description": "The pool, volume or export."},
        "hosts": {**_one_or_more(_text(_STORE_HOST)), "description": "Where it is served."},
        "secret": {**_text(_UUID), "description": "The UUID of a libvirt secret of this host."},
    },
}

_DEMAND: Shape = {
    "type": "object",
    "additionalProperties": False,
    "required": ["level"],
    "properties": {
        "level": {"enum": _LEVELS, "description": "What follows where it is unmet."},
        "mode": {**_words(Mode), "description": '"audit" records what would follow, and lets it pass.'},
    },
}

#: The shape of what a parser takes, whose name it goes by.
_SHAPES: Mapping[Callable[[object], object], Shape] = {
    forms.version: {"type": "integer", "const": 1},
    forms.mode: _words(Mode),
    forms.demand: {"anyOf": [{"enum": _LEVELS}, _DEMAND]},
    forms.unknown_level: {"enum": ["refuse", "warn"]},
    forms.truncate: {"enum": [How.KEEP.value, How.TRUNCATE.value]},
    forms.fit: _words(How, How.TRUNCATE),
    forms.action: _words(Action),
    forms.identification: _words(Identification),
    forms.leave: {"enum": ["allow", "deny"]},
    forms.on_invalid: _words(OnInvalid),
    forms.boolean: {"type": "boolean"},
    forms.seconds: {"type": "number", "exclusiveMinimum": 0, "maximum": 600},
    forms.text: _PRINTABLE,
    forms.value: {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f]*$"},
    forms.select: _PRINTABLE,
    forms.guest_name: _PRINTABLE,
    forms.uuid: _text(_UUID),
    forms.absolute_path: _text(_ANY_PATH),
    forms.release_pair: _text(f"{_SYSTEM}<?->{_SYSTEM}"),
    placenames.network: _text(
        f"(bridge|ovs):{_LINK}|network:{_WORD}(/{_WORD})?|direct:{_LINK}(/({'|'.join(placenames.MODES)}))?"
    ),
    placenames.address: _text(rf"(?!127\.|0\.0\.0\.0$){_IPV4}|(?!::1?$)({_ipv6()})"),
    placenames.device: _text(
        rf"pci:{_HEX}{{4,8}}:{_HEX}{{2}}:[01]{_HEX}\.[0-7]|mdev:{_UUID}"
        rf"|usb:({_HEX}{{1,4}}:{_HEX}{{1,4}}|[0-9]{{1,8}}-[0-9]{{1,8}}(\.[0-9]{{1,8}})*)"
    ),
    placenames.file: _text(_PATH),
    placenames.storage: {"anyOf": [_text(f"{_PATH}|pool:{_WORD}"), _NETWORK_DISK]},
}


def shape(form: Form) -> Shape:
    """What a key of this form may be. Raises KeyError for a parser that has no shape here."""
    return _SHAPES[form.parse] if form.item is None else _one_or_more(_SHAPES[form.item])
