"""Adjustments: tuning that depends on the host is kept, dropped, or fitted to what this host has."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libhooks.adjust import ADJUSTMENTS, Adjusted, adjust
from libhooks.decision import Kind, Rule
from libhooks.domain import parse
from libhooks.facts.host import open_facts
from libhooks.facts.model import Facts
from libhooks.numbers import numbers
from libhooks.policy.model import Adjustment, How

RULE = Rule("p.toml", 3)
MOUNTS = "25 1 8:2 / / rw - ext4 /dev/sda2 rw\n30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
HOST = f"""\
["/sys/devices/system/cpu/online"]
text = "0-3,8"
["/sys/devices/system/node/online"]
text = "0"
["/proc/self/mountinfo"]
text = '''{MOUNTS}'''
["/sys/fs/cgroup/cgroup.controllers"]
text = "cpu memory"
["/sys/bus/event_source/devices/software/type"]
text = "1"
["/sys/module/apparmor/parameters/enabled"]
text = "Y"
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facts]:
    """A host with CPUs 0-3 and 8, one node, cgroup v2, AppArmor, and no counters but the kernel's."""
    directory = tmp_path_factory.mktemp("host")
    (directory / "stat.toml").write_text(HOST)
    with open_facts(str(directory)) as facts:
        yield facts


class NoFacts:
    """A host that nobody may look at."""

    def __getattr__(self, question: str) -> Callable[[], object]:
        def asked() -> object:
            raise AssertionError(question)

        return asked


def adjusted(body: str, key: str, how: How, facts: object) -> tuple[str, Adjusted]:
    """What comes of a guest of this body by one adjustment."""
    domain = parse(f"<domain>{body}</domain>".encode())
    found = adjust(domain, {key: Adjustment(how, RULE)}, facts)  # type: ignore[arg-type]
    after = domain.edited(edit for change in found.changes for edit in change.edits)
    return after.serialise().decode()[len("<domain>") : -len("</domain>")], found


