"""``libhooks``: the commands, and what a person sees when one is used wrongly."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, NamedTuple, Sequence

from libhooks import __version__
from libhooks.cli import check, definitions, explain, hook, log, origin, policy, serve, suggest, waive
from libhooks.cli.options import Usage
from libhooks.door import internal

USAGE = 2


class Command(NamedTuple):
    """A command: its words, what it is for, its arguments and what it does."""

    name: str
    help: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS: tuple[Command, ...] = (
    Command("check", "what the hook would decide here for a domain XML", check.add_check, check.check),
    Command("rewrite", "the XML for this host, for virsh migrate --xml", check.add_rewrite, check.rewrite),
    Command("policy", "the policy files: check, show, explain and test them", policy.add, policy.policy),
    Command("suggest", "the policy that would have let in what was refused", suggest.add, suggest.suggest),
    Command("log", "the decisions that were made on this host", log.add, log.log),
    Command("explain", "a requirement: what, why, and how to fix it", explain.add, explain.explain),
    Command("waive", "an expiring exemption that travels with a guest", waive.add, waive.waive),
    Command("origin", "where guests come from, as the next host will hear", origin.add, origin.origin),
    Command(
        "definitions", "the saved definitions that were repaired", definitions.add, definitions.definitions
    ),
    Command("serve", "the service, as systemd starts it", serve.add, serve.serve),
)

_EPILOG = """\
libhooks hook NAME OPERATION SUB-OPERATION EXTRA is what libvirt runs.

start here:
  virsh dumpxml --migratable GUEST | libhooks check     what would happen on this host
  libhooks policy check                                 is the policy right?
  libhooks policy show                                  what is in force, and why?
  libhooks log                                          what happened

exit codes: 0 accepted or fine, 1 refused, 2 usage or invalid policy, 3 internal
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["hook"]:
            return hook.hook(words[1:])
        return _run(words)
    except Usage as error:
        print(f"libhooks: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        # Whoever read our output has seen enough (| head); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 128 + 2
    except Exception as error:  # noqa: BLE001 - people get a sentence and a place to report, no traceback
        failure = internal(error)
        what = _lacking(error) or f"{failure.what}: {failure.detail}; please report it"
        print(f"libhooks: {what}", file=sys.stderr)
        return failure.code


def _lacking(error: Exception) -> str:
    """What is to be done where Python lacks a module of the distribution's; "" for any other error."""
    module = error.name if isinstance(error, ModuleNotFoundError) else None
    if not module or module.startswith("libhooks"):
        return ""
    return f"Python's module {module} is missing; install python3-{module}, or run install.sh again"


def _run(words: list[str]) -> int:
    commands = parser()
    arguments = commands.parse_args(words)
    if arguments.run is None:
        commands.print_help()
        return USAGE
    code: int = arguments.run(arguments)
    return code


def parser() -> argparse.ArgumentParser:
    """The command line: what help, man page and completions are made of."""
    parser = argparse.ArgumentParser(
        prog="libhooks",
        description="Makes virsh migrate work between hosts that are not identical.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"libhooks {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        below = commands.add_parser(command.name, help=command.help, description=command.run.__doc__)
        command.add(below)
        below.set_defaults(run=command.run)
    return parser
