"""What QEMU is told directly: which paths are seen in it."""

from __future__ import annotations

import pytest
from lxml import etree

from libhooks.references import commandline
from libhooks.references.model import Reference

_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"


def found(inner: str) -> list[str]:
    return [str(one.name) for one in references(inner)]


def references(inner: str) -> list[Reference]:
    document = f"<domain xmlns:qemu='{_NAMESPACE}'><qemu:commandline>{inner}</qemu:commandline></domain>"
    return list(commandline.find(etree.fromstring(document)))


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("/srv/a", ["/srv/a"]),
        ("file=/srv/a,if=none", ["/srv/a"]),
        ("file=/srv//a/./b/", ["/srv/a/b"]),
        ("unix:/run/x,server=on", ["/run/x"]),
        ("nbd+unix:///e?socket=/run/nbd", ["/e?socket", "/run/nbd"]),
        ("id=a,path=/one,file.filename=/two", ["/one", "/two"]),
        ("{&quot;filename&quot;: &quot;/srv/a&quot;}", ["/srv/a"]),
        ("-device vfio-pci", []),
        ("kvm/x", []),
        ("/", []),
        ("//", []),
        ("/srv/../etc", []),
        ("", []),
    ],
)
def test_paths(value: str, paths: list[str]) -> None:
    """An absolute path is seen wherever QEMU's notations or JSON can hold one; no other text is."""
    assert found(f'<qemu:arg value="{value}"/>') == paths
    assert found(f'<qemu:env name="/x" value="{value}"/>') == paths


def test_nothing_else() -> None:
    """Only the values of arguments and variables count, and only QEMU's own elements have them."""
    assert found("<qemu:env name='X'/><!-- /srv/a --><qemu:arg/>") == []
    other = f"<domain xmlns:qemu='{_NAMESPACE}'><commandline><arg value='/srv/a'/></commandline></domain>"
    assert list(commandline.find(etree.fromstring(other))) == []


def test_never_written() -> None:
    """Whatever a place calls it here, there is no form in which it could be written."""
    (reference,) = references("<qemu:arg value='/srv/a'/>")
    assert reference.row.forms == frozenset()
    assert reference.element is not None
    assert reference.name is not None
    assert list(reference.row.write(reference.spot, reference.element, reference.name)) == []
    assert reference.row.read(reference.element) is None
