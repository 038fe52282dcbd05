"""Images with images behind them: what a qcow2 header says is a path on the host that made the image."""

from __future__ import annotations

from lab import Lab
from lab.fixture import NewGuest
from lab.host import Host
from lab.journal import decisions
from lab.traveller import Traveller


def test_linked_clone(lab: Lab, new_guest: NewGuest) -> None:
    """A clone's base is found on both hosts, though the clone's header names it as hosta does."""
    clone = new_guest("clone1")
    create(lab.hosta, "base1.qcow2")
    create(lab.hosta, "clone1.qcow2", "/srv/images/base1.qcow2")
    goes_there_and_back(lab, clone, "clone1.qcow2", "base1.qcow2")
    changes = [one.split(" (")[0] for decided in decisions(lab.hostb) for one in decided.changes]
    assert changes[:2] == [
        "storage.images, disk vda: /srv/images/clone1.qcow2 -> /mnt/vmstore/clone1.qcow2",
        "network.prod, interface 52:54:00:10:77:01: bridge:br0 -> bridge:br-prod",
    ]
    assert changes[2:] == ["storage.images, disk vda: /srv/images/base1.qcow2 -> /mnt/vmstore/base1.qcow2"]


def test_clone_of_a_clone(lab: Lab, new_guest: NewGuest) -> None:
    """A chain is followed to its end, whatever its length and formats: at this one's end is a raw image."""
    clone = new_guest("clone2")
    create(lab.hosta, "base2.raw")
    create(lab.hosta, "middle2.qcow2", "/srv/images/base2.raw")
    create(lab.hosta, "clone2.qcow2", "/srv/images/middle2.qcow2")
    goes_there_and_back(lab, clone, "clone2.qcow2", "middle2.qcow2", "base2.raw")
    assert [len(one.changes) for one in decisions(lab.hostb)] == [4]


def test_relative_base(lab: Lab, new_guest: NewGuest) -> None:
    """A base that the header names relative to the clone needs no rewriting of its own."""
    clone = new_guest("clone3")
    create(lab.hosta, "base3.qcow2")
    create(lab.hosta, "clone3.qcow2", "base3.qcow2")
    goes_there_and_back(lab, clone, "clone3.qcow2", "base3.qcow2")
    assert [len(one.changes) for one in decisions(lab.hostb)] == [2]


def test_missing_base(lab: Lab, new_guest: NewGuest) -> None:
    """A base that is not on the target refuses the guest, and is named."""
    clone = new_guest("clone4")
    lab.hosta.run(["mkdir", "-p", "/srv/local"])
    lab.hosta.run(["qemu-img", "create", "-q", "-f", "qcow2", "/srv/local/base4.qcow2", "64M"])
    create(lab.hosta, "clone4.qcow2", "/srv/local/base4.qcow2")
    clone.start(lab.hosta)
    told = clone.is_refused(lab.hosta, lab.hostb)
    assert "\n  storage.exists   disk vda  /srv/local/base4.qcow2\n" in told


def create(host: Host, image: str, base: str = "") -> None:
    """An image in the store, empty or with another one behind it; the suffixes tell the formats."""
    path, format = f"{host.store}/{image}", image.rpartition(".")[2]
    rest = ["-b", base, "-F", base.rpartition(".")[2], path] if base else [path, "64M"]
    host.run(["qemu-img", "create", "-q", "-f", format, *rest])


def goes_there_and_back(lab: Lab, clone: Traveller, *images: str) -> None:
    """The guest runs on the whole chain, seen as each host sees it."""
    clone.start(lab.hosta)
    for source, target in (lab.hosts, lab.hosts[::-1]):
        clone.migrate(source, target)
        assert clone.uses(target).images == tuple(f"{target.store}/{image}" for image in images)
