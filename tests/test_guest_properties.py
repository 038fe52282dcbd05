"""What holds for every guest that moves: of virt-install's, of libvirt's own documents, of edge cases."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import Iterator

import pytest
import virt_install
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from moves import Move, joined, moves, named, strangers, strewn
from test_engine_properties import CORPUS, HOSTB, accounted_for, bounded, canonical, decided
from test_references_rows import SAMPLES, complaint
from virt_install_options import OPTIONS

from libhooks.decision import PLACES, Decision, Kind, Verdict
from libhooks.door import Settings, answer
from libhooks.event import Event, Operation

_PCI = {"domain": "0x{:04x}", "bus": "0x{:02x}", "slot": "0x{:02x}", "function": "0x{:x}"}


def spelt(document: bytes) -> bytes:
    """A document with the addresses of PCI devices spelt as libvirt does, and we do."""
    root = etree.fromstring(document)
    for address in root.iterfind(".//source/address"):
        for attribute, form in _PCI.items():
            if address.get("slot") and address.get(attribute):
                address.set(attribute, form.format(int(address.get(attribute, ""), 0)))
    return etree.tostring(root)


@functools.cache
def _guests() -> tuple[bytes, ...]:
    return tuple(map(spelt, virt_install.guests()))


def lines(document: bytes) -> list[str]:
    """A document as XML, line by line: what differs is shown then, and not all of it."""
    return canonical(document).decode().replace("><", ">\n<").splitlines()


def arrived(move: Move) -> Iterator[tuple[str, bytes, Decision]]:
    """Each stop of a move until the guest is refused: the host, the guest that comes, what is decided."""
    document = move.document
    for host in move.stops:
        decision = decided(document, move.policy, host)
        yield host, document, decision
        if decision.verdict is Verdict.REFUSED:
            return
        document = decision.output or document


def went(move: Move) -> bytes | None:
    """What the guest is at the last stop, None if it never got there."""
    for _, document, decision in arrived(move):  # noqa: B007 - the last one counts
        if decision.verdict is Verdict.REFUSED:
            return None
    return decision.output or document


GUESTS = st.deferred(lambda: st.sampled_from(_guests()))
#: libvirt's own, and one for each thing that a guest can name.
OTHERS = st.sampled_from(
    [spelt(one) for one in (*map(Path.read_bytes, CORPUS), *(one.before for one in SAMPLES))]
)
ALL = st.one_of(
    GUESTS, joined(GUESTS), strewn(GUESTS), joined(GUESTS | OTHERS), strewn(joined(OTHERS)), OTHERS
)
#: Moves on which places keep their form, and moves on which some become something else.
MOVES, CHANGING = moves(ALL), moves(ALL, other_forms=True)


@bounded
@given(MOVES | CHANGING)
def test_schema(move: Move) -> None:
    """What libvirt's schema takes before, it takes after."""
    if not complaint(move.document):
        for _, _, decision in arrived(move):
            assert decision.output is None or complaint(decision.output) == ""


@bounded
@given(MOVES | CHANGING)
def test_decided_once(move: Move) -> None:
    """To decide again, on what was decided, changes nothing, and finds nothing."""
    for host, _, decision in arrived(move):
        if decision.output is not None:
            again = decided(decision.output, move.policy, host)
            assert again == Decision(Verdict.UNCHANGED, (), (), None)


@bounded
@given(MOVES)
def test_there_and_back(move: Move) -> None:
    """Wherever a guest has been, back home it is what it was."""
    there = went(move)
    if there is not None:
        back = decided(there, move.policy, "hosta")
        assert lines(back.output or there) == lines(move.document)


@bounded
@given(CHANGING)
def test_there_and_back_and_there(move: Move) -> None:
    """What a name in another form costs, it costs once: whoever goes the same way again loses no more."""
    there = went(move)
    home = None if there is None else went(move._replace(document=there, stops=("hosta",)))
    if home is not None:
        assert lines(went(move._replace(document=home)) or b"<refused/>") == lines(there or b"")


@bounded
@given(MOVES | CHANGING)
def test_every_difference_is_reported(move: Move) -> None:
    """What no change reports is after as it was before."""
    for _, document, decision in arrived(move):
        if decision.output is not None:
            accounted_for(document, decision)


@bounded
@given(moves(strewn(GUESTS)) | moves(strewn(joined(OTHERS)), other_forms=True))
def test_strangers(move: Move) -> None:
    """Comments, instructions and elements that we know nothing of stay, in their order, and so do devices."""
    for _, document, decision in arrived(move):
        after = decision.output or document
        assert list(strangers(after)) == left(document, decision if decision.output else None)
        assert devices(after) == devices(document)


def left(document: bytes, decision: Decision | None) -> list[tuple[str, str]]:
    """The strangers in a document, but for those in what goes as a whole: the host of a network disk, say."""
    found = list(strangers(document))
    for edit in (edit for change in (decision.changes if decision else ()) for edit in change.edits):
        for one in strangers(edit.old.encode()) if edit.old and edit.old.startswith("<") else ():
            found.remove(one)
    return found


def devices(document: bytes) -> list[str]:
    return [str(one.tag) for one in etree.fromstring(document).iterfind("devices/*")]


@bounded
@given(ALL)
def test_without_a_policy(document: bytes) -> None:
    """No policy, no output."""
    there = answer(
        Event("web1", Operation.MIGRATE), document, Settings(str(HOSTB / "none"), "hostb", str(HOSTB))
    )
    assert (there.stdout, there.stderr, there.code, there.failure) == (b"", "", 0, None)


def test_moves_rewrite() -> None:
    """The moves above are such that most guests are rewritten, and in most of what they name."""
    verdicts: Counter[Verdict] = Counter()
    kinds: Counter[Kind] = Counter()

    @settings(bounded, derandomize=True)
    @given(MOVES | CHANGING)
    def count(move: Move) -> None:
        decision = decided(move.document, move.policy, "hostb")
        verdicts[decision.verdict] += 1
        kinds.update(change.kind for change in decision.changes)

    count()
    assert verdicts[Verdict.REWRITTEN] >= sum(verdicts.values()) / 2, verdicts
    assert set(kinds) == set(PLACES), kinds


@pytest.mark.parametrize("number", range(virt_install.COUNT))
def test_virt_install(number: int) -> None:
    """What virt-install writes names much of the host, and libvirt's schema takes it."""
    document = virt_install.guests()[number]
    assert complaint(document) == ""
    assert len(named(document)) >= 7


def test_every_option_is_used() -> None:
    """Each value of an option of virt-install's is some guest's."""
    used = {one for number in range(virt_install.COUNT) for one in virt_install.chosen(number)}
    assert used == {(name, value) for name, option in OPTIONS.items() for value in option.values}
