"""A libvirt host: a lab machine that runs a libvirtd which others may migrate to."""

from __future__ import annotations

import subprocess
import uuid

from .errors import LabError
from .namespaces import PATIENCE, Machine, wait_for

PIDFILE = "/run/libvirtd.pid"
LOG = "/var/log/libvirt/libvirtd.log"
LIBVIRTD_CONF = """\
host_uuid = "{uuid}"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:file:{log}"
"""
QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"""


class Host(Machine):
    """One of the two hosts: what it calls the shared volume and the bridge, and its libvirtd."""

    def __init__(self, name: str, address: str, store: str, bridge: str) -> None:
        super().__init__(name)
        self.address = address
        self.store = store
        self.bridge = bridge

    @property
    def uri(self) -> str:
        """libvirt's URI of this host, as the other one reaches it."""
        return f"qemu+tcp://{self.address}/system"

    def virsh(
        self, *argv: str, check: bool = True, input: str | None = None, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Run virsh in this host on its own libvirtd."""
        return self.run(["virsh", "-c", "qemu:///system", *argv], check=check, input=input, timeout=timeout)

    def serve(self) -> None:
        """Configure and start libvirtd; it answers when this returns."""
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, self.name)
        self.write("/etc/libvirt/libvirtd.conf", LIBVIRTD_CONF.format(uuid=identity, log=LOG))
        self.write("/etc/libvirt/qemu.conf", QEMU_CONF)
        self.start_libvirtd()
        self.virsh("domcapabilities", "--virttype", "qemu")  # it probes QEMU now, not at the first guest

    def start_libvirtd(self) -> None:
        """Start libvirtd and wait until its QEMU driver answers."""
        done = self.run(["libvirtd", "--daemon", "--listen", "--pid-file", PIDFILE], check=False)
        if done.returncode:
            raise LabError(f"libvirtd did not start on {self.name}", log=done.stderr + self.log(LOG))
        try:
            wait_for(lambda: self.virsh("list", check=False).returncode == 0, f"libvirtd on {self.name}")
        except LabError as error:
            raise LabError(error.what, log=self.log(LOG)) from None

    def stop_libvirtd(self) -> None:
        """End libvirtd; its guests run on."""
        pid = self._libvirtd_pid()
        self.run(["busybox", "kill", pid])
        wait_for(lambda: not self.path(f"/proc/{pid}").exists(), f"libvirtd on {self.name} to end")

    def restart_libvirtd(self) -> None:
        """What `systemctl restart libvirtd` does: guests run on, and hooks see `reconnect`."""
        self.stop_libvirtd()
        self.start_libvirtd()

    def reload_libvirtd(self) -> None:
        """What `systemctl reload libvirtd` does: among others, look again which hooks there are.

        libvirtd does it some milliseconds after this returns.
        """
        self.run(["busybox", "kill", "-HUP", self._libvirtd_pid()])

    def _libvirtd_pid(self) -> str:
        return self.path(PIDFILE).read_text().strip()
