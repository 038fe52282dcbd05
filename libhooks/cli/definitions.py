"""``libhooks definitions``: the saved definitions that were repaired, and what they were before."""

from __future__ import annotations

import argparse
import difflib

from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.domain import parse
from libhooks.originals import DIRECTORY, Original, Originals
from libhooks.secrecy import masked


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks definitions``."""
    parts = parser.add_subparsers(title="parts", metavar="PART", required=True)
    for name, help, run in (
        ("list", "those that were repaired on this host", _list),
        ("diff", "what is other now than before the last repair", _diff),
        ("restore", "save a guest's definition again as it was before", _restore),
    ):
        part = parts.add_parser(name, help=help, description=run.__doc__)
        if run is not _list:
            part.add_argument("domain", metavar="DOMAIN", help="a guest, or the end of a record's id")
        part.add_argument("--directory", metavar="DIR", default=DIRECTORY, help=f"default: {DIRECTORY}")
        options.add_connection(part)
        options.add_colour(part)
        part.set_defaults(definitions=run)


def definitions(arguments: argparse.Namespace) -> int:
    """The saved definitions that were repaired after migrations with --persistent, and their originals."""
    code: int = arguments.definitions(arguments)
    return code


def _list(arguments: argparse.Namespace) -> int:
    """List repairs, oldest first: when, by which record, and of which guest."""
    screen, found = Screen(arguments.color), _originals(arguments)
    for one in found:
        when = one.time[:19].replace("T", " ")
        screen.parts((f"{when}  {one.id[-6:]}  ", "faint"), (f"{one.name:<20} ", "bold"), (one.uuid, ""))
    if not found:
        screen.line("no definition was repaired on this host", "faint")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    """Show what is saved of a guest now beside what was saved before its last repair, passwords hidden."""
    from libhooks.cli import hosts  # libvirt takes 30 ms

    screen, kept = Screen(arguments.color), _original(arguments)
    with hosts.guest(arguments.connect, kept.uuid) as guest:
        now = guest.definition()
    before, after = (masked(parse(one)).serialise().decode().splitlines() for one in (kept.document, now))
    for line in difflib.unified_diff(before, after, f"before {kept.id}", "saved now", n=1, lineterm=""):
        screen.line(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    """Save a guest's definition again as it was before its last repair. It is not repaired again."""
    from libhooks.cli import hosts  # libvirt takes 30 ms

    kept = _original(arguments)
    with hosts.host(arguments.connect) as host:
        if not hosts.lookup(host, kept.uuid).is_saved:
            raise Usage(f"{kept.name} has no saved definition here any more; {DIRECTORY} has the one it had")
        host.define(kept.document)
    Screen(arguments.color).line(f"{kept.name}: saved as it was before the repair by record {kept.id}")
    return 0


def _original(arguments: argparse.Namespace) -> Original:
    found = [one for one in _originals(arguments) if _is_meant(one, arguments.domain)]
    if not found:
        raise Usage(
            f"no definition of '{arguments.domain}' was repaired here; libhooks definitions list shows them"
        )
    return found[-1]


def _is_meant(one: Original, wanted: str) -> bool:
    return wanted in (one.name, one.uuid) or (len(wanted) >= 6 and one.id.endswith(wanted.upper()))


def _originals(arguments: argparse.Namespace) -> list[Original]:
    try:
        return list(Originals(arguments.directory).all())
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}; what is kept is readable by root alone") from error
