"""Storage, with what no golden case can have: a stamp of where the guest comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import HOSTB, judged, tree

from libhooks.decision import Kind, Rule
from libhooks.names import path
from libhooks.origin import Entry, Identity, Origin
from libhooks.policy.model import Place, Policy

ROOT = "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n"
NAME = "/mnt/vmstore/web1.raw"
RULE = Rule("10-fleet.toml", 3)
PLACE = Place(Kind.STORAGE, "images", {"hostb": (path("/mnt/vmstore"),)}, "", RULE, {})


def guest(source: str, device: str = "file") -> str:
    """A guest with one disk."""
    attribute = {"file": "file", "block": "dev"}[device]
    return f"""\
<domain type='kvm'><name>web1</name><devices>
  <disk type='{device}' device='disk'>
    <driver name='qemu' type='raw'/><source {attribute}='{source}'/><target dev='vda' bus='virtio'/>
  </disk>
</devices></domain>"""


def stamp(name: str, identity: Identity, device: str = "vda") -> Origin:
    """Where a guest comes from, and what its disk was there."""
    return Origin("hosta.example.org", addresses=("192.0.2.11",), entries=(Entry(device, name, identity),))


HERE = Identity("filer.example.org:/images", "/web1.raw", 4711)


@pytest.fixture
def hostb(tmp_path: Path) -> Path:
    """hostb, whose image has a number."""
    text = (HOSTB / "proc" / "self" / "mountinfo").read_text()
    return tree(
        tmp_path,
        proc__self__mountinfo=text,
        etc__hosts="192.0.2.20 filer.example.org filer\n",
        stat=f'["{NAME}"]\nsize = 1073741824\ninode = 4711\n',
    )


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (HERE, ""),
        (HERE._replace(inode=0), ""),
        (Identity(inode=4711), ""),
        (Identity(), ""),
        (HERE._replace(mount_source="FILER:/images"), ""),
        (HERE._replace(mount_source="192.0.2.20:/images/"), ""),
        (HERE._replace(mount_source="filer:/", subpath="/images/web1.raw"), ""),
        (HERE._replace(inode=4712), "file number 4711"),
        (
            HERE._replace(mount_source="other.example.org:/images"),
            "source filer.example.org:/images/web1.raw",
        ),
        (HERE._replace(mount_source="filer:/archive"), "source filer.example.org:/images/web1.raw"),
        (HERE._replace(subpath="/web2.raw"), "source filer.example.org:/images/web1.raw"),
        (HERE._replace(mount_source="/dev/mapper/shared"), "source filer.example.org:/images/web1.raw"),
        (Identity(wwid="3600508b4", uuid="c0ffee"), ""),
    ],
)
def test_the_same_file(hostb: Path, there: Identity, found: str) -> None:
    """A file is known by its source, the path below it, and its number: one that differs is enough."""
    unmet = judged("storage.same", guest(NAME), hostb, stamp(NAME, there))
    assert [one.found for one in unmet] == ([found] if found else [])
    assert not any(one.unknown for one in unmet)


def test_declared_to_be_the_same(hostb: Path) -> None:
    """Where a place says that two servers' names are one store, the file's number has to do."""
    there = HERE._replace(mount_source="10.0.0.20:/vol7")
    policy = Policy(present=True, places=(PLACE,))
    origin = stamp(NAME, there)
    assert judged("storage.same", guest(NAME), hostb, origin)
    assert not judged("storage.same", guest(NAME), tree(hostb, etc__libhooks__host="hostb\n"), origin, policy)


@pytest.mark.parametrize(
    "origin", [stamp("/mnt/vmstore/old.raw", HERE), stamp(NAME, HERE, "vdb"), Origin("x")]
)
def test_stale_stamps_do_not_count(hostb: Path, origin: Origin) -> None:
    """An entry counts only if it says exactly what the document says."""
    stale = origin._replace(entries=tuple(one._replace(identity=Identity(inode=1)) for one in origin.entries))
    assert judged("storage.same", guest(NAME), hostb, stale) == []


def test_same_unknown(hostb: Path) -> None:
    """What does not answer is not taken for the same."""
    (hostb / "stat.toml").write_text('["/mnt/vmstore"]\nhangs = true\n')
    (unmet,) = judged("storage.same", guest(NAME), hostb, stamp(NAME, HERE))
    assert (unmet.unknown, unmet.found) == (True, "no answer in 2 s")


DEVICES = """
["/dev/sdb"]
kind = "block"
device = "8:16"

