"""A guest followed from host to host by its heartbeat: every look at it says that it is the same boot."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

from .guest import Beat, Guest, create_disk, domain_xml
from .host import LOG, Host
from .journal import JOURNAL, records
from .lab import Lab


class Uses(NamedTuple):
    """What a guest uses of a host: the images of its disk, and what its interface plugs into."""

    images: tuple[str, ...]
    plug: str


class Traveller:
    """A guest that a test moves about by plain virsh. Who makes it removes it."""

    def __init__(self, lab: Lab, guest: Guest) -> None:
        self.lab = lab
        self.guest = guest
        self.beat: Beat | None = None

    def start(self, host: Host, *, firmware: str = "", elements: str = "", devices: str = "") -> None:
        """Define it in the words of a host and boot it there, on an image made for it if there is none."""
        if not host.path(f"{host.store}/{self.guest.disk}").exists():
            create_disk(self.guest, host)
        xml = domain_xml(self.guest, host, firmware=firmware, elements=elements, devices=devices)
        host.virsh("define", "/dev/stdin", input=xml)
        self.boot(host)

    def boot(self, host: Host) -> None:
        """Start it where it is defined, and wait until it beats."""
        host.virsh("start", self.guest.name)
        self.beat = None
        self.goes_on(host)

    def goes_on(self, host: Host) -> None:
        """The same boot beats on, here."""
        self.beat = self.lab.wait_for_beat(self.guest, host, self.beat)

    def migrate(self, source: Host, target: Host, *options: str, name: str = "") -> None:
        """`virsh migrate` says nothing; the guest goes on at its target, called `name`, and only there."""
        done = source.virsh("migrate", *(options or ("--live",)), self.guest.name, target.uri, check=False)
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", ""), target.log(LOG)
        self.arrived(source, target, name)

    def arrived(self, source: Host, target: Host, name: str = "") -> None:
        """It goes on at its target, called `name` there, and nowhere else, and answers ping."""
        assert (name or self.guest.name) in running(target)
        assert self.guest.name not in running(source)
        self.goes_on(target)
        assert self.lab.answers_ping(self.guest)

    def is_refused(self, source: Host, target: Host, *options: str, name: str = "") -> str:
        """Our hook at the target refuses the guest, which goes on at its source.

        The answer is our words as virsh shows them, but for the last line, which names the guest's record.
        """
        told, called = self.fails_to_migrate(source, target, *options), name or self.guest.name
        _, ours, words = told.partition("libhooks: ")
        assert ours, told
        *lines, last = (ours + words).rstrip().splitlines()
        assert lines[0].startswith(f"libhooks: {target.name} refuses guest '{called}': ")
        *_, record = (one for one in records(target) if one["domain"] == called)
        assert last == f"  record {record['id']} in {JOURNAL} on {target.name}"
        return "\n".join(lines)

    def fails_to_migrate(self, source: Host, target: Host, *options: str) -> str:
        """`virsh migrate` fails; the guest goes on at its source, the target has nothing. virsh's words."""
        done = source.virsh("migrate", *(options or ("--live",)), self.guest.name, target.uri, check=False)
        assert (done.returncode, done.stdout.strip()) == (1, "")
        assert self.guest.name not in known(target)
        self.goes_on(source)
        return done.stderr

    def uses(self, host: Host, *options: str, name: str = "") -> Uses:
        """What it uses here, as `virsh dumpxml` shows it."""
        domain = self.xml(host, *options, name=name)
        layer, images = domain.find("devices/disk"), []
        while layer is not None and layer.find("source") is not None:
            images.append(attribute(layer, "source", "file"))
            layer = layer.find("backingStore")
        interface = domain.find("devices/interface")
        assert interface is not None
        kind = interface.get("type", "")
        source = "network" if interface.find("source[@network]") is not None else kind
        return Uses(tuple(images), f"{source}:{attribute(interface, 'source', source)}")

    def xml(self, host: Host, *options: str, name: str = "") -> ElementTree.Element:
        """What `virsh dumpxml` shows of it here."""
        return ElementTree.fromstring(host.virsh("dumpxml", *options, name or self.guest.name).stdout)

    def is_tainted_by_hook(self, host: Host) -> bool:
        """Whether libvirt says of it here that a hook printed something when it came."""
        return "hook script" in host.virsh("dominfo", self.guest.name).stdout


def attribute(element: ElementTree.Element, path: str, name: str) -> str:
    """An attribute of an element that has to be there."""
    found = element.find(path)
    assert found is not None, path
    return found.attrib[name]


def running(host: Host) -> list[str]:
    """The names of the guests that run on a host."""
    return host.virsh("list", "--name").stdout.splitlines()


def known(host: Host) -> list[str]:
    """The names of the guests that run on a host or are defined there."""
    return host.virsh("list", "--all", "--name").stdout.splitlines()
