"""Direct edits: what no place covers, set or removed in the order of the policy, with the last word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from golden_cases import CHECKOUT, GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from test_engine_properties import accounted_for

from libhooks import names
from libhooks.decision import DEFAULT, Change, Decision, Kind, Level, Rule, Undecidable, Verdict
from libhooks.domain import parse
from libhooks.edits import made
from libhooks.engine import decide
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.names import Name
from libhooks.policy.model import Action, Adjustment, DirectEdit, How, Mode, Place, Policy, Setting
from libhooks.secrecy import masked

RULE = Rule("p.toml", 7)
DOCUMENT = b"""\
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web1</name>
  <title>web</title>
  <vcpu cpuset='0-63'>2</vcpu>
  <cputune>
    <vcpupin vcpu='0' cpuset='1'/>
    <vcpupin vcpu='1' cpuset='0-99'/>
    <vcpupin vcpu='2' cpuset='99'/>
  </cputune>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='writeback'/>
      <source file='/srv/images/web1.raw'/>
      <target dev='vda'/>
      <iotune><total_bytes_sec>1</total_bytes_sec></iotune>
    </disk>
    <disk type='network' device='disk'>
      <source protocol='gluster' name='vms/b.raw'><host name='a'/><host name='b'/></source>
      <target dev='vdb'/>
    </disk>
    <interface type='bridge'>
      <source bridge='br0'/>
      <virtualport type='openvswitch'/>
    </interface>
    <graphics type='vnc' passwd='a long secret' listen='192.0.2.11'>
      <listen type='address' address='192.0.2.11'/>
    </graphics>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-hush'/>
    <qemu:env name='A' value='hush'/>
  </qemu:commandline>
</domain>
"""


def edit(select: str, value: str | None = None, id: str = "mine") -> DirectEdit:
    action = Action.REMOVE if value is None else Action.SET
    return DirectEdit(id, ("*",), (), select, action, value or "", RULE)


def after(*edits: DirectEdit) -> etree._Element:
    """DOCUMENT with these edits made."""
    return made(parse(DOCUMENT), edits)[1].root


def test_set() -> None:
    """An attribute, an element's text, and an attribute that was not there."""
    root = after(
        edit("title", "other"), edit("devices/disk/driver/@cache", "none"), edit("vcpu/@current", "1")
    )
    assert root.findtext("title") == "other"
    assert [one.get("cache") for one in root.iter("driver")] == ["none"]
    assert root.find("vcpu").attrib == {"cpuset": "0-63", "current": "1"}  # type: ignore[union-attr]


def test_remove() -> None:
    """An element with all in it, an attribute, a text; of siblings each that is meant."""
    root = after(
        edit("devices/disk/iotune"), edit("vcpu/@cpuset"), edit("title/text()"), edit("cputune/vcpupin")
    )
    assert root.find("devices/disk/iotune") is None
    assert root.find("vcpu").attrib == {}  # type: ignore[union-attr]
    assert root.find("title") is not None
    assert root.findtext("title") == ""
    assert len(root.find("cputune")) == 0  # type: ignore[arg-type]


def test_remove_what_lies_in_each_other() -> None:
    """What goes with something else goes once."""
    root = after(edit("//iotune | //iotune/total_bytes_sec | devices/disk/source/host | //source[host]"))
    assert [one.tag for one in root.iter("iotune", "total_bytes_sec", "host")] == []
    assert len(root.findall("devices/disk/source")) == 1


@pytest.mark.parametrize(
    ("select", "value"),
    [("comment()", None), (".", None), ("devices", "x"), ("metadata/namespace::*", None), ("//text()", "x")],
)
def test_what_cannot_be_edited(select: str, value: str | None) -> None:
    """An edit that selects what cannot be edited says which it is, and where it stands."""
    document = DOCUMENT.replace(b"<title>", b"<!-- note --><metadata/><title>")
    with pytest.raises(Undecidable, match=r"^edit\.mine \(p\.toml:7\): it "):
        made(parse(document), (edit(select, value),))


