"""Suggestions as a file of the policy: nothing in it loosens anything until a person says so."""

from __future__ import annotations

import textwrap
from typing import Iterable, Iterator, Sequence

from libhooks.decision import Kind
from libhooks.names import Form, Name
from libhooks.policy.diagnostic import dotted, quoted
from libhooks.refusal import printable
from libhooks.suggestions.model import Refusal
from libhooks.suggestions.places import Missing
from libhooks.suggestions.records import UNKNOWN

#: Stands for the hosts that guests came from where nothing says which: any name that no host has will do.
ELSEWHERE = "elsewhere"
#: How many guests, records and reasons are named; the rest are counted.
_NAMED = 3
_WIDTH = 80
#: Forms of names that only the same form stands in for.
_ALONE = (Form.DIRECT, Form.USB, Form.MDEV, Form.PCI)
#: Where the guest would run in spite of what was found. Elsewhere it would not start, or come to harm.
_EXEMPT = (
    "storage.shared", "storage.protocol", "storage.cache", "storage.separate", "storage.stable-name",
    "network.up", "network.segment", "network.mtu", "device.vectors", "device.migratable",
    "platform.release", "platform.version", "service.shared-etc",
    "capacity.memory", "capacity.hugepages", "capacity.cpus", "capacity.nodes",
)  # fmt: skip


def text(found: Sequence[Missing], others: Sequence[Refusal], source: str) -> str:
    """The file. ``source`` is where the refusals stand."""
    lines = [*_head(found, others, source)]
    for one in found:
        lines += ["", *_place(one)]
    for code in dict.fromkeys(one.code for one in others):
        lines += ["", *_other(code, [one for one in others if one.code == code])]
    return "\n".join(lines) + "\n"


def _head(found: Sequence[Missing], others: Sequence[Refusal], source: str) -> Iterator[str]:
    refusals = [*others, *(refusal for one in found for refusal in one.refusals)]
    guests, hosts = {one.guest for one in refusals}, dict.fromkeys(one.host for one in refusals)
    records, days = {one.id for one in refusals}, sorted(one.time[:10] for one in refusals)
    what = f"What would have let in {_count(len(guests), 'guest')} that {_some(hosts)} refused"
    yield from _prose(f"{what}: {_count(len(records), 'refusal')}, {days[0]} to {days[-1]}, in {source}.")
    if found:
        yield from _prose(
            "Fill in the names that are commented out, delete the places that you do not want, and put "
            "the file into the policy. A place without a name on a host refuses guests there; "
            "libhooks policy check says what is left to do."
        )
    yield "version = 1"


def _place(one: Missing) -> Iterator[str]:
    yield from _reasons(one.refusals)
    yield f"[{one.kind.value}.{one.id}]"
    if one.name is not None:
        for source in dict.fromkeys(refusal.came_from for refusal in one.refusals):
            why = "where the guests say they come from" if source else "the hosts that these guests come from"
            yield f"{_at(source or ELSEWHERE)} = {quoted(str(one.name))}  # {why}"
    for host in one.hosts:
        yield _here(one, host)
    yield from _exemption("storage.shared", [one for one in one.refusals if one.code == "storage.shared"])


def _here(one: Missing, host: str) -> str:
    known = one.here.get(host)
    if known is not None and one.kind is not Kind.ADDRESS:
        return f"{_at(host)} = {quoted(str(known))}  # as it was found there"
    if known is not None:  # a display is shown to whoever reaches its address
        return _inactive(f"{_at(host)} = {quoted(str(known))}  # the only one that it has")
    verb = "where it has" if one.kind in (Kind.STORAGE, Kind.FILE) else "what it calls"
    return _inactive(f"{_at(host)} = {quoted(_blank(one))}  # {verb} {_what(one)}")


def _blank(one: Missing) -> str:
    """What a person fills in, in the form of what it stands for."""
    form = _an_example(one).form
    if one.kind is Kind.ADDRESS:
        return "..."
    if one.kind is Kind.NETWORK:
        return "direct:..." if form is Form.DIRECT else "bridge:..."
    return f"{form.value}:..." if form in _ALONE else "/..."


def _an_example(one: Missing) -> Name:
    """A name of the place, wherever."""
    known = (names[0] for names in (one.known.at.values() if one.known else ()))
    return one.name if one.name is not None else next(known, Name(Form.PATH, ()))


def _what(one: Missing) -> str:
    if one.known is None:
        return str(one.name)
    return _some(f"{names[0]} of {host}" for host, names in one.known.at.items())


def _other(code: str, refusals: Sequence[Refusal]) -> Iterator[str]:
    """What no place would have helped with: what to do, and where that is sane, an exemption."""
    yield from _reasons(refusals)
    for hint in list(dict.fromkeys(one.hint for one in refusals))[:_NAMED]:
        yield from _prose(f"  to do: {hint}")
    if code in _EXEMPT:
        yield from _exemption(code, [one for one in refusals if not one.found.startswith(UNKNOWN)])


def _exemption(code: str, refusals: Sequence[Refusal]) -> Iterator[str]:
    guests = dict.fromkeys(one.guest for one in refusals)
    if guests:
        yield from _prose("or, if they may come in all the same, for these guests alone:")
        yield _inactive(f"[guest.despite-{code.replace('.', '-')}]")
        yield _inactive(f"match.name = [{', '.join(map(_literal, guests))}]")
        yield _inactive(f'require.{quoted(code)} = "warn"')


def _literal(guest: str) -> str:
    """A guest's name as a pattern that fits it alone."""
    return quoted("".join(f"[{one}]" if one in "*?[" else one for one in guest))


def _reasons(refusals: Sequence[Refusal]) -> Iterator[str]:
    records = dict.fromkeys(one.id for one in refusals)
    guests = dict.fromkeys(one.guest for one in refusals)
    ids = _some(id[-6:] for id in records)
    yield from _prose(f"{_count(len(records), 'refusal')} of {_some(guests)} (libhooks log show {ids})")
    said = list(dict.fromkeys(f"  {f'{one.code}  {one.subject}'.strip()}: {one.found}" for one in refusals))
    for line in said[:_NAMED]:
        yield from _prose(line)
    if len(said) > _NAMED:
        yield from _prose(f"  ... and {len(said) - _NAMED} more")


def _at(host: str) -> str:
    return dotted(("at", host))


def _prose(words: str) -> Iterator[str]:
    """A comment, in lines that fit a screen; what comes of untrusted names stays behind its #."""
    indent = " " * (len(words) - len(words.lstrip()))
    yield from textwrap.wrap(
        printable(words.strip()), _WIDTH, initial_indent=f"# {indent}", subsequent_indent=f"# {indent}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _inactive(line: str) -> str:
    """A line of a policy that counts once a person says so."""
    return f"# {''.join(one if one.isprintable() else '?' for one in line)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _some(words: Iterable[str]) -> str:
    told = list(words)
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
