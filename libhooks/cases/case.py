"""A case as a file: read, and every mistake in it told with its place."""

from __future__ import annotations

import os
from typing import Callable, Iterable, Mapping, NamedTuple, Union

from libhooks.cases.answers import Told
from libhooks.cases.told import facts_of
from libhooks.decision import Undecidable, Verdict
from libhooks.domain import Domain, parse
from libhooks.event import Event, Operation
from libhooks.policy import forms, syntax
from libhooks.policy.diagnostic import Diagnostic, Severity, Wrong, closest, dotted, shown
from libhooks.policy.document import Document
from libhooks.policy.locate import KeyPath
from libhooks.protocol import MAX_BYTES

#: What a case that is a directory has in it.
FILE = "case.toml"

#: When no waiver has expired: that a case passes must not be a matter of when it is run.
EARLIEST = "0000-00-00T00:00:00Z"

#: The keys of a change and of a finding that a case can expect, as the journal's records have them.
CHANGE = ("kind", "place", "where", "old", "new", "rule")
FINDING = ("code", "level", "mode", "where", "wanted", "found", "hint", "rule")

#: Part of a record that a change or a finding should have.
Part = Mapping[str, str]


class Expected(NamedTuple):
    """What should come of a case; None is not looked at.

    ``error`` is part of why no decision can be made; ``xml`` is the document that the guest gets.
    """

    verdict: Verdict | None = None
    changes: tuple[Part, ...] | None = None
    findings: tuple[Part, ...] | None = None
    error: str | None = None
    xml: Domain | None = None


class Case(NamedTuple):
    """A guest that arrives at a host. ``facts`` are told, or the directory of a captured tree.

    ``host`` is the name that the host is decided as, "" where the facts say it; ``time`` is when the guest
    arrives, which tells the waivers that hold (as ``Waiver.until``).
    """

    name: str
    file: str
    shows: str
    event: Event
    domain: Domain
    host: str
    time: str
    facts: Union[Told, str]
    expected: Expected


def read(path: str) -> tuple[Case | None, tuple[Diagnostic, ...]]:
    """The case in a file, or in a directory's case.toml; None and all that is wrong with it."""
    file = os.path.join(path, FILE) if os.path.isdir(path) else path
    try:
        with open(file, "rb") as stream:
            document = syntax.document(file, stream.read(MAX_BYTES))
    except OSError as error:
        return None, (Diagnostic("unreadable", Severity.ERROR, file, 0, 0, str(error.strerror)),)
    if isinstance(document, Diagnostic):
        return None, (document,)
    return _Reader(document, path, file).case()


