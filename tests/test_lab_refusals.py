"""A guest that cannot run on the other host is refused there, is told why, and runs on where it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from lab import Lab
from lab.fixture import POLICY, POLICY_FILE, covered, set_policy
from lab.journal import Decided, decisions
from lab.traveller import Traveller, known

CARD = "interface 52:54:00:10:77:00"
TO_B = (
    "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)",
    f"network.prod, {CARD}: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
)
REFUSED = Decided("hostb", "migrate", "web1", "refused", TO_B)
HEAD = "libhooks: hostb refuses guest 'web1': "


def test_missing_image(lab: Lab, web1: Traveller) -> None:
    """A store that is not mounted on the target: virsh shows what is unmet, where, and what to do."""
    with covered(lab.hostb, "/mnt/vmstore"):
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert (
        told
        == """\
libhooks: hostb refuses guest 'web1': 2 requirements unmet
  storage.exists   disk vda  /mnt/vmstore/web1.qcow2
    wanted: the file on this host
    found:  no such file; what is mounted there is tmpfs on empty, mounted at /mnt/vmstore
    hint:   mount storage.images here, or correct its name (10-fleet.toml:6)
  storage.source   disk vda  /mnt/vmstore/web1.qcow2
    wanted: filer:/images mounted there
    found:  tmpfs on empty, mounted at /mnt/vmstore
    hint:   mount filer:/images, or correct the source of storage.images (10-fleet.toml:3)"""
    )
    findings = (
        "refuse storage.exists, disk vda  /mnt/vmstore/web1.qcow2",
        "refuse storage.source, disk vda  /mnt/vmstore/web1.qcow2",
    )
    assert decisions(lab.hostb) == [REFUSED._replace(findings=findings)]


def test_local_storage(lab: Lab, web1: Traveller) -> None:
    """A file of that name on a disk of the target alone is not the guest's image."""
    set_policy(POLICY.replace('source   = "filer:/images"\n', "\n"), *lab.hosts)
    with covered(lab.hostb, "/mnt/vmstore"):
        lab.hostb.run(["qemu-img", "create", "-q", "-f", "qcow2", "/mnt/vmstore/web1.qcow2", "64M"])
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert told.startswith(HEAD + "1 requirement unmet\n")
    assert "    found:  tmpfs on empty, mounted at /mnt/vmstore\n" in told
    findings = ("refuse storage.shared, disk vda  /mnt/vmstore/web1.qcow2",)
    assert decisions(lab.hostb) == [REFUSED._replace(findings=findings)]


def test_hung_storage(lab: Lab, web1: Traveller) -> None:
    """A store that does not answer on the target refuses like one that is not there, within seconds."""
    with _hanging(lab, "/mnt/vmstore"):
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert "    found:  unknown: no answer in 2 s\n" in told
    (decided,) = decisions(lab.hostb)
    assert decided._replace(findings=()) == REFUSED
    assert "refuse storage.exists, disk vda  /mnt/vmstore/web1.qcow2" in decided.findings


@contextmanager
def _hanging(lab: Lab, directory: str) -> Iterator[None]:
    """Nothing answers on hostb's mount of the volume; the filer and hosta's mount go on."""
    processes = lab.hostb.path("/proc").glob("[0-9]*/cmdline")
    (client,) = (
        one.parent.name for one in processes if one.read_bytes().endswith(directory.encode() + b"\0")
    )
    lab.hostb.run(["kill", "-STOP", client])
    try:
        yield
    finally:
        lab.hostb.run(["kill", "-CONT", client])
        lab.hostb.run(["ls", directory])


def test_missing_bridge(lab: Lab, web1: Traveller) -> None:
    """A bridge that the target does not have."""
    set_policy(POLICY.replace("bridge:br-prod", "bridge:br-old"), *lab.hosts)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert told.startswith(f"{HEAD}1 requirement unmet\n  network.exists   {CARD}  bridge br-old\n")
    changes = (TO_B[0], TO_B[1].replace("br-prod", "br-old"))
    findings = (f"refuse network.exists, {CARD}  bridge br-old",)
    assert decisions(lab.hostb) == [REFUSED._replace(changes=changes, findings=findings)]


def test_no_name_for_the_store(lab: Lab, web1: Traveller) -> None:
    """A store that the policy knows and does not know on the target."""
    set_policy(POLICY.replace('at.hostb = "/mnt/vmstore"\n', "\n"), *lab.hosts)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert (
        "\n  storage.mapped   disk vda  /srv/images/web1.qcow2\n    wanted: storage.images on this host\n"
        in told
    )
    (decided,) = decisions(lab.hostb)
    assert decided._replace(findings=()) == REFUSED._replace(changes=TO_B[1:])
    assert decided.findings[0] == "refuse storage.mapped, disk vda  /srv/images/web1.qcow2"


