"""``libhooks policy show``: the policy in force, and what a host calls the places of it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Mapping, NamedTuple, Sequence

from libhooks import requirements
from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.decision import Rule
from libhooks.door import ACCEPTED, INVALID, POLICY_DIRECTORY, Settings
from libhooks.policy import history, written
from libhooks.policy.diagnostic import closest, dotted, quoted
from libhooks.policy.history import Table
from libhooks.policy.load import diagnose, documents
from libhooks.policy.model import Place, Policy, best_pattern
from libhooks.policy.render import counted, render

Json = Mapping[str, object]


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The arguments of ``libhooks policy show``."""
    parser = actions.add_parser(
        "show", help="the policy in force, with where each line comes from", description=show.__doc__
    )
    parser.add_argument("paths", nargs="*", metavar="FILE|DIR", help=f"default: {POLICY_DIRECTORY}")
    parser.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY, help=argparse.SUPPRESS)
    parser.add_argument("--host", metavar="NAME", default="", help="show what this host calls each place")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    options.add_colour(parser)
    parser.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> int:
    """Print the policy in force as TOML, all defaults included, or the places as one host sees them."""
    paths = arguments.paths or [arguments.policy]
    policy, screen = read(*paths), Screen(arguments.color)
    if arguments.host:
        names = _named(policy, arguments.host, " ".join(paths))
        if arguments.json:
            _print({"host": arguments.host, "places": [_place_json(one) for one in names]})
        else:
            _show_host(screen, arguments.host, names)
        return INVALID if any(one.tie for one in names) else ACCEPTED
    tables = history.effective(documents(*paths), _levels())
    if arguments.json:
        _print(_json(policy, tables))
    else:
        _show(screen, policy, tables, " ".join(paths))
    return ACCEPTED


def read(*paths: str) -> Policy:
    """The policy of files and directories. Raises Usage with all diagnostics if it is invalid or missing."""
    for path in paths:
        options.existing(Settings(path))
    policy, diagnostics = diagnose(*paths)
    if policy is None:
        raise Usage(f"the policy is invalid: {counted(diagnostics)}\n\n{render(diagnostics)}".rstrip())
    return policy


def _levels() -> list[tuple[str, str]]:
    return [(one.code, one.default.value) for one in requirements.everything()]


def _show(screen: Screen, policy: Policy, tables: Sequence[Table], where: str) -> None:
    if not policy.present:
        screen.whole((f"# There is no policy in {where}: libhooks audits, with these defaults.", "yellow"))
    told = written.lines(tables)
    at = written.column(told)
    for line in told:
        text, comment = written.commented(line, at)
        default = line.origin == "default"
        paint = "faint" if default else "bold" if text.startswith("[") else ""
        screen.whole((text, paint), (comment, "yellow" if ", over " in comment else "faint"))


def _json(policy: Policy, tables: Sequence[Table]) -> Json:
    return {
        "present": policy.present,
        "files": list(policy.files),
        "digest": policy.digest,
        "settings": [
            {
                "path": list(one.path),
                "key": dotted(one.path),
                "value": one.value,
                "rule": str(one.rule),
                "over": [str(rule) for rule in one.over],
            }
            for table in tables
            for one in table.settings
        ],
    }


class _Named(NamedTuple):
    """What a host calls a place. ``pattern`` is None where it has no name for it; ``tie`` says of what."""

    place: Place
    pattern: str | None
    tie: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return () if self.pattern is None else tuple(map(str, self.place.at[self.pattern]))

    @property
    def rule(self) -> Rule:
        return self.place.rules.get(self.pattern or "", self.place.rule)


def _named(policy: Policy, host: str, where: str) -> list[_Named]:
    """All places as a host sees them. Raises Usage where none of them names it."""
    found = [_as_seen(place, host) for place in policy.places]
    if not found:
        raise Usage(f"{where}: the policy has no places, so nothing in it depends on the host")
    if not any(one.pattern or one.tie for one in found):
        known = list(dict.fromkeys(pattern for place in policy.places for pattern in place.at))
        named = f"the places name {', '.join(known)}" if known else "they name no host at all"
        raise Usage(f"{where}: no place names host {quoted(host)}; {closest(host, known) or named}")
    return found


def _as_seen(place: Place, host: str) -> _Named:
    try:
        return _Named(place, best_pattern(place.at, (host,)))
    except ValueError as error:
        return _Named(place, None, str(error))


def _show_host(screen: Screen, host: str, found: Sequence[_Named]) -> None:
    has = [one for one in found if one.pattern is not None]
    lacks = [one for one in found if one.pattern is None and not one.tie]
    screen.line(f"{host} calls {len(has)} of {len(found)} places by a name:", "bold")
    label = max(len(one.place.label) for one in found)
    name = min(36, max((len(name) for one in has for name in one.names), default=0))
    pattern = max((len(_key(one.pattern)) for one in has), default=0)
    for one in has:
        _show_names(screen, one, (label, name, pattern))
    if lacks:
        screen.line()
        screen.line(f"{host} has no name for these; KIND.mapped decides on guests that need one:", "yellow")
    for one in lacks:
        screen.parts((f"  {one.place.label:<{label}}", "cyan"), (f"  {_elsewhere(one.place)}", ""),
                     (f"  {one.rule}", "faint"))  # fmt: skip
    for one in found:
        if one.tie:
            screen.line()
            screen.line(f"  {one.place.label}: {one.tie} ({one.rule})", "red")


def _show_names(screen: Screen, one: _Named, columns: tuple[int, int, int]) -> None:
    """The first name is the one that is written; a host may see the place under others as well."""
    name, *others = one.names
    label, head = f"  {one.place.label:<{columns[0]}}", f"  {name:<{columns[1]}}"
    at, rule = f"  {_key(one.pattern):<{columns[2]}}", f"  {one.rule}"
    if len(label + head + at + rule) <= screen.width:
        screen.parts((label, "cyan"), (head, "green"), (at, ""), (rule, "faint"))
    else:
        screen.parts((label, "cyan"), (head.rstrip(), "green"))
        screen.parts((" " * len(label), ""), (at, ""), (rule, "faint"))
    for other in others:
        screen.parts((" " * len(label), ""), (f"  {other}", ""), ("  seen here too", "faint"))


def _elsewhere(place: Place) -> str:
    hosts = list(place.at)
    more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
    return f"named on {', '.join(hosts[:3])}{more}" if hosts else "named on no host"


def _key(pattern: str | None) -> str:
    return dotted(("at", pattern or ""))


def _place_json(one: _Named) -> Json:
    return {
        "place": one.place.label,
        "names": list(one.names),
        "pattern": one.pattern,
        "rule": str(one.rule),
        "named_on": list(one.place.at),
        "error": one.tie or None,
    }


def _print(told: Json) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
