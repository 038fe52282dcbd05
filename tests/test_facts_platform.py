"""The names that a host goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from libhooks.facts.host import open_facts
from libhooks.facts.machine.hostname import full_name


def names(root: Path, **files: str) -> tuple[str, ...]:
    paths = {
        "given": "etc/libhooks/host",
        "kernel": "proc/sys/kernel/hostname",
        "hosts": "etc/hosts",
    }
    for file, text in files.items():
        path = root / paths[file]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return open_facts(str(root)).host()


def test_hosta() -> None:
    """The full name comes before the short one."""
    tree = Path(__file__).parent / "trees" / "hosta"
    assert open_facts(str(tree)).host() == ("hosta.example.org", "hosta")


def test_given(tmp_path: Path) -> None:
    """The first line of /etc/libhooks/host is the only name."""
    assert names(tmp_path, given="  Rack2-A \n# a remark\n", kernel="hosta.example.org\n") == ("Rack2-A",)


def test_given_blank(tmp_path: Path) -> None:
    """A blank one names nothing, and the kernel's name stands."""
    assert names(tmp_path, given="\n", kernel="hosta\n") == ("hosta",)


def test_full_kernel_name(tmp_path: Path) -> None:
    """A kernel name with a domain needs no other file."""
    assert names(tmp_path, kernel="a.x.org\n", hosts="192.0.2.1 a.y.org a\n") == ("a.x.org", "a")


def test_short_only(tmp_path: Path) -> None:
    """Without a full name anywhere, the short one is all."""
    assert names(tmp_path, kernel="hosta\n", hosts="127.0.0.1 localhost hosta\n") == ("hosta",)


def test_none(tmp_path: Path) -> None:
    """A host without a name has none."""
    assert names(tmp_path) == ()
    assert names(tmp_path, kernel="(none)\n") == ()


def test_unreadable(tmp_path: Path) -> None:
    """Where the name can't be read, there is none: another one would be a guess."""
    (tmp_path / "stat.toml").write_text('["/etc/libhooks/host"]\ndenied = true')
    assert names(tmp_path, kernel="hosta\n") == ()


@pytest.mark.parametrize(
    ("hosts", "full"),
    [
        ("", ""),
        ("192.0.2.1 a.x.org a", "a.x.org"),
        ("127.0.1.1\ta\ta.x.org", "a.x.org"),
        ("127.0.0.1 localhost.localdomain localhost A\n192.0.2.1 a.x.org A", "a.x.org"),
        ("192.0.2.1 www.x.org a\n192.0.2.1 a.x.org a", "a.x.org"),
        ("192.0.2.1 www.x.org a", "www.x.org"),
        ("127.0.0.1 localhost.localdomain a", ""),
        ("192.0.2.1 b.x.org b # a", ""),
        ("#192.0.2.1 a.x.org a", ""),
        ("192.0.2.1 A.X.org A", "A.X.org"),
    ],
)
def test_hosts(hosts: str, full: str) -> None:
    """/etc/hosts tells the full name: this host's own before an alias, never localhost's."""
    assert full_name(hosts, "a") == full
