"""References: each spot of a domain that names something of the host, how it is read and written."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from libhooks import names
from libhooks.decision import Edit
from libhooks.domain import parse
from libhooks.names import Name
from libhooks.references import find
from libhooks.references.model import Reference, Role

AUTH = "<auth username='u'><secret type='ceph' uuid='U'/></auth>"
PATH, BLOCK = names.path("/mnt/new"), names.path("/dev/new")


class Spotted(NamedTuple):
    """A reference as the tables below tell it; ``name`` is the reason where there is none."""

    label: str
    xpath: str
    name: Name | str
    role: Role
    writable: bool = False


def found(devices: str = "", os: str = "") -> list[Reference]:
    document = f"<domain><name>g</name><os>{os}</os><devices>{devices}</devices></domain>"
    return list(find(parse(document.encode())))


def _spotted(reference: Reference) -> Spotted:
    name = reference.name or reference.malformed
    return Spotted(reference.spot.label, reference.spot.xpath, name, reference.role, reference.writable)


def disk(inner: str, attributes: str = "type='file' device='disk'") -> str:
    return f"<disk {attributes}>{inner}<target dev='vda'/></disk>"


_DISK = "/domain/devices/disk[1]/source"
IMAGE = names.path("/a/b")


@pytest.mark.parametrize(
    ("xml", "spots"),
    [
        (disk("<source file='/a/b'/>"), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE, True)]),
        (disk("<source file='/a/b'/>", ""), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE, True)]),
        (disk("<source file='/a/b'/><readonly/>"), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE)]),
        (disk("<source file='/a/b'/>", "device='cdrom'"), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE)]),
        (disk("<source file='/a/b'/>", "device='floppy'"), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE)]),
        (
            disk("<source dev='/a/b'/>", "type='block' device='lun'"),
            [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE, True)],
        ),
        (disk("<source dir='/a/b/'/>", "type='dir'"), [Spotted("disk vda", _DISK, IMAGE, Role.IMAGE, True)]),
        (
            disk("<source pool='p' volume='v'/>", "type='volume'"),
            [Spotted("disk vda", _DISK, names.pool("p", "v"), Role.IMAGE, True)],
        ),
        (
            disk("<source protocol='rbd' name='p/i'/>", "type='network'"),
            [Spotted("disk vda", _DISK, names.store("rbd", "p/i"), Role.IMAGE, True)],
        ),
        (disk("", "type='file' device='cdrom'"), []),
        (disk("<source/>", "type='file' device='cdrom'"), []),
        (disk("<source file=''/>", "type='file' device='cdrom'"), []),
        (disk("<source type='pci' managed='yes' namespace='1'/>", "type='nvme'"), []),
        (
            disk("<source file='a/b'/>"),
            [Spotted("disk vda", _DISK, "not an absolute path: a/b", Role.IMAGE, True)],
        ),
        (
            "<disk type='file'><source file='/a/b'/></disk>",
            [Spotted("disk 1", _DISK, IMAGE, Role.IMAGE, True)],
        ),
    ],
)
def test_disks(xml: str, spots: list[Spotted]) -> None:
    """A disk names an image by the attributes of its type; a drive that is empty names none."""
    assert [_spotted(one) for one in found(xml)] == spots


def test_network_disk() -> None:
    """A network disk's name has its hosts and the UUID of its secret, wherever <auth> stands, with it."""
    hosts = "<host name='a' port='1'/><host name='::1' port='2'/><host name='b'/>"
    hosts += "<host transport='unix' socket='/s'/>"
    auth = "<auth username='u'><secret type='ceph' uuid='U'/></auth>"
    whole = names.store("rbd", "p/i", ("a:1", "[::1]:2", "b", "/s"), "U")
    source = "<source protocol='rbd' name='p/i'>"
    for xml in (f"{source}{hosts}{auth}</source>", f"{auth}{source}{hosts}</source>"):
        assert [one.name for one in found(disk(xml, "type='network'"))] == [whole]
    by_usage = "<auth username='u'><secret type='iscsi' usage='x'/></auth>"
    assert [one.name for one in found(disk(f"{source}{by_usage}</source>", "type='network'"))] == [
        names.store("rbd", "p/i")
    ]