["/sys/dev/block/8:16"]
link = "../../devices/host7/target7:0:0/7:0:0:1/block/sdb"

["/sys/devices/host7/target7:0:0/7:0:0:1/block/sdb/device/wwid"]
text = "naa.600508b4000971ca\\n"

["/dev/sdb1"]
kind = "block"
device = "8:17"

["/sys/dev/block/8:17"]
link = "../../devices/host7/target7:0:0/7:0:0:1/block/sdb/sdb1"

["/sys/devices/host7/target7:0:0/7:0:0:1/block/sdb/sdb1/partition"]
text = "1\\n"

["/dev/dm-0"]
kind = "block"
device = "254:0"

["/sys/dev/block/254:0"]
link = "../../devices/virtual/block/dm-0"

["/sys/devices/virtual/block/dm-0/dm/uuid"]
text = "mpath-3600508b4000971ca\\n"

["/dev/dm-1"]
kind = "block"
device = "254:1"

["/sys/dev/block/254:1"]
link = "../../devices/virtual/block/dm-1"

["/sys/devices/virtual/block/dm-1/dm/uuid"]
text = "part1-mpath-3600508b4000971ca\\n"

["/dev/dm-2"]
kind = "block"
device = "254:2"

["/sys/dev/block/254:2"]
link = "../../devices/virtual/block/dm-2"

["/sys/devices/virtual/block/dm-2/dm/uuid"]
text = "LVM-mYgRoUpmYvOlUmE\\n"

["/dev/dm-3"]
kind = "block"
device = "254:3"

["/sys/dev/block/254:3"]
link = "../../devices/virtual/block/dm-3"

["/sys/devices/virtual/block/dm-3/dm/uuid"]
text = "CRYPT-LUKS2-0123456789abcdef-luks-web1\\n"

["/dev/nvme0n1"]
kind = "block"
device = "259:0"

["/sys/dev/block/259:0"]
link = "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"

["/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/wwid"]
text = "eui.0025385971b0c3d8\\n"

["/dev/vda"]
kind = "block"
device = "252:0"

["/sys/dev/block/252:0"]
link = "../../devices/pci0000:00/0000:00:05.0/virtio2/block/vda"

