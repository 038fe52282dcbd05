"""Storage, networks and other guests that are not as they must be on the other host: judged on real ones."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import Iterator

from lab import Host, Lab
from lab.fixture import POLICY, NewGuest, covered, other_volume, set_policy
from lab.gluster import mount
from lab.guest import Guest, domain_xml
from lab.journal import Decided, decisions
from lab.traveller import Traveller, running

CARD = "interface 52:54:00:10:77:00"
TO_B = (
    "storage.images, disk vda: /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 (10-fleet.toml:6)",
    f"network.prod, {CARD}: bridge:br0 -> bridge:br-prod (10-fleet.toml:10)",
)
REFUSED = Decided("hostb", "migrate", "web1", "refused", TO_B)
ACCEPTED = REFUSED._replace(verdict="rewritten")
DISK = "disk vda  /mnt/vmstore/web1.qcow2"
HEAD = "libhooks: hostb refuses guest 'web1': "


def require(**levels: str) -> str:
    """The lab's policy with more in [require]; a code's dot is two underscores, its hyphens one."""
    return POLICY + "".join(
        f'"{code.replace("__", ".").replace("_", "-")}" = "{level}"\n' for code, level in levels.items()
    )


@contextmanager
def written(host: Host, path: str, text: str) -> Iterator[None]:
    """A file of a host, other than it was."""
    file = host.path(path)
    before = file.read_text() if file.exists() else None
    host.write(path, text)
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            host.write(path, before)


def test_exporter_is_this_host(lab: Lab, web1: Traveller) -> None:
    """A store whose server goes by an address of the target's is warned of: the guest gets in."""
    hosts = lab.hostb.path("/etc/hosts").read_text()
    with written(lab.hostb, "/etc/hosts", hosts + "10.77.0.2 filer\n"):
        web1.migrate(lab.hosta, lab.hostb)
    assert decisions(lab.hostb) == [ACCEPTED._replace(findings=(f"warn storage.separate, {DISK}",))]


def test_exporter_is_this_host_refused(lab: Lab, web1: Traveller) -> None:
    """At level refuse, the same is a reason; a guest that the policy exempts gets in."""
    hosts = lab.hostb.path("/etc/hosts").read_text()
    policy = require(storage__separate="refuse")
    with written(lab.hostb, "/etc/hosts", hosts + "10.77.0.2 filer\n"):
        set_policy(policy, *lab.hosts)
        told = web1.is_refused(lab.hosta, lab.hostb)
        exempt = '\n[guest.web]\nmatch.name = "web*"\nrequire."storage.separate" = "off"\n'
        set_policy(policy + exempt, *lab.hosts)
        web1.migrate(lab.hosta, lab.hostb)
    assert f"\n  storage.separate {DISK}\n" in told
    assert "\n    found:  this host exports it (filer)\n" in told
    refusal = REFUSED._replace(findings=(f"refuse storage.separate, {DISK}",))
    assert decisions(lab.hostb) == [refusal, ACCEPTED._replace(findings=("off storage.separate, guest",))]


def test_wrong_volume(lab: Lab, web1: Traveller) -> None:
    """Another volume at the place, shared as it is and with a file of that name, is not the guest's."""
    with other_volume(lab):
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert told.startswith(f"{HEAD}1 requirement unmet\n  storage.source   {DISK}\n")
    assert "\n    found:  fuse.glusterfs on filer:/archive, mounted at /mnt/vmstore\n" in told
    assert decisions(lab.hostb) == [REFUSED._replace(findings=(f"refuse storage.source, {DISK}",))]


@contextmanager
def _stranger(lab: Lab, guest: Guest) -> Iterator[None]:
    """Another guest runs on hostb, without anything that two guests could not both have."""
    whole = domain_xml(guest, lab.hostb)
    disk, rest = whole.partition("    <disk ")[0], whole.partition("</disk>\n")[2]
    lab.hostb.virsh("create", "/dev/stdin", input=disk + rest)
    try:
        yield
    finally:
        lab.hostb.virsh("destroy", guest.name)


class _Namesake(Guest):
    """A guest of another's name."""

    @property
    def uuid(self) -> str:
        return "5d0c6d4e-7a57-4d54-8f4b-3c1b7a9e2f10"


def test_name_in_use(lab: Lab, web1: Traveller) -> None:
    """Another guest of that name runs on the target; under a name that is free, the guest gets in."""
    with _stranger(lab, _Namesake("web1", 7)):
        done = lab.hosta.virsh("migrate", "--live", "web1", lab.hostb.uri, check=False)
        assert done.returncode == 1
        assert f"{HEAD}1 requirement unmet\n  service.duplicate guest  web1\n" in done.stderr
        assert "web1" in running(lab.hosta)
        web1.goes_on(lab.hosta)
        web1.migrate(lab.hosta, lab.hostb, "--live", "--dname", "web9", name="web9")
        lab.hostb.virsh("destroy", "web9")
    verdicts = [(one.domain, one.verdict, one.findings) for one in decisions(lab.hostb)]
    assert verdicts == [
        ("web1", "refused", ("refuse service.duplicate, guest  web1",)),
        ("web9", "rewritten", ()),
    ]