def test_backing_chain() -> None:
    """Every layer of a backing chain is a reference, and the guest writes to none but the first."""
    deepest = "<backingStore type='network'><source protocol='nbd' name='e'/><backingStore/></backingStore>"
    middle = f"<backingStore type='block'><source dev='/dev/b'/>{deepest}</backingStore>"
    assert [_spotted(one) for one in found(disk(f"<source file='/a/b'/>{middle}"))] == [
        Spotted("disk vda", _DISK, IMAGE, Role.IMAGE, True),
        Spotted("disk vda", "/domain/devices/disk[1]/backingStore/source", names.path("/dev/b"), Role.IMAGE),
        Spotted(
            "disk vda",
            "/domain/devices/disk[1]/backingStore/backingStore/source",
            names.store("nbd", "e"),
            Role.IMAGE,
        ),
    ]


def interface(kind: str, source: str, more: str = "") -> str:
    return f"<interface type='{kind}'><mac address='52:54:00:00:00:01'/>{source}{more}</interface>"


OVS_PORT = "<virtualport type='openvswitch'><parameters interfaceid='i'/></virtualport>"


@pytest.mark.parametrize(
    ("xml", "name"),
    [
        (interface("bridge", "<source bridge='br0'/>"), names.bridge("br0")),
        (interface("bridge", "<source bridge='br0'/>", OVS_PORT), names.ovs("br0")),
        (interface("bridge", "<source bridge='br0'/>", "<virtualport type='midonet'/>"), names.bridge("br0")),
        (interface("network", "<source network='n'/>"), names.network("n")),
        (
            interface("network", "<source network='n' portgroup='web' bridge='br0'/>"),
            names.network("n", "web"),
        ),
        (interface("network", "<source network='n'/>", OVS_PORT), names.network("n")),
        (interface("direct", "<source dev='eth0'/>"), names.direct("eth0")),
        (interface("direct", "<source dev='eth0' mode='vepa'/>"), names.direct("eth0", "vepa")),
        (interface("bridge", "<source/>"), None),
        (interface("bridge", ""), None),
        (interface("hostdev", "<source><address type='pci'/></source>"), None),
        (interface("ethernet", "<source/>"), None),
        (interface("mcast", "<source address='230.0.0.1' port='5'/>"), None),
        (interface("internal", "<source name='x'/>"), None),
        (interface("user", ""), None),
        ("<interface><source bridge='br0'/></interface>", None),
    ],
)
def test_interfaces(xml: str, name: Name | None) -> None:
    """An interface of type bridge, network or direct names what it plugs into; no other does."""
    assert [one.name for one in found(xml)] == ([] if name is None else [name])


@pytest.mark.parametrize(
    ("xml", "spots"),
    [
        ("<loader>/a/b</loader>", [Spotted("loader", "/domain/os/loader", IMAGE, Role.FIRMWARE)]),
        ("<loader>\n /a/b\n</loader>", [Spotted("loader", "/domain/os/loader", IMAGE, Role.FIRMWARE)]),
        ("<loader/><kernel> </kernel>", []),
        (
            "<loader>qemu.bin</loader>",
            [Spotted("loader", "/domain/os/loader", "not an absolute path: qemu.bin", Role.FIRMWARE)],
        ),
        ("<kernel>/a/b</kernel>", [Spotted("kernel", "/domain/os/kernel", IMAGE, Role.BOOT)]),
        ("<initrd>/a/b</initrd>", [Spotted("initrd", "/domain/os/initrd", IMAGE, Role.BOOT)]),
        ("<nvram>/a/b</nvram>", [Spotted("nvram", "/domain/os/nvram", IMAGE, Role.NVRAM)]),
        (
            "<nvram template='/a/t'/>",
            [Spotted("nvram", "/domain/os/nvram", names.path("/a/t"), Role.FIRMWARE)],
        ),
        (
            "<nvram type='file'>\n <source file='/a/b'/>\n</nvram>",
            [Spotted("nvram", "/domain/os/nvram/source", IMAGE, Role.NVRAM)],
        ),
        ("<cmdline>/a/b</cmdline>", []),
    ],
)
def test_boot(xml: str, spots: list[Spotted]) -> None:
    """Firmware, kernel and initrd are paths in texts; an nvram has a path, a template or a source."""
    assert [_spotted(one) for one in found(os=xml)] == spots