def test_nothing_to_do() -> None:
    """What is so already, or is not there, is no change."""
    edits = (edit("title", "web"), edit("vcpu/@current"), edit("devices/video"), edit("on_crash", "x"))
    assert made(parse(DOCUMENT), edits)[0] == ()


# In a decision, on top of places and adjustments.


def place(kind: Kind, id: str, theirs: Name, mine: Name) -> Place:
    return Place(kind, id, {"hosta": (theirs,), "hostb": (mine,)}, "", DEFAULT, {})


PLACES = (
    place(Kind.STORAGE, "images", names.path("/srv/images"), names.path("/mnt/b")),
    place(Kind.STORAGE, "vms", names.store("gluster", "vms", ("a", "b")),
          names.store("gluster", "vms", ("c", "d"))),
    place(Kind.NETWORK, "prod", names.ovs("br0"), names.network("prod")),
    place(Kind.ADDRESS, "console", names.address("192.0.2.11"), names.address("192.0.2.12")),
)  # fmt: skip
ADJUST = {"cpu-pinning": Adjustment(How.FIT, RULE), "vnc-password": Adjustment(How.TRUNCATE, RULE)}
OFF = {"guard.abi": Setting(Level.OFF, DEFAULT)}


@pytest.fixture(scope="module")
def hostb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    (root / "stat.toml").write_text('["/sys/devices/system/cpu/online"]\ntext = "0-3"\n')
    return root


def decided(root: Path, document: bytes, *edits: DirectEdit) -> Decision:
    """What places, adjustments and edits make of a guest on hostb."""
    policy = Policy(True, Mode.ENFORCE, PLACES, OFF, adjust=ADJUST, edits=edits)
    with open_facts(str(root)) as facts:
        return decide(Event("web1", Operation.MIGRATE), document, policy, Memo(facts, "hostb"), ())


def told(decision: Decision) -> list[tuple[str, str, str, str]]:
    return [(change.place, change.spot.label, change.old, change.new) for change in decision.changes]


def test_the_last_word(hostb: Path) -> None:
    """What a place or an adjustment changed and an edit then changes is one difference, the edit's."""
    path, pin = "devices/disk[1]/source/@file", "cputune/vcpupin[@vcpu='1']/@cpuset"
    decision = decided(hostb, DOCUMENT, edit(path, "/elsewhere.raw"), edit(pin, "2"))
    assert ("mine", "disk vda source/@file", "/srv/images/web1.raw", "/elsewhere.raw") in told(decision)
    assert ("mine", "cputune vcpupin[@vcpu='1']/@cpuset", "0-99", "2") in told(decision)
    assert {change.place for change in decision.changes} == {"vms", "prod", "console", "cpu-pinning",
                                                             "vnc-password", "mine"}  # fmt: skip
    accounted_for(DOCUMENT, decision)


def test_back_to_what_it_was(hostb: Path) -> None:
    """What an edit puts back as it was is no difference."""
    decision = decided(hostb, DOCUMENT, edit("devices/disk[1]/source/@file", "/srv/images/web1.raw"))
    assert "images" not in {change.place for change in decision.changes}
    accounted_for(DOCUMENT, decision)


def test_removed_with_what_was_changed_in_it(hostb: Path) -> None:
    """What goes away is told as it came, whatever was changed in it before."""
    decision = decided(
        hostb, DOCUMENT, edit("devices/disk/source"), edit("cputune"), edit("devices/interface/source")
    )
    gone = [change for change in decision.changes if change.place == "mine"]
    assert [change.old for change in gone] == ["<source>", "<source>", "<cputune>", "<source>"]
    assert 'file="/srv/images/web1.raw"' in (gone[0].edits[0].old or "")
    assert {"images", "vms"} & {change.place for change in decision.changes} == set()
    accounted_for(DOCUMENT, decision)


