"""``libhooks waive``: an exemption that travels with a guest, and expires."""

from __future__ import annotations

import argparse
import re
import time

from libhooks import journal, process, requirements, waiver
from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.domain import Domain, parse
from libhooks.policy.diagnostic import closest
from libhooks.waiver import COPY_STORAGE, Waiver

KEY = "libhooks"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: A week: an exemption is for one migration, not for a guest's life (that is the policy's, ``[guest.*]``).
_LONGEST = 7 * 86400


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks waive``."""
    parser.add_argument("domain", metavar="DOMAIN", help="a guest that runs here")
    parser.add_argument("code", nargs="?", metavar="CODE",
                        help="a requirement's code, or copy-storage (--copy-storage-all)")  # fmt: skip
    parser.add_argument("--disk", metavar="TARGET", default="", help="only for this disk (vdb)")
    parser.add_argument("--for", metavar="TIME", dest="time", default="1h", help="30m, 2h, 1d (default: 1h)")
    parser.add_argument("--list", action="store_true", help="show the guest's waivers")
    parser.add_argument("--clear", action="store_true", help="take them all away")
    options.add_connection(parser)
    options.add_colour(parser)


def waive(arguments: argparse.Namespace) -> int:
    """Give a guest that runs here leave to migrate although a requirement is unmet, for a while."""
    if arguments.list + arguments.clear + (arguments.code is not None) != 1:
        raise Usage("libhooks waive DOMAIN and one of: copy-storage or a code, --list, --clear")
    from libhooks.cli import hosts  # libvirt takes 30 ms

    screen = Screen(arguments.color)
    with hosts.guest(arguments.connect, arguments.domain) as guest:
        if not guest.runs:
            raise Usage(f"guest '{arguments.domain}' is off: a waiver is for a migration of a running guest")
        domain = parse(guest.running())
        now = _time(time.time())
        before = waiver.valid(waiver.read(domain), now)
        if arguments.clear:
            guest.drop(waiver.NAMESPACE, saved=False)
            screen.line(f"{arguments.domain}: no waivers")
            return 0
        given = () if arguments.list else (_wanted(arguments, domain),)
        kept = tuple(one for one in before if one[:2] not in [new[:2] for new in given]) + given
        if given:
            guest.carry(waiver.written(kept), KEY, waiver.NAMESPACE, saved=False)
            _tell(domain, given[0])
    _show(screen, arguments.domain, kept)
    return 0


def _wanted(arguments: argparse.Namespace, domain: Domain) -> Waiver:
    _check_code(arguments.code)
    disks = [str(one.get("dev")) for one in domain.root.iterfind("devices/disk/target")]
    if arguments.disk and arguments.disk not in disks:
        raise Usage(f"{domain.name} has no disk {arguments.disk}; it has {', '.join(disks) or 'none'}")
    return Waiver(arguments.code, arguments.disk, _time(time.time() + _seconds(arguments.time)))


def _check_code(code: str) -> None:
    known = [COPY_STORAGE, *(one.code for one in requirements.ALL)]
    if code not in known:
        help = closest(code, known) or "libhooks explain lists the codes"
        raise Usage(f"no requirement of guests has the code {code}; {help}")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise Usage(f"--for {text}: a time such as 30m, 2h or 1d, at most 7d")
    return seconds


def _time(now: float) -> str:
    return journal.rfc3339(now)[:19] + "Z"


def _tell(domain: Domain, given: Waiver) -> None:
    """Here, to the system log; in the journal it stands with the decision that it was good for."""
    told: journal.Record = {"time": journal.rfc3339(time.time()), "domain": domain.name, "uuid": domain.uuid}
    process.tell_system_log(journal.encode({**told, "waived": dict(given._asdict())}))


def _show(screen: Screen, name: str, waivers: tuple[Waiver, ...]) -> None:
    if not waivers:
        screen.line(f"{name}: no waivers")
    for one in waivers:
        disk = f"disk {one.disk}" if one.disk else "all that it names"
        screen.parts((f"{name}: ", "bold"), (one.code, "cyan"), (f"  {disk}, until {one.until}", ""))
