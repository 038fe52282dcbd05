"""Every row of the reference tables at work: what stands in a guest on hosta, and what on hostb."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest
import schema
from lxml import etree

from libhooks import guard, names
from libhooks.decision import DEFAULT, Change, Edit, Kind
from libhooks.domain import Domain, parse
from libhooks.event import Operation
from libhooks.names import Name
from libhooks.places import Index, Outcome, Resolution
from libhooks.policy import placenames
from libhooks.policy.model import Place
from libhooks.references import ROWS, find
from libhooks.references.model import CHARACTER_DEVICES, IMAGES

FILE = Path(__file__).parent / "references" / "samples.xml"

UUIDS = ("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "83b8f4f2-509f-382f-3c1e-e6bfe0fa2002")
SECRETS = ("4e5f6a7b-0c1d-4e2f-8a3b-000000000001", "4e5f6a7b-0c1d-4e2f-8a3b-000000000002")


def _store(name: str, host: str, secret: str = "", protocol: str = "rbd") -> Name:
    return names.store(protocol, name, (host,), secret)


#: What hosta and hostb call the things of their fleet.
FLEET = [
    (Kind.STORAGE, placenames.storage("/srv/a"), placenames.storage("/mnt/b")),
    (Kind.STORAGE, placenames.storage("pool:apool"), placenames.storage("pool:bpool")),
    (Kind.STORAGE, _store("avms", "mona:6789", SECRETS[0]), _store("bvms", "monb:6789", SECRETS[1])),
    (Kind.STORAGE, _store("iqn.a", "sana:3260", "", "iscsi"), _store("iqn.b", "sanb:3260", "", "iscsi")),
    (Kind.STORAGE, _store("exports", "filera", "", "nfs"), _store("vol/b", "filerb", "", "nfs")),
    (Kind.STORAGE, _store("", "/run/a.sock", "", "nbd"), _store("", "/run/b.sock", "", "nbd")),
    (Kind.FILE, placenames.file("/opt/a"), placenames.file("/opt/b")),
    (Kind.FILE, placenames.file("/dev/a"), placenames.file("/dev/b")),
    (Kind.NETWORK, placenames.network("bridge:bra"), placenames.network("bridge:brb")),
    (Kind.NETWORK, placenames.network("ovs:ovsa"), placenames.network("ovs:ovsb")),
    (Kind.NETWORK, placenames.network("network:neta"), placenames.network("network:netb")),
    (Kind.NETWORK, placenames.network("direct:etha"), placenames.network("direct:ethb")),
    (Kind.ADDRESS, placenames.address("192.0.2.11"), placenames.address("192.0.2.12")),
    (Kind.DEVICE, placenames.device("pci:0000:41:00.0"), placenames.device("pci:0001:42:1f.7")),
    (Kind.DEVICE, placenames.device(f"mdev:{UUIDS[0]}"), placenames.device(f"mdev:{UUIDS[1]}")),
    (Kind.DEVICE, placenames.device("usb:046d:c52b"), placenames.device("usb:0bda:8153")),
    (Kind.DEVICE, placenames.device("usb:1-2.3"), placenames.device("usb:3-1")),
]
PLACES = tuple(
    Place(kind, f"p{number}", {"hosta": (a,), "hostb": (b,)}, "", DEFAULT, {})
    for number, (kind, a, b) in enumerate(FLEET)
)
AT = {host: Index(PLACES, (host,)) for host in ("hosta", "hostb")}


class Sample(NamedTuple):
    """A guest with names of hosta, and the same with those of hostb. ``newer`` than the schema of 9.0."""

    before: bytes
    after: bytes
    newer: bool = False


#: Each device with a character device of its own, what stands around that one, and what is in front.
CHARACTERS = {
    "devices/serial": ("<serial{}>", "</serial>"),
    "devices/parallel": ("<parallel{}>", "</parallel>"),
    "devices/console": ("<console{}>", "</console>"),
    "devices/channel": ("<channel{}>", "<target type='virtio' name='c'/></channel>"),
    "devices/smartcard": ("<smartcard mode='passthrough'{}>", "</smartcard>"),
    "devices/redirdev": ("<redirdev bus='usb'{}>", "</redirdev>"),
    "devices/rng/backend": ("<rng model='virtio'><backend model='egd'{}>", "</backend></rng>"),
}
#: What stands around an image, in each of the places where one can stand.
AROUND = {
    "devices/disk/source": "<disk type='{}' device='disk'>{}<target dev='vda' bus='virtio'/></disk>",
    "devices/disk/backingStore/source": (
        "<disk type='file' device='disk'><source file='/x'/><target dev='vda' bus='virtio'/>"
        "<backingStore type='file'><format type='qcow2'/><source file='/y'/>"
        "<backingStore type='{}'><format type='raw'/>{}<backingStore/></backingStore></backingStore></disk>"
    ),
    "devices/disk/source/dataStore/source": (
        "<disk type='file' device='disk'><source file='/x'><dataStore type='{}'><format type='raw'/>{}"
        "</dataStore></source><target dev='vda' bus='virtio'/></disk>"
    ),
    "devices/disk/backingStore/source/dataStore/source": (
        "<disk type='file' device='disk'><source file='/x'/><target dev='vda' bus='virtio'/>"
        "<backingStore type='file'><format type='qcow2'/><source file='/y'><dataStore type='{}'>"
        "<format type='raw'/>{}</dataStore></source><backingStore/></backingStore></disk>"
    ),
    "os/nvram/source": "<loader type='pflash'>/x</loader><nvram type='{}'>{}</nvram>",
    "os/nvram/source/dataStore/source": (
        "<loader type='pflash'>/x</loader><nvram type='file'><source file='/x'>"
        "<dataStore type='{}'><format type='raw'/>{}</dataStore></source></nvram>"
    ),
}


def samples() -> Iterator[Sample]:
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True)
    for told in etree.parse(str(FILE), parser).getroot():
        inner = "".join(etree.tostring(child, encoding="unicode") for child in told)
        kind, newer = told.get("type", ""), told.get("newer") == "yes"
        if told.tag == "character":
            for head, tail in CHARACTERS.values():
                yield sample("devices", head.format(f" type='{kind}'") + inner + tail, newer)
        elif told.tag == "image":
            for element in IMAGES:
                newest = newer or "dataStore" in element
                yield sample(element.partition("/")[0], AROUND[element].format(kind, inner), newest)
        else:
            yield sample(str(told.tag), inner, newer)


def sample(into: str, inner: str, newer: bool) -> Sample:
    # An nvram is never a volume: that is another test's.
    inner = inner.replace("[apool|bpool]", "x") if into == "os" else inner
    boot, top, devices = (inner if into == one else "" for one in ("os", "domain", "devices"))
    document = (
        "<domain type='kvm'><name>g</name><memory>1024</memory>"
        f"<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>{boot}</os>{top}"
        f"<devices>{devices}</devices></domain>"
    )
    before, after = (re.sub(r"\[([^|\]]*)\|([^\]]*)\]", side, document) for side in (r"\1", r"\2"))
    return Sample(before.encode(), after.encode(), newer)


SAMPLES = tuple(samples())
IDS = [str(number) for number in range(len(SAMPLES))]


def resolved(document: bytes, host: str) -> tuple[Domain, list[Resolution]]:
    domain = parse(document)
    return domain, [AT[host].resolve(one, Operation.MIGRATE) for one in find(domain)]


def written(resolution: Resolution) -> tuple[Edit, ...]:
    reference, new = resolution.reference, resolution.new
    if resolution.outcome is not Outcome.RENAMED or reference.element is None or new is None:
        return ()
    return tuple(reference.row.write(reference.spot, reference.element, new))


def rewritten(document: bytes, host: str) -> bytes:
    """A guest with this host's names, as the engine makes it; nothing of it may meet the guard."""
    domain, resolutions = resolved(document, host)
    changes = tuple(
        Change(
            one.kind, "p", one.reference.spot, str(one.reference.name), str(one.new), DEFAULT, written(one)
        )
        for one in resolutions
    )
    after = domain.edited(edit for change in changes for edit in change.edits)
    assert list(guard.check(changes, after)) == []
    return after.serialise()


