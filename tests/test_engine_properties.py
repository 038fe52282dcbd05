"""What holds for every decision, whatever the guest and the policy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Mapping, NamedTuple

import pytest
from golden_cases import CHECKOUT, GOLDEN, Case, cases
from golden_cases import settings as laid_out
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from libhooks import names, requirements
from libhooks.carried import carried
from libhooks.decision import DEFAULT, Decision, Edit, Kind, Verdict
from libhooks.domain import QEMU, parse
from libhooks.door import Settings, answer
from libhooks.engine import decide
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.names import Form, Name
from libhooks.policy.load import load
from libhooks.policy.model import Mode, Place, Policy

HOSTB = GOLDEN / "hosts" / "hostb"
#: libvirt's own test documents, where somebody has put them; the tests do without.
CORPUS = sorted((CHECKOUT.parent / "shared" / "corpus" / "domains").glob("*.xml"))

bounded = settings(
    max_examples=100,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def decided(document: bytes, policy: Policy, host: str, root: Path = HOSTB) -> Decision:
    """What rewriting alone makes of a guest on a host."""
    with open_facts(str(root)) as facts:
        return decide(_event(document), document, policy, Memo(facts, host), requirements.REWRITING)


def _event(document: bytes) -> Event:
    return Event(etree.fromstring(document).findtext("name") or "", Operation.MIGRATE)


# What is compared: documents as XML, not as bytes.


def canonical(document: bytes) -> bytes:
    return _bare(etree.fromstring(document))


def _bare(root: etree._Element) -> bytes:
    """A document without the white space between its elements."""
    for element in root.iter():
        element.tail = element.tail if (element.tail or "").strip() else None
        if isinstance(element.tag, str):
            element.text = element.text if (element.text or "").strip() else None
    return etree.tostring(root.getroottree(), method="c14n")


def _apart_from(document: bytes, edits: tuple[Edit, ...], side: str) -> bytes:
    """A document without what the edits say of it, which has to stand there as they say."""
    root = etree.fromstring(document)
    told = [(edit, getattr(edit, side)) for edit in edits if getattr(edit, side) is not None]
    for node, edit, value in [(_node(root, edit), edit, value) for edit, value in told]:
        last = edit.spot.xpath.rpartition("/")[2]
        if last.startswith("@"):
            assert node.attrib.pop(last[1:]) == value
        elif last == "text()":
            assert node.text == value or not f"{node.text or ''}{value}".strip()
            node.text = None
        else:
            twin = etree.fromstring(etree.tostring(node, with_tail=False))
            assert _bare(twin) == _bare(etree.fromstring(value))
            parent = node.getparent()
            assert parent is not None
            parent.remove(node)
    return _bare(root)


def _node(root: etree._Element, edit: Edit) -> etree._Element:
    """The element that an edit is about, or whose attribute or text it is about: by lxml's own XPath."""
    path, _, last = edit.spot.xpath.rpartition("/")
    at = path if last.startswith("@") or last == "text()" else edit.spot.xpath
    found = root.xpath(at, namespaces={"qemu": QEMU})
    assert isinstance(found, list)
    (node,) = found
    assert isinstance(node, etree._Element)
    return node


def accounted_for(document: bytes, decision: Decision) -> None:
    """Everything that differs between input and output is an edit of exactly one change."""
    edits = tuple(edit for change in decision.changes for edit in change.edits)
    assert len({(edit.spot.xpath, edit.old is None) for edit in edits}) == len(edits)
    output = document if decision.output is None else decision.output
    assert _apart_from(document, edits, "old") == _apart_from(output, edits, "new")


# Guests and policies out of nothing.


class Fleet(NamedTuple):
    """A policy for hosta and hostb, and a guest on hosta."""

    policy: Policy
    document: bytes


_WORDS = st.text("abcxyzäöü019 ._-", min_size=1, max_size=6).filter(
    lambda word: word.strip() == word and word.strip(".")
)
_LABELS = st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), max_size=10)
_NETWORKS: Mapping[str, Callable[[str], Name]] = {
    "bridge": names.bridge,
    "ovs": names.ovs,
    "network": names.network,
}


@st.composite
def _policies(draw: st.DrawFn) -> tuple[Place, ...]:
    """Places with one name of one form on each host, of which no two are alike."""
    places = []
    for number, words in enumerate(draw(st.lists(st.lists(_WORDS, min_size=1, max_size=3), max_size=4))):
        theirs = names.path("/".join(("", "hosta", *words, str(number))))
        mine = names.path("/".join(("", "hostb", str(number), *draw(st.lists(_WORDS, max_size=2)))))
        places.append(_place(Kind.STORAGE, number, theirs, mine))
    for number in range(draw(st.integers(0, 3))):
        theirs, mine = (
            _NETWORKS[draw(st.sampled_from(sorted(_NETWORKS)))](f"{host}{number}") for host in "ab"
        )
        places.append(_place(Kind.NETWORK, number, theirs, mine))
    for number in range(draw(st.integers(0, 2))):
        addresses = (names.address(f"192.0.2.1{number}"), names.address(f"2001:db8::{number}"))
        places.append(_place(Kind.ADDRESS, number, *draw(st.permutations(addresses))))
    return tuple(draw(st.permutations(places)))