@pytest.mark.parametrize(
    ("key", "body", "fitted", "dropped"),
    [
        ("cpu-pinning", '<vcpu cpuset="0-9">2</vcpu>', '<vcpu cpuset="0-3,8">2</vcpu>', "<vcpu>2</vcpu>"),
        ("cpu-pinning", '<vcpu cpuset="3,1">2</vcpu>', '<vcpu cpuset="3,1">2</vcpu>', "<vcpu>2</vcpu>"),
        ("cpu-pinning", '<vcpu cpuset="5">2</vcpu>', "<vcpu>2</vcpu>", "<vcpu>2</vcpu>"),
        ("cpu-pinning", "<vcpu>2</vcpu>", "<vcpu>2</vcpu>", "<vcpu>2</vcpu>"),
        ("cpu-pinning", '<cputune><vcpupin vcpu="0" cpuset="4-6"/><vcpupin vcpu="1" cpuset="3-4"/></cputune>',
         '<cputune><vcpupin vcpu="1" cpuset="3"/></cputune>', "<cputune/>"),
        ("cpu-pinning", '<cputune><emulatorpin cpuset="8-9"/><shares>5</shares></cputune>',
         '<cputune><emulatorpin cpuset="8"/><shares>5</shares></cputune>',
         "<cputune><shares>5</shares></cputune>"),
        ("cpu-pinning", '<cputune><iothreadpin iothread="7" cpuset="^1,0-2"/></cputune>',
         '<cputune><iothreadpin iothread="7" cpuset="^1,0-2"/></cputune>', "<cputune/>"),
        ("cpu-pinning", '<cputune><vcpusched vcpus="0-7" scheduler="fifo"/></cputune>',
         '<cputune><vcpusched vcpus="0-7" scheduler="fifo"/></cputune>',
         '<cputune><vcpusched vcpus="0-7" scheduler="fifo"/></cputune>'),
        ("numa", '<numatune><memory mode="strict" nodeset="1"/></numatune>', "<numatune/>", "<numatune/>"),
        ("numa", '<numatune><memory placement="auto"/></numatune>',
         '<numatune><memory placement="auto"/></numatune>',
         '<numatune><memory placement="auto"/></numatune>'),
        ("numa", '<cpu><numa><cell id="1" cpus="0-9"/></numa></cpu>',
         '<cpu><numa><cell id="1" cpus="0-9"/></numa></cpu>',
         '<cpu><numa><cell id="1" cpus="0-9"/></numa></cpu>'),
        ("shares", "<cputune><shares>10000</shares></cputune>",
         "<cputune><shares>10000</shares></cputune>", "<cputune/>"),
        ("shares", "<cputune><shares>10240</shares></cputune>",
         "<cputune><shares>1000</shares></cputune>", "<cputune/>"),
        ("perf", '<perf><event name="cmt" enabled="no"/><event name="task_clock" enabled="yes"/></perf>',
         '<perf><event name="cmt" enabled="no"/><event name="task_clock" enabled="yes"/></perf>',
         '<perf><event name="cmt" enabled="no"/></perf>'),
        ("seclabel", '<seclabel type="none"/>', '<seclabel type="none"/>', '<seclabel type="none"/>'),
        ("seclabel", '<seclabel type="static" model="apparmor"><label>a</label></seclabel>',
         '<seclabel type="static" model="apparmor"><label>a</label></seclabel>', ""),
        ("seclabel", '<seclabel type="dynamic" model="selinux"/>', "",
         '<seclabel type="dynamic" model="selinux"/>'),
        ("seclabel", '<metadata><seclabel model="selinux" type="static"/></metadata>',
         '<metadata><seclabel model="selinux" type="static"/></metadata>',
         '<metadata><seclabel model="selinux" type="static"/></metadata>'),
    ],
)  # fmt: skip
def test_fit_and_drop(facts: Facts, key: str, body: str, fitted: str, dropped: str) -> None:
    """Fitted, a setting keeps what this host has; dropped, it goes without a look at the host."""
    assert adjusted(body, key, How.FIT, facts)[0] == fitted
    assert adjusted(body, key, How.DROP, NoFacts())[0] == dropped


@pytest.mark.parametrize(
    ("kind", "password", "short"),
    [
        ("vnc", "12345678", "12345678"),
        ("vnc", "123456789", "12345678"),
        ("vnc", "größer!!", "größer!"[:6] + "!"[:0]),
        ("vnc", "1234567ä", "1234567"),
        ("vnc", "", ""),
        ("spice", "s" * 60, "s" * 60),
        ("spice", "s" * 61, "s" * 60),
        ("rdp", "r" * 99, "r" * 99),
    ],
)
def test_passwords(kind: str, password: str, short: str) -> None:
    """A password is cut at the last whole character that VNC or SPICE takes, and never told."""
    body = f"<devices><graphics type='{kind}' passwd='{password}'/></devices>"
    after, found = adjusted(body, "vnc-password", How.TRUNCATE, NoFacts())
    display = parse(f"<domain>{after}</domain>".encode()).element("/domain/devices/graphics[1]")
    assert display.get("passwd") == short
    assert all(edit.secret for change in found.changes for edit in change.edits)
    told = " ".join(f"{change.old} {change.new} {change.spot}" for change in found.changes)
    assert not password or password[:4] not in told


def test_what_a_change_tells(facts: Facts) -> None:
    """A change tells the key, the part, what was and what is, and the line of the policy."""
    (change,) = adjusted('<vcpu cpuset="3-5">2</vcpu>', "cpu-pinning", How.FIT, facts)[1].changes
    assert (change.kind, change.place, change.rule) == (Kind.ADJUST, "cpu-pinning", RULE)
    assert (change.spot.label, change.old, change.new) == ("vcpu @cpuset", "3-5", "3")


