"""A guest that was saved starts again where its store or its bridge is called otherwise by now."""

from __future__ import annotations

from lab import Lab
from lab.fixture import POLICY, covered, moved, set_policy
from lab.journal import Decided, decisions
from lab.traveller import Traveller, Uses, running

ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
SAVED = "/srv/web1.save"
# hosta has renamed its mount point: guests saved before that know it by its old name, which is no host's now.
NEW_MOUNT_POINT = POLICY.replace(
    'at.hosta = "/srv/images"', 'at.hosta = "/srv/vm"\nat.before = "/srv/images"'
)
MOVED = "storage.images, disk vda: /srv/images/web1.qcow2 -> /srv/vm/web1.qcow2 (10-fleet.toml:5)"
TYPO = POLICY.replace("[storage.images]", "[storag.images]")


def test_restore_after_a_move(lab: Lab, web1: Traveller) -> None:
    """`virsh restore` gives a guest the path that its store has on this host by now."""
    lab.hosta.virsh("save", "web1", SAVED)
    with moved(lab.hosta, "/srv/images", "/srv/vm"):
        set_policy(NEW_MOUNT_POINT, lab.hosta)
        lab.hosta.virsh("restore", SAVED)
        web1.goes_on(lab.hosta)
        assert web1.uses(lab.hosta) == Uses(("/srv/vm/web1.qcow2",), "bridge:br0")
        assert decisions(lab.hosta) == [Decided("hosta", "restore", "web1", "rewritten", (MOVED,))]
        lab.hosta.virsh("destroy", "web1")


def test_managed_save_after_a_move(lab: Lab, web1: Traveller) -> None:
    """So does `virsh start` of a guest that libvirt saved by itself, at the host's shutdown say."""
    lab.hosta.virsh("managedsave", "web1")
    with moved(lab.hosta, "/srv/images", "/srv/vm"):
        set_policy(NEW_MOUNT_POINT, lab.hosta)
        lab.hosta.virsh("start", "web1")
        web1.goes_on(lab.hosta)
        assert web1.uses(lab.hosta) == Uses(("/srv/vm/web1.qcow2",), "bridge:br0")
        assert decisions(lab.hosta) == [Decided("hosta", "restore", "web1", "rewritten", (MOVED,))]
        lab.hosta.virsh("destroy", "web1")


def test_restore_on_the_other_host(lab: Lab, web1: Traveller) -> None:
    """A guest saved on one host and restored on the other gets the other's names."""
    lab.hosta.virsh("save", "web1", "/srv/images/web1.save")
    lab.hostb.virsh("restore", "/mnt/vmstore/web1.save")
    web1.goes_on(lab.hostb)
    assert web1.uses(lab.hostb) == Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")
    changes = (
        "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)",
        "network.prod, interface 52:54:00:10:77:00: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
    )
    assert decisions(lab.hostb) == [Decided("hostb", "restore", "web1", "rewritten", changes)]


def test_restore_unchanged(lab: Lab, web1: Traveller) -> None:
    """Where nothing moved nothing changes, and the guest is not tainted by the hook."""
    lab.hosta.virsh("managedsave", "web1")
    lab.hosta.virsh("start", "web1")
    web1.goes_on(lab.hosta)
    assert web1.uses(lab.hosta) == ON_A
    assert not web1.is_tainted_by_hook(lab.hosta)
    assert decisions(lab.hosta) == [Decided("hosta", "restore", "web1", "unchanged")]


def test_restore_with_a_broken_policy(lab: Lab, web1: Traveller) -> None:
    """A mistake in the policy keeps no saved guest down: it starts as it was saved. The journal knows."""
    lab.hosta.virsh("save", "web1", SAVED)
    set_policy(TYPO, lab.hosta)
    lab.hosta.virsh("restore", SAVED)
    web1.goes_on(lab.hosta)
    assert web1.uses(lab.hosta) == ON_A
    (decided,) = decisions(lab.hosta)
    assert "10-fleet.toml:3: " in str(decided.error)
    assert decided == Decided("hosta", "restore", "web1", "unchanged", error=decided.error)


def test_restore_refused(lab: Lab, web1: Traveller) -> None:
    """A guest whose image is not there stays saved, nothing of it lost, and starts once the image is back."""
    lab.hosta.virsh("managedsave", "web1")
    with covered(lab.hosta, "/srv/images"):
        told = lab.hosta.virsh("start", "web1", check=False)
    assert told.returncode == 1
    assert "libhooks: hosta refuses guest 'web1': 2 requirements unmet\n  storage.exists " in told.stderr
    assert "web1" not in running(lab.hosta)
    lab.hosta.virsh("start", "web1")
    web1.goes_on(lab.hosta)
    refused, accepted = decisions(lab.hosta)
    assert refused == Decided(
        "hosta",
        "restore",
        "web1",
        "refused",
        findings=(
            "refuse storage.exists, disk vda  /srv/images/web1.qcow2",
            "refuse storage.source, disk vda  /srv/images/web1.qcow2",
        ),
    )
    assert accepted == Decided("hosta", "restore", "web1", "unchanged")