@pytest.mark.parametrize("device", ["serial", "parallel", "console", "channel"])
@pytest.mark.parametrize(
    ("inner", "name", "role"),
    [
        ("type='file'><source path='/a/b' append='on'/", IMAGE, Role.OUTPUT),
        ("type='dev'><source path='/a/b'/", IMAGE, Role.ENDPOINT),
        ("type='pipe'><source path='/a/b'/", IMAGE, Role.ENDPOINT),
        ("type='unix'><source mode='bind' path='/a/b'/", IMAGE, Role.OUTPUT),
        ("type='unix'><source path='/a/b'/", IMAGE, Role.OUTPUT),
        ("type='unix'><source mode='connect' path='/a/b'/", IMAGE, Role.ENDPOINT),
        ("type='unix'><source mode='bind'/", None, None),
        ("type='pty'><source path='/dev/pts/3'/", None, None),
        ("type='nmdm'><source master='/a' slave='/b'/", None, None),
        ("type='qemu-vdagent'><source/", None, None),
        (
            "type='tcp'><source mode='bind' host='192.0.2.1' service='1'/",
            names.address("192.0.2.1"),
            Role.LISTEN,
        ),
        (
            "type='tcp'><source mode='bind' host='2001:DB8::1' service='1'/",
            names.address("2001:db8::1"),
            Role.LISTEN,
        ),
        ("type='tcp'><source mode='connect' host='192.0.2.1' service='1'/", None, None),
        (
            "type='udp'><source mode='bind' host='192.0.2.1' service='1'/",
            names.address("192.0.2.1"),
            Role.LISTEN,
        ),
        ("type='udp'><source mode='connect' host='192.0.2.1' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='0.0.0.0' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='127.0.0.5' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='::' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='::1' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='console.example.org' service='1'/", None, None),
        ("type='tcp'><source mode='bind' host='' service='1'/", None, None),
        ("type='spicevmc'><log file='/a/b'/", IMAGE, Role.OUTPUT),
    ],
)
def test_character_devices(device: str, inner: str, name: Name | None, role: Role | None) -> None:
    """Character devices name paths and sockets, and where they bind, addresses; their logs are files."""
    spots = [(one.name, one.role) for one in found(f"<{device} {inner}></{device}>")]
    assert spots == ([] if name is None else [(name, role)])


_ADDRESS = names.address("192.0.2.1")


@pytest.mark.parametrize(
    ("xml", "spots"),
    [
        ("listen='192.0.2.1'/>", [("/domain/devices/graphics[1]", _ADDRESS, Role.LISTEN)]),
        ("listen='localhost'/>", []),
        ("listen='127.0.0.1'/>", []),
        ("socket='/a/b'/>", [("/domain/devices/graphics[1]", IMAGE, Role.OUTPUT)]),
        ("><listen type='none'/></graphics>", []),
        ("><listen type='address'/></graphics>", []),
        (
            "><listen type='address' address='192.0.2.1'/></graphics>",
            [("/domain/devices/graphics[1]/listen", _ADDRESS, Role.LISTEN)],
        ),
        (
            "><listen type='network' network='n'/></graphics>",
            [("/domain/devices/graphics[1]/listen", names.network("n"), Role.UPLINK)],
        ),
        (
            "><listen type='socket' socket='/a/b'/></graphics>",
            [("/domain/devices/graphics[1]/listen", IMAGE, Role.OUTPUT)],
        ),
        (
            "><listen type='address' address='192.0.2.1'/><listen type='socket' socket='/a/b'/></graphics>",
            [
                ("/domain/devices/graphics[1]/listen[1]", _ADDRESS, Role.LISTEN),
                ("/domain/devices/graphics[1]/listen[2]", IMAGE, Role.OUTPUT),
            ],
        ),
    ],
)
def test_graphics(xml: str, spots: list[tuple[str, Name, Role]]) -> None:
    """A display listens on addresses, on a network's address, or on a socket."""
    assert [(one.spot.xpath, one.name, one.role) for one in found(f"<graphics type='vnc' {xml}")] == spots


