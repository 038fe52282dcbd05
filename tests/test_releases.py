"""Releases: which way a guest may go between them."""

from __future__ import annotations

import pytest

from libhooks.releases import Release, obstacle, pair, release

NOT_SUPPORTED = "the guide does not support that"
KNOWN_ISSUES = "supported, with known issues (an older minor release)"


def way(source: str, target: str, *pairs: str) -> str:
    """What speaks against a way, both releases as os-release has them."""
    ends = [release(*text.split()) for text in (source, target)]
    return obstacle(ends[0], ends[1], tuple(pair(one) for one in pairs))


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("rhel 5.8", "rhel 5.8", ""),
        ("rhel 5.4", "rhel 5.8", ""),
        ("rhel 5.8", "rhel 5.4", KNOWN_ISSUES),
        ("rhel 6.0", "rhel 6.10", ""),
        ("rhel 6.10", "rhel 6.9", KNOWN_ISSUES),
        ("rhel 5.11", "rhel 6.0", NOT_SUPPORTED),
        ("rhel 6.0", "rhel 5.11", NOT_SUPPORTED),
        ("rhel 6.4", "rhel 7.2", NOT_SUPPORTED),
        ("rhel 6.5", "rhel 7.2", ""),
        ("rhel 6.10", "rhel 7.0", ""),
        ("rhel 7.9", "rhel 6.10", NOT_SUPPORTED),
        ("rhel 7.2", "rhel 7.9", ""),
        ("rhel 7.9", "rhel 7.2", ""),
        ("rhel 5.8", "rhel 7.2", NOT_SUPPORTED),
    ],
)
def test_the_table_of_the_guide(source: str, target: str, found: str) -> None:
    """Forward within a major release, backward with known issues, and from 6.5 to 7."""
    assert way(source, target) == found


@pytest.mark.parametrize("rebuild", ["centos", "almalinux", "rocky", "ol", "scientific", "CentOS"])
def test_rebuilds(rebuild: str) -> None:
    """A rebuild counts as the RHEL that it rebuilds, on either end."""
    assert way(f"{rebuild} 7.9", "rhel 6.10") == NOT_SUPPORTED
    assert way("rhel 6.10", f"{rebuild} 7.9") == ""
    assert way(f"{rebuild} 7.9", "rhel 7.9") == ""


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("debian 12", "debian 11"),
        ("rhel 9.2", "rhel 8.6"),
        ("rhel 8.6", "rhel 7.9"),
        ("debian 12", "rhel 7.9"),
    ],
)
def test_of_what_the_guide_does_not_speak(source: str, target: str) -> None:
    """Other systems and later releases are not the guide's affair."""
    assert way(source, target) == ""


def test_a_minor_release_that_is_not_told() -> None:
    """CentOS 7 tells its major release alone: it is not refused for that."""
    assert way("centos 7", "rhel 7.2") == ""
    assert way("rhel 7.2", "centos 7") == ""
    assert way("centos 7", "rhel 6.10") == NOT_SUPPORTED


def test_the_policy_counts_instead() -> None:
    """A policy's list replaces the guide's, for all systems."""
    ways = ("debian 12 -> debian 13", "rhel 8.6+ <-> rhel 9", "ubuntu -> ubuntu")
    without = "the policy's [platform] releases do not have that"
    assert way("debian 12", "debian 13", *ways) == ""
    assert way("debian 13", "debian 12", *ways) == without
    assert way("debian 13", "debian 13", *ways) == ""
    assert way("rocky 8.6", "rhel 9.2", *ways) == ""
    assert way("rhel 9.2", "rhel 8.10", *ways) == ""
    assert way("rhel 8.5", "rhel 9.2", *ways) == without
    assert way("rhel 7.2", "rhel 7.9", *ways) == without
    assert way("ubuntu 22.04", "ubuntu 24.04", *ways) == ""


@pytest.mark.parametrize(
    ("id", "version", "found"),
    [
        ("debian", "12", Release("debian", (12,))),
        ("ubuntu", "24.04", Release("ubuntu", (24, 4))),
        ("opensuse-leap", "15.6", Release("opensuse-leap", (15, 6))),
        ("debian", "", Release("debian", ())),
        ("arch", "rolling", Release("arch", ())),
        ("almalinux", "9.2", Release("rhel", (9, 2))),
        ("x", "1.²", Release("x", (1,))),
    ],
)
def test_what_os_release_says(id: str, version: str, found: Release) -> None:
    """Numbers up to where there are none."""
    assert release(id, version) == found


@pytest.mark.parametrize(
    "text", ["", "->", "rhel 8", "rhel 8 ->", "rhel 8 -> rhel 9 beta", "rhel x -> rhel 9", "RHEL 8 -> rhel 9",
             "rhel 8..1 -> rhel 9", "rhel ² -> rhel 9", "rhel + -> rhel 9", "rhel 8 => rhel 9"],
)  # fmt: skip
def test_what_is_no_pair(text: str) -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match=r"no -> in it|is no system and version"):
        pair(text)
