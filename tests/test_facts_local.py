"""What is read in this process, and what only by a child that may hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from libhooks.facts.reading.local import Locality
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.tree import TreeRoot
from libhooks.facts.storage import files

SAN = Path(__file__).parent / "trees" / "san"


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/", True),
        ("/sys", True),
        ("/dev", True),
        ("/mnt/bind", True),
        ("/srv/fast", True),
        ("/srv/btrfs", True),
        ("/tank", True),
        ("/srv/nfs", False),
        ("/srv/iscsi", False),
        ("/srv/fc", False),
        ("/srv/btrfs-san", False),
        ("/mnt/btrfs-gone", False),
        ("/mnt/sas", False),
        ("/mnt/loop", False),
        ("/mnt/circle", False),
        ("/mnt/new", False),
    ],
)
def test_mount(path: str, local: bool) -> None:
    """Local is what lives in the kernel, on the root's own device, or on a disk of this host alone."""
    paths = Paths(TreeRoot(str(SAN)))
    table = files.table(paths)
    assert Locality(paths).mount(table.of(path), table.of("/")) is local