# Writing: the edits, each as step below the reference's own spot, old, new.

Told = list[tuple[str, "str | None", "str | None"]]


def written(new: Name, devices: str = "", os: str = "", at: int = 0) -> Told:
    reference = found(devices, os)[at]
    assert reference.element is not None
    edits = list(reference.row.write(reference.spot, reference.element, new))
    return [(_below(edit, reference), edit.old, edit.new) for edit in edits]


def _below(edit: Edit, reference: Reference) -> str:
    here, parent = reference.spot.xpath, reference.spot.parent.xpath
    if edit.spot.xpath.startswith(here + "/"):
        return edit.spot.xpath[len(here) + 1 :]
    assert edit.spot.xpath.startswith(parent + "/")
    return "../" + edit.spot.xpath[len(parent) + 1 :]


VOLUME, RBD = names.pool("p2", "v2"), names.store("rbd", "p2/i2", ("m:1",), "U2")


@pytest.mark.parametrize(
    ("xml", "new", "edits"),
    [
        (disk("<source file='/a/b'/>"), PATH, [("@file", "/a/b", "/mnt/new")]),
        (disk("<source file='/a/b'/>"), IMAGE, []),
        (
            disk("<source file='/a/b'/>"),
            BLOCK,
            [("../@type", "file", "block"), ("@file", "/a/b", None), ("@dev", None, "/dev/new")],
        ),
        (disk("<source file='/dev/b'/>"), BLOCK, [("@file", "/dev/b", "/dev/new")]),
        (disk("<source file='/a/b'/>"), names.path("/dev/shm/x"), [("@file", "/a/b", "/dev/shm/x")]),
        (disk("<source dev='/a/b'/>", "type='block'"), PATH, [("@dev", "/a/b", "/mnt/new")]),
        (
            disk("<source dev='/dev/b'/>", "type='block'"),
            PATH,
            [("../@type", "block", "file"), ("@file", None, "/mnt/new"), ("@dev", "/dev/b", None)],
        ),
        (disk("<source dir='/a/b'/>", "type='dir'"), PATH, [("@dir", "/a/b", "/mnt/new")]),
        (
            disk("<source file='/a/b'/>", ""),
            BLOCK,
            [("../@type", None, "block"), ("@file", "/a/b", None), ("@dev", None, "/dev/new")],
        ),
        (
            disk("<source file='/a/b'/>"),
            VOLUME,
            [
                ("../@type", "file", "volume"),
                ("@file", "/a/b", None),
                ("@pool", None, "p2"),
                ("@volume", None, "v2"),
            ],
        ),
        (
            disk("<source pool='p' volume='v'/>", "type='volume'"),
            VOLUME,
            [("@pool", "p", "p2"), ("@volume", "v", "v2")],
        ),
        (
            disk("<source pool='p' volume='v'/>", "type='volume'"),
            PATH,
            [
                ("../@type", "volume", "file"),
                ("@file", None, "/mnt/new"),
                ("@pool", "p", None),
                ("@volume", "v", None),
            ],
        ),
        (
            disk("<source pool='p' volume='v'/>", "type='volume'"),
            BLOCK,
            [
                ("../@type", "volume", "block"),
                ("@dev", None, "/dev/new"),
                ("@pool", "p", None),
                ("@volume", "v", None),
            ],
        ),
        (
            disk("<source protocol='rbd' name='p/i'/>", "type='network'"),
            RBD,
            [("@name", "p/i", "p2/i2"), ("host[1]", None, '<host name="m" port="1"/>')],
        ),
        (
            disk("<source file='/a/b'/>"),
            RBD,
            [
                ("../@type", "file", "network"),
                ("@file", "/a/b", None),
                ("@protocol", None, "rbd"),
                ("@name", None, "p2/i2"),
                ("host[1]", None, '<host name="m" port="1"/>'),
            ],
        ),
        (
            disk("<source protocol='nbd'><host name='a'/><host name='b'/></source>", "type='network'"),
            PATH,
            [
                ("../@type", "network", "file"),
                ("@file", None, "/mnt/new"),
                ("@protocol", "nbd", None),
                ("host[2]", '<host name="b"/>', None),
                ("host[1]", '<host name="a"/>', None),
            ],
        ),
        (
            disk(
                f"{AUTH}<source protocol='rbd' name='p2/i2'><host name='m' port='1'/></source>",
                "type='network'",
            ),
            RBD,
            [("../auth/secret/@uuid", "U", "U2")],
        ),
        (
            disk(
                f"<source protocol='rbd' name='p2/i2'><host name='m' port='1'/>{AUTH}</source>",
                "type='network'",
            ),
            RBD,
            [("auth/secret/@uuid", "U", "U2")],
        ),
    ],
)
def test_writing_disks(xml: str, new: Name, edits: Told) -> None:
    """A disk's type follows its name's form; what only the old form had goes, and nothing else."""
    assert written(new, xml) == edits


