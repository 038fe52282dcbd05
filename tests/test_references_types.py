"""Disks that become another type, because their place has a name of another form here."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import pytest
from lxml import etree
from test_references_rows import canonical, complaint

from libhooks import names
from libhooks.decision import DEFAULT, Kind
from libhooks.domain import parse
from libhooks.event import Operation
from libhooks.names import Name
from libhooks.places import Index, Outcome, Resolution
from libhooks.policy.model import Place
from libhooks.references import find

SECRET = "4e5f6a7b-0c1d-4e2f-8a3b-000000000001"


class Type(NamedTuple):
    """A type of disk: what its place is called, the type, and the source of the disk ``i`` in it."""

    place: Name
    type: str
    source: str


TYPES = {
    "file": Type(names.path("/srv/a"), "file", "<source file='/srv/a/i'>{}</source>"),
    "other file": Type(names.path("/mnt/b"), "file", "<source file='/mnt/b/i'>{}</source>"),
    "block": Type(names.path("/dev/a"), "block", "<source dev='/dev/a/i'>{}</source>"),
    "volume": Type(names.pool("p"), "volume", "<source pool='p' volume='i'>{}</source>"),
    "rbd": Type(
        names.store("rbd", "vms", ("m:1",)),
        "network",
        "<source protocol='rbd' name='vms/i'><host name='m' port='1'/>{}</source>",
    ),
    "iscsi": Type(
        names.store("iscsi", "iqn.x:y", ("s",)),
        "network",
        "<source protocol='iscsi' name='iqn.x:y/i'><host name='s'/>{}</source>",
    ),
    "gluster": Type(
        names.store("gluster", "vol", ("a", "b:2")),
        "network",
        "<source protocol='gluster' name='vol/i'><host name='a'/><host name='b' port='2'/>{}</source>",
    ),
    "nbd": Type(
        names.store("nbd", "", ("/run/nbd",)),
        "network",
        "<source protocol='nbd' name='i'><host transport='unix' socket='/run/nbd'/>{}</source>",
    ),
    "nfs": Type(
        names.store("nfs", "exports", ("filer",)),
        "network",
        "<source protocol='nfs' name='/exports/i'><host name='filer'/>{}</source>",
    ),
    "https": Type(
        names.store("https", "images", ("[2001:db8::1]:8443",)),
        "network",
        "<source protocol='https' name='images/i'><host name='2001:db8::1' port='8443'/>{}</source>",
    ),
}
PAIRS = [(a, b) for a, b in itertools.permutations(TYPES, 2)]


def disk(kind: str, inner: str = "", attributes: str = "", beside: str = "", device: str = "disk") -> bytes:
    source = TYPES[kind].source.format(inner).replace("<source", f"<source{attributes}", 1)
    return (
        "<domain type='kvm'><name>g</name><memory>1024</memory><os><type>hvm</type></os><devices>"
        f"<disk type='{TYPES[kind].type}' device='{device}'><driver name='qemu' type='raw'/>{beside}"
        f"{source}<target dev='sda' bus='scsi'/></disk></devices></domain>"
    ).encode()


def resolved(document: bytes, here: Name, there: Name) -> Resolution:
    """What becomes of the one name in a document, from a host that calls the place one way to another's."""
    place = Place(Kind.STORAGE, "p", {"hosta": (there,), "hostb": (here,)}, "", DEFAULT, {})
    (reference,) = (one for one in find(parse(document)) if one.row.element == "devices/disk/source")
    return Index((place,), ("hostb",)).resolve(reference, Operation.MIGRATE)


def became(document: bytes, a: str, b: str) -> bytes | str:
    """A disk of type ``a`` where its place is called as ``b`` is, or why it cannot be."""
    resolution = resolved(document, TYPES[b].place, TYPES[a].place)
    reference, new = resolution.reference, resolution.new
    if resolution.outcome is Outcome.UNFIT:
        return resolution.why
    assert new is not None
    assert reference.element is not None
    edits = reference.row.write(reference.spot, reference.element, new)
    return parse(document).edited(edits).serialise()


