"""What a host saves of guests that came with `--persistent`, with the companion at work: they start again."""

from __future__ import annotations

from lab import Lab
from lab.companion import KEPT, accompanied, ended, originals, outcomes
from lab.fixture import POLICY, alike, set_policy
from lab.host import Host
from lab.journal import records
from lab.namespaces import wait_for
from lab.traveller import Traveller, Uses

ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
ON_B = Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")
PERSISTENT = ("--live", "--persistent", "--undefinesource")


def test_there_and_back(lab: Lab, web1: Traveller) -> None:
    """`--persistent` there and back: at every host the guest starts again by what is saved of it there."""
    with accompanied(*lab.hosts):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        assert ended(lab.hostb) == [("completed", "repaired")]
        assert web1.uses(lab.hostb) == web1.uses(lab.hostb, "--inactive") == ON_B
        cold_started(web1, lab.hostb)
        web1.migrate(lab.hostb, lab.hosta, *PERSISTENT)
        assert ended(lab.hosta) == [("completed", "repaired")]
        assert web1.uses(lab.hosta, "--inactive") == ON_A
        cold_started(web1, lab.hosta)
    assert len(outcomes(lab.hostb)) == 1


def cold_started(guest: Traveller, host: Host) -> None:
    host.virsh("destroy", guest.guest.name)
    guest.boot(host)


def test_original(lab: Lab, web1: Traveller) -> None:
    """What was saved before the repair is kept, root's alone, with all that is secret in it."""
    with accompanied(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        ended(lab.hostb)
    (kept,) = originals(lab.hostb)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert "<source file='/srv/images/web1.qcow2'/>" in kept.read_text()


def test_post_copy(lab: Lab, web1: Traveller) -> None:
    """With `--postcopy` the definition is repaired as well, and there is one outcome."""
    with accompanied(lab.hostb):
        slowly = ("--postcopy", "--bandwidth", "32", "--timeout", "1", "--timeout-postcopy")
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT, *slowly)
        assert ended(lab.hostb) == [("completed", "repaired")]
        cold_started(web1, lab.hostb)


def test_offline(lab: Lab, web1: Traveller) -> None:
    """`--offline --persistent` is completed when libvirt has saved what the hook made of the guest."""
    lab.hosta.virsh("destroy", web1.guest.name)
    with accompanied(lab.hostb):
        lab.hosta.virsh("migrate", "--offline", "--persistent", web1.guest.name, lab.hostb.uri)
        assert ended(lab.hostb) == [("completed", "")]
    assert web1.uses(lab.hostb) == ON_B
    web1.boot(lab.hostb)


def test_late(lab: Lab, web1: Traveller) -> None:
    """A companion that was not there repairs when it comes: once."""
    web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
    assert web1.uses(lab.hostb, "--inactive") == ON_A
    with accompanied(lab.hostb):
        assert ended(lab.hostb) == [("completed", "repaired")]
        assert outcomes(lab.hostb)[0]["late"] is True
        assert web1.uses(lab.hostb, "--inactive") == ON_B
        saved(web1, lab.hostb, "br-prod", "br0")
    with accompanied(lab.hostb):
        assert web1.uses(lab.hostb, "--inactive") == Uses(ON_B.images, ON_A.plug)
    assert len(outcomes(lab.hostb)) == 1


def saved(guest: Traveller, host: Host, old: str, new: str) -> None:
    """A person edits what is saved of a guest, as `virsh edit` does."""
    xml = host.virsh("dumpxml", "--inactive", "--security-info", guest.guest.name).stdout
    assert old in xml
    host.virsh("define", "/dev/stdin", input=xml.replace(old, new))


def test_late_and_off(lab: Lab, web1: Traveller) -> None:
    """A guest that was off again before the companion came starts by its repaired definition."""
    web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
    lab.hostb.virsh("destroy", web1.guest.name)
    with accompanied(lab.hostb):
        assert ended(lab.hostb) == [("completed", "repaired")]
    web1.boot(lab.hostb)


def test_edited_before(lab: Lab, web1: Traveller) -> None:
    """What a person changed between migration and repair stays; the rest is repaired."""
    web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
    saved(web1, lab.hostb, "br0", "br-mine")
    with accompanied(lab.hostb):
        assert ended(lab.hostb) == [("completed", "repaired")]
    assert web1.uses(lab.hostb, "--inactive") == Uses(ON_B.images, "bridge:br-mine")


