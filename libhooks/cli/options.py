"""The options that every trial takes, and what they come to."""

from __future__ import annotations

import argparse
import os
import sys

from libhooks.door import INTERNAL, POLICY_DIRECTORY, Settings
from libhooks.protocol import MAX_BYTES

SYSTEM = "qemu:///system"


class Usage(Exception):
    """A command line or an input that makes no sense; the text says what is wrong and what to do."""

    code = 2


class Unavailable(Usage):
    """What a command works with does not answer, or will not: no mistake of the person's."""

    code = INTERNAL


def add_trial(parser: argparse.ArgumentParser) -> None:
    """``--policy``, ``--host`` and ``--root``: try anything without installing it."""
    parser.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY,
                        help=f"policy directory or file (default: {POLICY_DIRECTORY})")  # fmt: skip
    parser.add_argument("--host", metavar="NAME", default="", help="decide as the host of this name")
    parser.add_argument(
        "--root", metavar="DIR", default="/", help="read the host's facts from a captured tree"
    )


def add_document(parser: argparse.ArgumentParser) -> None:
    """The domain XML and the operation it arrives by."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="domain XML (default: stdin)")
    parser.add_argument(
        "--operation", choices=("migrate", "restore"), default="migrate", help="default: migrate"
    )


def add_colour(parser: argparse.ArgumentParser) -> None:
    """``--color``, named as everywhere."""
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """``--connect``, named as virsh's."""
    parser.add_argument(
        "-c", "--connect", metavar="URI", default=SYSTEM, help=f"libvirt's (default: {SYSTEM})"
    )


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings that the trial options describe. Raises Usage as ``existing`` does."""
    return existing(Settings(arguments.policy, arguments.host, arguments.root, stamp=False))


def existing(chosen: Settings) -> Settings:
    """The settings, if what they name is there.

    Raises Usage for a policy that is named and is not there: a host without one audits, a slip of the
    pen should not. The same for a root.
    """
    if chosen.policy != POLICY_DIRECTORY and not os.path.exists(chosen.policy):
        raise Usage(
            f"{chosen.policy}: there is no such policy; name a directory of *.toml files, or one file"
        )
    if not os.path.isdir(chosen.root):
        raise Usage(f"{chosen.root}: there is no such directory; name one that holds a host's files")
    return chosen


def document(file: str) -> bytes:
    """The bytes of a file, or of stdin for ``-``, up to one more than any domain may have.

    Raises Usage if it cannot be read.
    """
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(file, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}; name a file with domain XML, or - for stdin") from error
