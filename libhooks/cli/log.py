"""``libhooks log``: the journal for people."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from typing import Any, Iterable

from libhooks.cli import kept, options, terminal
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.door import POLICY_DIRECTORY
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Journal

_PAINT = {"unchanged": "green", "rewritten": "green", "refused": "red"}
_WOULD = {"rewritten": "would rewrite", "refused": "would refuse"}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks log``."""
    parser.add_argument(
        "show", nargs="*", metavar="show ID", help="one record in full, by its id or the end of it"
    )
    parser.add_argument("--file", metavar="FILE", help="the journal (default: the one the policy names)")
    parser.add_argument("--domain", metavar="NAME", help="only decisions on this guest")
    parser.add_argument("--verdict", choices=("unchanged", "rewritten", "refused"), help="only this verdict")
    parser.add_argument("--code", metavar="CODE", help="only decisions with a finding of this code")
    parser.add_argument("-n", "--lines", type=int, default=0, metavar="N", help="only the last N")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as decisions are made")
    parser.add_argument("--json", action="store_true", help="the records, one a line")
    parser.add_argument("--as-test", nargs="?", const=kept.SHOWN, metavar="DIR",
                        help="the case that was kept of it (journal.cases), for policy test")  # fmt: skip
    parser.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY, help="whose journal, by default")
    parser.add_argument("--host", metavar="NAME", help="only decisions made as this host")
    parser.add_argument("--root", metavar="DIR", default="/", help="the journal of a captured tree")
    options.add_colour(parser)


def log(arguments: argparse.Namespace) -> int:
    """Print decisions, oldest first; or one of them in full."""
    screen, path = Screen(arguments.color), arguments.file or _journal(arguments)
    if arguments.show or arguments.as_test:
        return _show_one(screen, arguments, path)
    known: dict[str, Any] = {}
    found = [entry for entry in entries(lines(path), known) if _wanted(arguments, entry)]
    _print(screen, arguments, found[-arguments.lines :] if arguments.lines > 0 else found)
    if not found and not arguments.json and not arguments.follow:
        screen.line(f"no decisions in {path}; one is recorded at every migration to this host", "faint")
    if arguments.follow:
        _follow(screen, arguments, path, known)
    return 0


def _journal(arguments: argparse.Namespace) -> str:
    try:
        path = load(arguments.policy).journal.path
    except PolicyError:
        # The journal is where the reason of a refusal stands: a broken policy must not hide it.
        path = Journal().path
    return str(arguments.root).rstrip("/") + path


def lines(path: str) -> list[bytes]:
    """A journal's lines; none where there is no journal yet. Raises Usage where it can't be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}; the journal is readable by root alone") from error


def entries(written: Iterable[bytes], known: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The records of some lines, each with its outcome where a later line tells it.

    With those that are ``known`` already, the outcome of one of them tells it again. A line cut off by a
    crash or a full disk is none.
    """
    known = {} if known is None else known
    told: dict[int, dict[str, Any]] = {}
    for line in written:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "verdict" in entry:
            told[id(entry)] = known[str(entry.get("id"))] = entry
        elif isinstance(entry, dict) and "outcome" in entry and str(entry.get("id")) in known:
            record = known[str(entry.get("id"))]
            told[id(record)] = {**record, "outcome": entry["outcome"]}
    return list(told.values())


def _wanted(arguments: argparse.Namespace, entry: dict[str, Any]) -> bool:
    codes = [finding["code"] for finding in entry["findings"]]
    return (
        arguments.domain in (None, entry["domain"])
        and arguments.host in (None, entry["host"])
        and arguments.verdict in (None, entry["verdict"])
        and (arguments.code is None or arguments.code in codes)
    )


def _print(screen: Screen, arguments: argparse.Namespace, entries: Iterable[dict[str, Any]]) -> None:
    if arguments.json:
        from libhooks.cli import records  # structlog costs 80 ms

        for entry in entries:
            records.show(entry)
        return
    for entry in entries:
        _row(screen, entry)


def _row(screen: Screen, entry: dict[str, Any]) -> None:
    verdict = entry["verdict"]
    told = verdict if entry["enforced"] else _WOULD.get(verdict, verdict)
    paint = _PAINT.get(verdict, "") if entry["enforced"] else "yellow"
    when = entry["time"][5:19].replace("T", " ")
    head = f"{when}  {entry['id'][-6:]}  "
    screen.parts((head, "faint"), (f"{entry['operation']:<8}", ""), (f"{entry['domain']:<14} ", "bold"),
                 (f"{told:<14}", paint), (_summary(entry), ""), _outcome(entry))  # fmt: skip