def test_what_is_not_wanted_costs_nothing() -> None:
    """Adjustments that the policy keeps are not made, and ask nothing of the host."""
    assert adjust(parse(b"<domain/>"), {}, NoFacts()) == Adjusted((), ())  # type: ignore[arg-type]
    for key in ADJUSTMENTS:
        assert adjusted("<devices/>", key, How.FIT, NoFacts())[1] == Adjusted((), ())


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("cpu-pinning", '<vcpu cpuset="0-3">2</vcpu>'),
        ("numa", '<numatune><memory nodeset="0"/></numatune>'),
        ("shares", "<cputune><shares>20000</shares></cputune>"),
        ("perf", '<perf><event name="cmt" enabled="yes"/></perf>'),
        ("seclabel", '<seclabel type="dynamic" model="dac"/>'),
    ],
)
def test_unknown(tmp_path: Path, key: str, body: str) -> None:
    """Where the host cannot be looked at nothing changes, whatever it would have come to."""
    (tmp_path / "stat.toml").write_text('["/sys"]\ndenied = true\n["/proc"]\ndenied = true\n')
    with open_facts(str(tmp_path)) as facts:
        after, found = adjusted(body, key, How.FIT, facts)
    assert (after, found.changes) == (body, ())
    assert [unmet.unknown for unmet in found.unfitted] == [True]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("cpu-pinning", '<vcpu cpuset="all">2</vcpu>'),
        ("cpu-pinning", '<vcpu cpuset="0-99999999">2</vcpu>'),
        ("numa", "<devices><memory><source><nodemask>-</nodemask></source></memory></devices>"),
        ("shares", "<cputune><shares>-5</shares></cputune>"),
        ("shares", f"<cputune><shares>{'9' * 5000}</shares></cputune>"),
        ("shares", "<cputune><shares/></cputune>"),
    ],
)
def test_nonsense(facts: Facts, key: str, body: str) -> None:
    """What makes no sense stays as it is, and is told of."""
    after, found = adjusted(body, key, How.FIT, facts)
    assert (after, found.changes) == (body, ())
    assert [unmet.unknown for unmet in found.unfitted] == [False]


def test_what_libvirt_does_not_allow(facts: Facts) -> None:
    """Of two pins of one CPU, which only a document that nobody checked can have, each is fitted."""
    for vcpu in ("0", "", "no number"):
        pins = [f'<vcpupin vcpu="{vcpu}" cpuset="{cpus}"/>' for cpus in ("9", "0-9", "9", "0")]
        after, _ = adjusted(f"<cputune>{''.join(pins)}</cputune>", "cpu-pinning", How.FIT, facts)
        assert after.count("vcpupin") == 2
        assert "9" not in after


_SETS = st.lists(st.integers(0, 12), min_size=1, max_size=5).map(lambda found: ",".join(map(str, found)))


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(_SETS, min_size=1, max_size=6), _SETS)
def test_fitted_is_what_both_have(facts: Facts, pins: list[str], emulator: str) -> None:
    """Of each pin there is left what the host has of it, and fitting again changes nothing."""
    inner = "".join(f'<vcpupin vcpu="{number}" cpuset="{pin}"/>' for number, pin in enumerate(pins))
    body = f'<cputune>{inner}<emulatorpin cpuset="{emulator}"/></cputune>'
    after, _ = adjusted(body, "cpu-pinning", How.FIT, facts)
    left = parse(f"<domain>{after}</domain>".encode()).root
    found = {pin.get("vcpu", ""): numbers(pin.get("cpuset", "")) for pin in left.iterfind("cputune/*")}
    here = {str(number): numbers(pin) & {0, 1, 2, 3, 8} for number, pin in enumerate(pins)}
    here[""] = numbers(emulator) & {0, 1, 2, 3, 8}
    assert found == {key: rest for key, rest in here.items() if rest}
    assert adjusted(after, "cpu-pinning", How.FIT, facts)[1] == Adjusted((), ())
