"""What a guest boots: Debian's cloud kernel and an initramfs of busybox that beats."""

from __future__ import annotations

import fcntl
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from subprocess import PIPE
from typing import IO, Iterable, Iterator, NamedTuple
from zlib import crc32

from .errors import LabError

META_PACKAGE = "linux-image-cloud-amd64"
BUSYBOX = Path("/usr/bin/busybox")
INIT = Path(__file__).with_name("guest-init.sh")
# In the order they depend on each other. Some kernels have some of them built in.
MODULES = (
    "virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
    "virtio_blk", "failover", "net_failover", "virtio_net", "virtio_console",
)  # fmt: skip
DIRECTORY, EXECUTABLE, DATA = 0o040755, 0o100755, 0o100644
# Another name for other modules: what an older checkout has kept lacks what a newer one wants.
KEPT = f"guest-kernel-{crc32(' '.join(MODULES).encode()):08x}"
UNFINISHED = "fetch-"


class Boot(NamedTuple):
    """What is in the two files a guest boots from; the initramfs is not compressed, emulation is slow."""

    kernel: bytes
    initramfs: bytes


class Entry(NamedTuple):
    """One file or directory of a cpio archive."""

    name: str
    mode: int
    content: bytes = b""


def boot_files(cache: Path) -> Boot:
    """The guest's kernel and initramfs; the kernel is downloaded unless `cache` has it."""
    kept = cache / KEPT
    with _locked(cache):
        if not kept.is_dir():
            _fetch_kernel(kept)
    modules = [Entry(f"modules/{file.name}", DATA, file.read_bytes()) for file in sorted(kept.glob("*.ko"))]
    return Boot((kept / "vmlinuz").read_bytes(), archive([*_userland(), *modules]))


def archive(entries: Iterable[Entry]) -> bytes:
    """A cpio archive in the "newc" form, the one the kernel unpacks."""
    members = [_member(number, entry) for number, entry in enumerate(entries, start=1)]
    return b"".join([*members, _member(0, Entry("TRAILER!!!", 0))])


def _member(inode: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if entry.mode == DIRECTORY else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _userland() -> list[Entry]:
    init = INIT.read_text().replace("@MODULES@", " ".join(MODULES)).encode()
    directories = [Entry(name, DIRECTORY) for name in ("bin", "dev", "proc", "sys", "modules")]
    return [
        *directories,
        Entry("bin/busybox", EXECUTABLE, BUSYBOX.read_bytes()),
        Entry("init", EXECUTABLE, init),
    ]


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """One lab at a time in the cache; what a killed one left unfinished is removed."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for unfinished in cache.glob(f"{UNFINISHED}*"):
            shutil.rmtree(unfinished)
        yield


def _fetch_kernel(target: Path) -> None:
    """Download the kernel package and keep of it, in one rename, what a guest boots."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=UNFINISHED) as work:
        _apt(["apt-get", "-o", "APT::Sandbox::User=root", "download", _kernel_package()], Path(work))
        (package,) = Path(work).glob("*.deb")
        kept = Path(work, "kept")
        kept.mkdir()
        _unpack(package, kept)
        kept.rename(target)


def _unpack(package: Path, kept: Path) -> None:
    argv = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(argv, stdout=PIPE) as unpacker,
        tarfile.open(fileobj=unpacker.stdout, mode="r|") as tree,
    ):
        for member in tree:
            name, content = _kept_name(PurePosixPath(member.name)), tree.extractfile(member)
            if name and content:
                _copy(content, compressed=member.name.endswith(".xz"), to=kept / name)
    if unpacker.returncode or not (kept / "vmlinuz").exists():
        raise LabError(f"no kernel in {package.name}")


def _kept_name(file: PurePosixPath) -> str | None:
    """What a file of the kernel package is called in the cache; None if guests don't need it."""
    if file.name.startswith("vmlinuz-"):
        return "vmlinuz"
    module, _, suffix = file.name.partition(".")
    return f"{module}.ko" if module in MODULES and suffix in ("ko", "ko.xz") else None


def _copy(source: IO[bytes], compressed: bool, to: Path) -> None:
    content = source.read()
    to.write_bytes(lzma.decompress(content) if compressed else content)


def _kernel_package() -> str:
    depends = _apt(["apt-cache", "depends", META_PACKAGE], Path("/"))
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise LabError(f"{META_PACKAGE} depends on no kernel", log=depends)
    return found.group(1)


def _apt(argv: list[str], directory: Path) -> str:
    done = subprocess.run(
        argv, check=False, cwd=directory, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode:
        what = f"could not get a kernel for the guests: {' '.join(argv)}"
        raise LabError(what, "apt-get update", done.stdout + done.stderr)
    return done.stdout