def _place(kind: Kind, number: int, theirs: Name, mine: Name) -> Place:
    return Place(kind, f"p{number}", {"hosta": (theirs,), "hostb": (mine,)}, "", DEFAULT, {})


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    places = draw(_policies())
    root = etree.Element("domain", type="kvm")
    etree.SubElement(root, "name").text = draw(_LABELS)
    etree.SubElement(root, "title").text = draw(_TEXTS)
    root.append(etree.Comment(draw(_LABELS)))
    firmware = etree.SubElement(root, "os")
    if draw(st.booleans()):
        etree.SubElement(firmware, "kernel").text = draw(_paths(places))
    devices = etree.SubElement(root, "devices")
    for _ in range(draw(st.integers(0, 6))):
        devices.append(
            draw(st.sampled_from((_disks, _interfaces, _graphics, _serials, _strangers)))(draw, places)
        )
    if draw(st.booleans()):
        etree.indent(root)
    return Fleet(Policy(True, Mode.ENFORCE, places), etree.tostring(root, encoding="utf-8"))


def _of(places: tuple[Place, ...], kind: Kind) -> list[Name]:
    return [place.at["hosta"][0] for place in places if place.kind is kind]


@st.composite
def _paths(draw: st.DrawFn, places: tuple[Place, ...]) -> str:
    """A path on hosta, on a place more often than not."""
    known = [str(name) for name in _of(places, Kind.STORAGE)]
    before = draw(st.sampled_from((*known, *known, "/elsewhere")))
    return "/".join((before, *draw(st.lists(_WORDS, max_size=3))))


def _disks(draw: st.DrawFn, places: tuple[Place, ...]) -> etree._Element:
    disk = layer = etree.Element("disk", type="file", device="disk")
    for _ in range(draw(st.integers(1, 3))):
        etree.SubElement(layer, "source", file=draw(_paths(places)), unknown=draw(_TEXTS))
        if draw(st.booleans()):
            break
        layer = etree.SubElement(layer, "backingStore", type="file")
    etree.SubElement(disk, "target", dev=draw(_LABELS))
    return disk


_SOURCES = {Form.BRIDGE: "bridge", Form.OVS: "bridge", Form.NETWORK: "network"}


def _interfaces(draw: st.DrawFn, places: tuple[Place, ...]) -> etree._Element:
    name = draw(st.sampled_from((*_of(places, Kind.NETWORK), names.bridge("elsewhere"))))
    kind = _SOURCES[name.form]
    interface = etree.Element("interface", type=kind)
    etree.SubElement(interface, "mac", address="52:54:00:12:34:56")
    etree.SubElement(interface, "source", {kind: name.parts[0], "unknown": draw(_TEXTS)})
    if name.form is Form.OVS:
        etree.SubElement(interface, "virtualport", type="openvswitch")
        if draw(st.booleans()):
            etree.SubElement(interface, "vlan")
    if draw(st.booleans()):
        etree.SubElement(interface, draw(st.sampled_from(("model", "bandwidth", "unknown"))))
    return interface


def _graphics(draw: st.DrawFn, places: tuple[Place, ...]) -> etree._Element:
    address = str(draw(st.sampled_from((*_of(places, Kind.ADDRESS), "0.0.0.0", "::1", "localhost"))))
    graphics = etree.Element("graphics", type="vnc", passwd=draw(_LABELS))
    if draw(st.booleans()):
        graphics.set("listen", address)
    for _ in range(draw(st.integers(0, 2))):
        etree.SubElement(graphics, "listen", type="address", address=address)
    return graphics


def _serials(draw: st.DrawFn, places: tuple[Place, ...]) -> etree._Element:
    serial = etree.Element(draw(st.sampled_from(("serial", "console", "channel", "parallel"))), type="file")
    etree.SubElement(serial, "source", path=draw(_paths(places)))
    etree.SubElement(serial, "log", file=draw(_paths(places)))
    return serial


def _strangers(draw: st.DrawFn, places: tuple[Place, ...]) -> etree._Element:
    """What libhooks knows nothing of, however much it looks like what it knows."""
    prefix: dict[str | None, str] = {draw(st.sampled_from((None, "x"))): "urn:example"}
    stranger = etree.Element("{urn:example}disk", nsmap=prefix)  # type: ignore[arg-type]  # the stubs lack None
    stranger.text = draw(_TEXTS)
    etree.SubElement(stranger, "source", file=draw(_paths(places)))
    return stranger