MORE = """
[storage.more]
at.hosta = "/srv/more"
at.hostb = "/mnt/more"
"""
DISK_MORE = """\
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='/srv/more/web3.raw'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
"""


@contextmanager
def _frozen(lab: Lab) -> Iterator[None]:
    """The filer stops answering, in the middle of everything."""
    lab.filer.freeze_brick()
    try:
        yield
    finally:
        lab.filer.thaw_brick()


@contextmanager
def _mounted_twice(lab: Lab) -> Iterator[None]:
    """The volume is mounted on hostb a second time, by itself, and hosta has a directory to match."""
    lab.hosta.run(["mkdir", "-p", "/srv/more"])
    lab.hosta.run(["truncate", "--size", "1M", "/srv/more/web3.raw"])
    mount(lab.hostb, "/mnt/more")
    try:
        yield
    finally:
        lab.hostb.run(["umount", "--lazy", "/mnt/more"])


def test_frozen_brick(lab: Lab, new_guest: NewGuest) -> None:
    """The filer stops answering: the target refuses in time, and the guest runs on where it is.

    Its images on the source are no part of this: libvirt and QEMU there would wait for the filer as well.
    """
    guest = new_guest("web3")
    with covered(lab.hosta, lab.hosta.store), _mounted_twice(lab):
        guest.start(lab.hosta, devices=DISK_MORE)
        with _frozen(lab):
            began = time.monotonic()
            first = guest.is_refused(lab.hosta, lab.hostb, "--live", "--unsafe")
            took = time.monotonic() - began
            set_policy(POLICY + MORE + "\n[hook]\ndeadline = 1\n", *lab.hosts)
            second = guest.is_refused(lab.hosta, lab.hostb, "--live", "--unsafe")
        lab.hosta.virsh("destroy", "web3")
    assert "\n    found:  unknown: no answer in 2 s\n" in first
    assert took < 10
    assert re.search(r"\n    found:  unknown: no answer in (0\.\d|1) s\n", second)
    # Both mounts are silent, side by side; and the lab's /etc is no local file system, and comes too late.
    assert second.count("\n  storage.exists   disk ") == first.count("\n  storage.exists   disk ") == 2
    assert "\n  hook.deadline    decision\n    wanted: a decision within 1 s (hook.deadline)\n" in second
    assert re.search(r"\n    found:  the time was spent before .* could be asked\n", second)


def _filtered(lab: Lab, guest: str, name: str) -> str:
    """A file on hosta with a guest's domain whose interface has a network filter."""
    xml = lab.hosta.virsh("dumpxml", "--migratable", guest).stdout
    model = "<model type='virtio'/>"
    lab.hosta.write("/tmp/filtered.xml", xml.replace(model, f"{model}\n<filterref filter='{name}'/>"))
    return "/tmp/filtered.xml"


def test_network_filter(lab: Lab, web1: Traveller) -> None:
    """A filter that the target does not have keeps a guest out; one that is there is none of our business."""
    options = ("--live", "--xml", _filtered(lab, "web1", "tenant-a"))
    told = web1.is_refused(lab.hosta, lab.hostb, *options)
    with written(lab.hostb, "/etc/libvirt/nwfilter/tenant-a.xml", "<filter name='tenant-a'/>"):
        # libvirtd has not read it, and fails in its own words.
        lab.hosta.virsh("migrate", *options, "web1", lab.hostb.uri, check=False)
    assert told.startswith(f"{HEAD}1 requirement unmet\n  network.filter   {CARD}  filter tenant-a\n")
    findings = (f"refuse network.filter, {CARD}  filter tenant-a",)
    assert [one.findings for one in decisions(lab.hostb)] == [findings, ()]


def test_cut_off(lab: Lab, web1: Traveller) -> None:
    """A bridge without a way out is warned of: the guest gets in, and nobody hears of it."""
    lab.hostb.run(["ip", "link", "add", "name", "br-alone", "type", "bridge"])
    lab.hostb.run(["ip", "link", "set", "br-alone", "up"])
    try:
        set_policy(POLICY.replace("br-prod", "br-alone"), *lab.hosts)
        done = lab.hosta.virsh("migrate", "--live", "web1", lab.hostb.uri)
        assert done.returncode == 0
        lab.hostb.virsh("destroy", "web1")
    finally:
        lab.hostb.run(["ip", "link", "del", "br-alone"])
    (decided,) = decisions(lab.hostb)
    assert decided.findings == (f"warn network.up, {CARD}  bridge br-alone",)


def test_unknown_is_only_warned_of(lab: Lab, web1: Traveller) -> None:
    """At require.unknown = "warn", what cannot be told does not keep a guest out."""
    set_policy(POLICY.replace("[require]\n", '[require]\nunknown = "warn"\n'), *lab.hosts)
    with written(lab.hostb, "/etc/libvirt/nwfilter/tenant-b.xml", "<filter"):
        options = ("--live", "--xml", _filtered(lab, "web1", "tenant-b"))
        lab.hosta.virsh("migrate", *options, "web1", lab.hostb.uri, check=False)
    (decided,) = decisions(lab.hostb)
    assert decided == ACCEPTED._replace(findings=(f"warn network.filter, {CARD}  filter tenant-b",))
