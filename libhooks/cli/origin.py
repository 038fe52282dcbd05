"""``libhooks origin``: what a guest tells of the host that it runs on, and of what is behind its names."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Iterator

from libhooks import stamp
from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.domain import parse
from libhooks.origin import Entry, Origin

if TYPE_CHECKING:
    from libhooks.libvirtd.guests import Guest


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks origin``."""
    parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="a guest (default: all that run here)")
    parser.add_argument("--clear", action="store_true", help="take the stamp away, live and saved")
    options.add_connection(parser)
    options.add_colour(parser)


def origin(arguments: argparse.Namespace) -> int:
    """Show the stamps of guests: what the next host will be told of where they come from."""
    if arguments.clear and not arguments.domain:
        raise Usage("libhooks origin --clear takes a guest: libhooks origin DOMAIN --clear")
    from libhooks.cli import hosts  # libvirt takes 30 ms

    screen = Screen(arguments.color)
    with hosts.host(arguments.connect) as host:
        if arguments.domain:
            found = [hosts.lookup(host, arguments.domain)]
        else:
            found = [one for one in host.everyone() if one.runs]
        for guest in found:
            if arguments.clear:
                _clear(guest)
            _show(screen, guest)
    if not found:
        screen.line("no guest runs here", "faint")
    return 0


def _clear(guest: Guest) -> None:
    if guest.runs:
        guest.drop(stamp.NAMESPACE, saved=False)
    if guest.is_saved:
        guest.drop(stamp.NAMESPACE, saved=True)


def _show(screen: Screen, guest: Guest) -> None:
    found = stamp.read(parse(guest.running() if guest.runs else guest.definition()))
    if found is None:
        screen.parts((f"{guest.name}: ", "bold"), ("no stamp", "faint"))
        return
    screen.parts(
        (f"{guest.name}: ", "bold"), (f"runs on {found.host}" if guest.runs else f"last on {found.host}", "")
    )
    for word, value in _host(found):
        if value:
            screen.line(f"  {word:<10} {value}")
    for entry in found.entries:
        screen.parts((f"  {entry.device:<18}", "cyan"), (f" {entry.name}", ""))
        for what in _behind(entry):
            screen.line(f"    {what}", "faint")


def _host(found: Origin) -> Iterator[tuple[str, str]]:
    yield "host UUID", found.host_uuid
    yield "system", " ".join(found.os).strip()
    yield "libvirt", _version(found.libvirt)
    yield "QEMU", _version(found.qemu)
    yield "policy", found.policy
    yield "addresses", ", ".join(found.addresses)


def _behind(entry: Entry) -> Iterator[str]:
    known = entry.identity
    if known.mount_source:
        yield f"{known.subpath} in {known.mount_source}, inode {known.inode}"
    if known.wwid:
        yield f"WWID {known.wwid}"
    if known.uuid:
        yield f"UUID {known.uuid}"
    if known.segment:
        yield f"segment {known.segment}"


def _version(number: int) -> str:
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}" if number else ""