SELECTS = (
    "title", "title/text()", "vcpu/@cpuset", "//@cpuset", "cputune", "cputune/vcpupin",
    "cputune/vcpupin[1]/@cpuset", "cputune/vcpupin[@vcpu='2']", "devices/disk/source",
    "devices/disk/source/@file", "//source/host", "//source/host[1]/@name", "//source/host/@name",
    "devices/disk/iotune", "//total_bytes_sec", "devices/graphics",
    "devices/graphics/@listen", "//listen", "//listen/@address", "//@passwd", "devices/interface/virtualport",
    "//virtualport/@type", "qemu:commandline", "qemu:commandline/*", "//qemu:arg/@value",
    "devices/disk/driver", "devices/disk/driver/@cache", "devices/interface/source/@network",
)  # fmt: skip
VALUES = (
    "",
    "0-1",
    "0-99",
    "/srv/images/web1.raw",
    "/mnt/b/web1.raw",
    "192.0.2.11",
    "192.0.2.12",
    "web",
    "a",
)
_EDITS = st.lists(st.builds(edit, st.sampled_from(SELECTS), st.none() | st.sampled_from(VALUES)), max_size=4)


@settings(max_examples=250, deadline=None, database=None, derandomize=bool(os.environ.get("CI")))
@given(_EDITS)
def test_whatever_the_edits(hostb: Path, edits: list[DirectEdit]) -> None:
    """Every difference is an edit of exactly one change, and deciding on the output changes nothing."""
    try:
        decision = decided(hostb, DOCUMENT, *edits)
    except Undecidable:
        return
    accounted_for(DOCUMENT, decision)
    again = decided(hostb, decision.output or DOCUMENT, *edits)
    assert again.changes == ()
    assert again.verdict is Verdict.UNCHANGED


# Secrets.


def _words(changes: tuple[Change, ...]) -> str:
    return " ".join(f"{change.spot.label} {change.old} {change.new}" for change in changes)


@pytest.mark.parametrize(
    "edits",
    [
        (edit("//@passwd", "another secret"),),
        (edit("//@passwd"),),
        (edit("devices/graphics"),),
        (edit("//qemu:arg/@value", "hush now"), edit("//qemu:env/@value")),
        (edit("qemu:commandline"),),
        (edit("qemu:commandline/*"),),
    ],
)
def test_secrets_are_not_told(hostb: Path, edits: tuple[DirectEdit, ...]) -> None:
    """Passwords and QEMU's arguments are edited, and stand in no change's words, old or new."""
    decision = decided(hostb, DOCUMENT, *edits)
    assert "mine" in {change.place for change in decision.changes}
    assert not {"secret", "hush"} & set(_words(decision.changes).replace("-", " ").split())
    secret = [one.secret for change in decision.changes if change.place == "mine" for one in change.edits]
    assert all(secret)


def test_masked() -> None:
    """A domain that people may see has all but its secrets."""
    shown = masked(parse(DOCUMENT)).serialise()
    assert b"secret" not in shown
    assert b"hush" not in shown
    hidden = (
        DOCUMENT.replace(b"a long secret", b"(hidden)")
        .replace(b"-hush", b"(hidden)")
        .replace(b"hush", b"(hidden)")
    )
    assert shown == parse(hidden).serialise()


@pytest.mark.parametrize(
    "case", ["adjust-passwords", "edit-secrets", "edit-secret-removed", "text-secrets-rewritten"]
)
def test_check_shows_no_secrets(case: str, tmp_path: Path) -> None:
    """`libhooks check` shows what changes, as words and as a diff, and no secret."""
    directory, policy = GOLDEN / case, tmp_path / "policy.toml"
    policy.write_bytes((directory / "policy.toml").read_bytes())
    policy.chmod(0o644)
    document = (directory / "domain.xml").read_text()
    options = ["--policy", str(policy), "--root", str(GOLDEN / "hosts" / "hostb"), "--color", "never"]
    shown = subprocess.run(
        [sys.executable, "-m", "libhooks", "check", *options],
        input=document, capture_output=True, text=True, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    assert shown.stdout.startswith("web1 on hostb")
    root = etree.fromstring(document.encode())
    secrets = [one.get("passwd", "") for one in root.iter("graphics")]
    secrets += [one.get("value", "") for one in root.iter("{*}arg")]
    told_of = shown.stdout + shown.stderr
    assert [one for one in secrets if one and one[:6] in told_of] == []
