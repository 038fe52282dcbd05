"""A guest moves between hosts that call its store and its bridge by other names, by plain `virsh migrate`."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from subprocess import PIPE
from typing import Iterator

from lab import Guest, Host, Lab, beat_on_disk, create_disk, domain_xml
from lab.fixture import POLICY, NewGuest, alike, set_policy
from lab.journal import Decided, decisions
from lab.traveller import Traveller, Uses, running

MAC = "52:54:00:10:77:00"
ON_A = Uses(("/srv/images/web1.qcow2",), "bridge:br0")
ON_B = Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")
TO_B = (
    "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)",
    f"network.prod, interface {MAC}: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
)
TO_A = (
    "storage.images, disk vda: /mnt/vmstore/web1.qcow2 -> /srv/images/web1.qcow2 (10-fleet.toml:5)",
    f"network.prod, interface {MAC}: bridge:br-prod -> bridge:br0 (10-fleet.toml:9)",
)
CAME_TO_B = Decided("hostb", "migrate", "web1", "rewritten", TO_B)
CAME_TO_A = Decided("hosta", "migrate", "web1", "rewritten", TO_A)

MIGRATE_BY_API = """\
import sys, libvirt
source, target = libvirt.open("qemu:///system"), sys.argv[2]
guest = source.lookupByName(sys.argv[1])
guest.migrateToURI3(target, {}, libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER)
"""
MIGRATE_BY_CONNECTION = """\
import sys, libvirt
source, target = libvirt.open("qemu:///system"), libvirt.open(sys.argv[2])
source.lookupByName(sys.argv[1]).migrate3(target, {}, libvirt.VIR_MIGRATE_LIVE)
"""


def test_there_and_back(lab: Lab, web1: Traveller) -> None:
    """A running guest's disk and bridge get each host's own names; it goes on, writing to its image.

    libvirt marks such a guest as one that a hook has touched: `virsh dominfo` shows it.
    """
    web1.migrate(lab.hosta, lab.hostb)
    assert web1.uses(lab.hostb) == ON_B
    assert web1.is_tainted_by_hook(lab.hostb)
    on_disk = beat_on_disk(web1.guest, lab.hostb)
    assert on_disk is not None
    assert web1.beat is not None
    assert on_disk.boot == web1.beat.boot
    web1.migrate(lab.hostb, lab.hosta)
    assert web1.uses(lab.hosta) == ON_A
    assert decisions(lab.hostb) == [CAME_TO_B]
    assert decisions(lab.hosta) == [CAME_TO_A]


def test_unchanged_says_nothing(lab: Lab, web1: Traveller) -> None:
    """Between hosts that call everything the same the hook prints nothing: the guest is not tainted by it."""
    same = POLICY.replace('at.hostb = "/mnt/vmstore"', 'at.hostb = ["/srv/images", "/mnt/vmstore"]')
    with alike(lab):
        set_policy(same.replace("br-prod", "br0"), *lab.hosts)
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == ON_A
        assert not web1.is_tainted_by_hook(lab.hostb)
        web1.migrate(lab.hostb, lab.hosta)
    assert decisions(lab.hostb) == [Decided("hostb", "migrate", "web1", "unchanged")]
    assert decisions(lab.hosta) == [Decided("hosta", "migrate", "web1", "unchanged")]


def test_store_of_several_paths(lab: Lab, web1: Traveller) -> None:
    """A name that a host lists for a place beside its preferred one is left as it is."""
    set_policy(
        POLICY.replace('at.hostb = "/mnt/vmstore"', 'at.hostb = ["/mnt/vmstore", "/srv/images"]'), *lab.hosts
    )
    with alike(lab):
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == Uses(ON_A.images, ON_B.plug)
        web1.migrate(lab.hostb, lab.hosta)
    assert decisions(lab.hostb) == [CAME_TO_B._replace(changes=(TO_B[1],))]


def test_peer_to_peer(lab: Lab, web1: Traveller) -> None:
    """`--p2p`, where the source's libvirtd talks to the target's, is no different."""
    web1.migrate(lab.hosta, lab.hostb, "--live", "--p2p")
    assert web1.uses(lab.hostb) == ON_B
    web1.migrate(lab.hostb, lab.hosta, "--live", "--p2p", "--tunnelled")
    assert web1.uses(lab.hosta) == ON_A
    assert decisions(lab.hostb) == [CAME_TO_B]
    assert decisions(lab.hosta) == [CAME_TO_A]


def test_post_copy(lab: Lab, web1: Traveller) -> None:
    """With `--postcopy` the guest runs at its target before its memory is there: one decision, one record."""
    # When it moves over after a second its memory is to be far from there, and when libvirt then looks how it
    # goes, not yet there: else this was any migration.
    pace = ("--bandwidth", "8", "--postcopy-bandwidth", "16")
    slowly = (*pace, "--timeout", "1", "--timeout-postcopy")
    with lifecycle(lab.hostb) as events:
        web1.migrate(lab.hosta, lab.hostb, "--live", "--postcopy", *slowly)
        assert [next(events) for _ in range(3)] == [
            "Started Migrated",
            "Resumed Post-copy",
            "Resumed Migrated",
        ]
    assert web1.uses(lab.hostb) == ON_B
    web1.migrate(lab.hostb, lab.hosta, "--live", "--postcopy", *slowly)
    assert web1.uses(lab.hosta) == ON_A
    assert decisions(lab.hostb) == [CAME_TO_B]
    assert decisions(lab.hosta) == [CAME_TO_A]


@contextmanager
def lifecycle(host: Host) -> Iterator[Iterator[str]]:
    """What libvirt says of guests' coming and going on a host, from now on."""
    # Into a pipe, virsh would hold its words back.
    command = ["stdbuf", "-oL", "virsh", "event", "--event", "lifecycle", "--loop", "--timeout", "60"]
    with host.popen(command, stdout=PIPE) as watcher:
        assert watcher.stdout is not None
        try:
            yield (line.rpartition(": ")[2].strip() for line in watcher.stdout)
        finally:
            watcher.kill()


