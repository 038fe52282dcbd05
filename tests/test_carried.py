"""What a guest carries in its metadata: the origin stamp and waivers, untrusted as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import HOSTB, tree

from libhooks import carried, stamp, waiver
from libhooks.domain import parse
from libhooks.facts.host import open_facts
from libhooks.origin import Entry, Identity, Origin
from libhooks.waiver import Waiver

NOW = "2031-06-15T12:00:00Z"
texts = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs", "Co", "Cn")), max_size=20
)
numbers = st.integers(0, 2**63)
identities = st.builds(Identity, texts, texts, numbers, texts, texts, texts)
origins = st.builds(
    Origin, texts.filter(bool), texts, st.tuples(texts, texts), numbers, numbers, texts,
    st.lists(texts, max_size=3).map(tuple),
    st.lists(st.builds(Entry, texts, texts, identities), max_size=3).map(tuple),
)  # fmt: skip


def guest(metadata: str) -> bytes:
    return f"<domain><name>web1</name><metadata>{metadata}</metadata></domain>".encode()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(origins)
def test_written_and_read(origin: Origin) -> None:
    """What is written is read, whatever hosts and files are called."""
    assert stamp.read(parse(guest(stamp.written(origin)))) == origin


@pytest.mark.parametrize(
    "inside",
    [
        "",
        'host=""',
        'host="a" qemu="-1"',
        'host="a" qemu="7e6"',
        'host="a" qemu="' + "9" * 21 + '"',
        'host="a&#9;b"',
        'host="a" os="&#x202e;"',
        'host="' + "a" * 5000 + '"',
    ],
)
def test_hostile_stamp(inside: str) -> None:
    """A stamp that is not exactly of the form counts as none."""
    assert stamp.read(parse(guest(f'<origin xmlns="{stamp.NAMESPACE}" {inside}/>'))) is None


def test_too_many() -> None:
    """A stamp with more devices than any guest has counts as none."""
    devices = "<device/>" * 5000
    assert stamp.read(parse(guest(f'<origin xmlns="{stamp.NAMESPACE}" host="a">{devices}</origin>'))) is None


def test_another_version() -> None:
    """A stamp of another version is another element, and nothing to us."""
    assert stamp.read(parse(guest('<origin xmlns="urn:libhooks:origin:2" host="a"/>'))) is None


def test_mark() -> None:
    """A stamp takes the place of the one before, beside what others keep in the metadata."""
    domain = parse(guest('<x xmlns="urn:x"/>' + stamp.written(Origin("a"))))
    domain.mark(stamp.written(Origin("b")))
    assert stamp.read(domain) == Origin("b")
    assert domain.root.find("metadata/{urn:x}x") is not None
    assert len(domain.root.findall("metadata/*")) == 2


def test_mark_without_metadata() -> None:
    """A guest without metadata gets some."""
    domain = parse(b"<domain>\n  <name>web1</name>\n  <uuid>x</uuid>\n  <os/>\n</domain>\n")
    domain.mark(stamp.written(Origin("b")))
    assert stamp.read(domain) == Origin("b")
    assert domain.serialise().decode().splitlines()[2:5] == [
        "  <uuid>x</uuid>",
        "  <metadata>",
        f'    <libhooks:origin xmlns:libhooks="{stamp.NAMESPACE}" host="b"/>',
    ]


def test_waivers() -> None:
    """Waivers are read as written, and hold until their last second."""
    given = (Waiver("storage.shared", "vda", NOW), Waiver("copy-storage", "", "2031-06-15T11:59:59Z"))
    domain = parse(guest(waiver.written(given)))
    assert waiver.read(domain) == given
    assert carried.carried(domain, NOW).waivers == given[:1]


@pytest.mark.parametrize("until", ["", "never", "9999", "2031-06-15", "2031-06-15T12:00:00+02:00"])
def test_hostile_waiver(until: str) -> None:
    """A waiver whose end makes no sense would never end: it counts as none."""
    assert waiver.read(parse(guest(waiver.written([Waiver("storage.shared", "", until)])))) == ()


@pytest.mark.parametrize(
    ("waivers", "label", "writable", "copied"),
    [
        ([("copy-storage", "")], "disk vda", True, True),
        ([("copy-storage", "")], "disk vda", False, False),
        ([("copy-storage", "vda")], "disk vda", False, True),
        ([("copy-storage", "vdb")], "disk vda", True, False),
        ([("storage.shared", "")], "disk vda", True, False),
        ([("copy-storage", "")], "filesystem /srv", True, False),
    ],
)
def test_copied(waivers: list[tuple[str, str]], label: str, writable: bool, copied: bool) -> None:
    """libvirt copies the disks that a guest writes to, or those that are named."""
    assert waiver.copied([Waiver(*one, NOW) for one in waivers], label, writable) is copied


DISKS = """
["/proc/self/mountinfo"]
text = "21 1 8:2 / / rw - ext4 /dev/sda2 rw\\n"

["/dev/sdb"]
kind = "block"
device = "8:16"

["/sys/dev/block/8:16"]
link = "../../devices/sdb"

["/sys/devices/sdb/device/wwid"]
text = "naa.600508b400105e21\\n"

["/dev/disk/by-id/scsi-3600508b400105e21"]
link = "../../sdb"

["/dev/disk/by-id/wwn-0x600508b400105e21"]
link = "../../sdb"

["/dev/sdc"]
kind = "block"
device = "8:32"

["/sys/dev/block/8:32"]
link = "../../devices/sdc"

["/sys/devices/sdc/size"]
text = "100\\n"
"""


def test_whereabouts_of_devices(tmp_path: Path) -> None:
    """A LUN is found by its world-wide name, under a name that means the same on every host."""
    with open_facts(str(tree(tmp_path, stat=DISKS))) as facts:
        assert facts.identity("/dev/sdb") == Identity(wwid="3600508b400105e21")
        assert facts.paths_of("", "", "0", "3600508b400105e21", "") == (
            "/dev/disk/by-id/wwn-0x600508b400105e21",
        )
        assert facts.paths_of("", "", "0", "3600508b400105e22", "") == ()
        assert facts.paths_of("", "", "0", "", "") == ()


def test_whereabouts_on_a_silent_server() -> None:
    """What a server that does not answer may have is nowhere to move a guest to."""
    with open_facts(str(HOSTB)) as facts:
        assert facts.paths_of("dead.example.org:/images", "/web1.raw", "4711", "", "") == ()
