"""Guests with garbage where names and numbers should stand: judged all the same, never an error of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from test_bad_input import Decide, told
from test_engine_properties import HOSTB, bounded
from test_guest_properties import GUESTS, OTHERS

from libhooks import journal, requirements
from libhooks.door import REFUSED, Answer, Settings, answer
from libhooks.event import Event, Operation
from libhooks.requirements.model import Requirement

#: Places, adjustments and edits that meet much of what the guests name.
POLICY = """\
version = 1
[storage.all]
at.hosta = "/srv"
at.hostb = "/mnt/vmstore"
[storage.pool]
at.hosta = "pool:images"
at.hostb = { protocol = "rbd", name = "vms", hosts = ["mon:6789"] }
[storage.rbd]
at.hosta = { protocol = "rbd", name = "vms" }
at.hostb = "/mnt/rbd"
[file.usr]
at.hosta = "/usr"
at.hostb = "/opt"
[file.dev]
at.hosta = "/dev"
at.hostb = "/hostb/dev"
[network.br0]
at.hosta = "bridge:br0"
at.hostb = "network:prod"
[network.default]
at.hosta = "network:default"
at.hostb = "ovs:ovsbr0"
[network.eth0]
at.hosta = "direct:eth0"
at.hostb = "direct:eno1"
[address.console]
at.hosta = "192.0.2.11"
at.hostb = "192.0.2.12"
[device.gpu]
at.hosta = "pci:0000:41:10.1"
at.hostb = "pci:0000:42:00.0"
[device.mdev]
at.hosta = "mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
at.hostb = "mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa2002"
[device.usb]
at.hosta = "usb:046d:c52b"
at.hostb = "usb:1-2"
[adjust]
vnc-password = "truncate"
cpu-pinning = "fit"
numa = "fit"
shares = "fit"
perf = "fit"
seclabel = "fit"
[edit.cache]
match.name = ["*"]
select = "devices/disk/driver/@cache"
action = "set"
value = "none"
"""

_WORDS = """\
/ // /../.. /srv/images/../x -1 +1 0x 0x-1 08 1e9 ' " <&> ]]> [1] @x {} %s {0} $(id) \\ * , :
:: ::1%eth0 [::1]:5 ]:1 disk lun cdrom rbd nbd nfs iscsi openvswitch memfd pc-q35-99.9 q35 kvm x
0.0.0.0.0 0000:41:00.0 ffff:ff:1f.7 83b8f4f2 046d:c52b 1-2.3 0-99999999999 0-3,^1 ^0 3-1 all
file block network volume nvme dir vhostuser unix tcp udp bridge direct hostdev user server pci usb mdev
scsi vnc yes 2031-01-01T00:00:00
"""
_CHARACTERS = (
    "\u0663",
    "\u00b2",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\U0001f4be",
    "\t\n",
    " x ",
    "",
    " ",
)
#: What XML can hold at all: no other control characters.
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=20)
_GARBAGE = st.sampled_from((*_WORDS.split(), *_CHARACTERS, "x" * 5000, "9" * 40, "0x" + "f" * 40)) | _TEXT


@st.composite
def littered(draw: st.DrawFn) -> bytes:
    """A guest some of whose attributes and texts are garbage, gone, or those of its other elements."""
    root = etree.fromstring(draw(GUESTS | OTHERS))
    elements = list(root.iter(etree.Element))
    for element in draw(st.lists(st.sampled_from(elements), min_size=1, max_size=8)):
        what = draw(st.integers(0, 9))
        if what < 6 and element.attrib:
            for key in draw(st.lists(st.sampled_from(sorted(map(str, element.attrib))), min_size=1)):
                element.set(key, draw(_GARBAGE))
        elif what < 8 and not len(element):
            element.text = draw(_GARBAGE)
        elif what == 8 and element.attrib:
            del element.attrib[draw(st.sampled_from(sorted(map(str, element.attrib))))]
        elif what == 9 and element is not root and (around := element.getparent()) is not None:
            twin = etree.fromstring(etree.tostring(draw(st.sampled_from(elements)), with_tail=False))
            around.insert(0, twin)
    return etree.tostring(root)


@pytest.fixture(scope="module")
def decide(tmp_path_factory: pytest.TempPathFactory) -> Decide:
    """Decide on hostb, under the policy above."""
    directory = tmp_path_factory.mktemp("policy")
    (directory / "policy.toml").write_text(POLICY)
    (directory / "policy.toml").chmod(0o644)

    def decided(
        document: bytes,
        operation: Operation = Operation.MIGRATE,
        judged: tuple[Requirement, ...] = requirements.ALL,
    ) -> Answer:
        where = Settings(str(directory), "hostb", str(HOSTB))
        return answer(Event("web1", operation), document, where, judged)

    return decided


def sound(given_answer: Answer) -> None:
    """An answer is a verdict, in words that a terminal shows, with a document that can be read if any."""
    assert given_answer.failure is None, told(given_answer)
    assert given_answer.code in (0, REFUSED)
    assert given_answer.stderr.replace("\n", "").isprintable()
    assert len(given_answer.stderr.encode()) <= 8192
    assert json.loads(journal.encode(given_answer.record))["error"] is None
    if given_answer.stdout:
        assert etree.fromstring(given_answer.stdout).tag == "domain"


@bounded
@given(littered(), st.sampled_from(Operation))
def test_garbage(decide: Decide, document: bytes, operation: Operation) -> None:
    """Whatever stands where a name, a number or a word should, the guest is judged."""
    sound(decide(document, operation))


@bounded
@given(littered())
def test_garbage_is_settled(decide: Decide, document: bytes) -> None:
    """What was made of garbage is not made anew."""
    first = decide(document, judged=requirements.REWRITING)
    if first.stdout:
        again = decide(first.stdout, judged=requirements.REWRITING)
        assert (again.stdout, again.stderr, again.code) == (b"", "", 0)


@bounded
@given(GUESTS | OTHERS, st.data())
def test_broken_text(decide: Decide, document: bytes, data: st.DataObject) -> None:
    """Whatever bytes stand in a document, there is a verdict, or a reason why there can be none."""
    at = data.draw(st.integers(0, len(document)))
    noise = data.draw(
        st.binary(max_size=8) | st.sampled_from((b"&#1;", b"&x;", b"\0", b"<!--", b"]]>", b'"', b"<?x"))
    )
    given_answer = decide(document[:at] + noise + document[at + data.draw(st.integers(0, 20)) :])
    assert given_answer.code in (0, REFUSED)
    assert "an error inside libhooks" not in told(given_answer)
