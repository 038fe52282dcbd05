"""``libhooks policy check``: every mistake of a policy at once, and where it is."""

from __future__ import annotations

import argparse

from libhooks import requirements
from libhooks.cli import options
from libhooks.cli.terminal import Screen
from libhooks.door import ACCEPTED, INVALID, POLICY_DIRECTORY
from libhooks.facts.host import open_facts
from libhooks.policy.diagnostic import Diagnostic, Severity
from libhooks.policy.lint import Fleet, lint
from libhooks.policy.load import diagnose
from libhooks.policy.model import Policy
from libhooks.policy.render import counted, render

_PAINT = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks policy``."""
    parser.set_defaults(paths=[], policy=POLICY_DIRECTORY, host="", root="/", color="auto")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    below = actions.add_parser("check", help="errors and warnings, each with file, line and help")
    below.add_argument("paths", nargs="*", metavar="FILE|DIR", help=f"default: {POLICY_DIRECTORY}")
    options.add_trial(below)
    options.add_colour(below)


def policy(arguments: argparse.Namespace) -> int:
    """Check policy files."""
    screen = Screen(arguments.color)
    judged = {requirement.code for requirement in requirements.ALL}
    fleet = Fleet((_names(arguments),), judged)
    codes = [_check(screen, path, fleet) for path in arguments.paths or [arguments.policy]]
    return max(codes)


def _names(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.host:
        return (arguments.host,)
    with open_facts(arguments.root) as facts:
        return facts.host()


def _check(screen: Screen, path: str, fleet: Fleet) -> int:
    found, diagnostics = diagnose(path)
    if found is not None:
        diagnostics = (*diagnostics, *lint(found, fleet))
    for diagnostic in diagnostics:
        _show(screen, diagnostic)
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    _conclude(screen, path, found, errors, counted(diagnostics) if diagnostics else "")
    return INVALID if errors else ACCEPTED


def _show(screen: Screen, diagnostic: Diagnostic) -> None:
    head, *rest = render((diagnostic,)).splitlines()
    screen.line(head, _PAINT[diagnostic.severity])
    for line in rest:
        screen.line(line)
    screen.line()


def _conclude(screen: Screen, path: str, found: Policy | None, errors: int, told: str) -> None:
    if errors:
        screen.line(f"{path}: {told}: guests that migrate to this host are refused", "red")
    elif found is not None and not found.present:
        screen.line(f"{path}: no policy: libhooks records, and changes and refuses nothing", "yellow")
    elif found is not None:
        what = f"{len(found.places)} place{'' if len(found.places) == 1 else 's'}, mode {found.mode.value}"
        screen.line(f"{path}: valid ({what})" + (f", {told}" if told else ""), "green")
