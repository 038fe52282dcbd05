"""``libhooks policy``, and its ``check``: every mistake of a policy at once, and where it is."""

from __future__ import annotations

import argparse

from libhooks import requirements
from libhooks.cli import options, policy_explain, policy_show, policy_test
from libhooks.cli.terminal import Screen
from libhooks.door import ACCEPTED, INVALID, POLICY_DIRECTORY
from libhooks.facts.host import open_facts
from libhooks.policy.diagnostic import Diagnostic, Severity
from libhooks.policy.history import overrides
from libhooks.policy.lint import Fleet, lint
from libhooks.policy.load import diagnose, with_lines
from libhooks.policy.model import Policy
from libhooks.policy.render import counted, render

_PAINT = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks policy``."""
    parser.set_defaults(paths=[], policy=POLICY_DIRECTORY, host="", root="/", color="auto")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    below = actions.add_parser("check", help="errors and warnings, each with file, line and help")
    below.add_argument("paths", nargs="*", metavar="FILE|DIR", help=f"default: {POLICY_DIRECTORY}")
    options.add_trial(below)
    options.add_colour(below)
    policy_show.add(actions)
    policy_explain.add(actions)
    policy_test.add(actions)


def policy(arguments: argparse.Namespace) -> int:
    """Check policy files."""
    screen, paths = Screen(arguments.color), arguments.paths or [arguments.policy]
    found, diagnostics = diagnose(*paths)
    if found is not None:
        judged = {requirement.code for requirement in requirements.everything()}
        diagnostics = with_lines(lint(found, Fleet((_names(arguments),), judged)), *paths)
        diagnostics += overrides(*paths)
    for diagnostic in diagnostics:
        _show(screen, diagnostic)
    errors = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    told = f", {counted(diagnostics)}" if diagnostics else ""
    _conclude(screen, f"{' '.join(paths)}: ", None if errors else found, told)
    return INVALID if errors else ACCEPTED


def _names(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.host:
        return (arguments.host,)
    with open_facts(arguments.root) as facts:
        return facts.host()


def _show(screen: Screen, diagnostic: Diagnostic) -> None:
    head, *rest = render((diagnostic,)).splitlines()
    screen.line(head, _PAINT[diagnostic.severity])
    for line in rest:
        screen.line(line)
    screen.line()


def _conclude(screen: Screen, where: str, found: Policy | None, told: str) -> None:
    if found is None:
        screen.line(f"{where}invalid{told}: guests that migrate to this host are refused", "red")
    elif not found.present:
        screen.line(f"{where}no policy: libhooks records, and changes and refuses nothing", "yellow")
    else:
        places = f"{len(found.places)} place{'' if len(found.places) == 1 else 's'}"
        screen.line(f"{where}valid ({places}, mode {found.mode.value}){told}", "green")