def test_unknown_host(lab: Lab, web1: Traveller) -> None:
    """A policy that names other hosts, but not the one it is on: one finding, whatever the guest has."""
    set_policy(POLICY.replace("hostb", "rack2-7"), lab.hostb)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert "    found:  no at.HOST pattern fits hostb\n" in told
    (decided,) = decisions(lab.hostb)
    assert decided._replace(findings=()) == REFUSED._replace(changes=())
    assert decided.findings[0] == "refuse policy.host, policy"
    assert [one for one in decided.findings if ".mapped" in one or "policy." in one] == [decided.findings[0]]


def test_named_by_file(lab: Lab, web1: Traveller) -> None:
    """A host is what /etc/libhooks/host says, whatever its host name."""
    lab.hostb.write("/etc/libhooks/host", "rack2-7\n")
    try:
        set_policy(POLICY.replace("hostb", "rack2-7").replace("br-prod", "br-old"), *lab.hosts)
        done = web1.fails_to_migrate(lab.hosta, lab.hostb)
    finally:
        lab.hostb.path("/etc/libhooks/host").unlink()
    assert "libhooks: rack2-7 refuses guest 'web1': 1 requirement unmet\n" in done
    assert [one.host for one in decisions(lab.hostb)] == ["rack2-7"]


def test_ambiguous_policy(lab: Lab, web1: Traveller) -> None:
    """A path that could come from either of two hosts, where it means two things: nothing is guessed."""
    other = '\n[storage.scratch]\nat.hostb = "/mnt/scratch"\nat.hostc = "/srv/images"\n'
    set_policy(POLICY + other, *lab.hosts)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert "\n  policy.ambiguous disk vda  /srv/images/web1.qcow2\n" in told
    assert "from hosta (storage.images): /mnt/vmstore/web1.qcow2" in told
    assert "from hostc (storage.scratch): /mnt/scratch/web1.qcow2" in told
    (decided,) = decisions(lab.hostb)
    assert decided._replace(findings=()) == REFUSED._replace(changes=TO_B[1:])
    assert decided.findings[0] == "refuse policy.ambiguous, disk vda  /srv/images/web1.qcow2"


def test_mistake_in_the_policy(lab: Lab, web1: Traveller) -> None:
    """A policy with a mistake accepts no guest; virsh shows the file, the line and the mistake."""
    set_policy(POLICY.replace("[storage.images]", "[storag.images]"), lab.hostb)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert '\n  10-fleet.toml:3: unknown key "storag"\n  hint:   did you mean "storage"?' in told
    _is_invalid(lab, "10-fleet.toml:3: ")


def test_policy_that_others_may_write(lab: Lab, web1: Traveller) -> None:
    """A policy that anybody may write accepts no guest: who writes it decides what a guest's disks are."""
    lab.hostb.write(POLICY_FILE, POLICY, mode=0o666)
    told = web1.is_refused(lab.hosta, lab.hostb)
    assert "\n  10-fleet.toml: others may write it (mode 0666)" in told
    _is_invalid(lab, "10-fleet.toml: ")


def _is_invalid(lab: Lab, where: str) -> None:
    (decided,) = decisions(lab.hostb)
    assert decided == Decided("hostb", "migrate", "web1", "refused", error=decided.error)
    assert where in str(decided.error)


def test_other_ways_to_migrate(lab: Lab, web1: Traveller) -> None:
    """Peer to peer, tunnelled, persistent or post-copy: a refusal is a refusal and says the same."""
    with covered(lab.hostb, "/mnt/vmstore"):
        told = [
            web1.is_refused(lab.hosta, lab.hostb, "--live", *options)
            for options in ([], ["--p2p"], ["--p2p", "--tunnelled"], ["--persistent"], ["--postcopy"])
        ]
    assert told == told[:1] * 5
    assert len(decisions(lab.hostb)) == 5


def test_offline(lab: Lab, web1: Traveller) -> None:
    """A guest that does not run is refused as well, and stays defined where it is."""
    lab.hosta.virsh("destroy", "web1")
    with covered(lab.hostb, "/mnt/vmstore"):
        done = lab.hosta.virsh("migrate", "--offline", "--persistent", "web1", lab.hostb.uri, check=False)
    assert done.returncode == 1
    assert HEAD + "2 requirements unmet\n" in done.stderr
    assert "web1" in known(lab.hosta)
    assert "web1" not in known(lab.hostb)


def test_warning(lab: Lab, web1: Traveller) -> None:
    """What the policy only warns of lets the guest in and is in the record."""
    set_policy(POLICY.replace('"storage.protocol" = "off"', '"storage.protocol" = "warn"'), *lab.hosts)
    web1.migrate(lab.hosta, lab.hostb)
    web1.migrate(lab.hostb, lab.hosta)
    findings = ("warn storage.protocol, disk vda  /mnt/vmstore/web1.qcow2",)
    assert decisions(lab.hostb) == [REFUSED._replace(verdict="rewritten", findings=findings)]