def bare(document: bytes) -> bytes:
    """A document without the white space between its elements, and a source's children in one order."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    for source in root.iter("source"):
        source[:] = sorted(source, key=lambda child: str(child.tag))
    return canonical(etree.tostring(root))


def valid(document: bytes, kind: str) -> bool:
    """Whether libvirt's schema takes a disk, or takes none of its type that has a name and nothing else.

    The schema of 9.0 wants an <identity> of every NFS disk; libvirt itself does not.
    """
    return complaint(document) in ("", complaint(disk(kind)))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_plain(a: str, b: str) -> None:
    """A plain disk becomes whatever its place is called here, exactly as if it had been defined so."""
    after = became(disk(a), a, b)
    assert isinstance(after, bytes)
    assert bare(after) == bare(disk(b))
    assert valid(after, b)


#: What a source, or the disk around it, has besides its name: attributes, children, beside the source.
EXTRAS = {
    "slices": ("", "<slices><slice type='storage' offset='1' size='2'/></slices>", ""),
    "startup": (" startupPolicy='requisite'", "", ""),
    "mandatory": (" startupPolicy='mandatory'", "", ""),
    "label": ("", "<seclabel model='dac' relabel='no'/>", ""),
    "encryption": (
        "",
        f"<encryption format='luks'><secret type='passphrase' uuid='{SECRET}'/></encryption>",
        "",
    ),
    "encryption of old": (
        "",
        "",
        f"<encryption format='luks'><secret type='passphrase' uuid='{SECRET}'/></encryption>",
    ),
    "reservations": ("", "<reservations managed='yes'/>", ""),
    "ceph's secret": ("", f"<auth username='u'><secret type='ceph' uuid='{SECRET}'/></auth>", ""),
    "iscsi's secret": ("", "<auth username='u'><secret type='iscsi' usage='x'/></auth>", ""),
    "secret of old": ("", "", f"<auth username='u'><secret type='ceph' uuid='{SECRET}'/></auth>"),
    "snapshot": ("", "<snapshot name='s'/>", ""),
    "config": ("", "<config file='/etc/ceph/x.conf'/>", ""),
    "initiator": ("", "<initiator><iqn name='q'/></initiator>", ""),
    "cookies": ("", "<cookies><cookie name='c'>v</cookie></cookies><timeout seconds='5'/>", ""),
    "query": (" query='a=b'", "", ""),
    "tls": (" tls='yes'", "<reconnect enabled='yes' timeout='5'/>", ""),
    "identity": ("", "<identity user='u' group='g'/>", ""),
}
#: Who authenticates by one protocol is nobody by another.
OF_ONE_PROTOCOL = {"ceph's secret", "iscsi's secret", "secret of old", "identity"}
#: What the guest would miss: refused instead of lost.
LOST = {
    "startup": "its startupPolicy would be lost: libvirt allows none on a network disk",
    "encryption": "its <encryption> would be lost",
    "reservations": "its <reservations> would be lost",
    "snapshot": "its <snapshot> would be lost",
    "config": "its <config> would be lost",
    "query": "its query would be lost",
}


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_extras(a: str, b: str, extra: str) -> None:
    """What stands beside a name stays where its new type takes it; else it goes, or the disk is refused."""
    attributes, inner, beside = EXTRAS[extra]
    before = disk(a, inner, attributes, beside)
    if complaint(before):
        return  # this type has no such thing
    after = became(before, a, b)
    if isinstance(after, str):
        assert after == LOST.get(extra)
        assert complaint(disk(b, inner, attributes, beside))
        return
    assert valid(after, b)
    # The schema of 9.0 wants an <identity> of every NFS disk, and then says what else it takes.
    identity = "<identity user='u' group='g'/>" if b == "nfs" else ""
    taken = not complaint(disk(b, inner + identity, attributes, beside)) and extra not in OF_ONE_PROTOCOL
    stays = taken or {a, b} == {"file", "other file"}
    assert bare(after) == bare(disk(b, inner, attributes, beside) if stays else disk(b))


LUNS = {"block", "volume", "iscsi"}


@pytest.mark.parametrize(("a", "b"), [(a, b) for a, b in PAIRS if a in LUNS])
def test_luns(a: str, b: str) -> None:
    """A LUN stays a block device, a volume or an iSCSI disk: libvirt takes none of another type."""
    after = became(disk(a, device="lun"), a, b)
    if b in LUNS:
        assert isinstance(after, bytes)
        assert bare(after) == bare(disk(b, device="lun"))
        assert complaint(after) == ""
    else:
        assert after == "a LUN is a block device or an iSCSI disk"


def _told(source: str, new: Name, old: Name, around: str = "type='network' device='disk'") -> str:
    document = f"<domain><devices><disk {around}>{source}<target dev='vda'/></disk></devices></domain>"
    return resolved(document.encode(), new, old).why


@pytest.mark.parametrize(
    ("hosts", "why"),
    [
        ((), "nbd takes one host, and the place names none"),
        (("a", "b"), "nbd takes one host, and the place names 2"),
    ],
)
def test_number_of_hosts(hosts: tuple[str, ...], why: str) -> None:
    """Most network disks name one host; a place that names none or several cannot be one's."""
    new = names.store("nbd", "e", hosts)
    assert _told("<source file='/srv/a/i'/>", new, names.path("/srv/a"), "type='file'") == why


