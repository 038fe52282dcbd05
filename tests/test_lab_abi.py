"""The table of the guest's ABI says what libvirt says: every row is tried through libvirt's own check."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

import pytest
from abi import Example
from abi.aborting import ABORTING
from abi.passing import BREAKING, FREE
from abi.untried import UNSHOWN, UNTRIED
from lab import Host, Lab
from lxml import etree

from libhooks.abi import PARTS, Effect
from libhooks.domain import QEMU

GUEST = Path(__file__).parent / "abi" / "guest.xml"
IMAGE = "/srv/everything.save"
#: The room for the document in a saved image: libvirt writes a new one into what the old one left.
ROOM = 1 << 17
#: How libvirt begins to say that two guests are not the same.
COMPARED = re.compile(
    r"unsupported configuration: (Target |State of |HyperV |SMM |Size of |Processor mask |vcpu enable )"
)
#: A spot's last step, and the path to it; predicates have slashes of their own.
_LAST = re.compile(r"\A(?:(.+)/)?((?:[^/\[\]]|\[[^\]]*\])+)\Z")


@pytest.fixture(scope="module")
def saved(installed_lab: Lab) -> Iterator[bytes]:
    """The document of the guest that has one of everything, as libvirt sends it."""
    host = installed_lab.hosta
    host.virsh("define", "--validate", "/dev/stdin", input=GUEST.read_text())
    yield host.virsh("dumpxml", "--migratable", "--security-info", "everything").stdout.encode()
    host.virsh("undefine", "everything")
    host.path(IMAGE).unlink(missing_ok=True)


def image(document: bytes) -> bytes:
    """A saved guest's file up to its memory: the header of libvirt's qemu_saveimage.h, and the document."""
    header = struct.pack("<16s5I56x", b"LibvirtQemudSave", 2, ROOM, 1, 0, 0)
    return header + (document + b"\0").ljust(ROOM, b"\0")


class Tried(NamedTuple):
    """An example, and what libvirt says when it is done to a saved guest: "" if it lets it pass."""

    example: Example
    said: str


def tried(host: Host, document: bytes, examples: tuple[Example, ...]) -> list[Tried]:
    return [Tried(one, answer(host, document, edited(document, one))) for one in examples]


@pytest.fixture(scope="module")
def aborted(installed_lab: Lab, saved: bytes) -> list[Tried]:
    """What libvirt says to all that should abort a migration."""
    return tried(installed_lab.hosta, saved, ABORTING)


def in_lines(told: Iterable[Tried]) -> str:
    return "\n".join(f"{example.row}: {example.spot} = {example.value}: {said}" for example, said in told)


def answer(host: Host, before: bytes, after: bytes) -> str:
    host.write(IMAGE, image(before))
    done = host.virsh("save-image-define", IMAGE, "/dev/stdin", input=after.decode(), check=False)
    return done.stderr.rstrip().rpartition("\nerror: ")[2] if done.returncode else ""


def edited(document: bytes, example: Example) -> bytes:
    root = etree.fromstring(document)
    path, last = _LAST.findall(example.spot)[0]
    element, *_ = _found(root, path or ".")
    if last.startswith("@"):
        _set(element, last[1:], example.value)
    elif last == "text()":
        element.text = example.value
    else:
        _put(element, _found(element, last), example.value)
    return etree.tostring(root)


def _found(element: etree._Element, path: str) -> list[etree._Element]:
    found = element.xpath(path, namespaces={"qemu": QEMU})
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, etree._Element)]


def _set(element: etree._Element, name: str, value: str | None) -> None:
    if value is None:
        del element.attrib[name]
    else:
        assert element.get(name) != value
        element.set(name, value)


def _put(parent: etree._Element, there: list[etree._Element], value: str | None) -> None:
    assert there or value is not None
    new = [] if value is None else [etree.fromstring(value)]
    if there:
        parent[parent.index(there[0]) : parent.index(there[0]) + 1] = new
    else:
        parent.extend(new)


def test_rows() -> None:
    """Each row of the table has an example of its effect, or a reason why there is none."""
    for effect, examples in ((Effect.ABORTS, ABORTING), (Effect.BREAKS, BREAKING), (Effect.FREE, FREE)):
        rows = {part.path for part in PARTS if part.effect is effect}
        shown = {example.row for example in examples}
        devices = {row for row in shown if row.count("/") == 1 and row.startswith("devices/")}
        assert (shown - rows) - devices == set()
        assert rows - shown - UNTRIED.keys() == set()
        assert shown & UNTRIED.keys() == set()


def test_as_it_is(installed_lab: Lab, saved: bytes) -> None:
    """libvirt takes the guest for itself."""
    assert answer(installed_lab.hosta, saved, saved) == ""


def test_aborting(aborted: list[Tried]) -> None:
    """What the table says aborts a migration, libvirt refuses; and because of a comparison."""
    assert in_lines(one for one in aborted if not COMPARED.match(one.said)) == ""


@pytest.mark.parametrize("examples", [BREAKING, FREE], ids=["breaking", "free"])
def test_passing(installed_lab: Lab, saved: bytes, examples: tuple[Example, ...]) -> None:
    """What the table says passes libvirt's check, passes it, whether the guest bears it or not."""
    told = tried(installed_lab.hosta, saved, examples)
    assert in_lines(one for one in told if one.said) == ""


def test_all_of_libvirts_comparisons(installed_lab: Lab, aborted: list[Tried]) -> None:
    """Whatever libvirt can find to differ, some example shows; a libvirt that compares more is told of."""
    said = "\n".join(one.said for one in aborted)
    unshown = [words for words in comparisons(installed_lab.hosta) if not re.search(pattern(words), said)]
    assert "\n".join(words for words in unshown if not words.startswith(tuple(UNSHOWN))) == ""
    assert [words for words in UNSHOWN if not any(one.startswith(words) for one in unshown)] == []


def comparisons(host: Host) -> list[str]:
    """What this host's libvirt can say about differences: the formats in its library."""
    (library,) = re.findall(r"=> (\S*/libvirt\.so\S*)", host.run(["ldd", "/usr/bin/virsh"]).stdout)
    texts = re.findall(rb"[ -~]{12,}", host.path(library).read_bytes())
    told = [text.decode() for text in texts if re.search(rb"matche?s? (the )?(source|targ)|differs", text)]
    return [text for text in told if COMPARED.match(f"unsupported configuration: {text}")]


def pattern(words: str) -> str:
    """A format as an expression for what it prints."""
    return re.sub(r"%[0-9]*(?:z|ll?)?[a-z]", ".*", re.escape(words).replace("\\ ", " ").replace("\\%", "%"))


def test_native_io(installed_lab: Lab, saved: bytes) -> None:
    """What the guard says of native I/O besides the table: libvirt has no cache of the host's under it."""
    cached = Example("", "devices/disk/driver/@cache", "writeback")
    said = answer(installed_lab.hosta, saved, edited(saved, cached))
    assert said.startswith("unsupported configuration: io='native' needs either no disk cache or directsync")
