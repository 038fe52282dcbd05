"""What an edit may select, and what of it is known before any guest has come."""

from __future__ import annotations

import pytest
from lxml import etree

from libhooks.policy.diagnostic import Wrong
from libhooks.selection import Selection

DOMAIN = """\
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <!-- a note -->
  <title>web</title>
  <metadata><a:b xmlns:a='urn:a' a:c='1' d='2'>x</a:b></metadata>
  <devices>
    <disk device='disk'><driver cache='none'/><source file='/a'/></disk>
    <disk device='cdrom'><driver/><source file='/b'/></disk>
  </devices>
  <qemu:commandline><qemu:arg value='-a'/></qemu:commandline>
</domain>
"""


def selected(select: str) -> list[str]:
    """What is selected in DOMAIN: elements, by tag and values of attributes, and what of them."""
    found = Selection(select).targets(etree.fromstring(DOMAIN))
    words = ((str(one.element.tag), *map(str, one.element.attrib.values()), one.last) for one in found)
    return [" ".join(filter(None, one)) for one in words]


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ("title", ["title"]),
        ("/domain/title", ["title"]),
        ("title/text()", ["title text()"]),
        ("devices/disk[@device='cdrom']/source/@file", ['source /b @file']),
        ("//source[@file='/a']", ['source /a']),
        ("devices/disk/driver/@cache", ['driver none @cache', "driver @cache"]),
        ("devices/disk/driver[@cache]/@cache", ['driver none @cache']),
        ("//@cache | //@file", ['driver none @cache', 'source /a @file', 'source /b @file']),
        ("devices/disk[driver/@cache | source]/driver/@io", ['driver none @io', "driver @io"]),
        ("//source | //source[@file='/a']", ['source /a', 'source /b']),
        ("metadata/*/@d", ["{urn:a}b 1 2 @d"]),
        ("//@cache", ["driver none @cache"]),
        ("devices/disk[3]/source", []),
        ("seclabel[@model='/[]|..']", []),
    ],
)  # fmt: skip
def test_targets(select: str, found: list[str]) -> None:
    """XPath below <domain>, or from the root; an attribute is meant of all elements the path leads to."""
    assert selected(select) == found


def test_qemu_namespace() -> None:
    """QEMU's own elements have their prefix, whatever the document calls it."""
    renamed = DOMAIN.replace("qemu:", "q:").replace("xmlns:qemu", "xmlns:q")
    (found,) = Selection("qemu:commandline/qemu:arg/@value").targets(etree.fromstring(renamed))
    assert (found.element.get("value"), found.last) == ("-a", "@value")


@pytest.mark.parametrize(
    "select",
    ["comment()", "/domain", ".", "//namespace::*", "metadata/*/@*", "devices/disk[1]/following::text()[1]",
     "//text()", "processing-instruction() | comment()"],
)  # fmt: skip
def test_what_cannot_be_edited(select: str) -> None:
    """Comments, namespaces, the domain itself, and texts between elements are no targets."""
    with pytest.raises(Wrong):
        selected(select)


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("disk[", "no XPath: "),
        ("", "no XPath: "),
        ("count(disk)", "it selects no part of the domain, but a value"),
        ("string(title)", "it selects no part of the domain, but a value"),
        ("title = 'web'", "it selects no part of the domain, but a value"),
        ("nowhere:disk", "no XPath: Undefined namespace prefix"),
        ("$disk", "no XPath: Undefined variable"),
        ("devices/disk[/domain]", "a condition looks beyond its element, "),
        ("devices/disk[ //disk ]", "a condition looks beyond its element, "),
        ("devices/disk[count( ../disk) > 1]", "a condition looks beyond its element, "),
        ("devices/disk[parent::devices]", "a condition looks beyond its element, "),
        ("devices/disk[not(ancestor :: domain)]", "a condition looks beyond its element, "),
        ("devices/disk[source[@file = '/a' or //disk]]", "a condition looks beyond its element, "),
        ("devices/disk/following-sibling::disk", "it looks from each element at all others, "),
        ("devices/disk[preceding::disk]", "it looks from each element at all others, "),
        ("|".join(["title"] * 200), "longer than 1000 characters"),
    ],
)
def test_what_cannot_be_selected(select: str, message: str) -> None:
    """What is no XPath, selects a value, or takes ever longer the more disks a guest has."""
    with pytest.raises(Wrong) as raised:
        Selection(select)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    "select",
    ["devices/disk[contains(source/@file, '//x/../y')]", "devices/disk[.//source]", "devices/disk[last()]",
     "//disk[driver/@cache='none'][2]/iotune", 'title[text()="parent::x"]', "devices/disk[*/@file]"],
)  # fmt: skip
def test_what_can_be_selected(select: str) -> None:
    """A condition may look at all that is below its element, and at its place; texts are no paths."""
    Selection(select)


@pytest.mark.parametrize(
    ("select", "setting", "steps"),
    [
        ("title", True, ("title", "text()")),
        ("title", False, ("title",)),
        ("/domain/@type", True, ("@type",)),
        ("@type", False, ("@type",)),
        ("devices/disk[target/@dev='vda'][1]/driver/@io", True, ("devices", "disk", "driver", "@io")),
        ("./devices/disk/serial/text()", False, ("devices", "disk", "serial", "text()")),
        ("qemu:commandline/qemu:arg", False, ("qemu:commandline", "qemu:arg")),
        ("//disk", False, None),
        ("//@type", False, None),
        ("devices/*/@model", True, None),
        ("devices/disk/../video", False, None),
        ("descendant::disk", False, None),
        ("id('x')/disk", False, None),
        ("title | description", True, None),
    ],
)
def test_steps(select: str, setting: bool, steps: tuple[str, ...] | None) -> None:
    """Where every guest's spots have one path, it is known."""
    assert Selection(select).steps(setting) == steps