class _Reader:
    """One document and the mistakes found in it so far."""

    def __init__(self, document: Document, path: str, file: str) -> None:
        self.document = document
        self.directory = os.path.dirname(file)
        self.whole = path != file
        self.file = file
        self.name = os.path.basename(os.path.abspath(path)).removesuffix(".toml")
        self.problems: list[Diagnostic] = []

    def case(self) -> tuple[Case | None, tuple[Diagnostic, ...]]:
        given = self._with_files()
        found = self._read(_CASE, given, ())
        expected = self._table("expect", given, {**_EXPECT, "xml": self._domain})
        facts = self._facts(given.get("facts", {}))
        domain = self._required("domain", found, given)
        if not given.get("expect"):
            help = 'add [expect], and verdict = "..."'
            self.problems.append(self.document.at_key("case", ("expect",), "the case expects nothing", help))
        if not isinstance(facts, str) and ("host", ()) not in facts and "host" not in given:
            self._problem((), Wrong("the case does not say which host", 'add host = "..."'))
        if self.problems or not isinstance(domain, Domain):
            return None, tuple(sorted(self.problems, key=lambda one: (one.file, one.line, one.column)))
        operation = found.get("operation", Operation.MIGRATE)
        assert isinstance(operation, Operation)
        event = Event(str(found.get("guest", domain.name)), operation)
        expects = Expected(**expected)  # type: ignore[arg-type]  # _EXPECT has their types
        shows, host = str(found.get("shows", "")), str(found.get("host", ""))
        time = str(found.get("time", EARLIEST))
        return Case(self.name, self.file, shows, event, domain, host, time, facts, expects), ()

    def _with_files(self) -> dict[str, object]:
        """What the document says, and what a directory has beside it where the document does not."""
        given = dict(self.document.table)
        for key, names in _BESIDE.items() if self.whole else ():
            there = [name for name in names if os.path.exists(os.path.join(self.directory, name))]
            if there and key not in given:
                given[key] = there[0]
        expect, xml = given.get("expect"), os.path.join(self.directory, "expect.xml")
        if self.whole and isinstance(expect, dict) and os.path.exists(xml):
            given["expect"] = {"xml": "expect.xml", **expect}
        return given

    def _required(self, key: str, found: Mapping[str, object], given: Mapping[str, object]) -> object:
        if key not in given:
            self._problem((), Wrong(f"the case has no {key}", f'add {key} = "{key}.xml"'))
        return found.get(key)

    def _table(
        self, key: str, given: Mapping[str, object], known: Mapping[str, Callable[[object], object]]
    ) -> dict[str, object]:
        table = given.get(key, {})
        if isinstance(table, dict):
            return self._read(known, table, (key,))
        self._problem((key,), Wrong(f"expected a table, found {shown(table)}", f"write [{key}]"))
        return {}

    def _read(
        self, known: Mapping[str, Callable[[object], object]], table: Mapping[str, object], path: KeyPath
    ) -> dict[str, object]:
        found = {}
        for key, value in table.items():
            try:
                if not path and key in ("expect", "facts"):
                    continue
                parse = self._domain if key == "domain" else known.get(key)
                if parse is None:
                    self._unknown(key, (*known, *_TABLES) if not path else known, path)
                else:
                    found[key] = parse(value)
            except Wrong as wrong:
                self._problem((*path, key), wrong)
        return found

    def _unknown(self, key: str, known: Iterable[str], path: KeyPath) -> None:
        words = tuple(known)
        where = f" in [{dotted(path)}]" if path else ""
        help = closest(key, words) or f"known here: {', '.join(sorted(words))}"
        message = f"unknown key {shown(key)}{where}"
        self.problems.append(self.document.at_key("unknown-key", (*path, key), message, help))

    def _problem(self, path: KeyPath, wrong: Wrong) -> None:
        prefix = f"{dotted(path)}: " if path else ""
        where = (*path, *wrong.within)
        found = self.document.at_value("case", where, f"{prefix}{wrong.message}", wrong.help)
        self.problems.append(found)

    def _domain(self, value: object) -> Domain:
        """A domain's XML, or the path of a file with it."""
        told = value if isinstance(value, str) and value.lstrip().startswith("<") else None
        try:
            return parse(self._bytes(forms.text(value)) if told is None else told.encode())
        except Undecidable as error:
            raise Wrong(str(error)) from error

    def _bytes(self, path: str) -> bytes:
        try:
            with open(os.path.join(self.directory, path), "rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", "") or str(error)
            raise Wrong(f"{shown(path)}: {why}", f"a path is taken from {self.directory or '.'}") from error

    def _facts(self, value: object) -> Told | str:
        """Answers that are told here or in a file, or the directory of a captured tree."""
        if isinstance(value, dict):
            told, problems = facts_of(self.document, value, ("facts",))
            self.problems += problems
            return told
        try:
            path = forms.text(value, "a table, a file or the directory of a captured tree")
            where = os.path.join(self.directory, path)
            return where if os.path.isdir(where) else self._told(where, self._bytes(path))
        except Wrong as wrong:
            self._problem(("facts",), wrong)
            return {}

    def _told(self, file: str, data: bytes) -> Told:
        document = syntax.document(file, data)
        if isinstance(document, Diagnostic):
            self.problems.append(document)
            return {}
        told, problems = facts_of(document, document.table, ())
        self.problems += problems
        return told


def _operation(value: object) -> Operation:
    return Operation(forms.choice(value, tuple(one.value for one in Operation)))


def _time(value: object) -> str:
    time = forms.text(value, "a time like 2026-01-31T12:00:00Z")
    if "".join("0" if one in "0123456789" else one for one in time) != EARLIEST:
        raise forms.expected("a time like 2026-01-31T12:00:00Z", value)
    return time


def _verdict(value: object) -> Verdict:
    return Verdict(forms.choice(value, tuple(one.value for one in Verdict)))


def _parts(value: object, keys: tuple[str, ...], short: Callable[[str], Part]) -> tuple[Part, ...]:
    """A list of tables, or of the short form that is a text."""
    if not isinstance(value, list):
        raise Wrong(f"expected a list, found {shown(value)}", "[] where there are none")
    return tuple(_part(index, one, keys, short) for index, one in enumerate(value))


def _part(index: int, value: object, keys: tuple[str, ...], short: Callable[[str], Part]) -> Part:
    if isinstance(value, str):
        return short(value)
    if not isinstance(value, dict):
        raise Wrong(f"expected a text or a table, found {shown(value)}", within=(index,))
    for key, one in value.items():
        if key not in keys:
            help = closest(key, keys) or f"known here: {', '.join(keys)}"
            raise Wrong(f"unknown key {shown(key)}", help, (index, key))
        if not isinstance(one, str):
            raise Wrong(f"{key}: expected text, found {shown(one)}", within=(index, key))
    return {str(key): str(one) for key, one in value.items()}


def _changes(value: object) -> tuple[Part, ...]:
    return _parts(value, CHANGE, _change)


def _change(label: str) -> Part:
    kind, _, place = label.partition(".")
    return {"kind": kind, "place": place}


def _findings(value: object) -> tuple[Part, ...]:
    return _parts(value, FINDING, lambda code: {"code": code})


_TABLES = ("domain", "facts", "expect")
#: What may stand beside a directory's case.toml instead of in it.
_BESIDE = {"domain": ("domain.xml",), "facts": ("facts", "facts.toml")}
_CASE: Mapping[str, Callable[[object], object]] = {
    "shows": forms.text,
    "guest": forms.text,
    "host": forms.text,
    "operation": _operation,
    "time": _time,
}
_EXPECT: Mapping[str, Callable[[object], object]] = {
    "verdict": _verdict,
    "changes": _changes,
    "findings": _findings,
    "error": forms.text,
}
