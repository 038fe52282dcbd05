"""Every key of a policy file, in one table: where it stands, what it may be, what it means.

The parser reads it; whatever else must know the keys (checks, man pages, editors) does too. A part
of a path in capitals stands for any word of that sort: ``ID``, ``HOST``, ``CODE``.
"""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple, Union

from libhooks.policy import forms, placenames
from libhooks.policy.diagnostic import Wrong, closest, shown
from libhooks.policy.forms import Form

#: The requirements that ``[require]`` can name: the catalogue's, whether judged yet or not.
CODES = (
    "storage.exists", "storage.shared", "storage.protocol", "storage.separate", "storage.mapped",
    "storage.source", "storage.same", "storage.access", "storage.cache", "storage.stable-name",
    "network.exists", "network.active", "network.up", "network.segment", "network.mapped", "network.mtu",
    "network.filter", "network.listen", "network.form",
    "platform.release", "platform.version", "platform.machine", "platform.arch", "platform.cpu",
    "platform.emulator", "platform.firmware",
    "device.vectors", "device.migratable", "device.present", "device.tpm", "device.mapped",
    "address.mapped", "file.mapped",
    "policy.host", "policy.ambiguous", "guard.abi", "adjust.fit", "hook.deadline",
    "capacity.memory", "capacity.hugepages", "capacity.cpus", "capacity.nodes",
    "service.daemon", "service.config", "service.tls", "service.firewall", "service.hostname",
    "service.host-uuid", "service.clock", "service.duplicate", "service.shared-etc",
)  # fmt: skip

_MODE = Form('"enforce" or "audit"', forms.mode)
_LEVEL = Form('"refuse", "warn" or "off"', forms.demand)
_UNKNOWN = Form('"refuse" or "warn"', forms.unknown_level)
_ORIGIN = Form('"off", "verify" or "rewrite"', forms.identification)
_WAIVERS = Form('"allow" or "deny"', forms.leave)
_TEXT = Form("text", forms.text)
_PATH = Form("an absolute path", forms.absolute_path)
_NAMES = Form("a name or pattern, or a list of them", forms.guest_names, forms.guest_name)
_UUIDS = Form("a UUID, or a list of them", forms.guest_uuids, forms.uuid)
_BOOLEAN = Form("true or false", forms.boolean)
_SECONDS = Form("seconds", forms.seconds)
_VERSION = Form("1", forms.version)
_TRUNCATE = Form('"keep" or "truncate"', forms.truncate)
_FIT = Form('"keep", "drop" or "fit"', forms.fit)
_SELECT = Form("an XPath", forms.select)
_ACTION = Form('"set" or "remove"', forms.action)
_VALUE = Form("text", forms.value)
_INVALID = Form('"refuse" or "last-good"', forms.on_invalid)
_RELEASES = Form('"ID VERSION -> ID VERSION", or a list of them', forms.releases, forms.release_pair)


class Key(NamedTuple):
    """A key: where it stands, its form, its default as TOML ("" if it has none), and what it means."""

    path: tuple[str, ...]
    form: Form
    default: str
    help: str


def _names(words: str, item: Callable[[object], object]) -> Form:
    return Form(f"{words}, or a list of them", lambda value: forms.one_or_more(value, item), item)


_STORAGE = _names(placenames.STORAGE, placenames.storage)
_NETWORK = _names(placenames.NETWORK, placenames.network)
_ADDRESS = _names(placenames.ADDRESS, placenames.address)
_DEVICE = _names(placenames.DEVICE, placenames.device)
_FILE = _names("/abs/path", placenames.file)
_KEEP = '"keep"'
_JOURNAL = '"/var/log/libhooks/decisions.jsonl"'


