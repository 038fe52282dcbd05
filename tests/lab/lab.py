"""Two libvirt hosts and a filer on one machine, up within seconds and gone without a trace."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Callable

from . import guest as guests
from . import network
from .errors import LabError
from .gluster import Filer, mount
from .guest import Beat, Guest
from .host import Host
from .kernel import boot_files
from .namespaces import PATIENCE, Machine, wait_for
from .requirements import missing

HOST_ADDRESSES = ("10.77.0.1", "10.77.0.2")


class Lab:
    """`with Lab(cache) as lab:` two hosts that call the same things by different names.

    hosta has the volume at /srv/images and its guests on br0, hostb at /mnt/vmstore and on br-prod.
    `cache` is a directory that keeps the guests' kernel. All else lives in memory, in namespaces that
    end with this process.
    """

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.switch = Machine("switch")
        self.filer = Filer("filer")
        self.hosta = Host("hosta", HOST_ADDRESSES[0], "/srv/images", "br0")
        self.hostb = Host("hostb", HOST_ADDRESSES[1], "/mnt/vmstore", "br-prod")

    @property
    def hosts(self) -> tuple[Host, Host]:
        """hosta and hostb."""
        return self.hosta, self.hostb

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All four, in the order they are ended: clients of the volume before its filer."""
        return self.hosta, self.hostb, self.filer, self.switch

    def __enter__(self) -> Lab:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Bring everything up; on failure nothing is left and LabError says where it stopped."""
        lacking = missing()
        if lacking:
            raise LabError(f"this machine can't run the lab: {'; '.join(lacking)}")
        try:
            self._start()
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End all guests, daemons and namespaces; returns when they are gone."""
        for machine in self.machines:
            machine.close()

    def start(self, guest: Guest, host: Host, *, elements: str = "", devices: str = "") -> None:
        """Create the guest's disk, define it on a host and start it; it is booting when this returns."""
        guests.create_disk(guest, host)
        xml = guests.domain_xml(guest, host, elements=elements, devices=devices)
        host.virsh("define", "/dev/stdin", input=xml)
        host.virsh("start", guest.name)

    def remove(self, guest: Guest) -> None:
        """Forget the guest on both hosts, running or not, with its disk."""
        for host in self.hosts:
            host.virsh("destroy", guest.name, check=False)
            host.virsh(
                "undefine", guest.name, "--managed-save", "--nvram", "--snapshots-metadata", check=False
            )
        self.hosta.run(["rm", "-f", f"{self.hosta.store}/{guest.disk}"])

    def wait_for_beat(
        self, guest: Guest, host: Host, after: Beat | None = None, timeout: float = PATIENCE
    ) -> Beat:
        """The next beat on the host's serial log: the first ever, or the first that follows `after`.

        A guest that was rebooted since `after` never gives one: its beats are another boot's.
        """

        def beat() -> Beat | None:
            last = guests.beat_on_serial(guest, host)
            fits = last and (after is None or (last.boot == after.boot and last.number > after.number))
            return last if fits else None

        what = f"a beat of {guest.name} on {host.name}" + (f" after {after}" if after else "")
        try:
            return wait_for(beat, what, timeout)
        except LabError as error:
            raise LabError(error.what, log=host.log(guest.log)) from None

    def answers_ping(self, guest: Guest, timeout: float = 30) -> bool:
        """Whether the filer reaches the guest over the network within `timeout` seconds.

        What is lost, as long as switches look for the guest elsewhere, is soon asked again; what comes late,
        because the guest hardly gets to run, is waited for longer each time.
        """
        end, wait = time.monotonic() + timeout, 1
        while self.filer.run(
            ["busybox", "ping", "-q", "-c1", f"-W{wait}", guest.address], check=False
        ).returncode:
            if time.monotonic() > end:
                return False
            wait *= 2
        return True

    def _start(self) -> None:
        for machine in self.machines:
            machine.boot()
        self._wire()
        together(self.filer.serve, self.hosta.serve, self.hostb.serve, self._provide_boot_files)
        together(*(lambda host=host: mount(host, host.store) for host in self.hosts))

    def _wire(self) -> None:
        network.wire_switch(self.switch, (self.hosta, self.hostb, self.filer))
        network.wire_filer(self.filer)
        for host in self.hosts:
            network.wire_host(host)
        addresses = {host.name: host.address for host in self.hosts}
        network.name_machines(self.machines, {**addresses, "filer": network.FILER_ADDRESS})

    def _provide_boot_files(self) -> None:
        boot = boot_files(self.cache)
        for host in self.hosts:
            guests.provide_boot_files(host, boot)


def together(*jobs: Callable[[], None]) -> None:
    """Do all jobs at once. The first failure is raised at once: ending the machines ends the other jobs."""
    pool = ThreadPoolExecutor(len(jobs))
    try:
        for running in as_completed([pool.submit(job) for job in jobs]):
            running.result()
    finally:
        pool.shutdown(wait=False)
