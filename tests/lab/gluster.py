"""The filer: one Gluster volume, the shared storage that both hosts mount."""

from __future__ import annotations

import re

from .errors import LabError
from .namespaces import Machine, wait_for

VOLUME = "images"
BRICK = "/srv/brick"
LOG = "/var/log/glusterfs/glusterd.log"
# A brick on tmpfs can't be opened with O_DIRECT by older kernels: with remote-dio it never is.
CREATE = f"""\
volume create {VOLUME} filer:{BRICK} force
volume set {VOLUME} network.remote-dio enable
volume start {VOLUME}
"""


class Filer(Machine):
    """A machine that runs glusterd and the brick of the volume."""

    def serve(self) -> None:
        """Start glusterd, then create and start the volume; it can be mounted when this returns."""
        self.path(BRICK).mkdir()
        self.run(["glusterd", "--pid-file", "/run/glusterd.pid"])
        self._gluster(CREATE)
        wait_for(lambda: self.path(f"{BRICK}/.glusterfs").exists(), "the brick to be served")

    def stop_brick(self) -> None:
        """Kill the brick: the mounts stay, and every access to them fails at once (ENOTCONN)."""
        self._signal_brick("KILL")

    def start_brick(self) -> None:
        """Serve the brick again; the hosts' mounts recover by themselves within seconds."""
        self._gluster(f"volume start {VOLUME} force\n")

    def freeze_brick(self) -> None:
        """Stop the brick in its tracks: every access to the mounts hangs until `thaw_brick`, or for 42 s."""
        self._signal_brick("STOP")

    def thaw_brick(self) -> None:
        """Let a frozen brick go on."""
        self._signal_brick("CONT")

    def _signal_brick(self, signal: str) -> None:
        pids = [pid.read_text().strip() for pid in self.path(f"/run/gluster/vols/{VOLUME}").glob("*.pid")]
        self.run(["busybox", "kill", f"-{signal}", *pids])

    def _gluster(self, commands: str) -> None:
        """Give commands to one gluster process, cheaper than one each; it answers them all with exit 0."""
        done = self.run(["gluster", "--mode=script"], input=commands)
        if re.search(r"(?i)\bfailed\b|\berror\b", done.stdout + done.stderr):
            raise LabError("the filer refused its volume", log=done.stdout + done.stderr + self.log(LOG))


def mount(client: Machine, directory: str, source: str = VOLUME) -> None:
    """Mount the volume, or a directory of it, on a client's, which libvirt then takes for shared storage."""
    client.path(directory).mkdir(parents=True, exist_ok=True)
    done = client.run(["mount", "-t", "glusterfs", f"filer:/{source}", directory], check=False)
    if done.returncode:
        log = client.log(f"/var/log/glusterfs/{directory.strip('/').replace('/', '-')}.log")
        raise LabError(f"{client.name} could not mount filer:/{source}", log=done.stdout + done.stderr + log)
