"""``libhooks check`` and ``libhooks rewrite``: what the hook would do with a document, without doing it."""

from __future__ import annotations

import argparse
import difflib
import sys
import textwrap

from libhooks import requirements
from libhooks.cli import options, terminal
from libhooks.cli.options import Usage
from libhooks.cli.terminal import Screen
from libhooks.decision import Decision, Finding, Level, Undecidable, Verdict
from libhooks.domain import parse
from libhooks.door import ACCEPTED, REFUSED, Answer, Failure, answer
from libhooks.event import Event, Operation
from libhooks.policy.model import Mode
from libhooks.requirements.model import Requirement
from libhooks.secrecy import masked


def add_check(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks check``."""
    options.add_document(parser)
    parser.add_argument("--json", action="store_true", help="print the record that the journal would get")
    options.add_trial(parser)
    options.add_colour(parser)


def add_rewrite(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``libhooks rewrite``."""
    options.add_document(parser)
    options.add_trial(parser)


def check(arguments: argparse.Namespace) -> int:
    """Show the verdict, the changes and the findings that the hook would come to here."""
    document = options.document(arguments.file)
    given = _answer(arguments, document, requirements.ALL)
    if arguments.json:
        from libhooks.cli import records  # structlog costs 80 ms

        records.show(given.record)
    else:
        _show(Screen(arguments.color), given, document)
    if given.failure is not None:
        return max(given.failure.code, REFUSED)
    refused = given.decision is not None and given.decision.verdict is Verdict.REFUSED
    return REFUSED if refused and given.policy.mode is Mode.ENFORCE else ACCEPTED


def rewrite(arguments: argparse.Namespace) -> int:
    """Write the XML for this host to stdout; nothing but rewriting is judged."""
    document = options.document(arguments.file)
    given = _answer(arguments, document, requirements.REWRITING)
    decision = given.decision
    if decision is None or decision.verdict is Verdict.REFUSED:
        _show_findings(Screen("never", sys.stderr), given)
        return given.failure.code if given.failure else REFUSED
    sys.stdout.flush()
    sys.stdout.buffer.write(document if decision.output is None else decision.output)
    sys.stdout.buffer.flush()
    return ACCEPTED


def _answer(arguments: argparse.Namespace, document: bytes, judged: tuple[Requirement, ...]) -> Answer:
    try:
        name = parse(document).name
    except Undecidable as error:
        what = "stdin" if arguments.file == "-" else arguments.file
        raise Usage(f"{what}: {error}") from error
    event = Event(name, Operation(arguments.operation))
    return answer(event, document, options.settings(arguments), judged)


def _show(screen: Screen, given: Answer, document: bytes) -> None:
    _show_verdict(screen, given)
    if given.decision is not None:
        _show_changes(screen, given.decision)
        _show_diff(screen, given.decision, document)
    _show_findings(screen, given)


_PAINT = {Verdict.UNCHANGED: "green", Verdict.REWRITTEN: "green", Verdict.REFUSED: "red"}
_AUDITED = {
    Verdict.UNCHANGED: "unchanged",
    Verdict.REWRITTEN: "would be rewritten",
    Verdict.REFUSED: "would be refused",
}


def _show_verdict(screen: Screen, given: Answer) -> None:
    who = f"{given.record['domain']} on {given.record['host']}: "
    if given.decision is None:
        screen.parts((who, "bold"), ("no decision", "red"))
        return
    verdict = given.decision.verdict
    audit = given.policy.mode is Mode.AUDIT
    told = _AUDITED[verdict] if audit else verdict.value
    screen.parts((who, "bold"), (told, "yellow" if audit else _PAINT[verdict]), (_why(given), "faint"))
    for line in textwrap.wrap(given.warning, screen.width - 2):
        screen.line(f"  {line}", "yellow")


def _why(given: Answer) -> str:
    if not given.policy.present:
        return "  (audit: there is no policy yet)"
    return "  (audit: nothing is enforced)" if given.policy.mode is Mode.AUDIT else ""


def _show_changes(screen: Screen, decision: Decision) -> None:
    for change in decision.changes:
        screen.parts((f"  {change.kind.value}.{change.place}", "cyan"), (f"  {change.spot.label}", ""),
                     (f"  {change.rule}", "faint"))  # fmt: skip
        for sign, value, paint in (("-", change.old, "red"), ("+", change.new, "green")):
            if value:
                screen.line(f"    {sign} {value}", paint)


def _show_diff(screen: Screen, decision: Decision, document: bytes) -> None:
    if decision.output is None:
        return
    # Both as we would write them: quotes and the like are no differences.
    told = (masked(parse(one)).serialise().decode() for one in (document, decision.output))
    before, after = (one.splitlines() for one in told)
    screen.line()
    for line in difflib.unified_diff(before, after, "the guest as it comes", "the guest as it would run here",
                                     n=1, lineterm=""):  # fmt: skip
        screen.line(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))


def _show_findings(screen: Screen, given: Answer) -> None:
    if given.failure is not None:
        _show_failure(screen, given.failure)
    for finding in given.decision.findings if given.decision else ():
        screen.line()
        _show_finding(screen, finding)


def _show_finding(screen: Screen, finding: Finding) -> None:
    unmet = finding.unmet
    told, paint = terminal.level(finding.level.value, finding.audited)
    where = f"  {unmet.spot.label}  {unmet.subject}".rstrip()
    screen.parts((f"  {told:<6} ", paint), (finding.code, "bold"), (where, ""), (_exempted(finding), "faint"))
    for what, words in (("wanted:", unmet.wanted), ("found: ", unmet.found), ("hint:  ", unmet.hint)):
        if words:
            screen.line(f"    {what} {words}")


def _exempted(finding: Finding) -> str:
    return f"  ({finding.rule})" if finding.level is Level.OFF else ""


def _show_failure(screen: Screen, failure: Failure) -> None:
    screen.line(f"  {failure.what}", "red")
    screen.line(f"    {failure.detail}")
    if failure.hint:
        screen.line(f"    hint:   {failure.hint}")
