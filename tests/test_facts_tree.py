"""Files and mounts of a captured tree, and what its stat.toml says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from libhooks.facts.host import HostFacts, open_facts
from libhooks.facts.model import File, Mount, Unknown
from libhooks.facts.reading.root import Garbage

HOSTA = Path(__file__).parent / "trees" / "hosta"
FILER = ("/srv/images", "filer.example.org:/export/images", "nfs4", "/")


@pytest.fixture
def facts() -> Iterator[HostFacts]:
    with open_facts(str(HOSTA)) as facts:
        yield facts


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/srv/images/web1.qcow2", File("file", "/srv/images/web1.qcow2", 197120)),
        ("/srv/images/current", File("file", "/srv/images/web1.qcow2", 197120)),
        ("/images/web1.qcow2", File("file", "/srv/images/web1.qcow2", 197120)),
        ("//srv/./images//web1.qcow2", File("file", "/srv/images/web1.qcow2", 197120)),
        ("/srv/local/../images/web1.qcow2", File("file", "/srv/images/web1.qcow2", 197120)),
        ("/srv/local/elsewhere/db1.qcow2", File("file", "/srv/gluster/db1.qcow2", 197120)),
        ("/srv/local/up", File("file", "/srv/images/web1.qcow2", 197120)),
        ("/../../..", File("dir", "/")),
        ("/srv/images", File("dir", "/srv/images")),
        ("/dev/null", File("char", "/dev/null", 0, (1, 3))),
        ("/srv/local/fifo", File("fifo", "/srv/local/fifo")),
        ("/srv/images/none.qcow2", None),
        ("/srv/none/web1.qcow2", None),
        ("/srv/images/web1.qcow2/below", None),
        ("/srv/local/dangling", None),
        ("/srv/local/circle", Unknown("too many levels of symbolic links")),
        ("/srv/dead/web1.qcow2", Unknown("no answer in 2 s")),
        ("/srv/dead", Unknown("no answer in 2 s")),
        ("/srv/local/to-dead", Unknown("no answer in 2 s")),
        ("/srv/squashed/web1.qcow2", Unknown("permission denied")),
        ("/srv/gluster/stale", Unknown("stale file handle")),
        ("/srv/gluster/unplugged/x", Unknown("transport endpoint is not connected")),
        ("web1.qcow2", Unknown("not an absolute path")),
        ("", Unknown("not an absolute path")),
        ("/srv/\0", Unknown("not an absolute path")),
        ("/srv/\ud800", Unknown("not a path of this host")),
    ],
)
def test_file(facts: HostFacts, path: str, file: File | Unknown | None) -> None:
    """A path leads, through links, to a file; to none; or nobody can say."""
    assert facts.file(path) == file


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/srv/images/web1.qcow2", Mount(*FILER, "/srv/images/web1.qcow2")),
        ("/images/web1.qcow2", Mount(*FILER, "/srv/images/web1.qcow2")),
        ("/srv/images", Mount(*FILER, "/srv/images")),
        ("/srv/images/new/deep.qcow2", Mount(*FILER, "/srv/images")),
        ("/srv/local/dangling", Mount(*FILER, "/srv/images")),
        (
            "/srv/local/elsewhere/db1.qcow2",
            Mount(
                "/srv/gluster", "gluster1.example.org:/vols", "fuse.glusterfs", "/", "/srv/gluster/db1.qcow2"
            ),
        ),
        (
            "/var/lib/templates/base.qcow2",
            Mount("/var/lib/templates", FILER[1], "nfs4", "/templates", "/var/lib/templates"),
        ),
        ("/srv/two words/x", Mount("/srv/two words", "/dev/sdb1", "xfs", "/", "/srv/two words")),
        ("/srv/local/web1.img", Mount("/srv", "/dev/sda3", "ext4", "/", "/srv/local/web1.img")),
        ("/nowhere", Mount("/", "/dev/sda2", "ext4", "/", "/")),
        ("/srv/dead/web1.qcow2", Unknown("no answer in 2 s")),
        ("/srv/local/to-dead", Unknown("no answer in 2 s")),
        ("/srv/squashed/web1.qcow2", Unknown("permission denied")),
    ],
)
def test_mount(facts: HostFacts, path: str, mount: Mount | Unknown) -> None:
    """A path lies on the mount that it leads to; a missing one on that of its nearest parent."""
    assert facts.mount(path) == mount


def test_shared_filesystems(facts: HostFacts) -> None:
    """The paths that qemu.conf declares shared are read from it."""
    assert facts.shared_filesystems() == ("/srv/lustre", "/var/lib/libvirt/shared")


def test_no_qemu_conf(tmp_path: Path) -> None:
    """A host without a qemu.conf declares none."""
    assert open_facts(str(tmp_path)).shared_filesystems() == ()


def test_damaged_qemu_conf(tmp_path: Path) -> None:
    """A damaged qemu.conf is unknown, with the line."""
    (tmp_path / "stat.toml").write_text(
        '["/etc/libvirt/qemu.conf"]\ntext = "a = 1\\nshared_filesystems = 3\\n"'
    )
    why = "/etc/libvirt/qemu.conf: line 2: shared_filesystems is not a list"
    assert open_facts(str(tmp_path)).shared_filesystems() == Unknown(why)


def test_no_mountinfo(tmp_path: Path) -> None:
    """Without a mount table, what a path lies on is unknown."""
    assert open_facts(str(tmp_path)).mount("/") == Unknown("there is no /proc/self/mountinfo")


def test_links_stay_inside(tmp_path: Path) -> None:
    """Real links in a tree resolve inside it, absolute or climbing."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "inside").write_text("here")
    os.symlink("/etc/inside", tmp_path / "absolute")
    os.symlink("../../../../../../etc", tmp_path / "climbing")
    os.symlink("/etc/passwd", tmp_path / "outside")
    facts = open_facts(str(tmp_path))
    inside = File("file", "/etc/inside", 4)
    assert facts.file("/absolute") == facts.file("/climbing/inside") == inside
    assert facts.file("/outside") is None


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ('["/x"]\nknid = "dir"', r"\[/x\] is not an absolute path with any of acl, as_qemu, as_root"),
        ('["x"]\nkind = "dir"', r"\[x\] is not an absolute path"),
        ("x = 3", r"\[x\] is not an absolute path"),
        ("[", "stat.toml: "),
        ('["/x"]\nerror = "ENONSENSE"', "ENONSENSE is no error"),
        ('["/x"]\ndevice = "8"', "8 is no device"),
    ],
)
def test_stat_toml_errors(tmp_path: Path, toml: str, why: str) -> None:
    """A stat.toml that makes no sense is an error at once."""
    (tmp_path / "stat.toml").write_text(toml)
    with pytest.raises(Garbage, match=why):
        open_facts(str(tmp_path))