@pytest.mark.parametrize(
    ("text", "xml"),
    [
        ("m", '<host name="m"/>'),
        ("m:1", '<host name="m" port="1"/>'),
        ("192.0.2.1:1", '<host name="192.0.2.1" port="1"/>'),
        ("[2001:db8::1]", '<host name="2001:db8::1"/>'),
        ("[2001:db8::1]:1", '<host name="2001:db8::1" port="1"/>'),
        ("/run/s", '<host transport="unix" socket="/run/s"/>'),
    ],
)
def test_hosts_of_network_disks(text: str, xml: str) -> None:
    """A host is written as a policy writes it, and read back the same."""
    source = "<source protocol='nbd' name='e'/>"
    assert written(names.store("nbd", "e", (text,)), disk(source, "type='network'")) == [
        ("host[1]", None, xml)
    ]
    read = found(disk(f"<source protocol='nbd' name='e'>{xml}</source>", "type='network'"))
    assert [one.name for one in read] == [names.store("nbd", "e", (text,))]


def test_secrets_are_marked() -> None:
    """What goes with a network disk's cookies and authentication is never shown."""
    secret = f"{AUTH}<cookies><cookie name='c'>x</cookie></cookies>"
    xml = disk(f"<source protocol='https' name='e'><timeout seconds='1'/>{secret}</source>", "type='network'")
    (reference,) = found(xml)
    assert reference.element is not None
    edits = list(reference.row.write(reference.spot, reference.element, PATH))
    hidden = {edit.spot.xpath.rpartition("/")[2] for edit in edits if edit.secret}
    assert hidden == {"auth[1]", "cookies[1]"}


NEW_OVS = '<virtualport type="openvswitch"/>'


@pytest.mark.parametrize(
    ("xml", "new", "edits"),
    [
        (interface("bridge", "<source bridge='a'/>"), names.bridge("b"), [("@bridge", "a", "b")]),
        (
            interface("bridge", "<source bridge='a'/>"),
            names.network("b"),
            [("../@type", "bridge", "network"), ("@bridge", "a", None), ("@network", None, "b")],
        ),
        (
            interface("bridge", "<source bridge='a'/>"),
            names.network("b", "w"),
            [
                ("../@type", "bridge", "network"),
                ("@bridge", "a", None),
                ("@network", None, "b"),
                ("@portgroup", None, "w"),
            ],
        ),
        (
            interface("bridge", "<source bridge='a'/>"),
            names.ovs("b"),
            [("@bridge", "a", "b"), ("../virtualport", None, NEW_OVS)],
        ),
        (
            interface("bridge", "<source bridge='a'/>", "<virtualport type='openvswitch'/>"),
            names.bridge("b"),
            [("@bridge", "a", "b"), ("../virtualport", NEW_OVS, None)],
        ),
        (
            interface("bridge", "<source bridge='a'/>", "<virtualport type='openvswitch'/>"),
            names.ovs("b"),
            [("@bridge", "a", "b")],
        ),
        (
            interface("bridge", "<source bridge='a'/>", "<virtualport type='openvswitch'/>"),
            names.network("b"),
            [
                ("../@type", "bridge", "network"),
                ("@bridge", "a", None),
                ("@network", None, "b"),
                ("../virtualport", NEW_OVS, None),
            ],
        ),
        (
            interface("network", "<source network='a'/>"),
            names.bridge("b"),
            [("../@type", "network", "bridge"), ("@bridge", None, "b"), ("@network", "a", None)],
        ),
        (
            interface("network", "<source network='a' portgroup='w'/>"),
            names.network("b", "w"),
            [("@network", "a", "b")],
        ),
        (
            interface("network", "<source network='a' portgroup='w'/>"),
            names.bridge("b"),
            [
                ("../@type", "network", "bridge"),
                ("@bridge", None, "b"),
                ("@network", "a", None),
                ("@portgroup", "w", None),
            ],
        ),
        (
            interface("network", "<source network='a'/>", "<virtualport type='openvswitch'/>"),
            names.ovs("b"),
            [("../@type", "network", "bridge"), ("@bridge", None, "b"), ("@network", "a", None)],
        ),
        (
            interface("direct", "<source dev='a' mode='vepa'/>"),
            names.direct("b", "vepa"),
            [("@dev", "a", "b")],
        ),
        (
            interface("direct", "<source dev='a' mode='vepa'/>"),
            names.direct("b", "bridge"),
            [("@dev", "a", "b"), ("@mode", "vepa", "bridge")],
        ),
    ],
)
def test_writing_interfaces(xml: str, new: Name, edits: Told) -> None:
    """An interface's type follows its name's form, and the <virtualport> of an OVS bridge with it."""
    assert [(step, old, _double(text)) for step, old, text in written(new, xml)] == edits