def test_other_programs(lab: Lab, web1: Traveller) -> None:
    """Programs that migrate through libvirt's API without XML, as virt-manager does, need to know nothing."""
    name = web1.guest.name
    lab.hosta.run(["/usr/bin/python3", "-c", MIGRATE_BY_API, name, lab.hostb.uri])
    web1.arrived(lab.hosta, lab.hostb)
    assert web1.uses(lab.hostb) == ON_B
    lab.hostb.run(["/usr/bin/python3", "-c", MIGRATE_BY_CONNECTION, name, lab.hosta.uri])
    web1.arrived(lab.hostb, lab.hosta)
    assert web1.uses(lab.hosta) == ON_A
    assert decisions(lab.hostb) == [CAME_TO_B]
    assert decisions(lab.hosta) == [CAME_TO_A]


def test_new_name(lab: Lab, web1: Traveller) -> None:
    """With `--dname` the record, and the exceptions for guests, know the guest by its new name."""
    strict = POLICY.replace('"storage.protocol" = "off"', '"storage.protocol" = "refuse"')
    exception = '\n[guest.renamed]\nmatch.name = "moved-*"\nrequire."storage.protocol" = "off"\n'
    set_policy(strict + exception, *lab.hosts)
    assert web1.is_refused(lab.hosta, lab.hostb)
    try:
        web1.migrate(lab.hosta, lab.hostb, "--live", "--dname", "moved-web1", name="moved-web1")
        assert web1.uses(lab.hostb, name="moved-web1") == ON_B
    finally:
        lab.hostb.virsh("destroy", "moved-web1", check=False)  # by this name no other test would look for it
    exempt = CAME_TO_B._replace(domain="moved-web1", findings=("off storage.protocol, guest",))
    assert decisions(lab.hostb)[1:] == [exempt]


def test_strange_names(lab: Lab, new_guest: NewGuest) -> None:
    """Blanks and letters of any language in names of guests and files are nothing special."""
    guest = new_guest("größe 1")
    guest.start(lab.hosta)
    guest.migrate(lab.hosta, lab.hostb)
    assert guest.uses(lab.hostb) == Uses(("/mnt/vmstore/größe 1.qcow2",), "bridge:br-prod")
    assert [one.domain for one in decisions(lab.hostb)] == ["größe 1"]


def test_strange_name_refused(lab: Lab, web1: Traveller) -> None:
    """A name that looks like an option or like a shell's words is shown as it is."""
    name = "--help 'a' $(id)"
    set_policy(POLICY.replace("bridge:br-prod", "bridge:br9"), lab.hostb)
    web1.is_refused(lab.hosta, lab.hostb, "--live", f"--dname={name}", name=name)
    assert [one.domain for one in decisions(lab.hostb)] == [name]


def test_several_at_once(lab: Lab, web1: Traveller, new_guest: NewGuest) -> None:
    """Guests that come at the same time, one of them to be refused, each get an answer and a record."""
    exception = '\n[guest.strict]\nmatch.name = "strict*"\nrequire."storage.protocol" = "refuse"\n'
    set_policy(POLICY + exception, *lab.hosts)
    strict = new_guest("strict1")
    strict.start(lab.hosta)
    with ThreadPoolExecutor() as threads:
        refused = threads.submit(strict.is_refused, lab.hosta, lab.hostb)
        threads.submit(web1.migrate, lab.hosta, lab.hostb).result()
    assert refused.result().splitlines()[1].startswith("  storage.protocol ")
    assert sorted((one.domain, one.verdict) for one in decisions(lab.hostb)) == [
        ("strict1", "refused"),
        ("web1", "rewritten"),
    ]
    web1.migrate(lab.hostb, lab.hosta)


