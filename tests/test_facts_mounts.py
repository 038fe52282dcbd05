"""Which mount a path lies on, from the text of /proc/self/mountinfo."""

from __future__ import annotations

import pytest

from libhooks.facts.reading import mounts
from libhooks.facts.reading.root import Garbage

ROOT = "21 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"


def lies_on(text: str, path: str) -> str:
    return mounts.parse(ROOT + text).of(path).source


def test_all_fields() -> None:
    """A line is read by the fields of proc(5), however many optional ones it has."""
    line = "36 21 0:44 /vm /srv/vm rw,noatime shared:3 master:1 - nfs4 filer:/export rw,addr=192.0.2.20"
    assert mounts.parse(ROOT + line).of("/srv/vm/x") == mounts.Entry(
        36, 21, (0, 44), "/vm", "/srv/vm", "nfs4", "filer:/export",
        ("rw", "noatime", "rw", "addr=192.0.2.20"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/", "/dev/sda2"),
        ("/srv", "/dev/sda2"),
        ("/srv/vm", "filer:/vm"),
        ("/srv/vm/a/b", "filer:/vm"),
        ("/srv/vm/fast", "/dev/sdb1"),
        ("/srv/vm/fast/x", "/dev/sdb1"),
        ("/srv/vmx", "/dev/sda2"),
        ("/srv/vm/fastest", "filer:/vm"),
    ],
)
def test_longest(path: str, source: str) -> None:
    """A path lies on the longest mount point above it, whole components compared."""
    text = "36 21 0:44 / /srv/vm rw - nfs4 filer:/vm rw\n37 36 8:17 / /srv/vm/fast rw - xfs /dev/sdb1 rw\n"
    assert lies_on(text, path) == source


def test_octal() -> None:
    """Blanks and backslashes in a mount point are written as octal."""
    text = "36 21 8:17 / /srv/two\\040words\\134x rw - xfs /dev/mapper/a\\040b rw\n"
    assert lies_on(text, "/srv/two words\\x/disk") == "/dev/mapper/a b"


def test_octal_needs_three_digits() -> None:
    """A backslash that begins no octal number is a backslash."""
    assert mounts.unescape(r"a\04\089\040") == r"a\04\089 "


def test_last_on_a_point() -> None:
    """Of two mounts on one point, the later lies on the earlier and hides it."""
    text = "36 21 8:17 / /srv rw - xfs /dev/sdb1 rw\n37 36 0:44 / /srv rw - nfs4 filer:/vm rw\n"
    assert lies_on(text, "/srv/x") == "filer:/vm"


def test_covered() -> None:
    """A mount below a point that was mounted over later is out of reach."""
    text = "36 21 0:44 / /srv/vm rw - nfs4 filer:/vm rw\n37 21 8:17 / /srv rw - xfs /dev/sdb1 rw\n"
    assert lies_on(text, "/srv/vm/x") == "/dev/sdb1"


def test_root_mounted_over() -> None:
    """The root of a host is what was mounted over its initial root."""
    text = "1 1 0:2 / / rw - rootfs rootfs rw\n21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
    assert mounts.parse(text).of("/x").source == "/dev/sda2"


def test_lines_that_are_none() -> None:
    """Lines that make no sense are not read; without any that does, the table is garbage."""
    junk = "\nx y z\n1 2 3:4 / /srv rw - nfs\n1 2 c:d / /srv rw - nfs filer:/vm rw\n"
    assert lies_on(junk, "/srv/x") == "/dev/sda2"
    with pytest.raises(Garbage, match="names no root mount"):
        mounts.parse(junk)


def test_circle() -> None:
    """Mounts that claim to lie on each other don't keep us for ever."""
    text = "36 37 0:44 / /srv rw - nfs4 a rw\n37 36 0:45 / /srv rw - nfs4 b rw\n"
    text += "38 38 0:46 / /srv rw - nfs4 c rw\n"
    assert lies_on(text, "/srv/x") == "/dev/sda2"