def _summary(entry: dict[str, Any]) -> str:
    """What was wrong, else what was changed; an error of ours first, which may stand beside a decision."""
    error = [str(entry["error"]).partition(":")[0]] if entry["error"] else []
    codes = [one["code"] for one in entry["findings"] if one["level"] == "refuse"]
    places = [f"{change['kind']}.{change['place']}" for change in entry["changes"]]
    return ", ".join(dict.fromkeys((*error, *(codes or places))))


_ENDS = {"completed": "green", "failed": "red", "cancelled": "yellow"}


def _outcome(entry: dict[str, Any]) -> tuple[str, str]:
    result = str(entry["outcome"]["result"]) if "outcome" in entry else ""
    return f"  {result}".rstrip(), _ENDS.get(result, "")


_DEFINITION = {
    "repaired": "; its saved definition was repaired (libhooks definitions)",
    "left": "; its saved definition could not be repaired: it will not start by it",
}


def _ended(entry: dict[str, Any]) -> str:
    """What became of the guest's migration, in a sentence."""
    outcome = entry["outcome"]
    seen = " (seen later)" if outcome.get("late") else ""
    return f"{outcome['result']} at {outcome['time']}{seen}{_DEFINITION.get(outcome.get('definition'), '')}"


def _show_one(screen: Screen, arguments: argparse.Namespace, path: str) -> int:
    if len(arguments.show) != 2 or arguments.show[0] != "show":
        raise Usage("libhooks log show ID: the id of one record, or the end of it")
    wanted = arguments.show[1].upper()
    found = [entry for entry in entries(lines(path)) if entry["id"].endswith(wanted)]
    if not found:
        raise Usage(f"no record {arguments.show[1]} in {path}; libhooks log lists them")
    if arguments.as_test:
        return kept.as_test(found, path, arguments.as_test)
    if arguments.json:
        _print(screen, arguments, found)
    else:
        for entry in found:
            _full(screen, entry)
    return 0


def _full(screen: Screen, entry: dict[str, Any]) -> None:
    verdict = entry["verdict"]
    screen.parts((f"{entry['domain']} on {entry['host']}: ", "bold"), (verdict, _PAINT.get(verdict, "")),
                 ("" if entry["enforced"] else "  (audit: not enforced)", "yellow"))  # fmt: skip
    screen.line(f"  {entry['operation']} at {entry['time']}, {entry['duration_ms']} ms, record {entry['id']}")
    screen.line(
        f"  policy {entry['policy']['digest'] or 'none'}  {' '.join(entry['policy']['files'])}", "faint"
    )
    if "outcome" in entry:
        screen.line(f"  {_ended(entry)}", _outcome(entry)[1])
    for line in textwrap.wrap(f"error: {entry['error']}", screen.width - 2) if entry["error"] else ():
        screen.line(f"  {line}", "red")
    for change in entry["changes"]:
        screen.parts((f"  {change['kind']}.{change['place']}", "cyan"), (f"  {change['where']}", ""),
                     (f"  {change['rule']}", "faint"))  # fmt: skip
        for sign, key, paint in (("-", "old", "red"), ("+", "new", "green")):
            if change[key]:
                screen.line(f"    {sign} {change[key]}", paint)
    for finding in entry["findings"]:
        told, paint = terminal.level(finding["level"], "mode" in finding)
        screen.parts((f"  {told:<6} ", paint), (finding["code"], "bold"), (f"  {finding['where']}", ""))
        for key in ("wanted", "found", "hint"):
            if finding[key]:
                screen.line(f"    {key + ':':<8}{finding[key]}")


def _follow(
    screen: Screen, arguments: argparse.Namespace, path: str, known: dict[str, dict[str, Any]]
) -> None:
    """Print what is appended, until interrupted; a rotated journal is taken up from its beginning."""
    position, inode = _end(path)
    while True:
        time.sleep(0.3)
        now, current = _end(path)
        if current != inode or now < position:
            position, inode = 0, current
        if now > position:
            with open(path, "rb") as stream:
                stream.seek(position)
                fresh = stream.read()
            whole = fresh.rpartition(b"\n")[0] + b"\n" if b"\n" in fresh else b""
            position += len(whole)
            fresh_ones = entries(whole.splitlines(), known)
            _print(screen, arguments, (one for one in fresh_ones if _wanted(arguments, one)))
            sys.stdout.flush()


def _end(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return status.st_size, status.st_ino
