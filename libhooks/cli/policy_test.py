"""``libhooks policy test``: cases of guests that a policy is to let in, rewrite or refuse."""

from __future__ import annotations

import argparse
import json
import os
import textwrap
from typing import Iterable, NamedTuple

from libhooks import journal
from libhooks.cases import coverage
from libhooks.cases.case import FILE, Case, read
from libhooks.cases.coverage import Coverage
from libhooks.cases.run import Difference, Outcome, run
from libhooks.cli import options
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.door import ACCEPTED, INVALID, POLICY_DIRECTORY, REFUSED, Settings
from libhooks.policy.diagnostic import Diagnostic, PolicyError, Severity
from libhooks.policy.load import load
from libhooks.policy.model import Policy
from libhooks.policy.render import render

_HELP = """\
A case is a file NAME.toml in DIR, or a directory in it with a case.toml:

  shows     = "a sentence"            what it stands for
  domain    = "web1.xml"              the guest: a file, or the XML itself
  host      = "hostb"                 where it arrives; as --host elsewhere
  operation = "restore"               "migrate" where not given
  guest     = "web2"                  its name after virsh migrate --dname
  time      = "2026-01-31T12:00:00Z"  when it arrives; where not given, none of
                                      the waivers that it carries has expired
  facts     = "hostb/"                a captured tree of the host, a file of
                                      facts, or a table of them:
  [facts.file]
  "/mnt/vmstore/web1.qcow2" = {kind = "file", real = "/mnt/vmstore/web1.qcow2"}
  "/mnt/vmstore/web2.qcow2" = {missing = true}
  "/mnt/dead/web3.qcow2"    = {unknown = "no answer in 2 s"}

  [expect]
  verdict  = "rewritten"              or "unchanged", "refused"
  changes  = ["storage.images"]       places; or tables: kind, place, where,
                                      old, new
  findings = ["storage.shared"]       codes; or tables: code, level, where,
                                      wanted, found
  xml      = "expect.xml"             what the guest becomes
  error    = "..."                    part of why nothing can be decided

What a case does not expect is not looked at; what it does not say of the host
is unknown. A directory's domain.xml, facts/ or facts.toml, and expect.xml need
not be named. libhooks log show ID --as-test writes cases. Exit codes: 0 all as
expected, 1 not so, 2 a case or the policy is invalid.
"""


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``test`` among the actions of ``libhooks policy``."""
    parser = actions.add_parser(
        "test", help="is the policy's effect what its tests expect?", description=test.__doc__, epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    where = "cases, or one of them (default: tests/ beside the policy directory)"
    parser.add_argument("cases", nargs="?", metavar="DIR", help=where)
    parser.add_argument("-k", dest="only", metavar="WORD", default="", help="only cases with this in a name")
    parser.add_argument("--coverage", action="store_true", help="list what of the policy no case exercises")
    parser.add_argument("--json", action="store_true", help="a JSON object a case, one a line")
    parser.add_argument("--policy", metavar="DIR", default=POLICY_DIRECTORY,
                        help=f"policy directory or file (default: {POLICY_DIRECTORY})")  # fmt: skip
    options.add_colour(parser)
    parser.set_defaults(run=test)


def test(arguments: argparse.Namespace) -> int:
    """Decide on the guests of test cases, and show what is not as expected."""
    screen, policy = Screen(arguments.color), _policy(arguments.policy)
    results = [_result(path, policy) for path in _cases(arguments)]
    for result in results:
        (_show_json if arguments.json else _show)(screen, result)
    if arguments.json:
        return _code(results)
    _conclude(screen, results)
    if arguments.coverage:
        cases = [one.outcome.case for one in results if one.outcome]
        _show_coverage(screen, coverage.coverage(policy, cases))
    return _code(results)


class _Result(NamedTuple):
    """What came of the case at a path, or all that is wrong with that."""

    path: str
    outcome: Outcome | None
    problems: tuple[Diagnostic, ...]

    @property
    def word(self) -> str:
        if self.outcome is None:
            return "invalid"
        return "failed" if self.outcome.differences else "passed"


def _policy(path: str) -> Policy:
    if path != POLICY_DIRECTORY:
        options.existing(Settings(path))
    try:
        return load(path)
    except PolicyError as error:
        raise Usage(f"the policy is invalid: {error}; libhooks policy check shows all of it") from error


def _cases(arguments: argparse.Namespace) -> list[str]:
    where = arguments.cases or _default(arguments.policy)
    found = [path for path in _paths(where) if arguments.only.lower() in os.path.basename(path).lower()]
    if not found:
        which = f" with {arguments.only!r} in its name" if arguments.only else ""
        help = "libhooks policy test --help says what one looks like"
        raise Usage(f"{where}: there is no case{which}; {help}")
    return found


def _default(policy: str) -> str:
    return os.path.normpath(os.path.join(policy, "..", "tests"))


def _paths(where: str) -> list[str]:
    """The cases in a directory, by name; or the one that it is itself."""
    if os.path.isfile(where) or os.path.isfile(os.path.join(where, FILE)):
        return [where]
    try:
        inside = sorted(os.path.join(where, name) for name in os.listdir(where) if not name.startswith("."))
    except OSError as error:
        raise Usage(f"{where}: {error.strerror}; name a directory with cases") from error
    return [path for path in inside if os.path.isfile(os.path.join(path, FILE)) or _is_file(path)]


def _is_file(path: str) -> bool:
    return path.endswith(".toml") and os.path.isfile(path)


def _result(path: str, policy: Policy) -> _Result:
    case, problems = read(path)
    if case is None:
        return _Result(path, None, problems)
    try:
        return _Result(path, run(case, policy), ())
    except (OSError, ValueError) as error:
        return _Result(path, None, (_unreadable(case, error),))


def _unreadable(case: Case, error: Exception) -> Diagnostic:
    return Diagnostic("facts", Severity.ERROR, case.file, 0, 0, f"its facts cannot be read: {error}")


_PAINT = {"passed": "green", "failed": "red", "invalid": "red"}


def _show(screen: Screen, result: _Result) -> None:
    screen.parts((f"{result.word:<8}", _PAINT[result.word]), (_name(result.path), "bold"))
    if result.outcome is None:
        for line in render(result.problems).splitlines():
            screen.line(f"  {line}" if line else "")
    elif result.outcome.differences:
        _show_differences(screen, result.outcome)


def _show_differences(screen: Screen, outcome: Outcome) -> None:
    if outcome.case.shows:
        for line in textwrap.wrap(outcome.case.shows, screen.width - 4):
            screen.line(f"    {line}", "faint")
    for key in dict.fromkeys(one.key for one in outcome.differences):
        screen.line(f"  {key}:  - expected, + got", "cyan")
        for one in outcome.differences:
            if one.key == key:
                _show_difference(screen, one)


def _show_difference(screen: Screen, one: Difference) -> None:
    lines = textwrap.wrap(one.text, screen.width - 6, break_on_hyphens=False, break_long_words=False)
    for number, line in enumerate(lines or [""]):
        screen.line(f"    {one.sign if not number else ' '} {line}", "red" if one.sign == "-" else "green")


def _name(path: str) -> str:
    return os.path.basename(os.path.abspath(path)).removesuffix(".toml")


def _show_json(_: Screen, result: _Result) -> None:
    outcome = result.outcome
    decision = outcome.decision if outcome else None
    told: journal.Record = {
        "case": _name(result.path),
        "result": result.word,
        "verdict": decision.verdict.value if decision else None,
        "error": (outcome.error or None) if outcome else None,
        "differences": [dict(one._asdict()) for one in outcome.differences] if outcome else [],
        "problems": [str(one) for one in result.problems],
    }
    print(json.dumps(told))


def _conclude(screen: Screen, results: Iterable[_Result]) -> None:
    words = [result.word for result in results]
    counts = [f"{words.count(word)} {word}" for word in _PAINT if word in words]
    screen.line()
    screen.line(", ".join(counts), "green" if set(words) == {"passed"} else "red")


def _code(results: Iterable[_Result]) -> int:
    words = {result.word for result in results}
    return INVALID if "invalid" in words else REFUSED if "failed" in words else ACCEPTED


def _show_coverage(screen: Screen, found: Coverage) -> None:
    names = sum(one not in found.missed for one in found.names)
    rules = sum(one not in found.missed for one in found.rules)
    screen.line()
    if found.missed:
        screen.line("no case exercises:", "bold")
    width = max((len(str(one.rule)) for one in found.missed), default=0)
    for one in found.missed:
        screen.parts((f"  {one.rule!s:<{width}}  ", "faint"), (one.text, "yellow"))
    screen.line(f"exercised: {names} of {len(found.names)} names of places, "
                f"{rules} of {len(found.rules)} other rules")  # fmt: skip