@bounded
@given(fleets())
def test_deciding_on_the_output_changes_nothing(fleet: Fleet) -> None:
    """A guest that was rewritten for a host is unchanged there."""
    first = decided(fleet.document, fleet.policy, "hostb")
    if first.output is not None:
        again = decided(first.output, fleet.policy, "hostb")
        assert again == Decision(Verdict.UNCHANGED, (), (), None)


@bounded
@given(fleets())
def test_there_and_back(fleet: Fleet) -> None:
    """A guest that moves to a host and back is what it was."""
    there = decided(fleet.document, fleet.policy, "hostb")
    if there.output is not None:
        back = decided(there.output, fleet.policy, "hosta")
        assert canonical(back.output or there.output) == canonical(fleet.document)


@bounded
@given(fleets())
def test_every_difference_is_reported(fleet: Fleet) -> None:
    """What no change reports is in the output as it was in the input."""
    decision = decided(fleet.document, fleet.policy, "hostb")
    assert (decision.output is not None) == (decision.verdict is Verdict.REWRITTEN)
    if decision.output is not None:
        accounted_for(fleet.document, decision)


@bounded
@given(fleets())
def test_a_decision_is_one(fleet: Fleet) -> None:
    """The same guest, policy and facts lead to the same decision."""
    assert decided(fleet.document, fleet.policy, "hostb") == decided(fleet.document, fleet.policy, "hostb")


@bounded
@given(fleets())
def test_without_a_policy(fleet: Fleet) -> None:
    """Without a policy there is no output, whatever the guest."""
    given_answer = answer(
        _event(fleet.document), fleet.document, Settings(str(HOSTB / "none"), "hostb", str(HOSTB))
    )
    assert (given_answer.stdout, given_answer.stderr, given_answer.code) == (b"", "", 0)
    assert given_answer.failure is None


# The golden cases, and libvirt's own documents.


@pytest.mark.parametrize("case", [case for case in cases() if (case.directory / "expect.xml").exists()],
                         ids=lambda case: case.name)  # fmt: skip
def test_golden_outputs(case: Case, tmp_path: Path) -> None:
    """The outputs of the golden cases are accounted for, and settled: with a stamp or without one."""
    where = laid_out(case, tmp_path)
    policy, event = load(where.policy), Event(case.guest, case.operation)
    stamped = (case.directory / "expect.xml").read_bytes()
    with open_facts(where.root) as facts:
        memo = Memo(facts, case.host)

        def decided_on(document: bytes) -> Decision:
            return decide(event, document, policy, memo, (), carried(parse(document), "2031-06-15T12:00:00Z"))

        decision = decided_on(case.document)
        assert decision.output is not None
        again = (decided_on(decision.output), decided_on(stamped))
    accounted_for(case.document, decision)
    assert again == (Decision(Verdict.UNCHANGED, (), (), None),) * 2


def _corpus_policy() -> Policy:
    """A place for much of what libvirt's documents name."""
    paths = ("/var/lib/libvirt", "/tmp", "/dev", "/usr", "/some", "/root", "/path", "/media", "/mnt")
    bridges = ("br0", "virbr0", "br1")
    return Policy(
        True,
        Mode.ENFORCE,
        (
            *(
                _place(Kind.STORAGE, number, names.path(path), names.path(f"/hostb{path}"))
                for number, path in enumerate(paths)
            ),
            *(
                _place(Kind.NETWORK, number, names.bridge(one), names.network(f"n{number}"))
                for number, one in enumerate(bridges)
            ),
            _place(Kind.NETWORK, 8, names.network("default"), names.bridge("default0")),
            _place(Kind.NETWORK, 9, names.direct("eth0"), names.direct("eno1")),
            _place(Kind.ADDRESS, 0, names.address("192.168.10.1"), names.address("192.0.2.12")),
        ),
    )


@pytest.mark.parametrize("file", CORPUS, ids=[file.stem for file in CORPUS])
def test_corpus(file: Path, tmp_path: Path) -> None:
    """Each of libvirt's own documents is decided on, and what holds for every decision holds for it."""
    document, policy = file.read_bytes(), _corpus_policy()
    decision = decided(document, policy, "hostb")
    assert {finding.code for finding in decision.findings} <= {"network.form", "storage.mapped"}
    if decision.output is not None:
        accounted_for(document, decision)
        assert decided(decision.output, policy, "hostb").verdict is Verdict.UNCHANGED
        back = decided(decision.output, policy, "hosta")
        assert canonical(back.output or decision.output) == canonical(document)
    whole = answer(_event(document), document, Settings(str(tmp_path), "hostb", str(HOSTB)))
    assert (whole.stdout, whole.stderr, whole.code, whole.failure) == (b"", "", 0, None)
