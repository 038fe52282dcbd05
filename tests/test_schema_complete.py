"""Nothing that a domain can say is forgotten: libvirt's own schema against our rows and exceptions."""

from __future__ import annotations

import functools
import posixpath
import shutil
from pathlib import Path
from typing import Mapping

import pytest
import schema

from libhooks.references import ROWS, commandline
from libhooks.references.exceptions import EXCEPTIONS, fits, reason

pytestmark = pytest.mark.skipif(
    not (schema.DIRECTORY / "domain.rng").exists(), reason="libvirt's schemas are not installed"
)

#: Definitions of text that is a number after all.
NUMBERS = {"unit", "hexuint", "octalMode", "uint8", "uint16", "uint24", "uint32"}

#: Spots of libvirt newer than 9.0, whose schema may be the one installed.
NEWER = {
    "devices/disk/**/source/dataStore/**",
    "os/nvram/source/dataStore/**",
    "**/source/knownHosts/@path",
    "**/source/identity/@username",
    "**/source/identity/@keyfile",
    "**/source/identity/@agentsock",
    "devices/audio/@runtimeDir",
    "devices/hostdev/source/address/@port",
    "devices/*/driver/@model",
    "devices/tpm/backend/profile/*",
    "devices/pstore/path/text()",
    "devices/graphics/@username",
    "devices/interface/backend/@hostname",
    "devices/interface/backend/@fqdn",
    "devices/disk/throttlefilters/throttlefilter/@group",
    "throttlegroups/throttlegroup/group_name/text()",
    "os/shim/text()",
    "launchSecurity/quoteGenerationService/@path",
    "os/varstore/@path",
    "os/varstore/@template",
    "devices/*/acpi/@nodeset",
    "iommufd/@fdgroup",
}


@functools.cache
def spots() -> Mapping[str, frozenset[str]]:
    return schema.spots()


def texts(found: Mapping[str, frozenset[str]]) -> list[str]:
    """The spots that hold a text of their own, which is no number and not one of a closed set of words."""
    return [spot for spot, types in found.items() if types - NUMBERS]


def unknown(found: Mapping[str, frozenset[str]]) -> list[str]:
    """The spots that nobody has thought of, with their types."""
    left = [spot for spot in texts(found) if spot not in covered() and not reason(spot)]
    return [f"{spot} ({', '.join(sorted(found[spot]))})" for spot in left]


@functools.cache
def covered() -> frozenset[str]:
    """The spots that rows answer for."""
    rows = (*ROWS, commandline.ROW)
    return frozenset(posixpath.normpath(f"{row.element}/{one}") for row in rows for one in row.covers)


def newer(spot: str) -> bool:
    return any(spot == one or fits(one, spot) for one in NEWER)


def test_everything_is_known() -> None:
    """Each text that libvirt's schema allows in a domain is a row's or has a reason why it is no reference.

    A newer libvirt that brings another one fails here, and names it.
    """
    assert unknown(spots()) == []


def test_a_newer_schema_is_noticed(tmp_path: Path) -> None:
    """A spot that a newer schema brings is named, wherever it stands and however often it is nested."""
    shutil.copytree(schema.DIRECTORY, tmp_path, dirs_exist_ok=True)
    common = tmp_path / "domaincommon.rng"
    text = common.read_text()
    for after, more in (
        ('<define name="diskSourceCommon">', DATA_STORE),
        ('<element name="memballoon">', '<attribute name="log"><ref name="absFilePath"/></attribute>'),
    ):
        assert text.count(after) == 1
        text = text.replace(after, after + more)
    common.write_text(text)
    found = schema.spots(tmp_path)
    assert unknown(found) == ["devices/memballoon/@log (absFilePath)"]
    assert "devices/disk/backingStore/source/dataStore/source/@file" in found


#: What libvirt 10.10 brought, nearly.
DATA_STORE = '<optional><element name="dataStore"><ref name="diskSource"/></element></optional>'


def test_one_or_the_other() -> None:
    """What is a reference has no reason why it is none."""
    assert [spot for spot in sorted(covered()) if reason(spot)] == []


def test_rows_name_what_there_is() -> None:
    """Each spot that a row answers for is in libvirt's schema, or known to be newer than it can be."""
    assert [spot for spot in sorted(covered()) if spot not in spots() and not newer(spot)] == []


@pytest.mark.parametrize("pattern", EXCEPTIONS)
def test_exceptions_name_what_there_is(pattern: str) -> None:
    """Each exception is about something that libvirt's schema has, or known to be newer than it can be."""
    assert pattern in NEWER or any(fits(pattern, spot) for spot in texts(spots()))


def test_schema_is_read() -> None:
    """The walk sees what is known to be there: through references, includes, choices and recursion."""
    assert spots()["os/kernel/text()"] == {"absFilePath"}
    assert spots()["devices/graphics/listen/@address"] == {"addrIPorName"}
    assert spots()["devices/disk/backingStore/source/@file"] == {"absFilePath", "vmwarePath"}
    assert spots()["devices/disk/source/address/@bus"] == {"pciBus"}
    assert spots()["devices/disk/target/@bus"] == frozenset()
    assert spots()["qemu:commandline/qemu:arg/@value"] == {"text"}
    assert "devices/disk/backingStore/backingStore/source/@file" not in spots()


@pytest.mark.parametrize(
    ("spot", "words"),
    [
        ("name/text()", "the guest sees it"),
        ("devices/disk/address/@bus", "the guest sees it"),
        ("devices/disk/source/encryption/secret/@uuid", "a secret"),
        ("devices/disk/backingStore/source/encryption/secret/@uuid", "a secret"),
        ("devices/disk/mirror/source/@file", "libvirt tells of what is running"),
        ("devices/serial/source/seclabel/label/text()", "a label of the host's security driver"),
        ("devices/serial/source/@service", "ports are no places"),
        ("cputune/vcpupin/@cpuset", "[adjust]"),
        ("devices/disk/source/@file", ""),
        ("devices/disk/source/address/@bus", ""),
        ("devices/interface/source/@mode", ""),
        ("a/thing/of/tomorrow/@path", ""),
    ],
)
def test_reasons(spot: str, words: str) -> None:
    """Why something is no reference can be asked; of a reference, or of things unknown, nothing is told."""
    assert words in reason(spot)
    assert bool(reason(spot)) == bool(words)
