"""A refused migration leaves a test of the policy, and the beginning of the policy that lets the guest in."""

from __future__ import annotations

import subprocess

from lab import Host, Lab
from lab.fixture import POLICY, covered, set_policy
from lab.namespaces import CHECKOUT
from lab.traveller import Traveller

#: It knows the network, and nothing of the store.
WITHOUT_STORE = POLICY.replace("[storage.images]", "[storage.other]").replace(
    'at.hosta = "/srv/images"\nat.hostb = "/mnt/vmstore"', 'at.hosta = "/srv/other"\nat.hostb = "/mnt/other"'
)
KEEPING = "[journal]\ncases = true\n"
MORE = "/etc/libhooks/policy.d/50-suggested.toml"


def libhooks(host: Host, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command, run on a host."""
    command = ["env", f"PYTHONPATH={CHECKOUT}", "/usr/bin/python3", "-B", "-m", "libhooks", *arguments]
    return host.run(command, check=check)


def test_what_is_suggested_lets_it_in(lab: Lab, web1: Traveller) -> None:
    """A store that no policy names: what is suggested lets the guest in, once it is filled in."""
    set_policy(WITHOUT_STORE + KEEPING, *lab.hosts)
    web1.is_refused(lab.hosta, lab.hostb)
    (id,) = (file.stem for file in lab.hostb.path("/var/log/libhooks/cases").iterdir())
    lab.hostb.run(["mkdir", "-p", "/etc/libhooks/tests"])
    libhooks(lab.hostb, "log", "show", id, "--as-test", "/etc/libhooks/tests")
    assert libhooks(lab.hostb, "policy", "test").stdout == f"passed  web1-{id[-6:]}\n\n1 passed\n"
    suggested = libhooks(lab.hostb, "suggest").stdout
    assert '[storage.images]\nat.elsewhere = "/srv/images"' in suggested
    filled = suggested.replace('# at.hostb = "/..."', 'at.hostb = "/mnt/vmstore"')
    filled = filled.replace("at.elsewhere", "at.hosta")
    for host in lab.hosts:
        host.write(MORE, filled)
    try:
        web1.migrate(lab.hosta, lab.hostb)
        failed = libhooks(lab.hostb, "policy", "test", check=False)
    finally:
        for host in lab.hosts:
            host.path(MORE).unlink()
        lab.hostb.run(["rm", "-r", "/etc/libhooks/tests"])
    assert failed.returncode == 1
    told = " ".join(failed.stdout.split())
    assert " + storage.images disk vda /srv/images/web1.qcow2 -> /mnt/vmstore/web1.qcow2 " in told


def test_no_room_for_a_case(lab: Lab, web1: Traveller) -> None:
    """Where no case can be kept, a guest is refused as ever, and virsh shows that nothing is kept of it."""
    set_policy(POLICY + KEEPING, *lab.hosts)
    lab.hostb.run(["rm", "-rf", "/var/log/libhooks/cases"])
    lab.hostb.write("/var/log/libhooks/cases", "")
    try:
        with covered(lab.hostb, "/mnt/vmstore"):
            told = web1.fails_to_migrate(lab.hosta, lab.hostb)
    finally:
        lab.hostb.path("/var/log/libhooks/cases").unlink()
    assert "libhooks: hostb refuses guest 'web1': 2 requirements unmet\n" in told
    assert " was kept: /var/log/libhooks/cases: File exists" in told