KEYS = (
    Key(("version",), _VERSION, "", "The policy language's version; in each file that sets anything."),
    Key(("mode",), _MODE, '"enforce"', '"audit" decides and records, but changes and refuses nothing.'),
    Key(
        ("origin",),
        _ORIGIN,
        '"verify"',
        'Where a guest says it comes from: "rewrite" also finds by what it is what no place names.',
    ),
    Key(("waivers",), _WAIVERS, '"allow"', "Exemptions that guests bring along (libhooks waive)."),
    Key(("storage", "ID", "source"), _TEXT, "", "What must be mounted at the place, as mount(8) shows it."),
    Key(("storage", "ID", "at", "HOST"), _STORAGE, "", "Where the host has a shared store."),
    Key(("network", "ID", "at", "HOST"), _NETWORK, "", "What the host calls a layer-2 segment."),
    Key(("address", "ID", "at", "HOST"), _ADDRESS, "", "The host's own address to listen on."),
    Key(("device", "ID", "at", "HOST"), _DEVICE, "", "The host's own device that stands for the others'."),
    Key(("file", "ID", "at", "HOST"), _FILE, "", "Where the host keeps its copy of the same file."),
    Key(("require", "unknown"), _UNKNOWN, "", "The level where a fact can't be read; else the code's own."),
    Key(("require", "CODE"), _LEVEL, "", "What follows where a requirement is unmet; else its default."),
    Key(("guest", "ID", "match", "name"), _NAMES, "", "The guests' names on arrival; globs as in the shell."),
    Key(("guest", "ID", "match", "uuid"), _UUIDS, "", "The guests' UUIDs; with names, both must fit."),
    Key(("guest", "ID", "mode"), _MODE, "", "The mode for these guests, whatever the policy's own."),
    Key(("guest", "ID", "require", "unknown"), _UNKNOWN, "", "As [require] unknown, for these guests alone."),
    Key(("guest", "ID", "require", "CODE"), _LEVEL, "", "The requirement's level for these guests alone."),
    Key(
        ("platform", "releases"),
        _RELEASES,
        "",
        "From which releases to which guests may go; else the guide's.",
    ),
    Key(("adjust", "vnc-password"), _TRUNCATE, _KEEP, "Passwords longer than VNC (8) or SPICE (60) takes."),
    Key(("adjust", "cpu-pinning"), _FIT, _KEEP, "The host's CPUs that the guest's threads run on."),
    Key(("adjust", "numa"), _FIT, _KEEP, "The host's NUMA nodes that the guest's memory is on."),
    Key(("adjust", "shares"), _FIT, _KEEP, "The guest's share of the CPUs (cgroup v1 or v2)."),
    Key(("adjust", "perf"), _FIT, _KEEP, "The events that are counted for the guest."),
    Key(("adjust", "seclabel"), _FIT, _KEEP, "The guest's fixed security labels."),
    Key(("edit", "ID", "match", "name"), _NAMES, "", "The edited guests' names on arrival; globs."),
    Key(("edit", "ID", "match", "uuid"), _UUIDS, "", "The edited guests' UUIDs; with names, both fit."),
    Key(("edit", "ID", "select"), _SELECT, "", "What is edited: an XPath below <domain>."),
    Key(("edit", "ID", "action"), _ACTION, "", "What is done to it: set its value, or remove it."),
    Key(("edit", "ID", "value"), _VALUE, "", "What an attribute, or an element's text, is set to."),
    Key(("journal", "path"), _PATH, _JOURNAL, "Where decisions are recorded."),
    Key(("journal", "required"), _BOOLEAN, "false", "Whether what can't be recorded is refused."),
    Key(("journal", "cases"), _BOOLEAN, "false", "Whether refusals are kept as cases for policy test."),
    Key(("hook", "deadline"), _SECONDS, "10", "The time that a decision may take, in seconds."),
    Key(("policy", "on-invalid"), _INVALID, '"refuse"', "When invalid: refuse, or take the last valid one."),
)

#: Keys that the design names and this version does not read: an honest error instead of a puzzle.
LATER = (
    ("service",),
)  # fmt: skip

#: What a key's path may go on with: a key that ends there, or a table of further words.
Node = Union[Key, dict[str, "Node"]]


def _tree() -> dict[str, Node]:
    root: dict[str, Node] = {}
    for key in KEYS:
        table = root
        for part in key.path[:-1]:
            inner = table.setdefault(part, {})
            assert not isinstance(inner, Key), key.path
            table = inner
        table[key.path[-1]] = key
    return root


#: ``KEYS`` as the nested tables that a policy file has.
TREE = _tree()


def _id(path: tuple[str, ...]) -> None:
    word = path[-1]
    if word in ("at", "source", "match", "mode", "require", "select", "action", "value"):
        raise Wrong(f"{path[0]} without an ID", f"write [{path[0]}.ID], and {word} below it")
    if not word.isascii() or not word.replace("-", "").replace("_", "").isalnum():
        raise Wrong(f"{shown(word)} is no ID", "an ID has letters, digits, - and _")


def _host(path: tuple[str, ...]) -> None:
    word = path[-1]
    if not word or not word.isascii() or not set(word) - set("*?[]!") <= _HOST:
        raise Wrong(f"no host can be called {shown(word)}", "a host's name, or a pattern with * ? [ ]")
    if word.strip(".") != word or ".." in word or word.count("[") != word.count("]"):
        raise Wrong(f"no host can be called {shown(word)}", "no dots around it, brackets in pairs")


def _code(path: tuple[str, ...]) -> None:
    if path[-1] not in CODES:
        help = closest(path[-1], (*CODES, "unknown"))
        raise Wrong(f"unknown requirement {shown(path[-1])}", help or "libhooks explain lists them")


_HOST = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")

#: The words in capitals: each raises Wrong for a path that does not end in one.
SORTS: Mapping[str, Callable[[tuple[str, ...]], None]] = {"ID": _id, "HOST": _host, "CODE": _code}


def step(table: Mapping[str, Node], word: str) -> tuple[str, Node] | None:
    """What a word leads to in a table, and the part of the pattern that it matched."""
    if word in table:
        return word, table[word]
    return next(((sort, table[sort]) for sort in SORTS if sort in table), None)
