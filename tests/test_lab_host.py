"""What a host does with guests when it has no policy, is switched off, restarts its libvirtd, or has lost libhooks."""

from __future__ import annotations

from lab import Host, Lab
from lab.fixture import DISABLED, POLICY, POLICY_FILE, alike, install, set_policy
from lab.journal import JOURNAL, Decided, decisions
from lab.traveller import Traveller, Uses, running

HOOK = "/etc/libvirt/hooks/qemu.d/50-libhooks"
CARD = "interface 52:54:00:10:77:00"
ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
PROTOCOL = "warn storage.protocol, disk vda  /srv/images/web1.qcow2"
WITHOUT_POLICY = Decided("hostb", "migrate", "web1", "unchanged", findings=(PROTOCOL,), mode="audit")


def test_no_policy(lab: Lab, web1: Traveller) -> None:
    """A host without any policy watches: a guest comes unchanged, and what is wrong with it is in the journal."""
    remove_policy(*lab.hosts)
    with alike(lab):
        comes_as_it_was(lab, web1)
    assert decisions(lab.hostb) == [WITHOUT_POLICY]


def test_no_policy_refuses_nothing(lab: Lab, web1: Traveller) -> None:
    """What it would refuse under a policy fails without one as it did before libhooks: in libvirt's own words."""
    remove_policy(*lab.hosts)
    told = web1.fails_to_migrate(lab.hosta, lab.hostb)
    assert "libhooks" not in told
    assert "br0" in told
    findings = (
        "refuse storage.exists, disk vda  /srv/images/web1.qcow2",
        f"refuse network.exists, {CARD}  bridge br0",
    )
    assert decisions(lab.hostb) == [Decided("hostb", "migrate", "web1", "refused", findings=findings, mode="audit")]


def test_audit(lab: Lab, web1: Traveller) -> None:
    """With `mode = "audit"` the journal has what the policy would have done, and nothing is done."""
    set_policy(POLICY.replace("version = 1\n", 'version = 1\nmode = "audit"'), *lab.hosts)
    with alike(lab):
        comes_as_it_was(lab, web1)
    changes = (
        "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)",
        f"network.prod, {CARD}: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
    )
    assert decisions(lab.hostb) == [Decided("hostb", "migrate", "web1", "rewritten", changes, mode="audit")]


def test_disabled(lab: Lab, web1: Traveller) -> None:
    """With /etc/libhooks/disabled nothing is decided and nothing recorded, whatever the policy says."""
    lab.hostb.write(DISABLED, "")
    with alike(lab):
        comes_as_it_was(lab, web1)
    assert decisions(lab.hostb) == []


def test_restart_with_a_broken_policy(lab: Lab, web1: Traveller) -> None:
    """A restart of libvirtd calls the hook for every running guest, and would kill those for which it fails.

    Whatever state libhooks is in, they live: here its policy is broken, then its code is gone.
    """
    set_policy("storage = nonsense\n", lab.hosta)
    lab.hosta.restart_libvirtd()
    assert "web1" in running(lab.hosta)
    lab.hosta.run(["mv", "/usr/lib/libhooks", "/usr/lib/libhooks.away"])
    try:
        lab.hosta.restart_libvirtd()
    finally:
        lab.hosta.run(["mv", "/usr/lib/libhooks.away", "/usr/lib/libhooks"])
    assert "web1" in running(lab.hosta)
    web1.goes_on(lab.hosta)
    assert decisions(lab.hosta) == []


def test_damaged(lab: Lab, web1: Traveller) -> None:
    """Where libhooks has lost its code no guest comes in, and the message says what to do."""
    lab.hostb.run(["mv", "/usr/lib/libhooks", "/usr/lib/libhooks.away"])
    try:
        told = web1.fails_to_migrate(lab.hosta, lab.hostb)
    finally:
        lab.hostb.run(["mv", "/usr/lib/libhooks.away", "/usr/lib/libhooks"])
    assert "libhooks: hostb refuses guest 'web1': libhooks is damaged: " in told
    assert "run install.sh again" in told


def test_uninstall(lab: Lab, web1: Traveller) -> None:
    """After `install.sh --uninstall`, with libvirtd running on, migrations are libvirt's alone again."""
    install(lab.hostb, "--uninstall")
    try:
        assert not lab.hostb.path(HOOK).exists()
        assert lab.hostb.path(POLICY_FILE).exists()
        with alike(lab):
            comes_as_it_was(lab, web1)
        assert not lab.hostb.path(JOURNAL).exists()
    finally:
        install(lab.hostb)
        # That libvirtd looks for hooks again takes it a moment after install.sh; at its start it does so at once.
        lab.hostb.restart_libvirtd()


def test_upgrade(lab: Lab, web1: Traveller) -> None:
    """Installing again while a guest runs disturbs neither the guest nor the policy."""
    for host in lab.hosts:
        install(host)
    web1.migrate(lab.hosta, lab.hostb)
    web1.migrate(lab.hostb, lab.hosta)
    assert [one.verdict for one in decisions(lab.hostb)] == ["rewritten"]


def comes_as_it_was(lab: Lab, web1: Traveller) -> None:
    """The guest migrates to hostb, where its hook changes nothing, and back to where all is as it was."""
    web1.migrate(lab.hosta, lab.hostb)
    assert web1.uses(lab.hostb) == ON_A
    assert not web1.is_tainted_by_hook(lab.hostb)
    web1.migrate(lab.hostb, lab.hosta)
    assert web1.uses(lab.hosta) == ON_A


def remove_policy(*hosts: Host) -> None:
    """As it is after install.sh: there is only its example, which sets nothing."""
    for host in hosts:
        host.path(POLICY_FILE).unlink()
