"""What the lab needs of the machine it runs on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from .namespaces import ENVIRONMENT, UNSHARE

# Debian's names for what the lab runs.
PACKAGES = (
    "libvirt-daemon-system",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "glusterfs-server",
    "glusterfs-client",
    "openvswitch-switch",
    "ovmf",
    "iproute2",
    "util-linux",
    "busybox-static",
    "apt",
)
COMMANDS = (
    "libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "qemu-io", "glusterd", "gluster",
    "mount.glusterfs", "ip", "unshare", "nsenter", "setpriv", "busybox", "apt-get", "dpkg-deb",
)  # fmt: skip
# Some tests need these too; the lab itself, and the demonstration, do without.
EXTRAS = (
    "/usr/sbin/ovsdb-server", "/usr/sbin/ovs-vswitchd", "/usr/bin/ovs-vsctl",
    "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd",
)  # fmt: skip
DEVICES = ("/dev/net/tun", "/dev/fuse")
# What machine.sh and the wiring do, tried for real: containers forbid it in many ways.
TRIALS = (
    ("namespaces", "true"),
    ("tmpfs", "mount -t tmpfs lab /run"),
    ("overlayfs", "mount -t tmpfs lab /run && mkdir /run/u /run/w"
     " && mount -t overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w overlay /etc"),
    ("sysfs", "mount -t proc proc /proc && mount -t sysfs sysfs /sys"),
    ("network bridges", "ip link add br0 type bridge"),
    ("virtual Ethernet", "ip link add eth0 type veth"),
)  # fmt: skip


def missing() -> list[str]:
    """What this machine lacks, each as words that fit a sentence; empty when the lab can run."""
    if os.geteuid() != 0:
        return ["it needs root"]
    if platform.machine() != "x86_64":
        return [f"its guests are x86_64, this machine is {platform.machine()}"]
    lacking = [f"no command {name}" for name in COMMANDS if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    lacking += [f"no device {path}" for path in DEVICES if not os.path.exists(path)]
    return lacking or [f"no right or support to make {what}" for what, trial in TRIALS if not _works(trial)]


def missing_extras() -> list[str]:
    """What this machine lacks for the tests of Open vSwitch and of UEFI firmware."""
    return [f"no file {path}" for path in EXTRAS if not os.path.exists(path)]


def _works(trial: str) -> bool:
    return (
        subprocess.run(
            [*UNSHARE, "sh", "-c", trial], check=False, capture_output=True, env=ENVIRONMENT
        ).returncode
        == 0
    )
