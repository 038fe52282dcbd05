"""What the live tests start from: the lab with libhooks installed on both hosts, one policy, and a guest."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest

from . import Guest, Host, Lab, missing
from .companion import KEPT
from .journal import forget
from .lab import together
from .namespaces import CHECKOUT
from .traveller import Traveller, Uses, known, running

CACHE = Path(__file__).resolve().parents[1] / ".cache"
POLICY_FILE = "/etc/libhooks/policy.d/10-fleet.toml"
DISABLED = "/etc/libhooks/disabled"
ONLINE = "/sys/devices/system/cpu/online"
POLICY = """\
version = 1

[storage.images]
source   = "filer:/images"
at.hosta = "/srv/images"
at.hostb = "/mnt/vmstore"

[network.prod]
at.hosta = "bridge:br0"
at.hostb = "bridge:br-prod"

[require]
"storage.protocol" = "off"
"""


@pytest.fixture(scope="session")
def installed_lab() -> Iterator[Lab]:
    """Two hosts and a filer, with libhooks installed on the hosts as on any other."""
    lacking = missing()
    if lacking:
        pytest.skip(f"this machine can't run the lab: {'; '.join(lacking)}")
    with Lab(CACHE) as lab:
        together(*(lambda host=host: install(host) for host in lab.hosts))
        yield lab


@pytest.fixture
def lab(installed_lab: Lab) -> Lab:
    """The lab with POLICY on both hosts and empty journals."""
    for host in installed_lab.hosts:
        host.path(DISABLED).unlink(missing_ok=True)
        forget(host)
        host.run(["rm", "-rf", KEPT])
    set_policy(POLICY, *installed_lab.hosts)
    return installed_lab


@pytest.fixture(scope="session")
def resident(installed_lab: Lab) -> Traveller:
    """The guest that most tests share: booting one takes longer than a migration."""
    return Traveller(installed_lab, Guest("web1"))


@pytest.fixture
def web1(lab: Lab, resident: Traveller) -> Traveller:
    """A guest that runs on hosta and is defined there alone."""
    if not _at_home(resident):
        lab.remove(resident.guest)
        resident.start(lab.hosta)
    return resident


def _at_home(guest: Traveller) -> bool:
    name, (hosta, hostb) = guest.guest.name, guest.lab.hosts
    if name not in running(hosta) or name in known(hostb):
        return False
    home = Uses((f"{hosta.store}/{guest.guest.disk}",), f"bridge:{hosta.bridge}")
    return guest.uses(hosta) == guest.uses(hosta, "--inactive") == home


NewGuest = Callable[..., Traveller]


@pytest.fixture
def new_guest(lab: Lab) -> Iterator[NewGuest]:
    """Makes guests of a name of one's choice, one at a time, that are removed after the test."""
    made: list[Guest] = []

    def make(name: str, memory: int = 128) -> Traveller:
        made.append(Guest(name, number=len(made) + 1, memory=memory))
        return Traveller(lab, made[-1])

    yield make
    for guest in made:
        lab.remove(guest)


def install(host: Host, *options: str) -> None:
    """Run install.sh in a host."""
    host.run(["sh", str(CHECKOUT / "install.sh"), *options])


def set_policy(text: str, *hosts: Host) -> None:
    """Give hosts a policy."""
    for host in hosts:
        host.write(POLICY_FILE, text)


@contextmanager
def covered(host: Host, directory: str) -> Iterator[None]:
    """A directory of a host is an empty local one, as if what belongs there had not been mounted."""
    host.run(["mount", "-t", "tmpfs", "empty", directory])
    try:
        yield
    finally:
        host.run(["umount", "--lazy", directory])


@contextmanager
def moved(host: Host, old: str, new: str) -> Iterator[None]:
    """What is mounted on a host at one directory is at another, and no longer there."""
    host.run(["mkdir", "-p", new])
    host.run(["mount", "--move", old, new])
    try:
        yield
    finally:
        host.run(["mount", "--move", new, old])


@contextmanager
def one_cpu(host: Host) -> Iterator[None]:
    """A host that has one CPU online, as far as its sysfs says."""
    host.write("/tmp/online", "0\n")
    host.run(["mount", "--bind", "/tmp/online", ONLINE])
    try:
        yield
    finally:
        host.run(["umount", ONLINE])


@contextmanager
def alike(lab: Lab) -> Iterator[None]:
    """hostb has the volume and the bridge under hosta's names as well as under its own."""
    hosta, hostb = lab.hosts
    hostb.run(["mkdir", "-p", hosta.store])
    hostb.run(["mount", "--bind", hostb.store, hosta.store])
    commands = f"""\
link add name {hosta.bridge} type bridge forward_delay 0
link add name cable0 type veth peer name cable1
link set cable0 master {hostb.bridge} up
link set cable1 master {hosta.bridge} up
link set {hosta.bridge} up
"""
    hostb.run(["ip", "-batch", "-"], input=commands)
    try:
        yield
    finally:
        hostb.run(["ip", "-batch", "-"], input=f"link del cable0\nlink del {hosta.bridge}\n")
        hostb.run(["umount", "--lazy", hosta.store])


@contextmanager
def other_volume(lab: Lab) -> Iterator[None]:
    """Another volume is mounted on hostb where the images' belongs, and has an image of that name."""
    gluster = ["gluster", "--mode=script", "volume"]
    lab.filer.run([*gluster, "create", "archive", "filer:/srv/archive", "force"])
    lab.filer.run([*gluster, "start", "archive"])
    # Under mount.glusterfs's nose: it mounts nothing where something of its own is mounted.
    lab.hostb.run(["mkdir", "-p", "/mnt/archive"])
    lab.hostb.run(["mount", "-t", "glusterfs", "filer:/archive", "/mnt/archive"])
    lab.hostb.run(["mount", "--bind", "/mnt/archive", lab.hostb.store])
    try:
        lab.hostb.run(["qemu-img", "create", "-q", "-f", "qcow2", f"{lab.hostb.store}/web1.qcow2", "64M"])
        yield
    finally:
        lab.hostb.run(["umount", "--lazy", lab.hostb.store, "/mnt/archive"])
        lab.filer.run([*gluster, "stop", "archive", "force"])
        lab.filer.run([*gluster, "delete", "archive"])
