"""``libhooks policy explain``: which line of the policy decides what of a guest, and why others do not."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import Iterator

from libhooks import engine
from libhooks.cli import explanation_json, options
from libhooks.cli.explanation import Explanation, Judged, Named, Standing, Tuned, explanation
from libhooks.cli.options import Usage
from libhooks.cli.policy_show import read
from libhooks.cli.terminal import Screen
from libhooks.decision import Finding, Level, Undecidable, Verdict
from libhooks.domain import Domain, parse
from libhooks.door import ACCEPTED, REFUSED, brought
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.places import Outcome
from libhooks.policy.diagnostic import closest
from libhooks.policy.model import Mode, Place


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The arguments of ``libhooks policy explain``."""
    parser = actions.add_parser(
        "explain",
        help="which line decides what of a guest, and why others do not",
        description=explain.__doc__,
    )
    options.add_document(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    options.add_trial(parser)
    options.add_colour(parser)
    parser.set_defaults(run=explain)


def explain(arguments: argparse.Namespace) -> int:
    """Tell what each name of a guest becomes on this host, what it has to meet, and which lines say so."""
    told = _explained(arguments)
    if arguments.json:
        sys.stdout.write(json.dumps(explanation_json.told(told)) + "\n")
    else:
        _show(Screen(arguments.color), told)
    refused = told.decision.verdict is Verdict.REFUSED
    return REFUSED if refused and told.policy.mode is Mode.ENFORCE else ACCEPTED


def _explained(arguments: argparse.Namespace) -> Explanation:
    chosen, domain = options.settings(arguments), _domain(arguments.file)
    policy = read(chosen.policy)
    event = Event(domain.name, Operation(arguments.operation))
    with open_facts(chosen.root, policy.deadline) as host_facts:
        facts = Memo(host_facts, chosen.host)
        try:
            own = policy.for_guest(event.name, domain.uuid)
            carried = brought(own, domain, event, facts.host())
            examined = engine.examine(event, domain, own, facts, carried=carried)
            return explanation(domain, policy, carried, examined)
        except Undecidable as error:
            raise Usage(f"{event.name} cannot be judged: {error}") from error


def _domain(file: str) -> Domain:
    try:
        return parse(options.document(file))
    except Undecidable as error:
        raise Usage(f"{'stdin' if file == '-' else file}: {error}") from error


def _show(screen: Screen, told: Explanation) -> None:
    _show_head(screen, told)
    _show_carried(screen, told)
    _show_guests(screen, told)
    _title(screen, "names of the host", len(told.references))
    for reference in told.references:
        _show_reference(screen, reference, told)
    if told.tuned:
        _title(screen, "adjustments and edits", len(told.tuned))
    for tuned in told.tuned:
        _show_tuned(screen, tuned)
    _title(screen, "requirements", len(told.judged))
    for judged in told.judged:
        _show_judged(screen, judged)


_PAINT = {Verdict.UNCHANGED: "green", Verdict.REWRITTEN: "green", Verdict.REFUSED: "red"}
_WOULD = {Verdict.UNCHANGED: "", Verdict.REWRITTEN: "would be ", Verdict.REFUSED: "would be "}


def _show_head(screen: Screen, told: Explanation) -> None:
    policy, verdict = told.policy, told.decision.verdict
    host = next(iter(told.host), "this host")
    audit = policy.mode is Mode.AUDIT
    mode = f"mode {policy.mode.value}" if policy.present else "no policy"
    screen.parts(
        (f"{told.event.name} on {host}: ", "bold"),
        (f"{_WOULD[verdict] if audit else ''}{verdict.value}", "yellow" if audit else _PAINT[verdict]),
        (f"  ({told.event.operation.value}, {mode}{': nothing is enforced' if audit else ''})", "faint"),
    )
    if policy.places and not told.knows_host:
        known = list(dict.fromkeys(pattern for place in policy.places for pattern in place.at))
        help = closest(host, known) or f"they name {', '.join(known)}"
        _wrapped(screen, "  ", f"no place names {' or '.join(told.host) or host}; {help}", "red")


def _show_carried(screen: Screen, told: Explanation) -> None:
    if told.carried.origin is not None:
        screen.line(f"  comes from {told.carried.origin.host}, by its origin stamp")
    for waiver in told.carried.waivers:
        disk = f" for disk {waiver.disk}" if waiver.disk else ""
        screen.line(f"  carries a waiver of {waiver.code}{disk} until {waiver.until}")


def _show_guests(screen: Screen, told: Explanation) -> None:
    for guests, why in told.guests:
        verb = f"does not apply: {why}" if why else "applies to this guest"
        _wrapped(screen, f"  guest.{guests.id}  ", f"{verb} ({guests.rule})", "faint" if why else "cyan")


def _title(screen: Screen, title: str, count: int) -> None:
    screen.line()
    screen.line(f"{title}{'' if count else ': none'}", "bold")


_OUTCOMES = {
    Outcome.RENAMED: "green",
    Outcome.KEPT: "green",
    Outcome.NO_PLACE: "",
    Outcome.UNMAPPED: "red",
    Outcome.UNFIT: "red",
    Outcome.AMBIGUOUS: "red",
    Outcome.UNREADABLE: "red",
}


_WORDS = {
    Outcome.KEPT: "this host calls it so",
    Outcome.UNMAPPED: "this host has no name for it",
    Outcome.AMBIGUOUS: "the hosts that it may come from do not agree",
}


def _show_reference(screen: Screen, told: Named, all: Explanation, indent: str = "  ") -> None:
    reference = told.resolution.reference
    head = reference.spot.label if reference.element is not None else "behind it, by its header"
    subject = str(reference.name) if reference.name is not None else ""
    first, *more = _lines(subject, screen.width - len(f"{indent}{head}  "))
    screen.parts((f"{indent}{head}", "cyan"), (f"  {first}".rstrip(), ""))
    for line in more:
        screen.line(f"{indent}{' ' * len(head)}  {line}")
    paint = _OUTCOMES[told.resolution.outcome]
    for word, text in _reasons(told, all.host):
        _entry(screen, f"{indent}  ", word, text, paint)
        paint = ""
    for layer in told.layers:
        _show_reference(screen, layer, all, f"{indent}  ")
    if told.broken is not None:
        _entry(screen, f"{indent}  ", "behind it", f"not known: {told.broken.found}", "yellow")


def _reasons(told: Named, host: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What a reference becomes and why, each with a word in front."""
    resolution, place, near = told.resolution, told.resolution.place, told.near
    first = _WORDS.get(resolution.outcome, "" if resolution.new is None else str(resolution.new))
    if place is not None or resolution.new is not None:
        yield resolution.outcome.value, first
    else:
        yield resolution.outcome.value, told.why
    if resolution.elsewhere:
        yield (
            "identity",
            f'by what it is, it is {resolution.elsewhere} here: origin = "rewrite" would write that',
        )
    if near is not None:
        yield "nearest", f"{near.place.label} is {near.name} on {near.host} ({near.rule}): {near.differs}"
    if told.why and (place is not None or resolution.new is not None):
        yield "why", told.why
    for number, answer in enumerate(resolution.answers):
        yield "" if number else "answers", answer
    for number, line in enumerate(_places(told, host)):
        yield "" if number else "because", line


def _places(told: Named, host: tuple[str, ...]) -> list[str]:
    """What the hosts call the place of a reference: those that it may come from, and at last this one."""
    place, outcome = told.resolution.place, told.resolution.outcome
    if place is None:
        return []
    if outcome is Outcome.AMBIGUOUS:
        return [f"{one.place.label} is {one.name} on {one.host} ({one.rule})" for one in told.elsewhere]
    elsewhere = () if outcome is Outcome.KEPT else told.elsewhere
    first, *more = [f"is {one.name} on {one.host} ({one.rule})" for one in elsewhere] + [
        _here(told, place, host)
    ]
    return [f"{place.label} {first}", *(f"and {line}" for line in more)]


def _here(told: Named, place: Place, host: tuple[str, ...]) -> str:
    rule = place.rules.get(told.here, place.rule)
    if not told.here:
        return f"has no name on {next(iter(host), 'this host')} ({rule})"
    return f"is {', '.join(map(str, place.at[told.here]))} on {_me(told.here, host)} ({rule})"


def _me(pattern: str, host: tuple[str, ...]) -> str:
    """This host by the name that the policy has for it."""
    exact = pattern.lower() in [name.lower() for name in host]
    return pattern if exact else f"{host[0]}, by {pattern}"


def _show_tuned(screen: Screen, told: Tuned) -> None:
    screen.parts((f"  {told.label}", "cyan"), (f"  {told.rule}", "faint"))
    if told.why:
        _wrapped(screen, "    ", told.why)
    for change in told.changes:
        screen.line(f"    {change.spot.label}")
        for sign, value, paint in (("-", change.old, "red"), ("+", change.new, "green")):
            if value:
                screen.line(f"      {sign} {value}", paint)


_STANDINGS = {
    Standing.UNMET: "red",
    Standing.UNKNOWN: "yellow",
    Standing.WAIVED: "cyan",
    Standing.MET: "green",
    Standing.OFF: "faint",
    Standing.SKIPPED: "faint",
}


def _show_judged(screen: Screen, told: Judged) -> None:
    rule = f"{told.setting.rule}" + (f", guest.{told.guest}" if told.guest else "")
    rule += ", mode audit" if told.setting.audited else ""
    refuses = told.setting.level is Level.REFUSE and not told.setting.audited
    paint = "yellow" if told.standing is Standing.UNMET and not refuses else _STANDINGS[told.standing]
    screen.parts(
        (f"  {told.standing.value:<8}", paint),
        (f" {told.requirement.code:<19}", "bold" if told.findings else ""),
        (f" {told.setting.level.value:<7}", ""),
        (f" {rule}", "faint"),
        (f"  {told.why}" if told.why else "", ""),
    )
    for finding in told.findings:
        _show_finding(screen, finding, told)


def _show_finding(screen: Screen, finding: Finding, told: Judged) -> None:
    unmet = finding.unmet
    _wrapped(screen, f"    {unmet.spot.label}  ", unmet.subject)
    for word, text in (("wanted:", unmet.wanted), ("found:", unmet.found), ("hint:", unmet.hint)):
        _wrapped(screen, f"      {word:<7} ", text)
    if finding.level is Level.OFF:
        screen.line(f"      level:  {finding.level.value} ({finding.rule})")
    elif finding.rule != told.setting.rule:
        screen.line(f"      level:  {finding.level.value}, as it is unknown ({finding.rule})")


def _entry(screen: Screen, indent: str, word: str, text: str, paint: str) -> None:
    """A word and what it is about, which goes on below itself where it is long."""
    first, *more = _lines(text, screen.width - len(indent) - 11)
    screen.parts((f"{indent}{word:<10} ", paint), (first, paint))
    for line in more:
        screen.line(f"{indent}{'':<10} {line}")


def _wrapped(screen: Screen, head: str, text: str, paint: str = "") -> None:
    first, *more = _lines(text, screen.width - len(head))
    screen.line(f"{head}{first}".rstrip(), paint)
    for line in more:
        screen.line(f"{' ' * len(head)}{line}", paint)


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(20, width), break_long_words=False, break_on_hyphens=False) or [""]