def _double(text: str | None) -> str | None:
    return text.replace("'", '"') if text else text


@pytest.mark.parametrize(
    ("devices", "os", "new", "edits"),
    [
        ("", "<loader type='pflash'>/a/b</loader>", PATH, [("text()", "/a/b", "/mnt/new")]),
        ("", "<kernel> /a/b </kernel>", PATH, [("text()", " /a/b ", "/mnt/new")]),
        ("", "<initrd>/a/b</initrd>", PATH, [("text()", "/a/b", "/mnt/new")]),
        ("", "<nvram>/a/b</nvram>", PATH, [("text()", "/a/b", "/mnt/new")]),
        ("", "<nvram template='/a/b'/>", PATH, [("@template", "/a/b", "/mnt/new")]),
        ("", "<nvram type='file'><source file='/a/b'/></nvram>", PATH, [("@file", "/a/b", "/mnt/new")]),
        ("<serial type='file'><source path='/a/b'/></serial>", "", PATH, [("@path", "/a/b", "/mnt/new")]),
        ("<serial type='pty'><log file='/a/b'/></serial>", "", PATH, [("@file", "/a/b", "/mnt/new")]),
        (
            "<console type='tcp'><source mode='bind' host='192.0.2.1'/></console>",
            "",
            names.address("::2"),
            [("@host", "192.0.2.1", "::2")],
        ),
        ("<graphics listen='192.0.2.1'/>", "", names.address("::2"), [("@listen", "192.0.2.1", "::2")]),
        ("<graphics socket='/a/b'/>", "", PATH, [("@socket", "/a/b", "/mnt/new")]),
        (
            "<graphics><listen address='192.0.2.1'/></graphics>",
            "",
            names.address("::2"),
            [("@address", "192.0.2.1", "::2")],
        ),
        ("<graphics><listen socket='/a/b'/></graphics>", "", PATH, [("@socket", "/a/b", "/mnt/new")]),
        ("<graphics><listen network='n'/></graphics>", "", names.network("m"), [("@network", "n", "m")]),
    ],
)
def test_writing_others(devices: str, os: str, new: Name, edits: Told) -> None:
    """Everything else is one attribute or one text."""
    assert written(new, devices, os) == edits


