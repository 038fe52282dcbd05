"""`python3 -m lab up`: the lab for people, until Ctrl-C."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

from .errors import LabError
from .guest import Guest
from .lab import Lab
from .requirements import PACKAGES, missing, missing_extras

CACHE = Path(__file__).resolve().parents[1] / ".cache"


def main() -> int:
    """Run the command line; the exit code says whether the lab came up, or could."""
    arguments = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return _check() if arguments.command == "check" else _up(arguments.cache, arguments.guest)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m lab", description="Two libvirt hosts and a filer on one machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="say what this machine lacks")
    up = commands.add_parser("up", help="bring the lab up and keep it until Ctrl-C")
    up.add_argument(
        "--cache", type=Path, default=CACHE, help="where the guests' kernel is kept (default: %(default)s)"
    )
    up.add_argument(
        "--guest", action="append", default=[], metavar="NAME", help="start it on hosta; may be repeated"
    )
    return parser


def _check() -> int:
    lacking = missing() + missing_extras()
    for what in lacking:
        print(what)
    if lacking:
        print("Debian packages: " + " ".join(PACKAGES))
    return 1 if lacking else 0


def _up(cache: Path, names: list[str]) -> int:
    with Lab(cache) as lab:
        for number, name in enumerate(names):
            lab.start(Guest(name, number), lab.hosta)
        _explain(lab)
        signal.pause()
    return 0


def _explain(lab: Lab) -> None:
    print("The lab is up. A shell in its machines, from another terminal:")
    for machine in (*lab.hosts, lab.filer):
        print(f"  {machine.name:6} {shlex.join(machine.door())} bash -l")
    print(f"To migrate, on hosta: virsh migrate --live NAME {lab.hostb.uri}")
    print("Ctrl-C ends it and all that runs in it.", flush=True)


def _end(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
