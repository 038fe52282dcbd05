"""Facts as files: whatever a decision asked and was told is written, read back, and decides alike."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Hashable, NamedTuple

import pytest
from golden_cases import Case, cases, expected, settings

from libhooks import engine, journal
from libhooks.carried import counting
from libhooks.cases import case as cases_case
from libhooks.cases import written
from libhooks.cases.answers import Answers
from libhooks.cases.notation import long, value
from libhooks.cases.run import run
from libhooks.cases.shapes import QUESTIONS
from libhooks.cases.told import facts_of
from libhooks.decision import Decision
from libhooks.domain import parse
from libhooks.event import Event
from libhooks.facts.host import open_facts
from libhooks.facts.machine.words import Cpu, Emulator, Held, HostDevice, Pages
from libhooks.facts.model import File, Image, Leaf, Link, Memo, Mount, StoragePool, Unknown, VirtualNetwork
from libhooks.facts.surroundings.words import Access, Exports, Port, Running, Wire
from libhooks.origin import Identity
from libhooks.policy import syntax
from libhooks.policy.diagnostic import Diagnostic
from libhooks.policy.load import load
from libhooks.policy.model import Policy

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: When the guests arrive.
NOW = "2026-01-31T12:00:00Z"
#: Those in which something is decided.
GOLDEN = [case for case in cases() if expected(case).record["error"] is None]


class Decided(NamedTuple):
    """A golden case decided with the facts of its tree, and the facts it was told."""

    event: Event
    policy: Policy
    memo: Memo
    decision: Decision


def decided(case: Case, scratch: Path) -> Decided:
    """The case decided by the engine."""
    where, event = settings(case, scratch), Event(case.guest, case.operation)
    domain = parse(case.document)
    policy = load(where.policy).for_guest(event.name, domain.uuid)
    with open_facts(where.root, policy.deadline) as facts:
        memo = Memo(facts, case.host)
        carried = counting(domain, policy, event, memo.host(), NOW)
        decision = engine.decide_domain(event, domain, policy, memo, carried=carried)
        return Decided(event, policy, memo, decision)


def read(text: str) -> dict[tuple[str, Hashable], object]:
    """Facts that are written in a file."""
    document = syntax.document("facts.toml", text.encode())
    assert not isinstance(document, Diagnostic), document
    table = document.table["facts"]
    assert isinstance(table, dict)
    told, problems = facts_of(document, table, ("facts",))
    assert problems == ()
    return dict(told)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_facts_decide_alike(case: Case, tmp_path: Path) -> None:
    """What a decision asked is all that it takes to decide again, with the same record and the same XML."""
    event, policy, memo, decision = decided(case, tmp_path)
    told = read("\n".join(written.facts(memo.answers)))
    assert told == memo.answers
    domain = parse(case.document)
    carried = counting(domain, policy, event, memo.host(), NOW)
    again = engine.decide_domain(event, domain, policy, Answers(told), carried=carried)
    assert again == decision
    assert [journal.finding(one) for one in again.findings] == [
        journal.finding(one) for one in decision.findings
    ]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_kept_cases_pass(case: Case, tmp_path: Path) -> None:
    """A decision that is kept is a case that passes under the policy that it was made with."""
    event, policy, memo, _ = decided(case, tmp_path)
    file = tmp_path / "kept.toml"
    file.write_bytes(written.case(event, parse(case.document), policy, memo.answers, NOW))
    kept, problems = cases_case.read(str(file))
    assert problems == ()
    assert kept is not None
    assert run(kept, load(str(tmp_path / "policy.d"))).differences == ()


MOUNT = Mount("/mnt", "filer:/a b", "nfs4", "/", "/mnt/a")
#: An answer of every type that a question has.
ANSWERS: dict[tuple[str, Hashable], object] = {
    ("host", ()): ("hostb.example.org", "hostb"),
    ("release", ()): ("almalinux", "9.2"),
    ("nvram_template", ("/l",)): "/t",
    ("architecture", ()): "x86_64",
    ("emulator", ("/usr/bin/qemu",)): Emulator(7002000, 9000000, "x86_64", ("q35", "pc")),
    ("blockers", ("/usr/bin/qemu", "EPYC")): (),
    ("cpu", ()): Cpu("GenuineIntel", frozenset({"vmx", "aes"})),
    ("memory", ()): 1024,
    ("hugepages", ()): (Pages(-1, 2048, 3, True),),
    ("hugetlbfs", ()): frozenset({0, 2048}),
    ("cpus", ()): frozenset({0, 1}),
    ("nodes", ()): frozenset[int](),
    ("cpu_controller", ()): None,
    ("perf_events", ()): Unknown("no answer in 2 s"),
    ("security_models", ()): frozenset({"dac"}),
    ("device", ("pci", "0000:41:00.0")): HostDevice("0000:41:00.0", "", True, 1),
    ("held", ()): (Held("pci", "0000:41:00.0", "db1", "u"),),
    ("mount_options", ("/a",)): ("ro", "addr=192.0.2.1"),
    ("access", ("/a",)): Access("qemu", True, False, "", "0:0, mode 0600", False, MOUNT),
    ("boolean", ("virt_use_nfs",)): False,
    ("identity", ("/a",)): Identity(inode=7),
    ("paths_of", ("filer:/a", "", "7", "", "")): ("/mnt/a",),
    ("portals", ("/dev/sda",)): ("192.0.2.1",),
    ("bricks", ("vol",)): ("filer",),
    ("called", ("filer",)): Unknown('a "quoted" reason\n'),
    ("exports", ()): Exports(("/srv",), ()),
    ("wire", ("br0",)): Wire(True, (Port("eno1", True, False),)),
    ("mtu", ("br0",)): None,
    ("segment", ("br0",)): "",
    ("bridges_on", ("vlan 42",)): ("br1", "br2"),
    ("nwfilter", ("clean",)): ("a", "b"),
    ("active", ("web1", "")): Running("web1", "u"),
    ("host_uuid", ()): "u",
    ("unasked", ()): ("/mnt/dead",),
    ("file", ("/a b/\N{SNOWMAN}\x85\U000e0001'\"\\",)): File("block", "/dev/sda", 1, (8, 0)),
    ("mount", ("/a",)): MOUNT,
    ("image", ("/a",)): Image(None, ""),
    ("block", ("/dev/sda",)): (Leaf("sda", "loop", "/x"), Leaf("sdb", "fc")),
    ("link", ("br0",)): Link("br0", "bridge"),
    ("network", ("prod",)): VirtualNetwork("prod", True, ("web",), "bridge", "br0"),
    ("pool", ("images",)): StoragePool("images", "dir", "/srv", True),
    ("addresses", ()): ("192.0.2.12",),
    ("shared_filesystems", ()): (),
}


def test_every_question_has_a_form() -> None:
    """Each question's answers are written and read, None and Unknown and every type of value among them."""
    assert {name for name, _ in ANSWERS} == set(QUESTIONS)
    assert read("\n".join(written.facts(ANSWERS))) == ANSWERS


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_not_told_is_unknown(name: str) -> None:
    """A question that a case does not answer is unknown, but for those that always have an answer."""
    question = getattr(Answers({}), name)
    answer = question(*("x" for _ in QUESTIONS[name].arguments))
    assert answer == (() if name in ("host", "unasked") else Unknown("the case does not say"))


def test_a_host_may_be_named() -> None:
    """A case's host goes by that name, whatever its facts call it."""
    assert Answers({("host", ()): ("hostb",)}, "hosta").host() == ("hosta",)


@pytest.mark.parametrize(
    "text",
    ["", "plain\n", "it's '''quoted'''", "ends with '", '"""', "back\\slash\n\n", "\x7f", "tab\t\x85\u2028"],
)
def test_long_texts_are_read_as_they_were(text: str) -> None:
    """A domain comes out of a case's file as it went in."""
    assert tomllib.loads(f"a = {long(text)}")["a"] == text


def test_names_that_are_no_text() -> None:
    """What cannot stand in a file of text is replaced, and the file stays one."""
    assert tomllib.loads(f"a = {value(chr(0xDC80))}") == {"a": "\ufffd"}
