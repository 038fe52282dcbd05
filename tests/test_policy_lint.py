"""What a valid policy says that its author hardly meant."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from libhooks.policy.diagnostic import Diagnostic
from libhooks.policy.lint import Fleet, lint
from libhooks.policy.load import load, with_lines
from libhooks.policy.model import Policy
from libhooks.policy.overlap import overlaps
from libhooks.policy.reach import Guest

TWO_HOSTS = """
    [storage.images]
    at.hosta = "/srv/images"
    at.hostb = "/mnt/images"
"""


@pytest.fixture
def policy(tmp_path: Path, request: pytest.FixtureRequest) -> Policy:
    """The policy of the text that the test is given."""
    return load(write(tmp_path, request.param))


def write(directory: Path, text: str) -> str:
    """A policy file with a version and a text."""
    file = directory / "fleet.toml"
    file.write_text("version = 1\n" + dedent(text))
    file.chmod(0o644)
    return str(file)


def told(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """What people read, without the file's name."""
    return [f"{one.line} {one.severity.value} {one.code}: {one.message} ({one.help})" for one in diagnostics]


@pytest.mark.parametrize("policy", [TWO_HOSTS, "", 'mode = "audit"'], indirect=True)
def test_nothing_is_said_of_a_good_policy(policy: Policy) -> None:
    """Neither places with two hosts nor a policy without any are worth a word."""
    fleet = Fleet(hosts=(("hosta.example.org", "hosta"),), judged=["storage.exists"])
    assert lint(policy, fleet) == ()


@pytest.mark.parametrize("policy", [TWO_HOSTS], indirect=True)
def test_a_host_that_no_place_names_is_told(policy: Policy) -> None:
    """Its guests would be refused with policy.host."""
    fleet = Fleet(hosts=(("hostc.example.org", "hostc"), ("HOSTA.example.org", "hosta")))
    assert told(lint(policy, fleet)) == [
        '3 warning no-place: no place names host "hostc.example.org" (the places name hosta, hostb)'
    ]


@pytest.mark.parametrize(
    "policy", [TWO_HOSTS + '    at."rack*-1" = "/a"\n    at."rack2-*" = "/b"\n'], indirect=True
)
def test_patterns_that_fit_a_host_equally_well_are_an_error(policy: Policy) -> None:
    """It shows for a host that is known; others may be fine."""
    assert lint(policy) == ()
    assert told(lint(policy, Fleet(hosts=(("rack2-1",),)))) == [
        '3 error tie: storage.images: "rack*-1" and "rack2-*" fit host rack2-1 equally well'
        ' (add at."rack2-1" = ...)'
    ]


@pytest.mark.parametrize(
    "policy",
    ['[require]\n"storage.exists" = "refuse"\n"capacity.memory" = "refuse"\n"capacity.cpus" = "off"\n'],
    indirect=True,
)
def test_requirements_that_are_not_judged_yet_are_told(policy: Policy) -> None:
    """A code of the catalogue is accepted; that nothing follows from it is said. Off needs no judge."""
    assert told(lint(policy, Fleet(judged={"storage.exists"}))) == [
        "4 warning unjudged: this version of libhooks does not judge capacity.memory"
        " (no guest is refused for it yet)"
    ]


@pytest.mark.parametrize(
    "policy",
    [
        """
        [storage.images]
        at.hosta = "/srv/images"
        [storage.shared]
        at."*" = "/shared"
        [network.prod]
        """
    ],
    indirect=True,
)
def test_a_place_of_one_host_is_told(policy: Policy) -> None:
    """Nothing is rewritten between one host and itself; a glob stands for many hosts."""
    assert [(one.line, one.code) for one in lint(policy)] == [(3, "one-host"), (7, "no-host")]


@pytest.mark.parametrize(
    "policy",
    [
        """
        [network.prod]
        at.hosta = "bridge:br0"
        at.hostb = "bridge:br1"
        [network.dmz]
        at.hosta = "bridge:br1"
        at.hostb = "bridge:br0"
        """
    ],
    indirect=True,
)
def test_swapped_names_are_told_with_an_example(policy: Policy) -> None:
    """Bridges that two hosts number differently can't be told apart on arrival, unless by origin."""
    assert [(str(one.example), one.arrival) for one in overlaps(policy)] == [
        ("bridge:br0", "hosta"),
        ("bridge:br1", "hosta"),
    ]
    assert told(lint(policy)) == [
        "8 warning ambiguous: bridge:br0 is network.prod on hosta and network.dmz on hostb:"
        " hosta can't tell which (let the hosts' names differ)",
        "7 warning ambiguous: bridge:br1 is network.dmz on hosta and network.prod on hostb:"
        " hosta can't tell which (let the hosts' names differ)",
    ]


@pytest.mark.parametrize(
    "policy",
    [
        """
        [storage.images]
        at.hosta = ["/srv/images", "/images"]
        at.hostb = ["/images", "/srv/images"]
        [storage.nested]
        at.hosta = "/srv/images/nested"
        at.hostb = "/srv/images/nested"
        [network.prod]
        at."rack1-*" = "bridge:br0"
        at."rack2-*" = "network:prod"
        at."*" = "bridge:br0"
        """
    ],
    indirect=True,
)
def test_names_that_hosts_agree_about_are_fine(policy: Policy) -> None:
    """Aliases, places within places and the same name on many hosts are no overlaps."""
    assert lint(policy) == ()


@pytest.mark.parametrize("policy", [TWO_HOSTS + '    at."h*" = ["/x", "/srv/images"]\n'], indirect=True)
def test_an_exact_name_shields_from_globs(policy: Policy) -> None:
    """What a glob says does not count for hosts that are named."""
    assert lint(policy) == ()


def test_lines_are_added_for_people(tmp_path: Path) -> None:
    """A warning about a line shows it, with the caret where the line begins."""
    path = write(tmp_path, '  [storage.images]\n    at.hosta = "/srv"\n')
    (warning,) = with_lines(lint(load(path)), path)
    assert (warning.line, warning.column, warning.source_line) == (2, 1, "[storage.images]")


@pytest.mark.parametrize(
    "policy",
    [
        """
        [guest.databases]
        match.name = ["bd-*"]
        mode = "audit"
        [guest.other]
        match.uuid = "c7a5fdbd-cdaf-9455-926a-d65c16db1809"
        mode = "audit"
        [guest.web]
        match.name = ["web*"]
        mode = "audit"
        [edit.desk]
        match.name = ["desk-1"]
        select = "devices/audio/@serverName"
        action = "remove"
        """
    ],
    indirect=True,
)
def test_tables_that_fit_no_guest_seen_here_are_told(policy: Policy) -> None:
    """Where guests are known; on a host that knows none nothing is said."""
    assert lint(policy) == ()
    guests = (Guest("web1", "6f1a2b3c-0000-4000-8000-000000000001"), Guest("desk-2", ""))
    assert told(lint(policy, Fleet(guests=guests))) == [
        '3 warning unknown-guest: guest.databases fits none of the guests known on this host: "bd-*"'
        " (fine, if such a guest has yet to arrive)",
        "6 warning unknown-guest: guest.other fits none of the guests known on this host:"
        ' "c7a5fdbd-cdaf-9455-926a-d65c16db1809" (fine, if such a guest has yet to arrive)',
        '12 warning unknown-guest: edit.desk fits none of the guests known on this host: "desk-1"'
        ' (did you mean "desk-2"?)',
    ]
