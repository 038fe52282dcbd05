"""What the values of a policy file may be: each form turns a TOML value into a typed one."""

from __future__ import annotations

from typing import Callable, Iterable, NamedTuple

from libhooks.decision import Level
from libhooks.policy.diagnostic import Wrong, closest, shown
from libhooks.policy.model import Action, How, Identification, Mode, OnInvalid


class Form(NamedTuple):
    """A form of value: ``words`` complete "expected ..."; ``parse`` raises Wrong.

    Where a list may stand as well, ``item`` parses one of it.
    """

    words: str
    parse: Callable[[object], object]
    item: Callable[[object], object] | None = None


def expected(words: str, value: object, help: str = "") -> Wrong:
    """The error for a value of the wrong type or form."""
    return Wrong(f"expected {words}, found {shown(value)}", help)


def text(value: object, words: str = "text") -> str:
    """Any text that says something."""
    if not isinstance(value, str):
        raise expected(words, value, _quotes(value) if words == "text" else "")
    if not value.strip() or not value.isprintable():
        raise expected(words, value)
    return value


def choice(value: object, options: tuple[str, ...]) -> str:
    """One of a closed set of words."""
    if isinstance(value, str) and value in options:
        return value
    word = {True: "on", False: "off"}.get(value, "") if isinstance(value, bool) else value
    raise expected(_either(options), value, closest(word, options) if isinstance(word, str) else "")


def mode(value: object) -> Mode:
    """What libhooks does with its verdicts."""
    return Mode(choice(value, tuple(one.value for one in Mode)))


def level(value: object) -> Level:
    """What follows from an unmet requirement."""
    return Level(choice(value, tuple(one.value for one in Level)))


class Demand(NamedTuple):
    """A requirement's level, and whether it is only recorded."""

    level: Level
    audited: bool = False


def demand(value: object) -> Demand:
    """A level, or a table of one and a mode: ``{ level = "refuse", mode = "audit" }``."""
    if not isinstance(value, dict):
        return Demand(level(value))
    for key in value:
        if key not in ("level", "mode"):
            raise Wrong(f"unknown key {shown(key)}", closest(key, ("level", "mode")) or _DEMAND, (key,))
    if "level" not in value:
        raise Wrong("a level is missing", _DEMAND)
    return Demand(level(value["level"]), mode(value.get("mode", "enforce")) is Mode.AUDIT)


_DEMAND = 'write "refuse", or { level = "refuse", mode = "audit" }'


def unknown_level(value: object) -> Demand:
    """What follows from a fact that can't be read: it never passes silently."""
    if value == Level.OFF.value:
        raise expected('"refuse" or "warn"', value, "what can't be read never passes silently")
    return Demand(level(value))


def identification(value: object) -> Identification:
    """What is made of the origin stamp."""
    return Identification(choice(value, tuple(one.value for one in Identification)))


def leave(value: object) -> bool:
    """Whether waivers are honoured."""
    return choice(value, ("allow", "deny")) == "allow"


def truncate(value: object) -> How:
    """What is done with a password that is too long."""
    return How(choice(value, ("keep", "truncate")))


def fit(value: object) -> How:
    """What is done with what depends on the host that the guest comes from."""
    return How(choice(value, ("keep", "drop", "fit")))


def on_invalid(value: object) -> OnInvalid:
    """What becomes of guests while the policy is invalid."""
    return OnInvalid(choice(value, tuple(one.value for one in OnInvalid)))


def action(value: object) -> Action:
    """What an edit does."""
    return Action(choice(value, tuple(one.value for one in Action)))


def select(value: object) -> str:
    """What an edit selects."""
    from libhooks import selection  # few policies have an edit

    path = text(value, "an XPath")
    selection.Selection(path)
    return path


def value(value: object) -> str:
    """A text that an attribute can have, or an element."""
    if not isinstance(value, str) or not value.isprintable():
        raise expected("text", value, _quotes(value))
    return value


def boolean(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise expected("true or false", value, "without quotes" if value in ("true", "false") else "")
    return value


def version(value: object) -> int:
    """The version of the policy's language."""
    if type(value) is not int or value != 1:
        raise expected("1", value, "this libhooks reads policies of version = 1")
    return value


def seconds(value: object) -> float:
    """A time in seconds. libvirt waits for a hook as long as it takes; a person does not."""
    if type(value) not in (int, float) or not 0 < value <= 600:  # type: ignore[operator]
        raise expected("seconds, more than 0 and at most 600", value)
    return float(value)  # type: ignore[arg-type]


def releases(value: object) -> tuple[object, ...]:
    """From which releases of an operating system to which others guests may go."""
    return one_or_more(value, release_pair)


def release_pair(value: object) -> object:
    """One of them, as ``"rhel 8.6+ -> rhel 9"``."""
    from libhooks.releases import pair  # few policies have any

    written = text(value, '"ID VERSION -> ID VERSION"')
    try:
        return pair(written)
    except ValueError as error:
        message = f"{shown(written)}: {error}"
        raise Wrong(message, 'as in "rhel 8.6+ -> rhel 9", or with <-> for both ways') from None


def absolute_path(value: object) -> str:
    """The path of a file, absolute and without ``..``."""
    path = text(value, "an absolute path")
    if not path.startswith("/"):
        raise expected("an absolute path", value)
    if ".." in path.split("/"):
        raise Wrong(f"a path with .. in it: {shown(value)}", "write where it leads")
    return path


def one_or_more(value: object, item: Callable[[object], object]) -> tuple[object, ...]:
    """A value or a list of them, none twice."""
    if not isinstance(value, list):
        return (item(value),)
    if not value:
        raise Wrong("an empty list", "leave the line out instead")
    found: list[object] = []
    for index, one in enumerate(value):
        found.append(_item(index, one, item))
        if found[-1] in found[:-1]:
            raise Wrong(f"{shown(one)} stands here twice", within=(index,))
    return tuple(found)


def _item(index: int, value: object, item: Callable[[object], object]) -> object:
    try:
        return item(value)
    except Wrong as wrong:
        raise Wrong(wrong.message, wrong.help, (index, *wrong.within)) from None


def uuid(value: object) -> str:
    """A UUID, in libvirt's own spelling whatever the policy's."""
    digits = text(value, "a UUID").replace("-", "").lower()
    if len(digits) != 32 or set(digits) - set("0123456789abcdef"):
        raise expected("a UUID", value)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def guest_names(value: object) -> tuple[object, ...]:
    """Names of guests, or globs."""
    return one_or_more(value, guest_name)


def guest_name(value: object) -> str:
    """A guest's name, or a glob."""
    return text(value, "a guest's name or a pattern")


def guest_uuids(value: object) -> tuple[object, ...]:
    """UUIDs of guests."""
    return one_or_more(value, uuid)


def secret(value: object) -> str:
    """The UUID of a libvirt secret. What stands there instead may be the secret itself: not shown."""
    try:
        return uuid(value)
    except Wrong:
        raise Wrong("expected the UUID of a libvirt secret", "see virsh secret-list") from None


def _either(options: Iterable[str]) -> str:
    words = [f'"{one}"' for one in options]
    return ", ".join(words[:-1]) + " or " + words[-1]


def _quotes(value: object) -> str:
    return f'in quotes: "{value}"' if type(value) in (int, float) else ""