@pytest.mark.parametrize(
    ("inner", "lost"),
    [
        ("<knownHosts path='/k'/>", "<knownHosts>"),
        ("<identity username='u' keyfile='/k'/>", "<identity>"),
        ("<readahead size='1'/>", ""),
    ],
)
def test_ssh(inner: str, lost: str) -> None:
    """What a disk is reached with by SSH are files of the host as well: they are not just forgotten."""
    source = f"<source protocol='ssh' name='x/i'><host name='h'/>{inner}</source>"
    why = _told(source, names.path("/srv/a"), names.store("ssh", "x"))
    assert why == (f"its {lost} would be lost" if lost else "")


def test_secret_of_another_protocol() -> None:
    """A user of one protocol is nobody by another."""
    auth = f"<auth username='u'><secret type='ceph' uuid='{SECRET}'/></auth>"
    new = names.store("iscsi", "iqn.x", ("s",), SECRET)
    why = "the place needs a secret, and this disk names no user to authenticate (<auth>)"
    assert (
        _told(f"<source protocol='rbd' name='vms/i'>{auth}</source>", new, names.store("rbd", "vms")) == why
    )


def test_secret_by_usage() -> None:
    """A secret that goes by its usage goes by its UUID where the place names one."""
    document = disk("rbd", "<auth username='u'><secret type='ceph' usage='x'/></auth>")
    place = names.store("rbd", "vms", ("m:1",), SECRET)
    resolution = resolved(document, place._replace(parts=("rbd", "other")), place)
    reference, new = resolution.reference, resolution.new
    assert new is not None
    assert reference.element is not None
    edits = reference.row.write(reference.spot, reference.element, new)
    after = parse(document).edited(edits).serialise()
    assert complaint(after) == ""
    assert f'<secret type="ceph" uuid="{SECRET}"/>'.encode() in after


def test_transport_of_hosts() -> None:
    """Hosts are reached as before, unless a socket takes their place."""
    document = disk("gluster").replace(b"<host name='a'/>", b"<host transport='rdma' name='a'/>")
    new = names.store("gluster", "vol", ("c:3", "/run/s", "d"))
    (reference,) = find(parse(document))
    assert reference.element is not None
    edits = reference.row.write(
        reference.spot, reference.element, new._replace(parts=("gluster", "vol", "i"))
    )
    after = parse(document).edited(edits).serialise()
    assert complaint(after) == ""
    hosts = etree.fromstring(after).findall("devices/disk/source/host")
    assert [dict(one.attrib) for one in hosts] == [
        {"transport": "rdma", "name": "c", "port": "3"},
        {"transport": "unix", "socket": "/run/s"},
        {"name": "d"},
    ]


@pytest.mark.parametrize("types", [("file", "network"), ("block", "file"), ("network", "block")])
def test_nvram(types: tuple[str, str]) -> None:
    """The source of an nvram changes its type as a disk's does."""
    sources = {
        "file": (names.path("/srv/a"), "<source file='/srv/a/i'/>"),
        "block": (names.path("/dev/a"), "<source dev='/dev/a/i'/>"),
        "network": (TYPES["nbd"].place, TYPES["nbd"].source.format("")),
    }
    documents = [
        "<domain type='kvm'><name>g</name><memory>1024</memory><os><type>hvm</type><loader>/x</loader>"
        f"<nvram template='/y' type='{kind}'>{sources[kind][1]}</nvram></os></domain>"
        for kind in types
    ]
    (reference,) = (one for one in find(parse(documents[0].encode())) if one.row.element == "os/nvram/source")
    place = Place(
        Kind.STORAGE,
        "p",
        {host: (sources[kind][0],) for host, kind in zip(("hosta", "hostb"), types)},
        "",
        DEFAULT,
        {},
    )
    new = Index((place,), ("hostb",)).resolve(reference, Operation.MIGRATE).new
    assert new is not None
    assert reference.element is not None
    edits = reference.row.write(reference.spot, reference.element, new)
    after = parse(documents[0].encode()).edited(edits).serialise()
    assert bare(after) == bare(documents[1].encode())
    assert complaint(after) == ""
