"""``libhooks suggest``: from the journal, the policy that would have let in what was refused."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time

from libhooks.cli import log, options
from libhooks.cli.options import Usage
from libhooks.door import ACCEPTED, POLICY_DIRECTORY, Settings
from libhooks.facts.host import open_facts
from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, entries
from libhooks.journal import rfc3339
from libhooks.names import path
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Policy
from libhooks.suggestions.places import Mounted, missing
from libhooks.suggestions.records import refusals, wants
from libhooks.suggestions.text import text

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks suggest``."""
    parser.add_argument("--journal", metavar="FILE", help="the journal (default: the one the policy names)")
    parser.add_argument("--since", metavar="WHEN", help="only refusals since: 2026-01-31, or 12h, 7d, 2w ago")
    parser.add_argument("--domain", metavar="NAME", help="only refusals of this guest")
    parser.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY,
                        help=f"what is there already (default: {POLICY_DIRECTORY})")  # fmt: skip
    parser.add_argument("--root", metavar="DIR", default="/", help="the journal of a captured tree")


def suggest(arguments: argparse.Namespace) -> int:
    """Write the policy that would have let in the guests that were refused, from the journal."""
    policy = _policy(arguments.policy)
    journal, since = _journal(arguments, policy), _since(arguments.since)
    found = tuple(
        one
        for one in refusals(log.entries(log.lines(journal)))
        if one.time >= since and arguments.domain in (None, one.guest)
    )
    wanted = wants(found, policy)
    if not found:
        print(f"# nobody was refused, says {journal}: there is nothing to suggest")
    elif not (wanted.places or wanted.others):
        print(f"# the policy has places by now for all that was refused, says {journal}")
    else:
        mounted = _mounted(arguments.root) if wanted.places else {}
        sys.stdout.write(text(missing(wanted.places, policy, mounted), wanted.others, journal))
    return ACCEPTED


def _policy(path: str) -> Policy:
    options.existing(Settings(path))
    try:
        return load(path)
    except PolicyError as error:
        raise Usage(f"the policy is invalid: {error}; libhooks policy check shows all of it") from error


def _journal(arguments: argparse.Namespace, policy: Policy) -> str:
    if arguments.journal and not os.path.exists(arguments.journal):
        raise Usage(f"{arguments.journal}: there is no such file; name a journal")
    return arguments.journal or str(arguments.root).rstrip("/") + policy.journal.path


def _mounted(root: str) -> Mounted:
    """What is mounted on this host, and where; what is mounted twice is not told."""
    with open_facts(root) as facts:
        hosts = facts.host()
    try:
        with open(root.rstrip("/") + TABLE, encoding="utf-8", errors="replace") as stream:
            found = entries(stream.read(TABLE_LIMIT))
    except OSError as error:
        raise Usage(f"{root.rstrip('/')}{TABLE}: {error.strerror}") from error
    points: dict[str, list[str]] = {}
    for one in found:
        points.setdefault(one.source, []).append(one.point)
    single = {source: path(at[0]) for source, at in points.items() if len(at) == 1 and at[0] != "/"}
    return dict.fromkeys(hosts, single)


def _since(when: str | None) -> str:
    """The time from which records count, as records have it."""
    if when is None:
        return ""
    ago = re.fullmatch(r"(\d{1,6})([mhdw])", when)
    if ago is not None:
        return rfc3339(max(0, time.time() - int(ago.group(1)) * _UNITS[ago.group(2)]))
    if re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]+Z?)?", when) is None:
        raise Usage(f"--since {when}: expected a date like 2026-01-31, or 12h, 7d or 2w")
    return when
