"""What QEMU's user may do with a file: our reading of modes and ACLs against the kernel's."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from judging import tree

from libhooks.facts.host import open_facts
from libhooks.facts.model import Unknown
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage, Node
from libhooks.facts.reading.tree import TreeRoot
from libhooks.facts.storage import user
from libhooks.facts.storage.access import permitted
from libhooks.facts.storage.user import User
from libhooks.facts.surroundings.words import Access

CHECKOUT = Path(__file__).resolve().parents[1]
QEMU = User("qemu", 107, (107, 36), True)
#: Reads lines of "PATH UID GID[,GID...]" and says what the kernel lets that user do with the file.
ASK = f"""
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from libhooks.facts.reading.root import LiveRoot
for line in sys.stdin:
    path, uid, gids = line.split()
    print("=" + LiveRoot().allows(path, int(uid), tuple(map(int, gids.split(",")))))
"""

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")


def kernel(questions: list[tuple[str, User]]) -> list[str]:
    lines = [f"{path} {who.uid} {','.join(map(str, who.gids))}\n" for path, who in questions]
    command = [sys.executable, "-I", "-c", ASK]
    done = subprocess.run(command, input="".join(lines), capture_output=True, text=True, check=True)
    return [line[1:] for line in done.stdout.splitlines()]


def ours(path: Path, who: User) -> str:
    status = os.stat(path)
    try:
        acl = os.getxattr(path, "system.posix_acl_access")
    except OSError:
        acl = b""
    found = permitted(
        Node("file", uid=status.st_uid, gid=status.st_gid, mode=status.st_mode & 0o7777), acl, who
    )
    return "".join(way for way, bit in (("r", 4), ("w", 2)) if found & bit)


def acl(draw: random.Random) -> bytes:
    """An ACL as the kernel takes it: in its order, with a mask."""
    entries = [(1, draw.randrange(8), 0xFFFFFFFF)]
    entries += [(2, draw.randrange(8), uid) for uid in sorted(draw.sample((36, 107, 200), draw.randrange(3)))]
    entries += [(4, draw.randrange(8), 0xFFFFFFFF)]
    entries += [(8, draw.randrange(8), gid) for gid in sorted(draw.sample((36, 107, 200), draw.randrange(3)))]
    entries += [(16, draw.randrange(8), 0xFFFFFFFF), (32, draw.randrange(8), 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@root_only
def test_as_the_kernel_judges(tmp_path: Path) -> None:
    """Whatever the owner, mode and ACL of a file, we say of a user what the kernel says."""
    draw = random.Random(7)
    questions = []
    for number in range(300):
        file = tmp_path / str(number)
        file.write_text("")
        os.chown(file, draw.choice((0, 107, 200)), draw.choice((0, 36, 107, 200)))
        file.chmod(draw.randrange(0o1000))
        if draw.random() < 0.6:
            try:
                os.setxattr(file, "system.posix_acl_access", acl(draw))
            except OSError:
                pytest.skip("this file system has no ACLs")
        questions.append((str(file), draw.choice((QEMU, User("other", 300, (300,), True)))))
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)
    assert kernel(questions) == [ours(Path(path), who) for path, who in questions]


@root_only
def test_asking_changes_nothing(tmp_path: Path) -> None:
    """Who asked as somebody else is itself again, whatever came of it."""
    script = ASK + "import os\nprint(os.getresuid(), os.getresgid(), os.getgroups())"
    groups = str(sorted(os.getgroups()))
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(
        command, input=f"{tmp_path}/none 107 107\n", capture_output=True, text=True, check=True
    )
    assert done.stdout == f"=\n(0, 0, 0) (0, 0, 0) {groups}\n"


@root_only
def test_live(tmp_path: Path) -> None:
    """On the host itself, directories that a user may not enter are barriers."""
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "disk").write_text("12345")
    with open_facts() as facts:
        found = facts.access(f"{tmp_path}/closed/disk")
        assert isinstance(found, Access) or (isinstance(found, Unknown) and "passwd" in found.why)
        assert facts.access(f"{tmp_path}/closed/none") is None
        assert facts.unasked() == ()


PASSWD = "root:x:0:0::/root:/bin/sh\nlibvirt-qemu:x:64055:108::/:/bin/false\nqemu:x:107:107::/:/bin/false\n"
GROUP = "root:x:0:\nkvm:x:36:qemu,libvirt-qemu\nqemu:x:107:\ndisk:x:6:qemu\n"


@pytest.mark.parametrize(
    ("conf", "found"),
    [
        ("", User("libvirt-qemu", 64055, (108, 36), True)),
        ('user = "qemu"\n', User("qemu", 107, (107, 36, 6), True)),
        ('user = "qemu"\ngroup = "kvm"\ndynamic_ownership = 0\n', User("qemu", 107, (36, 6), False)),
        ('user = "+500"\ngroup = "+501"\n', User("+500", 500, (501,), True)),
        ('user = "500"\n', User("500", 500, (0,), True)),
        ('user = "root"\ngroup = "root"\n', User("root", 0, (0,), True)),
        ('user = "nobody"\n', "/etc/libvirt/qemu.conf names the user nobody, and /etc/passwd does not"),
        ('group = "vm"\n', "/etc/libvirt/qemu.conf names the group vm, and /etc/group does not"),
        ("user = \n", "/etc/libvirt/qemu.conf: line 2: not a setting"),
    ],
)
def test_user(tmp_path: Path, conf: str, found: User | str) -> None:
    """The user is qemu.conf's, by name or number, else the one that the package was built with."""
    paths = Paths(
        TreeRoot(str(tree(tmp_path, etc__passwd=PASSWD, etc__group=GROUP, etc__libvirt__qemu_conf=conf)))
    )
    (tmp_path / "etc/libvirt/qemu_conf").rename(tmp_path / "etc/libvirt/qemu.conf")
    if isinstance(found, User):
        assert user.qemu(paths) == found
    else:
        with pytest.raises(Garbage, match=found):
            user.qemu(paths)


@pytest.mark.parametrize("text", ["", "no colons\n:::\nqemu:x:y:z\n", "\1\xff\n", "qemu:x:107\n"])
def test_no_users(tmp_path: Path, text: str) -> None:
    """Where nothing names a user, libvirt's own default is root."""
    paths = Paths(TreeRoot(str(tree(tmp_path, etc__passwd=text))))
    assert user.qemu(paths) == User("root", 0, (0,), True)


@pytest.mark.parametrize("acl", [b"\x01\0\0\0", b"\x02\0\0\0\0", b"\x02\0\0\0" + b"\0" * 9])
def test_acl_of_another_form(acl: bytes) -> None:
    """An ACL that is not what the kernel of today hands out is unknown."""
    with pytest.raises(Garbage, match="an ACL in a form that is not known"):
        permitted(Node("file", uid=1, mode=0o640), acl, QEMU)
