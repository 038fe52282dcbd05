"""Tuning that depends on the host, and what no place covers: adjusted and edited as a guest comes."""

from __future__ import annotations

from lab import Lab
from lab.fixture import POLICY, NewGuest, one_cpu, set_policy
from lab.host import Host
from lab.journal import decisions
from lab.traveller import Traveller

TUNING = """\
  <cputune>
    <vcpupin vcpu='0' cpuset='1'/>
    <emulatorpin cpuset='0-1'/>
  </cputune>
  <on_crash>destroy</on_crash>
"""
FITTED = POLICY + '\n[adjust]\ncpu-pinning = "fit"\n'
EDITED = f"""{POLICY}
[edit.crashes]
match.name = "tuned*"
select = "on_crash"
action = "set"
value = "restart"

[edit.unpinned]
match.name = "tuned*"
select = "cputune"
action = "remove"
"""
GUARDED = f"""{POLICY}
[edit.address]
match.name = "*"
select = "//interface/mac/@address"
action = "set"
value = "52:54:00:00:00:01"
"""


def test_pins_that_the_other_side_lacks(lab: Lab, new_guest: NewGuest) -> None:
    """To a host with fewer CPUs a guest comes without the pins that it cannot have, and goes back so."""
    tuned = new_guest("tuned")
    tuned.start(lab.hosta, elements=TUNING)
    set_policy(FITTED, *lab.hosts)
    with one_cpu(lab.hostb):
        tuned.migrate(lab.hosta, lab.hostb)
        assert pins(tuned, lab.hostb) == {"emulatorpin": "0"}
    tuned.migrate(lab.hostb, lab.hosta)
    assert pins(tuned, lab.hosta) == {"emulatorpin": "0"}
    (there,) = decisions(lab.hostb)
    assert [one for one in there.changes if one.startswith("adjust.")] == [
        "adjust.cpu-pinning, cputune vcpupin[@vcpu='0']/@cpuset: 1 ->  (10-fleet.toml:16)",
        "adjust.cpu-pinning, cputune emulatorpin/@cpuset: 0-1 -> 0 (10-fleet.toml:16)",
    ]
    (back,) = decisions(lab.hosta)
    assert [one for one in back.changes if one.startswith("adjust.")] == []


def test_edits(lab: Lab, new_guest: NewGuest) -> None:
    """What no place covers is edited on the way, and the guest lives."""
    tuned = new_guest("tuned")
    tuned.start(lab.hosta, elements=TUNING)
    set_policy(EDITED, *lab.hosts)
    tuned.migrate(lab.hosta, lab.hostb)
    assert pins(tuned, lab.hostb) == {}
    assert tuned.xml(lab.hostb).findtext("on_crash") == "restart"


def test_guard(lab: Lab, web1: Traveller) -> None:
    """An edit of what the guest sees is refused by us and not by libvirt, and told with its rule."""
    set_policy(GUARDED, lab.hostb)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert "\n  guard.abi        interface 52:54:00:10:77:00 mac/@address" in told
    assert (
        "\n    found:  edit.address would change it (10-fleet.toml:15): libvirt aborts the migration" in told
    )


def pins(guest: Traveller, host: Host) -> dict[str, str]:
    """The pins that libvirt says a guest has here."""
    tuning = guest.xml(host).find("cputune")
    return (
        {} if tuning is None else {pin.tag: pin.attrib["cpuset"] for pin in tuning if "cpuset" in pin.attrib}
    )
