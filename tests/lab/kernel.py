"""What a guest boots: Debian's cloud kernel and an initramfs of busybox that beats."""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Iterable, NamedTuple

from .errors import LabError

META_PACKAGE = "linux-image-cloud-amd64"
BUSYBOX = Path("/usr/bin/busybox")
# In the order they depend on each other. Some kernels have some of them built in.
MODULES = (
    "virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
    "virtio_blk", "failover", "net_failover", "virtio_net",
)  # fmt: skip
INIT = Path(__file__).with_name("guest-init.sh")
DIRECTORY, EXECUTABLE, DATA = 0o040755, 0o100755, 0o100644


class Boot(NamedTuple):
    """The two files a guest boots from, uncompressed: under emulation that is faster."""

    kernel: Path
    initramfs: Path


class Entry(NamedTuple):
    """One file or directory of a cpio archive."""

    name: str
    mode: int
    content: bytes = b""


def boot_files(cache: Path) -> Boot:
    """The guest's kernel and initramfs in `cache`; the kernel is downloaded if it isn't there yet."""
    unpacked = cache / "guest-kernel"
    if not unpacked.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch_kernel(unpacked)
    initramfs = unpacked / "initramfs"
    modules = [Entry(f"modules/{file.name}", DATA, file.read_bytes()) for file in sorted(unpacked.glob("*.ko"))]
    _replace(initramfs, archive([*_userland(), *modules]))
    return Boot(unpacked / "vmlinuz", initramfs)


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
    directories = [Entry(name, DIRECTORY) for name in ("bin", "dev", "proc", "sys", "modules")]
    return [*directories, Entry("bin/busybox", EXECUTABLE, BUSYBOX.read_bytes()), Entry("init", EXECUTABLE, _init())]


def _init() -> bytes:
    return INIT.read_text().replace("@MODULES@", " ".join(MODULES)).encode()


def _fetch_kernel(target: Path) -> None:
    """Download the kernel package and keep of it, in one rename, what a guest boots: vmlinuz and some modules."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as work:
        directory = Path(work)
        _apt(["apt-get", "-o", "APT::Sandbox::User=root", "download", _kernel_package()], directory)
        (package,) = directory.glob("*.deb")
        _apt(["dpkg-deb", "--extract", str(package), "tree"], directory)
        kept = directory / "kept"
        kept.mkdir()
        _keep(directory / "tree", kept)
        kept.chmod(0o755)
        try:
            kept.rename(target)
        except OSError:  # another lab was faster
            if not target.is_dir():
                raise


def _keep(tree: Path, kept: Path) -> None:
    (kernel,) = tree.glob("boot/vmlinuz-*")
    kernel.rename(kept / "vmlinuz")
    for name in MODULES:
        for file in tree.rglob(f"{name}.ko*"):
            content = file.read_bytes()
            (kept / f"{name}.ko").write_bytes(lzma.decompress(content) if file.suffix == ".xz" else content)


def _kernel_package() -> str:
    depends = _apt(["apt-cache", "depends", META_PACKAGE], Path("/"))
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise LabError(f"{META_PACKAGE} depends on no kernel", log=depends)
    return found.group(1)


def _apt(argv: list[str], directory: Path) -> str:
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise LabError(f"no kernel for the guests: {' '.join(argv)}", "apt-get update", done.stdout + done.stderr)
    return done.stdout


def _replace(file: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
        new.write(content)
    Path(new.name).rename(file)