def test_evacuation(lab: Lab) -> None:
    """Twenty guests leave a host at once: each gets its answer, and its one record."""
    guests = [Guest(f"crowd{number}", number=50 + number, memory=32) for number in range(20)]
    try:
        for guest in guests:
            create_disk(guest, lab.hosta)
            # Without a kernel it waits in its firmware: this is about the host.
            xml = re.sub(r"<(kernel|initrd|cmdline)>.*</\1>", "", domain_xml(guest, lab.hosta))
            lab.hosta.virsh("create", "/dev/stdin", input=xml)
        with ThreadPoolExecutor(len(guests)) as threads:
            moves = [
                threads.submit(lab.hosta.virsh, "migrate", "--live", guest.name, lab.hostb.uri)
                for guest in guests
            ]
        assert [move.result().stderr for move in moves] == [""] * len(guests)
        assert {guest.name for guest in guests} <= set(running(lab.hostb))
        assert sorted((one.domain, one.verdict) for one in decisions(lab.hostb)) == sorted(
            (guest.name, "rewritten") for guest in guests
        )
    finally:
        for guest in guests:
            lab.remove(guest)


def test_copied_storage(lab: Lab, new_guest: NewGuest) -> None:
    """A guest that migrates with its storage is exempted by the policy; what is no place keeps its name."""
    set_policy(
        POLICY + '\n[guest.local]\nmatch.name = "local*"\nrequire."storage.shared" = "off"\n', *lab.hosts
    )
    guest = new_guest("local1")
    for host in lab.hosts:
        host.run(["mkdir", "-p", "/srv/local"])
        host.run(["qemu-img", "create", "-q", "-f", "qcow2", f"/srv/local/{guest.guest.disk}", "64M"])
    xml = domain_xml(guest.guest, lab.hosta).replace("/srv/images/", "/srv/local/")
    lab.hosta.virsh("define", "/dev/stdin", input=xml)
    guest.boot(lab.hosta)
    guest.migrate(lab.hosta, lab.hostb, "--live", "--copy-storage-all")
    assert guest.uses(lab.hostb) == Uses(("/srv/local/local1.qcow2",), "bridge:br-prod")


def test_persistent(lab: Lab, web1: Traveller) -> None:
    """With `--persistent` the running guest is rewritten, but not yet what is saved of it for its next start.

    libvirt takes the saved definition from the source, after the hook, and shows it to no hook.
    """
    web1.migrate(lab.hosta, lab.hostb, "--live", "--persistent", "--undefinesource")
    assert web1.uses(lab.hostb) == ON_B
    assert web1.uses(lab.hostb, "--inactive") == ON_A
    assert decisions(lab.hostb) == [CAME_TO_B]
    lab.hostb.virsh("destroy", web1.guest.name)
    assert lab.hostb.virsh("start", web1.guest.name, check=False).returncode == 1


def test_persistent_xml(lab: Lab, web1: Traveller) -> None:
    """Until then `libhooks rewrite` makes the definition for `--persistent-xml`; the guest starts by it."""
    name, file = web1.guest.name, "/tmp/web1-on-hostb.xml"
    saved = lab.hosta.virsh("dumpxml", "--inactive", "--security-info", name).stdout
    lab.hosta.write(file, lab.hosta.run(["libhooks", "rewrite", "--host", "hostb"], input=saved).stdout)
    web1.migrate(lab.hosta, lab.hostb, "--live", "--persistent", "--persistent-xml", file)
    assert web1.uses(lab.hostb) == web1.uses(lab.hostb, "--inactive") == ON_B
    lab.hostb.virsh("destroy", name)
    web1.boot(lab.hostb)


def test_offline(lab: Lab, web1: Traveller) -> None:
    """With `--offline --persistent` what the hook makes of a guest that is off is what is saved of it."""
    name = web1.guest.name
    lab.hosta.virsh("destroy", name)
    lab.hosta.virsh("migrate", "--offline", "--persistent", name, lab.hostb.uri)
    assert web1.uses(lab.hostb) == ON_B
    assert decisions(lab.hostb) == [CAME_TO_B]
    web1.boot(lab.hostb)
    assert web1.uses(lab.hostb) == ON_B
    assert decisions(lab.hostb) == [CAME_TO_B]
