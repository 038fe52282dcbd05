"""The demonstration: a guest moves between two unlike hosts by plain `virsh migrate`, for real.

`install.sh --demo` runs it. It shows what a person would look at, and leaves nothing behind.
"""

from __future__ import annotations

import re
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from . import Beat, Guest, Host, Lab, LabError
from .companion import accompanied, ended

CHECKOUT = Path(__file__).resolve().parents[2]
POLICY = """\
version = 1

[storage.images]                  # one shared volume, seen at different paths
source   = "filer:/images"
at.hosta = "/srv/images"
at.hostb = "/mnt/vmstore"

[network.prod]                    # one network segment, on different bridges
at.hosta = "bridge:br0"
at.hostb = "bridge:br-prod"

[require]
"storage.protocol" = "off"        # GlusterFS is fine here
"""
GUEST = Guest("web1")


class Demonstration:
    """The steps, in order; each says what it does before it does it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.beat = Beat("", 0)
        self.steps = 0

    def run(self) -> None:
        """Everything; LabError says where it stopped."""
        with self.step("Two hosts and a filer, in namespaces on this machine"):
            self.lab.up()
        for host in self.lab.hosts:
            print(f"     {host.name}: the filer's volume at {host.store}, guests on {host.bridge}")
        with self.step("install.sh on both, and one policy for both"):
            for host in self.lab.hosts:
                install(host)
        print(indented(POLICY))
        with self.step(f"A Linux guest, {GUEST.name}, starts on hosta"):
            self.lab.start(GUEST, self.lab.hosta)
            self.beat = self.lab.wait_for_beat(GUEST, self.lab.hosta)
        self.show(self.lab.hosta)
        with accompanied(*self.lab.hosts):
            self.migrate(self.lab.hosta, self.lab.hostb)
            self.migrate(self.lab.hostb, self.lab.hosta)
            self.migrate(self.lab.hosta, self.lab.hostb, "--persistent")
            ended(self.lab.hostb, 2)
            self.start_again(self.lab.hostb)
            self.refused(self.lab.hostb, self.lab.hosta)
        self.journals()

    def migrate(self, source: Host, target: Host, *options: str) -> None:
        """Plain virsh, with no option that mentions libhooks; the same guest beats on."""
        command = ["migrate", "--live", *options, GUEST.name, target.uri]
        with self.step(f"On {source.name}: virsh {' '.join(command)}"):
            source.virsh(*command)
            before, self.beat = self.beat, self.lab.wait_for_beat(GUEST, target, self.beat)
        self.show(target)
        told = f"beat {before.number} was on {source.name}, {self.beat.number} is on {target.name}"
        print(f"     the same boot: {told}")

    def start_again(self, host: Host) -> None:
        """A cold start by what the host saved of the guest, which libvirt had taken from the source."""
        with self.step(f"On {host.name}: virsh destroy {GUEST.name}; virsh start {GUEST.name}"):
            host.virsh("destroy", GUEST.name)
            host.virsh("start", GUEST.name)
            self.beat = self.lab.wait_for_beat(GUEST, host)
        self.show(host)
        print("     a new boot, by a definition that came with --persistent and was repaired")

    def show(self, host: Host) -> None:
        """What the guest uses on a host, and that it lives."""
        xml = host.virsh("dumpxml", GUEST.name).stdout
        print(f"     disk on {host.name}    {attribute(xml, 'file')}")
        print(f"     bridge on {host.name}  {attribute(xml, 'bridge')}")
        ping = "answers ping" if self.lab.answers_ping(GUEST) else "DOES NOT ANSWER PING"
        print(f"     heartbeat        {self.beat.number}, {ping}")

    def refused(self, source: Host, target: Host) -> None:
        """The store is not mounted on the target: the guest is refused, and runs on where it is."""
        command = ["migrate", "--live", GUEST.name, target.uri]
        with self.step(f"{target.name} loses the volume (umount {target.store}); again virsh migrate"):
            target.run(["umount", target.store])
            done = source.virsh(*command, check=False)
            if done.returncode == 0:
                raise LabError("the migration should have been refused, and was not", log=done.stdout)
            self.beat = self.lab.wait_for_beat(GUEST, source, self.beat)
        print(indented(done.stderr))
        state = source.virsh("domstate", GUEST.name).stdout.strip()
        print(f"     {GUEST.name} on {source.name}: {state}, heartbeat {self.beat.number}")

    def journals(self) -> None:
        """What each host decided."""
        with self.step("What was decided, and why: libhooks log"):
            told = [(host.name, host.run(["libhooks", "log"]).stdout) for host in self.lab.hosts]
        for name, log in told:
            print(f"     {name}\n{indented(log, 7)}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: its title at once, its time when it is done."""
        self.steps += 1
        print(f"\n{self.steps:>3}  {title}", flush=True)
        began = time.monotonic()
        try:
            yield
        except LabError as error:
            where = f"step {self.steps}, {title}: {error.what}"
            raise LabError(where, error.hint, error.log) from None
        print(f"     done in {time.monotonic() - began:.1f} s", flush=True)


def install(host: Host) -> None:
    """A real installation in the host, and the policy."""
    host.run(["sh", str(CHECKOUT / "install.sh"), "--host", host.name])
    host.write("/etc/libhooks/policy.d/10-fleet.toml", POLICY)
    host.run(["libhooks", "policy", "check"])


def attribute(xml: str, name: str) -> str:
    """What a <source> of the document has for an attribute."""
    found = re.search(rf"<source {name}='([^']*)'", xml)
    return found[1] if found else "none"


def indented(text: str, by: int = 5) -> str:
    """A text as it is, shifted to the right."""
    return "\n".join((" " * by + line).rstrip() for line in text.rstrip().splitlines())


def main() -> int:
    """Show it all; 0 if all went as it must."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began, cache = time.monotonic(), Path(tempfile.mkdtemp(prefix="libhooks-demo-"))
    lab = Lab(cache)
    try:
        Demonstration(lab).run()
    except LabError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demonstration was interrupted.", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        lab.down()
        shutil.rmtree(cache)
    print(f"\nAll of it is gone again, after {time.monotonic() - began:.0f} s. To install: ./install.sh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
