"""``libhooks explain CODE``: a requirement in full, or what a diagnostic of the policy means."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from typing import Union

from libhooks import requirements
from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.mistakes import MISTAKES
from libhooks.policy.model import Policy, Setting
from libhooks.requirements.model import Requirement
from libhooks.requirements.service_host import HostRequirement

AnyRequirement = Union[Requirement, HostRequirement]


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks explain``."""
    parser.add_argument(
        "code",
        nargs="?",
        metavar="CODE",
        help="a requirement's code, or a diagnostic's (default: list the requirements)",
    )
    options.add_trial(parser)
    options.add_colour(parser)


def explain(arguments: argparse.Namespace) -> int:
    """Print what a requirement demands and why, how to fix it or switch it off; or a diagnostic's meaning."""
    screen, policy = Screen(arguments.color), _policy(arguments)
    if arguments.code is None:
        for requirement in requirements.everything():
            level = policy.setting(requirement.code, requirement.default).level.value
            screen.parts((f"{requirement.code:<18}", "bold"), (f" {level:<7}", ""),
                         (f" {requirement.title}", ""))  # fmt: skip
        return 0
    if arguments.code in MISTAKES:
        _explain_mistake(screen, arguments.code)
        return 0
    requirement = _requirement(arguments.code)
    _explain(screen, requirement, policy.setting(requirement.code, requirement.default))
    return 0


def _policy(arguments: argparse.Namespace) -> Policy:
    """The policy whose levels are told; where it is invalid, the defaults: this command helps to mend it."""
    try:
        return load(options.settings(arguments).policy)
    except PolicyError:
        return Policy()


def _requirement(code: str) -> AnyRequirement:
    for requirement in requirements.everything():
        if requirement.code == code:
            return requirement
    from libhooks.policy.diagnostic import closest

    help = closest(code, [*MISTAKES, *(requirement.code for requirement in requirements.everything())])
    raise Usage(f"no requirement has the code {code}; {help or 'libhooks explain lists them'}")


def _explain_mistake(screen: Screen, code: str) -> None:
    screen.parts((code, "bold"), ("  a diagnostic of libhooks policy check", ""))
    screen.line()
    for line in textwrap.wrap(MISTAKES[code], screen.width):
        screen.line(line)


def _explain(screen: Screen, requirement: AnyRequirement, setting: Setting) -> None:
    screen.parts((requirement.code, "bold"), (f"  {requirement.title}", ""))
    screen.line()
    for paragraph in inspect.cleandoc(requirement.judge.__doc__ or "").split("\n\n"):
        for line in textwrap.wrap(paragraph, screen.width):
            screen.line(line)
        screen.line()
    for line in textwrap.wrap(requirement.source, screen.width, initial_indent="demanded by:  ",
                              subsequent_indent=" " * 14):  # fmt: skip
        screen.line(line)
    screen.line(f"judged at:    {_when(requirement)}")
    screen.line(f"level:        {setting.level.value} ({setting.rule})")
    screen.line(f'change it:    "{requirement.code}" = "refuse", "warn" or "off" in [require],')
    screen.line(f'              or require."{requirement.code}" = ... in a [guest.NAME] table')


def _when(requirement: AnyRequirement) -> str:
    if not requirement.operations:
        return "not by the hook: it is about the host, not about a guest"
    when = ", ".join(operation.value for operation in requirement.operations)
    return f"{when}, where the guest says where it comes from" if requirement.needs_origin else when
