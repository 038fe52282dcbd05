"""``libhooks policy``, and its ``check``: every mistake of a policy at once, and where it is."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Callable, Mapping

from libhooks import requirements
from libhooks.cli import options, policy_explain, policy_show, policy_test
from libhooks.cli.known_guests import known_guests
from libhooks.cli.terminal import Screen
from libhooks.door import ACCEPTED, INVALID, POLICY_DIRECTORY, Settings, last_good
from libhooks.facts.host import open_facts
from libhooks.journal import rfc3339
from libhooks.policy.diagnostic import Diagnostic, Severity, errors
from libhooks.policy.history import overrides
from libhooks.policy.lint import Fleet, lint
from libhooks.policy.load import diagnose, with_lines
from libhooks.policy.model import Policy
from libhooks.policy.render import concise, counted, render

_PAINT = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks policy``."""
    parser.set_defaults(paths=[], policy=POLICY_DIRECTORY, host="", root="/", color="auto")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    below = actions.add_parser("check", help="errors and warnings, each with file, line and help")
    below.add_argument("paths", nargs="*", metavar="FILE|DIR", help=f"default: {POLICY_DIRECTORY}")
    below.add_argument("--format", choices=tuple(_FORMATS), default="full", help="default: full")
    options.add_trial(below)
    options.add_colour(below)
    policy_show.add(actions)
    policy_explain.add(actions)
    policy_test.add(actions)


def policy(arguments: argparse.Namespace) -> int:
    """Check policy files."""
    paths = arguments.paths or [arguments.policy]
    found, diagnostics = diagnose(*paths)
    if found is not None:
        diagnostics = with_lines(lint(found, _fleet(arguments, found)), *paths) + overrides(*paths)
    wrong = bool(errors(diagnostics))
    _FORMATS[arguments.format](_Checked(arguments, paths, None if wrong else found, diagnostics))
    return INVALID if wrong else ACCEPTED


def _fleet(arguments: argparse.Namespace, found: Policy) -> Fleet:
    judged = {requirement.code for requirement in requirements.everything()}
    return Fleet((_names(arguments),), judged, known_guests(arguments.root, found.journal.path))


def _names(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.host:
        return (arguments.host,)
    with open_facts(arguments.root) as facts:
        return facts.host()


@dataclass(frozen=True)
class _Checked:
    """What a check came to; ``policy`` is None where it is invalid."""

    arguments: argparse.Namespace
    paths: list[str]
    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]


def _full(checked: _Checked) -> None:
    screen = Screen(checked.arguments.color)
    for diagnostic in checked.diagnostics:
        head, *rest = render((diagnostic,)).splitlines()
        screen.line(head, _PAINT[diagnostic.severity])
        for line in rest:
            screen.line(line)
        screen.line()
    _conclude(screen, checked)


def _concise(checked: _Checked) -> None:
    screen = Screen(checked.arguments.color)
    for diagnostic in checked.diagnostics:
        screen.line(concise((diagnostic,)).rstrip("\n"), _PAINT[diagnostic.severity])
    _conclude(screen, checked)


def _json(checked: _Checked) -> None:
    found = [{**one._asdict(), "severity": one.severity.value} for one in checked.diagnostics]
    print(json.dumps({"valid": checked.policy is not None, "diagnostics": found}, indent=1))


_FORMATS: Mapping[str, Callable[[_Checked], None]] = {"full": _full, "concise": _concise, "json": _json}


def _meanwhile(checked: _Checked) -> str:
    """What becomes of guests while the policy is invalid."""
    last = (
        last_good(Settings(checked.paths[0], root=checked.arguments.root)) if not checked.paths[1:] else None
    )
    return f"judged by the last good policy, of {rfc3339(last.time)}" if last else "refused"


def _conclude(screen: Screen, checked: _Checked) -> None:
    found, where = checked.policy, f"{' '.join(checked.paths)}: "
    told = f", {counted(checked.diagnostics)}" if checked.diagnostics else ""
    if found is None:
        screen.line(
            f"{where}invalid{told}: guests that migrate to this host are {_meanwhile(checked)}", "red"
        )
    elif not found.present:
        screen.line(f"{where}no policy: libhooks records, and changes and refuses nothing", "yellow")
    else:
        places = f"{len(found.places)} place{'' if len(found.places) == 1 else 's'}"
        screen.line(f"{where}valid ({places}, mode {found.mode.value}){told}", "green")
