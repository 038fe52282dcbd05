"""What a guest's disks and interfaces meet here, read from files that may hold anything."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable

import pytest
from judging import HOSTB, tree

from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.model import Unknown
from libhooks.facts.reading.tree import TreeRoot
from libhooks.facts.service.answers import HostServices
from libhooks.facts.storage.exporters import exported
from libhooks.facts.surroundings.words import Exports, Running

SAN = Path(__file__).parent / "trees" / "san"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("# /srv/old *(rw)\n\n   \n", ()),
        ("/srv/images 192.0.2.0/24(rw) *.example.org(ro)\n/srv/iso\n", ("/srv/images", "/srv/iso")),
        ("/srv/images \\\n  hostb(rw) \\\n  hostc(rw)\n", ("/srv/images",)),
        ('"/srv/two words" *(rw)\n/srv/two\\040more *(rw)\n', ("/srv/two words", "/srv/two more")),
        ("/ *(ro)\n/srv/images/ *(rw)\n", ("/", "/srv/images")),
        ("!@#$ not a path\n", ()),
    ],
)
def test_exports(text: str, found: tuple[str, ...]) -> None:
    """The directories of exports(5), however they are written."""
    assert exported(text) == found


def test_exports_while_nobody_serves(tmp_path: Path) -> None:
    """What /etc/exports says is exported while the NFS server runs."""
    files = {"etc__exports": "/srv *(rw)\n", "etc__exports.d__vm.exports": "/vm *(rw)\n"}
    root = tree(tmp_path, **files)
    with open_facts(str(root)) as facts:
        assert facts.exports() == Exports((), ())
    with open_facts(str(tree(root, proc__fs__nfsd__threads="8\n"))) as facts:
        assert facts.exports() == Exports(("/srv", "/vm"), ())


def test_nvme_portals(tmp_path: Path) -> None:
    """A namespace is reached at the addresses of all controllers of its subsystem."""
    where = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    stat = f"""
["/dev/nvme0n1"]
kind = "block"
device = "259:0"

["/sys/dev/block/259:0"]
link = "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"

["{where}/nvme0n1/size"]
text = "8"

["{where}/nvme0/address"]
text = "traddr=192.0.2.30,trsvcid=4420,src_addr=192.0.2.12\\n"

["{where}/nvme1/address"]
text = "traddr=FE80::1,trsvcid=4420\\n"
"""
    with open_facts(str(tree(tmp_path, stat=stat))) as facts:
        assert facts.portals("/dev/nvme0n1") == ("192.0.2.30", "fe80::1")


def test_status_files(tmp_path: Path) -> None:
    """A guest is active if its file says its name or UUID, wherever else that text may stand."""
    status = (
        "<domstatus pid='7'><domain><name>{}</name><uuid>{}</uuid><title>abc-1</title></domain></domstatus>"
    )
    root = tree(
        tmp_path,
        proc__7__stat="7 (qemu)",
        **{
            "run__libvirt__qemu__web2.xml": status.format("web2", "def-2"),
            "run__libvirt__qemu__x.pid": "7\n",
        },
    )
    with open_facts(str(root)) as facts:
        assert facts.active("web1", "abc-1") is None
        assert facts.active("web1", "DEF-2") == Running("web2", "def-2")
        assert facts.active("web2", "") == Running("web2", "def-2")
        assert facts.active("web", "") is None


IMAGE = "/mnt/vmstore/web1.raw"
ASKED: tuple[Callable[[HostFacts], object], ...] = (
    lambda facts: (facts.access(IMAGE), facts.access("/srv/local/web1.raw")),
    lambda facts: [facts.identity(path) for path in (IMAGE, "/dev/sdb", "/dev/dm-2")],
    lambda facts: [facts.portals(path) for path in ("/dev/sdd", "/dev/dm-3", "/dev/nvme1n1")],
    lambda facts: facts.mount_options(IMAGE),
    lambda facts: facts.boolean("virt_use_nfs"),
    lambda facts: facts.bricks("vols"),
    lambda facts: facts.called("filer"),
    lambda facts: facts.exports(),
    lambda facts: facts.wire("br1"),
    lambda facts: facts.mtu("br1"),
    lambda facts: facts.segment("br1"),
    lambda facts: facts.nwfilter("clean-traffic"),
    lambda facts: facts.active("web1", "c7a5fdbd-edaf-9455-926a-d65c16db1809"),
    lambda facts: facts.host_uuid(),
)  # fmt: skip
SERVICES: tuple[Callable[[HostServices], object], ...] = (
    lambda host: host.daemon(),
    lambda host: host.starts("libvirtd-tls.socket"),
    lambda host: host.settings("/etc/libvirt/qemu.conf"),
    lambda host: host.firewall(49152, 49160),
    lambda host: host.hostname(),
    lambda host: host.resolved("hostb"),
    lambda host: host.synchronised(),
)


class Garbled(TreeRoot):
    """A host many of whose files say something else than they should."""

    def __init__(self, directory: str, seed: int) -> None:
        self._draw = random.Random(seed)
        super().__init__(directory)

    def read(self, path: str, limit: int) -> bytes:
        """Noise, or what is there, cut, doubled or with noise in it."""
        try:
            said = super().read(path, limit)
        except OSError:
            said = b""
        if self._draw.random() < 0.4:
            return said[:limit]
        noise = self._draw.randbytes(self._draw.randrange(40))
        at = self._draw.randrange(len(said) + 1)
        kinds = (noise, b"", b"\0" * 9, said[:at], said + said, said[:at] + noise + said[at:], b"9" * 5000,
                 "²: ٣\n".encode(), b"<domstatus><domain/></domstatus>",
                 b'{"nftables": [{"rule": 1}]}')  # fmt: skip
        return self._draw.choice(kinds)[:limit]

    def run(self, path: str, *arguments: str) -> bytes:
        return self.read(path, 1 << 16)


@pytest.mark.parametrize("seed", range(60))
def test_garbage(seed: int) -> None:
    """Whatever stands in a host's files, each question has an answer; a reason names what was read."""
    for root in (HOSTB, SAN):
        garbled = Garbled(str(root), seed)
        services = HostServices(garbled, None, garbled.run, lambda: 0.0)
        answers = [ask(services) for ask in (*ASKED, *SERVICES)]
        assert all(one.why and one.why.isprintable() for one in answers if isinstance(one, Unknown))
