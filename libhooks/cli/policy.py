"""``libhooks policy check``: every mistake of a policy at once, and where it is."""

from __future__ import annotations

import argparse

from libhooks.cli.terminal import Screen
from libhooks.door import POLICY_DIRECTORY
from libhooks.policy.load import diagnose


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks policy``."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    below = actions.add_parser("check", help="errors and warnings, each with file and line")
    below.add_argument("paths", nargs="*", default=[POLICY_DIRECTORY], metavar="FILE|DIR")


def policy(arguments: argparse.Namespace) -> int:
    """Check policy files."""
    screen = Screen("never")
    code = 0
    for path in arguments.paths:
        found, diagnostics = diagnose(path)
        for one in diagnostics:
            screen.line(str(one))
        code = 2 if found is None else code
    return code
