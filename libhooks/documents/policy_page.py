"""The man page libhooks-policy(5): every key, requirement and diagnostic, made of their tables."""

from __future__ import annotations

from itertools import groupby
from typing import Iterator

from libhooks import requirements
from libhooks.documents import roff
from libhooks.documents.words import TABLES
from libhooks.policy.mistakes import MISTAKES
from libhooks.policy.schema import KEYS, Key

_ABOUT = """\
A policy tells `libhooks(8)` what the hosts of a fleet share, what each of them calls it, and what a guest
must meet to be let in. It is one or more TOML 1.0 files in `/etc/libhooks/policy.d`, the same on every
host. All files there whose names end in `.toml` count, in the byte order of their names; later ones
override earlier ones key by key. They must belong to root and be writable by root alone. Unknown keys are
errors.

What hosts share and may call by different names is a `place`. A policy names each place once and says
where each host has it. There are no rules from one host to another: a name that a guest brings along is
looked up among the names of all hosts, and replaced by this host's name of the same place. The longest
name that contains it counts. A name that means different places on different hosts is refused unless they
lead to the same one.

*HOST* is a host's name or a pattern with `*`, `?` or `[...]`, in quotes: `at."rack2-*"`. It is matched,
whatever its capitals, with the first line of `/etc/libhooks/host` if that file exists, else with the
fully qualified name, then with the short one. An exact name beats a pattern, and a pattern with more
literal characters one with fewer. Of several names in a list the first is the preferred one, and the
others are also seen here.

A policy that sets anything enforces it; `mode = "audit"` records what would be decided, and changes and
refuses nothing. Without any policy libhooks audits.
"""
#: What the page shows is a valid policy.
EXAMPLE = """\
#:schema file:///usr/share/libhooks/libhooks-policy.schema.json
version = 1

[storage.images]          # one store, at different mount points
source   = "filer:/images"
at.hosta = "/srv/images"
at.hostb = "/mnt/vmstore"
at."rack2-*" = ["/var/lib/libvirt/images", "/images"]

[storage.ceph]            # a network disk, and the same as a pool
at.hosta = {protocol = "rbd", name = "vms", hosts = ["mon1:6789"]}
at.hostb = "pool:ceph"

[network.prod]            # one network segment
at.hosta = "bridge:br0"
at.hostb = "network:prod"

[require]
"storage.protocol" = "off"

[guest.databases]         # exceptions for some guests
match.name = ["db-*"]
require."storage.shared" = "warn"
"""
_FILES = (
    ("/etc/libhooks/policy.d/*.toml", "The policy."),
    ("/etc/libhooks/policy.d/00-example.toml", "An example, all of it commented out."),
    ("/usr/share/libhooks/libhooks-policy.schema.json",
     "A JSON Schema of these files, for editors that understand taplo's `#:schema` comments, as VS Code "
     "with Even Better TOML does: they complete keys, show what they mean and underline mistakes."),
    ("/var/lib/libhooks/policy/",
     "The last valid policy, kept by the hook while `policy.on-invalid` is \"last-good\"."),
)  # fmt: skip


def page() -> str:
    """The page's text."""
    return roff.page(_parts())


def _parts() -> Iterator[str]:
    yield roff.title("libhooks-policy", 5, "File Formats")
    yield roff.section("NAME")
    yield "libhooks\\-policy \\- what hosts share, and what guests must meet"
    yield roff.section("SYNOPSIS")
    yield roff.running("`/etc/libhooks/policy.d/*.toml`")
    yield roff.section("DESCRIPTION")
    yield from map(roff.paragraph, _ABOUT.split("\n\n"))
    yield roff.section("KEYS")
    for table, keys in groupby(KEYS, lambda key: key.path[0] if len(key.path) > 1 else ""):
        yield from _table(table, list(keys))
    yield from _codes()
    yield from _lists()
    yield roff.section("SEE ALSO")
    yield roff.running("`libhooks(8)`, `virsh(1)`")


def _table(table: str, keys: list[Key]) -> Iterator[str]:
    yield roff.subsection(
        f"[{table}.ID]" if keys[0].path[1:2] == ("ID",) else f"[{table}]" if table else "At the top"
    )
    if table:
        yield roff.paragraph(TABLES[(table, "ID") if (table, "ID") in TABLES else (table,)])
    for key in keys:
        yield roff.item(_tag(key), f"{key.help} {_form(key)}")


def _tag(key: Key) -> str:
    """The key as it stands below its table's header."""
    inner = key.path[2:] if key.path[1:2] == ("ID",) else key.path[1:] or key.path
    words = (f"*{one}*" if one in ("HOST", "CODE") else f"`{one}`" for one in inner)
    return "`.`".join(words)


def _form(key: Key) -> str:
    default = f"; default: {key.default}" if key.default else ""
    return f"Value: {key.form.words}{default}."


def _codes() -> Iterator[str]:
    yield roff.section("REQUIREMENTS")
    yield roff.paragraph(
        "What *CODE* may be in [require], each with the level that it has if the policy says nothing. "
        "`libhooks explain` *CODE* tells more."
    )
    for one in requirements.everything():
        yield roff.item(
            f"`{one.code}`", f'{one.title[0].upper()}{one.title[1:]}. Default: "{one.default.value}".'
        )
    yield roff.section("DIAGNOSTICS")
    yield roff.paragraph(
        "`libhooks policy check` finds all mistakes at once, each with its place and one of these codes. "
        "Errors make the policy invalid: guests that migrate to the host are refused, unless "
        "`policy.on-invalid` says otherwise."
    )
    yield from (roff.item(f"`{code}`", meaning) for code, meaning in MISTAKES.items())


def _lists() -> Iterator[str]:
    yield roff.section("EXIT STATUS")
    yield roff.paragraph(
        "`libhooks policy check` exits with 0 for a valid policy, warnings or not, else with 2."
    )
    yield roff.section("FILES")
    yield from (roff.item(f"`{path}`", meaning) for path, meaning in _FILES)
    yield roff.section("EXAMPLES")
    yield roff.paragraph("A file for the whole fleet:")
    yield roff.literal(EXAMPLE)
    yield roff.paragraph("After each change:")
    yield roff.literal("libhooks policy check\nvirsh dumpxml --migratable GUEST | libhooks check")
