"""``libhooks serve``: the service, as systemd starts it."""

from __future__ import annotations

import argparse

from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.door import POLICY_DIRECTORY


def add(parser: argparse.ArgumentParser) -> None:
    """The parts of the service."""
    parts = parser.add_subparsers(title="parts", metavar="PART", required=True)
    answer = parts.add_parser("answer", help="decides for the hook", description=_answer.__doc__)
    answer.add_argument("--socket", metavar="PATH", default="",
                        help="listen there, instead of where systemd does")  # fmt: skip
    answer.add_argument("--trial", action="store_true", help="let requests name policy, host and root")
    answer.set_defaults(serve=_answer)
    companion = parts.add_parser("companion", help="accompanies guests", description=_companion.__doc__)
    options.add_connection(companion)
    companion.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY,
                           help=f"policy directory or file (default: {POLICY_DIRECTORY})")  # fmt: skip
    companion.set_defaults(serve=_companion)


def serve(arguments: argparse.Namespace) -> int:
    """The service: systemd starts it (libhooks-answer.service, libhooks-companion.service)."""
    code: int = arguments.serve(arguments)
    return code


def _answer(arguments: argparse.Namespace) -> int:
    """Decide for the hook, which asks at a socket of root's; runs until it is ended."""
    from libhooks.service import answerer  # no other command needs it

    try:
        answerer.serve(arguments.socket, arguments.trial)
    except answerer.NoSocket as error:
        raise Usage(str(error)) from error
    return 0


def _companion(arguments: argparse.Namespace) -> int:
    """Watch libvirtd: repair what it saves of guests that arrive, record outcomes, and stamp what runs."""
    from libhooks.originals import DIRECTORY
    from libhooks.service import companion  # no other command needs it, nor libvirt

    companion.serve(arguments.connect, arguments.policy, DIRECTORY)
    return 0