@pytest.mark.parametrize(
    ("xml", "new", "lost"),
    [
        (interface("bridge", "<source bridge='a'/>"), names.network("b"), ""),
        (
            interface("bridge", "<source bridge='a'/>"),
            names.direct("b"),
            "a direct interface can only be mapped to another direct one",
        ),
        (
            interface("direct", "<source dev='a'/>"),
            names.bridge("b"),
            "a direct interface can only be mapped to another direct one",
        ),
        (interface("direct", "<source dev='a'/>", "<virtualport type='802.1Qbh'/>"), names.direct("b"), ""),
        (interface("bridge", "<source bridge='a'/>", OVS_PORT), names.bridge("b"), ""),
        (
            interface("bridge", "<source bridge='a'/>", OVS_PORT.replace("'i'", "'i' profileid='p'")),
            names.network("b"),
            "its <virtualport> would be lost",
        ),
        (
            interface("bridge", "<source bridge='a'/>", OVS_PORT.replace("'i'", "'i' profileid='p'")),
            names.ovs("b"),
            "",
        ),
        (
            interface("bridge", "<source bridge='a'/>", "<virtualport type='midonet'/>"),
            names.network("b"),
            "its <virtualport> would be lost",
        ),
        (
            interface("network", "<source network='a'/>", OVS_PORT),
            names.bridge("b"),
            "its <virtualport> would be lost",
        ),
        (interface("network", "<source network='a'/>", OVS_PORT), names.ovs("b"), ""),
        (
            interface("network", "<source network='a'/>", "<vlan><tag id='1'/></vlan>"),
            names.bridge("b"),
            "its <vlan> would be lost: a Linux bridge takes none",
        ),
        (interface("network", "<source network='a'/>", "<vlan><tag id='1'/></vlan>"), names.ovs("b"), ""),
        (interface("network", "<source network='a'/>", "<vlan><tag id='1'/></vlan>"), names.network("b"), ""),
        (
            interface(
                "network", "<source network='a'/>", "<bandwidth><inbound average='1' floor='1'/></bandwidth>"
            ),
            names.bridge("b"),
            "its bandwidth floor would be lost: only a libvirt network keeps one",
        ),
        (
            interface(
                "network", "<source network='a'/>", "<bandwidth><inbound average='1' floor='1'/></bandwidth>"
            ),
            names.network("b"),
            "",
        ),
        (
            interface("network", "<source network='a'/>", "<bandwidth><inbound average='1'/></bandwidth>"),
            names.bridge("b"),
            "",
        ),
        (
            disk("<source file='/a/b'/>"),
            RBD,
            "the place needs a secret, and this disk names no user to authenticate (<auth>)",
        ),
        (disk("<source dir='/a/b'/>", "type='dir'"), VOLUME, "a directory disk cannot be a volume of a pool"),
        (
            disk("<source file='/a/b' startupPolicy='optional'/>"),
            names.store("nbd", "e"),
            "its startupPolicy would be lost: libvirt allows none on a network disk",
        ),
        (disk("<source file='/a/b' startupPolicy='optional'/>"), VOLUME, ""),
    ],
)
def test_obstacles(xml: str, new: Name, lost: str) -> None:
    """A row says what this guest would lose under a name of another form."""
    (reference,) = found(xml)
    assert reference.element is not None
    assert reference.row.obstacle(reference.element, new) == lost


def test_every_row_finds_its_own() -> None:
    """In a document that has something for each of them, all rows of these tables find theirs."""
    characters = "".join(
        f"<{device} type='unix'><source path='/a'/><log file='/a'/></{device}>"
        f"<{device} type='tcp'><source mode='bind' host='192.0.2.1'/></{device}>"
        for device in ("serial", "parallel", "console", "channel")
    )
    listen = "<listen type='address' address='192.0.2.1'/><listen type='network' network='n'/>"
    listen += "<listen type='socket' socket='/a'/>"
    graphics = f"<graphics listen='192.0.2.1' socket='/a'>{listen}</graphics>"
    chain = disk("<source file='/a'/><backingStore><source file='/a'/></backingStore>")
    nvram = "<nvram template='/a'>/a</nvram><nvram><source file='/a'/></nvram>"
    os = f"<loader>/a</loader><kernel>/a</kernel><initrd>/a</initrd>{nvram}"
    references = found(chain + interface("bridge", "<source bridge='b'/>") + graphics + characters, os)
    rows = {(one.row.element, one.row.covers) for one in references}
    assert len(references) == len(rows)
    assert len(rows) == 2 + 1 + 5 + 4 * 3 + 6


def test_elements_of_other_namespaces() -> None:
    """What is called like libvirt's elements in another namespace is not libvirt's."""
    assert found("<x:disk xmlns:x='urn:x'><source file='/a'/></x:disk>") == []
    assert found(disk("<x:source xmlns:x='urn:x' file='/a'/>")) == []