def canonical(document: bytes) -> bytes:
    return etree.tostring(etree.fromstring(document), method="c14n")


@functools.cache
def _validator() -> etree.RelaxNG:
    if not (schema.DIRECTORY / "domain.rng").exists():
        pytest.skip("libvirt's schemas are not installed")
    return etree.RelaxNG(file=str(schema.DIRECTORY / "domain.rng"))


def complaint(document: bytes) -> str:
    """What libvirt's schema has against a document, "" if nothing."""
    validator = _validator()
    return "" if validator.validate(etree.fromstring(document)) else str(validator.error_log.last_error)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_rewriting(sample: Sample) -> None:
    """On hostb a guest of hosta has hostb's names, where a place has one, and else stays as it was."""
    assert canonical(rewritten(sample.before, "hostb")) == canonical(sample.after)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_there_and_back(sample: Sample) -> None:
    """Back on hosta it is what it was."""
    assert canonical(rewritten(sample.after, "hosta")) == canonical(sample.before)
    for document, host in ((sample.before, "hosta"), (sample.after, "hostb")):
        assert Outcome.RENAMED not in {one.outcome for one in resolved(document, host)[1]}


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_schema(sample: Sample) -> None:
    """What goes in is what libvirt's schema has, and so is what comes out."""
    if not sample.newer:
        assert complaint(sample.before) == ""
    if not complaint(sample.before):
        assert complaint(sample.after) == ""


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_same_name(sample: Sample) -> None:
    """To write the name that is read there is to write nothing."""
    for document in (sample.before, sample.after):
        for reference in find(parse(document)):
            assert reference.element is not None
            assert reference.name is not None
            assert list(reference.row.write(reference.spot, reference.element, reference.name)) == []


@pytest.mark.parametrize("device", CHARACTER_DEVICES)
def test_character_devices(device: str) -> None:
    """Every element that has a character device is among the samples."""
    assert device in CHARACTERS


def test_every_row_rewrites() -> None:
    """Each row of the tables rewrites something in the samples above."""
    shown = {
        id(resolution.reference.row)
        for one in SAMPLES
        for resolution in resolved(one.before, "hostb")[1]
        if written(resolution)
    }
    assert [f"{row.element} {' '.join(row.covers)}" for row in ROWS if id(row) not in shown] == []
