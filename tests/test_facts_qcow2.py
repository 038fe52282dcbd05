"""What a qcow2 header says of the image behind it."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from libhooks.facts.host import open_facts
from libhooks.facts.model import Image, Unknown
from libhooks.facts.storage import qcow2

FORMAT = 0xE2792ACA


def header(
    backing: bytes = b"",
    extensions: bytes = b"",
    version: int = 3,
    bits: int = 16,
    offset: int | None = None,
    length: int | None = None,
) -> bytes:
    """A header as QEMU writes it: fields, extensions, the backing file's name."""
    size = 104 if version == 3 else 72
    if offset is None:
        offset = size + len(extensions) if backing else 0
    fields = struct.pack(
        ">4sIQII", b"QFI\xfb", version, offset, len(backing) if length is None else length, bits
    )
    fields = fields.ljust(100, b"\0") + struct.pack(">I", size) if version == 3 else fields.ljust(72, b"\0")
    return (fields + extensions + backing).ljust(512, b"\0")


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack(">II", kind, len(value)) + value.ljust((len(value) + 7) & ~7, b"\0")


@pytest.mark.parametrize("version", [2, 3])
def test_backing(version: int) -> None:
    """Both versions name the backing file, and its format in an extension after others."""
    extensions = extension(0x6803F857, bytes(144)) + extension(FORMAT, b"raw") + extension(0, b"")
    found = qcow2.parse(header(b"/srv/base.img", extensions, version))
    assert found == Image("/srv/base.img", "raw")


def test_no_backing() -> None:
    """An image without a backing file has none, and no format of one."""
    assert qcow2.parse(header(extensions=extension(FORMAT, b"raw"))) == Image(None, "")


def test_no_format() -> None:
    """Old tools write no format."""
    assert qcow2.parse(header(b"base.qcow2")) == Image("base.qcow2", "")


def test_json() -> None:
    """A backing file can be a json: text."""
    text = b'json:{"driver":"raw","file":{"driver":"rbd","pool":"vms","image":"base"}}'
    assert qcow2.parse(header(text)) == Image(text.decode(), "")


@pytest.mark.parametrize(
    "junk", [b"", b"QFI\xfb", b"\0" * 4096, b"QFI\xfb" + bytes(500), header(version=2)[:71]]
)
def test_no_qcow2(junk: bytes) -> None:
    """What is no qcow2 image is unknown: it is never taken for an image without a backing file."""
    assert qcow2.parse(junk) == Unknown("not a qcow2 image")


@pytest.mark.parametrize(
    "hostile",
    [
        header(b"x", bits=8),
        header(b"x", bits=22),
        header(b"x", bits=2**32 - 1),
        header(b"x", offset=2**63),
        header(b"x", offset=2**64 - 1),
        header(b"x", offset=1),
        header(b"x", offset=64),
        header(b"x", offset=511, length=2),
        header(b"x", length=1024),
        header(b"x", length=2**32 - 1),
        header(b"x", bits=9, offset=510, length=3),
        header(b"x", extensions=struct.pack(">II", 1, 2**32 - 1)),
        header(b"x", extensions=extension(FORMAT, b"a-format-of-sixteen-bytes")),
        header(b"x", extensions=struct.pack(">II", FORMAT, 9) + b"raw"),
        header(b"/srv/\xff.img"),
        header(b"/srv/a\nb.img"),
        header(b"x", extensions=extension(FORMAT, b"r\xc3w")),
        header(b"x")[:100] + struct.pack(">I", 8) + header(b"x")[104:],
        header(b"x")[:100] + struct.pack(">I", 2**32 - 1) + header(b"x")[104:],
    ],
)
def test_hostile(hostile: bytes) -> None:
    """A guest can write any header into its disk: what QEMU would refuse to open is unknown."""
    found = qcow2.parse(hostile)
    assert isinstance(found, Unknown)
    assert found.why.startswith(("a damaged qcow2 header", "a qcow2 header whose"))


def test_garbage() -> None:
    """No header makes it raise, and none makes it read more than a cluster."""
    dice = random.Random(4711)
    for _ in range(20000):
        head = bytearray(header(b"/srv/base.img", extension(FORMAT, b"raw"), dice.choice((2, 3))))
        for _ in range(dice.randint(1, 12)):
            head[dice.randrange(4, 130)] = dice.choice((0, 1, 127, 255, dice.randrange(256)))
        assert isinstance(qcow2.parse(bytes(head)), (Image, Unknown))
        assert 0 <= qcow2.extent(bytes(head)) <= 1 << 21


QEMU_IMG = shutil.which("qemu-img")
needs_qemu_img = pytest.mark.skipif(QEMU_IMG is None, reason="qemu-img is not installed")


def create(*arguments: str | Path) -> None:
    subprocess.run(["qemu-img", "create", "-q", *map(str, arguments)], check=True)


@needs_qemu_img
@pytest.mark.parametrize("compat", ["0.10", "1.1"])
@pytest.mark.parametrize("cluster", ["512", "64k", "2M"])
def test_chain(tmp_path: Path, compat: str, cluster: str) -> None:
    """A chain that qemu-img made is read link by link, for both versions and any cluster size."""
    options = f"compat={compat},cluster_size={cluster}"
    base, middle, top = tmp_path / "base.img", tmp_path / "middle.qcow2", tmp_path / "top.qcow2"
    create("-f", "raw", base, "1M")
    create("-f", "qcow2", "-o", options, "-F", "raw", "-b", base, middle)
    create("-f", "qcow2", "-o", options, "-F", "qcow2", "-b", "middle.qcow2", top)
    with open_facts() as facts:
        assert facts.image(str(top)) == Image("middle.qcow2", "qcow2")
        assert facts.image(str(middle)) == Image(str(base), "raw")
        assert facts.image(str(base)) == Unknown("not a qcow2 image")
        assert facts.image(str(tmp_path / "none.qcow2")) is None


@needs_qemu_img
def test_long_name(tmp_path: Path) -> None:
    """The longest name that QEMU takes is read whole."""
    directory = tmp_path
    while len(str(directory)) < 1023 - 260:
        directory = directory / ("d" * 200)
    directory.mkdir(parents=True)
    base = directory / ("b" * (1022 - len(str(directory))))
    create("-f", "raw", base, "1M")
    create("-f", "qcow2", "-F", "raw", "-b", base, tmp_path / "top.qcow2")
    with open_facts() as facts:
        assert facts.image(str(tmp_path / "top.qcow2")) == Image(str(base), "raw")


def test_far_name(tmp_path: Path) -> None:
    """A name far into the first cluster is read, though it lies beyond what is read at first."""
    head = header(b"", offset=60000, length=9, extensions=extension(0, b""))
    (tmp_path / "top.qcow2").write_bytes(head.ljust(60000, b"\0") + b"/srv/base")
    with open_facts() as facts:
        assert facts.image(str(tmp_path / "top.qcow2")) == Image("/srv/base", "")


@pytest.mark.parametrize("path", ["/dev/null", "/", "/proc/kmsg", "/proc/self/environ"])
def test_never_opened(path: str) -> None:
    """What can't be an image is not opened to find out."""
    with open_facts() as facts:
        assert facts.image(path) == Unknown("not a qcow2 image")