["/sys/devices/pci0000:00/0000:00:05.0/virtio2/block/vda/size"]
text = "2048\\n"
"""
LUN, PART = "3600508b4000971ca", "3600508b4000971ca-part1"


@pytest.mark.parametrize(
    ("device", "there"),
    [
        ("/dev/sdb", Identity(wwid=LUN)),
        ("/dev/dm-0", Identity(wwid=LUN)),
        ("/dev/sdb1", Identity(wwid=PART)),
        ("/dev/dm-1", Identity(wwid=PART)),
        ("/dev/dm-2", Identity(uuid="mYgRoUpmYvOlUmE")),
        ("/dev/dm-3", Identity(uuid="CRYPT-LUKS2-0123456789abcdef")),
        ("/dev/nvme0n1", Identity(wwid="eui.0025385971b0c3d8")),
    ],
)
def test_the_same_device(tmp_path: Path, device: str, there: Identity) -> None:
    """One LUN is the same by one path and by multipath; what proves it makes any name of it good enough."""
    root = tree(tmp_path, stat=DEVICES, proc__self__mountinfo=ROOT)
    document, origin = guest(device, "block"), stamp(device, there)
    assert judged("storage.same", document, root, origin) == []
    assert judged("storage.stable-name", document, root, origin) == []
    another = Identity(wwid=there.wwid and "3600508b4000971cb", uuid=there.uuid and "another")
    other = stamp(device, another)
    (unmet,) = judged("storage.same", document, root, other)
    assert unmet.wanted.startswith(("LUN ", "UUID "))
    assert judged("storage.stable-name", document, root, other)
    assert judged("storage.stable-name", document, root)


def test_a_device_that_nothing_names(tmp_path: Path) -> None:
    """A device without a world-wide name is nothing that two hosts can compare."""
    root = tree(tmp_path, stat=DEVICES, proc__self__mountinfo=ROOT)
    origin = stamp("/dev/vda", Identity(wwid=LUN))
    assert judged("storage.same", guest("/dev/vda", "block"), root, origin) == []
    assert judged("storage.stable-name", guest("/dev/vda", "block"), root, origin)


@pytest.mark.parametrize("server", ["192.0.2.11", "hosta.example.org", "HOSTA"])
def test_the_source_exports(server: str, tmp_path: Path) -> None:
    """The host that a guest comes from is no better an exporter than this one."""
    mounts = ROOT + f"2 1 0:44 / /mnt rw - fuse.glusterfs {server}:/vol rw\n"
    root = tree(
        tmp_path,
        proc__self__mountinfo=mounts,
        proc__net__fib_trie="|-- 192.0.2.12\n /32 host LOCAL\n",
        stat='["/mnt/web1.raw"]\nsize = 1\n',
    )
    (unmet,) = judged("storage.separate", guest("/mnt/web1.raw"), root, stamp("/mnt/web1.raw", Identity()))
    assert unmet.found == f"hosta.example.org, where the guest comes from, exports it ({server.lower()})"
    assert judged("storage.separate", guest("/mnt/web1.raw"), root) == []


@pytest.mark.parametrize(
    ("fstype", "source", "options"),
    [
        ("nfs4", "elsewhere:/x", "rw,addr=192.0.2.12"),
        ("nfs4", "[2001:db8::12]:/x", "rw"),
        ("nfs", "192.0.2.12:/x", "rw"),
        ("cifs", "//hostb/share", "rw"),
        ("cifs", "//other/share", "rw,addr=192.0.2.12"),
        ("ceph", "192.0.2.1:6789,192.0.2.12:6789:/", "rw"),
        ("ceph", "admin@0123.fs=/", "rw,mon_addr=192.0.2.1:3300/192.0.2.12:3300"),
        ("lustre", "192.0.2.12@tcp:/scratch", "rw"),
        ("fuse.glusterfs", "localhost:vol", "rw"),
        ("fuse.glusterfs", "store-alias:/vol", "rw"),
    ],
)
def test_every_way_to_name_a_server(tmp_path: Path, fstype: str, source: str, options: str) -> None:
    """Servers are read from each file system's own spelling; a name is known from /etc/hosts."""
    root = tree(
        tmp_path,
        proc__self__mountinfo=ROOT + f"2 1 0:44 / /mnt rw - {fstype} {source} {options}\n",
        proc__net__fib_trie="|-- 192.0.2.12\n /32 host LOCAL\n",
        proc__net__if_inet6="20010db8000000000000000000000012 02 40 00 80 br1\n",
        proc__sys__kernel__hostname="hostb\n",
        etc__hosts="192.0.2.12 store-alias\n",
        stat='["/mnt/web1.raw"]\nsize = 1\n',
    )
    (unmet,) = judged("storage.separate", guest("/mnt/web1.raw"), root)
    assert unmet.found.startswith("this host exports it (")
    elsewhere = tree(root, proc__net__fib_trie="|-- 192.0.2.13\n /32 host LOCAL\n", proc__net__if_inet6="",
                     proc__sys__kernel__hostname="hostc\n")  # fmt: skip
    expected = 1 if "localhost" in source else 0
    assert len(judged("storage.separate", guest("/mnt/web1.raw"), elsewhere)) == expected
