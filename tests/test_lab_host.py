"""A host without a policy, one that is switched off, restarts its libvirtd, or has lost libhooks."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Callable, Iterator

from lab import Host, Lab
from lab.fixture import DISABLED, POLICY, POLICY_FILE, alike, install, set_policy
from lab.journal import JOURNAL, Decided, decisions
from lab.namespaces import CHECKOUT, wait_for
from lab.traveller import Traveller, Uses, running

HOOK = "/etc/libvirt/hooks/qemu.d/50-libhooks"
CARD = "interface 52:54:00:10:77:00"
ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
PROTOCOL = "warn storage.protocol, disk vda  /srv/images/web1.qcow2"
WITHOUT_POLICY = Decided("hostb", "migrate", "web1", "unchanged", findings=(PROTOCOL,), mode="audit")


def test_no_policy(lab: Lab, web1: Traveller) -> None:
    """Without any policy a host watches: a guest comes unchanged, and what is wrong is in the journal."""
    remove_policy(*lab.hosts)
    with alike(lab):
        comes_as_it_was(lab, web1)
    assert decisions(lab.hostb) == [WITHOUT_POLICY]


def test_no_policy_refuses_nothing(lab: Lab, web1: Traveller) -> None:
    """What a policy would refuse fails without one as it did before libhooks: in libvirt's own words."""
    remove_policy(*lab.hosts)
    told = web1.fails_to_migrate(lab.hosta, lab.hostb)
    assert told.startswith("error: ")
    assert "libhooks" not in told
    findings = (
        "refuse storage.exists, disk vda  /srv/images/web1.qcow2",
        f"refuse network.exists, {CARD}  bridge br0",
    )
    assert decisions(lab.hostb) == [
        Decided("hostb", "migrate", "web1", "refused", findings=findings, mode="audit")
    ]


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


def test_restart_of_libvirtd(lab: Lab, web1: Traveller) -> None:
    """A restart of libvirtd calls the hook for every running guest, and kills those for which it fails.

    Whatever state libhooks is in, they live: here its policy is broken, then its code is gone.
    """
    with witness(lab.hosta) as operations:
        set_policy("storage = nonsense\n", lab.hosta)
        lab.hosta.restart_libvirtd()
        wait_for(lambda: operations() == ["reconnect"], "the hook to be called")
        with damaged(lab.hosta):
            lab.hosta.restart_libvirtd()
            wait_for(lambda: operations() == ["reconnect", "reconnect"], "the hook to be called again")
    web1.goes_on(lab.hosta)
    assert "web1" in running(lab.hosta)
    assert decisions(lab.hosta) == []


def test_damaged(lab: Lab, web1: Traveller) -> None:
    """Where libhooks has lost its code no guest comes in, and the message says what to do."""
    with damaged(lab.hostb):
        told = web1.fails_to_migrate(lab.hosta, lab.hostb)
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
        # After install.sh it takes libvirtd a moment to look for hooks again; it starts with that.
        lab.hostb.restart_libvirtd()


def test_upgrade(lab: Lab, web1: Traveller) -> None:
    """A newer version decides from the next guest on; libvirtd, its guests and the policy are left alone."""
    with newer_checkout(lab.hostb) as checkout:
        lab.hostb.run(["sh", f"{checkout}/install.sh"])
        assert lab.hostb.run(["libhooks", "--version"]).stdout.strip() == "libhooks 77.0"
        web1.migrate(lab.hosta, lab.hostb)
        install(lab.hostb)
    web1.migrate(lab.hostb, lab.hosta)
    assert [one.verdict for one in decisions(lab.hostb)] == ["rewritten"]


def test_beside_other_hooks(lab: Lab, web1: Traveller) -> None:
    """Hooks of other programs run before and after ours on the same domain; nobody's work is lost."""
    with foreign_hook(lab.hostb, "40-before", "title"), foreign_hook(lab.hostb, "60-after", "description"):
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")
        assert added(lab, web1) == ["40-before", "60-after"]
        web1.migrate(lab.hostb, lab.hosta)
        set_policy(POLICY.replace("/mnt/vmstore", "/srv/images").replace("br-prod", "br0"), *lab.hosts)
        with alike(lab):
            web1.migrate(lab.hosta, lab.hostb)
            assert added(lab, web1) == ["40-before", "60-after"]
            web1.migrate(lab.hostb, lab.hosta)
    assert [one.verdict for one in decisions(lab.hostb)] == ["rewritten", "unchanged"]


def added(lab: Lab, web1: Traveller) -> list[str | None]:
    """What the other programs' hooks added to the guest on hostb."""
    domain = web1.xml(lab.hostb)
    return [domain.findtext("title"), domain.findtext("description")]


def test_unwritable_journal(lab: Lab, web1: Traveller) -> None:
    """A journal that cannot be written holds no guest up, unless the policy wants a record of each."""
    lab.hostb.run(["mv", "/var/log/libhooks", "/var/log/libhooks.away"])
    try:
        web1.migrate(lab.hosta, lab.hostb)
        web1.migrate(lab.hostb, lab.hosta)
        set_policy(POLICY + "\n[journal]\nrequired = true\n", lab.hostb)
        told = web1.fails_to_migrate(lab.hosta, lab.hostb)
    finally:
        lab.hostb.run(["mv", "/var/log/libhooks.away", "/var/log/libhooks"])
    assert "its decision cannot be recorded, and the policy wants a record\n" in told
    assert "/var/log/libhooks/decisions.jsonl: No such file or directory" in told


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


@contextmanager
def witness(host: Host) -> Iterator[Callable[[], list[str]]]:
    """Another hook of the host, after ours, which writes down what libvirtd calls it for."""
    script, log = host.path("/etc/libvirt/hooks/qemu.d/60-witness"), host.path("/tmp/operations")
    host.write("/etc/libvirt/hooks/qemu.d/60-witness", "#!/bin/sh\necho $2 >>/tmp/operations\n", 0o755)
    try:
        yield lambda: log.read_text().split() if log.exists() else []
    finally:
        script.unlink()


@contextmanager
def damaged(host: Host) -> Iterator[None]:
    """A host that has libhooks' hook and not its code, as after a restored backup of /etc."""
    host.run(["mv", "/usr/lib/libhooks", "/usr/lib/libhooks.away"])
    try:
        yield
    finally:
        host.run(["mv", "/usr/lib/libhooks.away", "/usr/lib/libhooks"])


@contextmanager
def newer_checkout(host: Host) -> Iterator[str]:
    """What install.sh needs of the checkout, as version 77.0."""
    host.run(["mkdir", "/tmp/checkout"])
    host.run(
        [
            "cp",
            "-r",
            *(str(CHECKOUT / name) for name in ("install.sh", "hooks", "libhooks", "share")),
            "/tmp/checkout",
        ]
    )
    version = host.path("/tmp/checkout/libhooks/__init__.py")
    version.write_text(re.sub(r'__version__ = "[^"]*"', '__version__ = "77.0"', version.read_text()))
    try:
        yield "/tmp/checkout"
    finally:
        host.run(["rm", "-r", "/tmp/checkout"])


@contextmanager
def foreign_hook(host: Host, name: str, element: str) -> Iterator[None]:
    """Another program's hook, which adds an element with its own name to guests that arrive."""
    file = f"/etc/libvirt/hooks/qemu.d/{name}"
    add = f"s|</uuid>|&<{element}>{name}</{element}>|"
    host.write(file, f"#!/bin/sh\ncase $2 in migrate) sed '/<{element}>/d; {add}' ;; esac\n", 0o755)
    try:
        yield
    finally:
        host.path(file).unlink()