def test_edited_after(lab: Lab, web1: Traveller) -> None:
    """A person's word stands, even where it is what was repaired."""
    with accompanied(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        ended(lab.hostb)
        saved(web1, lab.hostb, "/mnt/vmstore", "/srv/images")
        lab.hostb.virsh("desc", web1.guest.name, "--config", "edited")
        lab.hostb.restart_libvirtd()
    assert web1.uses(lab.hostb, "--inactive") == Uses(ON_A.images, ON_B.plug)
    assert len(originals(lab.hostb)) == 1


def test_defined_here(lab: Lab, web1: Traveller) -> None:
    """What was saved here before the guest came without `--persistent` is not the source's: it stays."""
    xml = lab.hosta.virsh("dumpxml", "--inactive", web1.guest.name).stdout
    lab.hostb.virsh("define", "/dev/stdin", input=xml)
    with accompanied(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb)
        assert ended(lab.hostb) == [("completed", "")]
    assert web1.uses(lab.hostb) == ON_B
    assert web1.uses(lab.hostb, "--inactive") == ON_A


def test_left(lab: Lab, web1: Traveller) -> None:
    """A definition whose original cannot be kept stays as it is; the companion and the log say so."""
    lab.hostb.write(KEPT, "in the way")
    with accompanied(lab.hostb) as (companion,):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        assert ended(lab.hostb) == [("completed", "left")]
        assert "guest: web1  record: " in companion.says("a saved definition is left as it came")
    assert web1.uses(lab.hostb, "--inactive") == ON_A
    assert "its saved definition could not be repaired" in show(lab.hostb)


def test_invalid_policy(lab: Lab, web1: Traveller) -> None:
    """A policy that became invalid since hides no record: its guest's definition is repaired all the same."""
    web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
    set_policy("moed = 3", lab.hostb)
    with accompanied(lab.hostb) as (companion,):
        assert ended(lab.hostb) == [("completed", "repaired")]
        companion.says("the policy is invalid")
    assert web1.uses(lab.hostb, "--inactive") == ON_B


def show(host: Host) -> str:
    return host.run(["libhooks", "log", "show", records(host)[-1]["id"]]).stdout


def test_commands(lab: Lab, web1: Traveller) -> None:
    """`definitions` lists the repairs, shows what they changed, and puts back what was: for good."""
    with accompanied(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        ended(lab.hostb)
        (record,) = records(lab.hostb)
        listed = lab.hostb.run(["libhooks", "definitions", "list"]).stdout
        assert listed.endswith(f"  {record['id'][-6:]}  web1                 {web1.guest.uuid}\n")
        assert lab.hostb.run(["libhooks", "log"]).stdout.endswith("storage.images, network.prod  completed\n")
        assert "its saved definition was repaired" in show(lab.hostb)
        diff = lab.hostb.run(["libhooks", "definitions", "diff", "web1"]).stdout
        assert [line.strip("+- ") for line in diff.splitlines() if "<source" in line] == [
            '<source file="/srv/images/web1.qcow2"/>',
            '<source file="/mnt/vmstore/web1.qcow2"/>',
            '<source bridge="br0"/>',
            '<source bridge="br-prod"/>',
        ]
        restored = lab.hostb.run(["libhooks", "definitions", "restore", record["id"][-6:]]).stdout
        assert restored == f"web1: saved as it was before the repair by record {record['id']}\n"
        lab.hostb.restart_libvirtd()
    assert web1.uses(lab.hostb, "--inactive") == ON_A


def test_audited(lab: Lab, web1: Traveller) -> None:
    """What was not enforced is not repaired either."""
    set_policy('mode = "audit"\n' + POLICY, lab.hostb)
    with alike(lab), accompanied(lab.hostb):
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        assert ended(lab.hostb) == [("completed", "")]
        assert web1.uses(lab.hostb, "--inactive") == ON_A
        lab.remove(web1.guest)


def test_restarted_libvirtd(lab: Lab, web1: Traveller) -> None:
    """libvirtd may go and come back under the companion, and be away when it starts."""
    lab.hostb.stop_libvirtd()
    command = ["timeout", "3", "libhooks", "serve", "companion"]
    alone = lab.hostb.run(command, check=False)
    assert "libvirtd cannot be reached; trying again" in alone.stderr
    assert "Traceback" not in alone.stderr
    lab.hostb.start_libvirtd()
    with accompanied(lab.hostb) as (companion,):
        lab.hostb.restart_libvirtd()
        companion.says("watching guests", times=2)
        web1.migrate(lab.hosta, lab.hostb, *PERSISTENT)
        assert ended(lab.hostb) == [("completed", "repaired")]


def test_never_came(lab: Lab, web1: Traveller) -> None:
    """A guest that was let in and then turned away by somebody else has failed, as its next arrival shows."""
    other = "/etc/libvirt/hooks/qemu.d/90-other"
    with accompanied(lab.hostb):
        lab.hostb.write(other, '#!/bin/sh\n[ "$2" != migrate ]\n', 0o755)
        web1.fails_to_migrate(lab.hosta, lab.hostb)
        lab.hostb.path(other).unlink()
        web1.migrate(lab.hosta, lab.hostb)
        assert ended(lab.hostb, 2) == [("failed", ""), ("completed", "")]


def test_cancelled(lab: Lab, web1: Traveller) -> None:
    """A migration that ends early has failed, whoever ended it: libvirt does not tell its target."""
    with accompanied(lab.hostb):
        slow = ["migrate", "--live", "--bandwidth", "1", web1.guest.name, lab.hostb.uri]
        migrating = lab.hosta.popen(["virsh", "-c", "qemu:///system", *slow])
        wait_for(lambda: "Unbounded" in lab.hosta.virsh("domjobinfo", web1.guest.name).stdout, "the job", 20)
        lab.hosta.virsh("domjobabort", web1.guest.name)
        migrating.wait(20)
        assert ended(lab.hostb) == [("failed", "")]
        web1.goes_on(lab.hosta)
        web1.migrate(lab.hosta, lab.hostb)
        assert ended(lab.hostb, 2)[1] == ("completed", "")
