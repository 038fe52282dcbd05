"""The guard: what a guest sees of its machine, no change of ours may touch."""

from __future__ import annotations

import pytest
import schema
from golden_cases import GOLDEN

from libhooks import references, requirements
from libhooks.abi import PARTS, Effect, Part, Table
from libhooks.decision import Change, Edit, Kind, Rule, Spot, Unmet
from libhooks.domain import Domain, parse
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.guard import Violation, check
from libhooks.places import Index
from libhooks.policy.model import Policy
from libhooks.references.model import Row
from libhooks.requirements.model import Subject

RULE = Rule("p.toml", 7)


NOWHERE = parse(b"<domain/>")


def change(*edits: Edit) -> Change:
    return Change(Kind.EDIT, "mine", Spot("somewhere", "/domain"), "old", "new", RULE, edits)


def at(xpath: str, old: str | None = "old", new: str | None = "new") -> Edit:
    """An edit of a value; of an element where one is given as XML."""
    return Edit(Spot("somewhere", xpath), old, new)


def guarded(edit: Edit, after: Domain = NOWHERE) -> str:
    """What the guard says should be instead of an edit; "" where it lets it pass."""
    found = list(check((change(edit),), after))
    return found[0].wanted if found else ""


def spot(xpath: str) -> str:
    """What the guard says should be instead of an edit at a spot, whatever the values."""
    element = xpath.rpartition("/")[2].partition("[")[0]
    is_value = element.startswith("@") or element == "text()"
    return guarded(at(xpath) if is_value else at(xpath, f"<{element}/>", None))


@pytest.mark.parametrize(
    ("xpath", "what"),
    [
        ("/domain/name/text()", "the guest's name"),
        ("/domain/uuid/text()", "the guest's UUID"),
        ("/domain/@type", "the virtualization type"),
        ("/domain/memory/text()", "the guest's memory"),
        ("/domain/memory/@unit", "the guest's memory"),
        ("/domain/maxMemory/@slots", "the guest's memory slots"),
        ("/domain/memoryBacking/source/@type", "the memory's source type"),
        ("/domain/vcpu/@current", "the virtual CPUs"),
        ("/domain/cpu/numa/cell[2]/@memory", "the CPU"),
        ("/domain/cpu", "the CPU"),
        ("/domain/os/type/@machine", "the machine type"),
        ("/domain/sysinfo/bios/entry[3]/text()", "the SMBIOS data"),
        ("/domain/features/acpi", "the machine's features"),
        ("/domain/clock/timer[2]/@tickpolicy", "a timer's policy"),
        ("/domain/devices/disk[1]", "the number and order of devices"),
        ("/domain/devices/invented[1]", "the number and order of devices"),
        ("/domain/devices/disk[12]/target/@bus", "a disk's target"),
        ("/domain/devices/disk[1]/@device", "a disk's kind"),
        ("/domain/devices/disk[1]/serial/text()", "a disk's serial"),
        ("/domain/devices/disk[1]/readonly", "a disk's read-only flag"),
        ("/domain/devices/disk[1]/driver/@queues", "a disk's queues"),
        ("/domain/devices/disk[1]/driver/@event_idx", "a disk's virtio options"),
        ("/domain/devices/disk[1]/blockio/@logical_block_size", "a disk's block sizes"),
        ("/domain/devices/disk[1]/address/@slot", "a device's address"),
        ("/domain/devices/watchdog[1]/address", "a device's address"),
        ("/domain/devices/watchdog[1]/alias/@name", "a device's alias"),
        ("/domain/devices/interface[1]/mac/@address", "an interface's MAC address"),
        ("/domain/devices/interface[1]/model/@type", "an interface's model"),
        ("/domain/devices/interface[1]/mtu/@size", "an interface's MTU"),
        ("/domain/devices/interface[1]/driver", "a device's virtio options"),
        ("/domain/devices/controller[3]/@model", "a controller"),
        ("/domain/devices/channel[1]/target/@name", "a channel's target"),
        ("/domain/devices/video[1]/model/@vram", "a video device"),
        ("/domain/devices/memballoon[1]/@model", "the memory balloon"),
        ("/domain/os/loader/@type", "how the firmware is mapped"),
    ],
)
def test_guarded(xpath: str, what: str) -> None:
    """What libvirt compares between source and destination, and what it should, is not ours to change."""
    assert spot(xpath) == f"{what} untouched"


@pytest.mark.parametrize(
    "xpath",
    [
        "/domain/devices/disk[1]/@type",
        "/domain/devices/disk[1]/source/@file",
        "/domain/devices/disk[1]/source/host[2]",
        "/domain/devices/disk[1]/auth/secret/@uuid",
        "/domain/devices/disk[1]/backingStore",
        "/domain/devices/disk[1]/driver/@cache",
        "/domain/devices/interface[1]/@type",
        "/domain/devices/interface[1]/source/@bridge",
        "/domain/devices/interface[1]/virtualport",
        "/domain/devices/graphics[1]/@listen",
        "/domain/devices/graphics[1]/listen[2]/@address",
        "/domain/devices/serial[1]/source/@path",
        "/domain/devices/serial[1]/log/@file",
        "/domain/os/loader/text()",
        "/domain/os/nvram/@template",
        "/domain/os/kernel/text()",
        "/domain/title/text()",
        "/domain/metadata",
        "/domain/memoryBacking/access/@mode",
    ],
)
def test_not_guarded(xpath: str) -> None:
    """libvirt 9.0 let these pass, and the guest lived."""
    assert spot(xpath) == ""


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        (
            at("/domain/devices/interface[1]/driver", "<driver name='vhost'/>", None),
            "a device's virtio options",
        ),
        (at("/domain/devices/rng[1]/driver", None, "<driver iommu='on'/>"), "a device's virtio options"),
        (at("/domain/devices/disk[1]/driver", "<driver cache='none'/>", None), ""),
        (at("/domain/devices/disk[1]/driver", "<driver cache='none' queues='4'/>", None), "a disk's queues"),
        (at("/domain/memoryBacking", "<memoryBacking><locked/></memoryBacking>", None), ""),
        (
            at("/domain/memoryBacking", "<memoryBacking><source type='memfd'/></memoryBacking>", None),
            "the memory's source type",
        ),
        (at("/domain/os/loader", None, "<loader>/a</loader>"), "how the firmware is mapped"),
        (at("/domain/devices/graphics[1]", "<graphics type='vnc'><listen/></graphics>", None), ""),
        (
            at("/domain/*[3]", "<q:a xmlns:q='urn:q'/>", None),
            "what libhooks does not know",
        ),
    ],
)
def test_elements(edit: Edit, wanted: str) -> None:
    """An element that comes or goes is guarded with all that is in it."""
    assert guarded(edit).replace(" untouched", "") == wanted


@pytest.mark.parametrize(
    ("driver", "passes"),
    [
        ("io='native' cache='none'", True),
        ("io='native' cache='directsync'", True),
        ("io='native' cache='writeback'", False),
        ("io='native'", False),
        ("io='threads'", True),
        ("cache='writeback'", True),
    ],
)
def test_native_io(driver: str, passes: bool) -> None:
    """Native I/O and the host's cache exclude each other, though each is the host's affair."""
    after = parse(f"<domain><devices><disk><driver {driver}/></disk></devices></domain>".encode())
    for attribute in ("@io", "@cache"):
        wanted = guarded(at(f"/domain/devices/disk[1]/driver/{attribute}"), after)
        assert wanted == ("" if passes else "io='native' only with cache='none' or 'directsync'")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.path}-{part.effect.name}")
def test_every_row(part: Part) -> None:
    """Each row holds its part, and nothing that merely begins like it."""
    steps = tuple(part.path.replace("*", "x").split("/"))
    assert Table().part(steps) == part
    assert Table().part((*steps[:-1], f"{steps[-1]}ish")) != part


@pytest.mark.parametrize("row", references.ROWS, ids=lambda row: f"{row.element} {' '.join(row.covers)}")
def test_references_are_free(row: Row) -> None:
    """Whatever a place can rewrite is the host's affair."""
    for cover in row.covers:
        part = Table().part((*row.element.split("/"), *cover.split("/")))
        assert part is not None
        assert part.effect is Effect.FREE


#: Whose parts the table does not have, and need not.
OTHERS = {
    **dict.fromkeys(
        (
            "lxc:",
            "xen:",
            "bhyve:",
            "vmware:",
            "idmap",
            "bootloader_args",
            "os/init",
            "os/root",
            "devices/disk/backenddomain",
            "devices/interface/backenddomain",
            "devices/filesystem/space_",
            "devices/interface/guest",
            "devices/interface/ip",
            "devices/interface/route",
            "devices/hostdev/ip",
            "devices/hostdev/route",
        ),
        "it is another hypervisor's",
    ),
    "devices/filesystem/@type": "a file system of another type is another device",
    "keywrap": "it is IBM Z's, and nobody has tried it",
    "launchSecurity": "such guests do not migrate",
    "@id": "it is a running guest's",
    "devices/hostdev/@model": "a mediated device of another model is another device",
    "devices/hostdev/@rawio": "it is a SCSI device's, and nobody has tried it",
    "devices/hostdev/@sgio": "it is a SCSI device's, and nobody has tried it",
    "devices/console/@tty": "it is a running guest's",
    "devices/parallel/@tty": "it is a running guest's",
    "devices/serial/@tty": "it is a running guest's",
    "devices/smartcard/target": "libvirt ignores it",
    "devices/interface/@managed": "nobody has tried it",
    "os/@firmware": "libvirt puts what it chose instead",
}


def test_all_of_libvirts_schema() -> None:
    """All that a domain can say by libvirt's schema is in the table, or has a reason not to be."""
    if not schema.DIRECTORY.exists():
        pytest.skip("libvirt's schemas are not installed")
    unknown = {path for path in schema.spots() if Table().part(tuple(path.split("/"))) is None}
    assert {path for path in unknown if not path.startswith(tuple(OTHERS))} == set()
    assert {begin for begin in OTHERS if not any(path.startswith(begin) for path in unknown)} == set()


def test_violations() -> None:
    """A violation tells the change, the edit in it, and what would come of it; harmless edits are none."""
    harmful = change(at("/domain/devices/disk[1]/source/@file"), at("/domain/name/text()"))
    harmless = change(at("/domain/devices/disk[2]/source/@file"))
    assert list(check((harmless, harmful), NOWHERE)) == [
        Violation(harmful, harmful.edits[1], "the guest's name untouched", "libvirt aborts the migration")
    ]


def test_requirement() -> None:
    """What the guard stops is refused, with the rule of the policy that asked for it."""
    violations = tuple(check((change(at("/domain/name/text()")),), NOWHERE))
    (judged,) = (one for one in requirements.ALL if one.code == "guard.abi")
    with open_facts(str(GOLDEN / "hosts" / "hostb")) as facts:
        subject = Subject(
            Event("g", Operation.MIGRATE),
            parse(b"<domain/>"),
            (),
            (),
            violations,
            Index((), ("b",)),
            Policy(),
            facts,
        )
        assert list(judged.judge(subject)) == [
            Unmet(
                Spot("somewhere", "/domain/name/text()"),
                "/domain/name/text()",
                "the guest's name untouched",
                "edit.mine would change it (p.toml:7): libvirt aborts the migration",
                "correct that rule of the policy",
            )
        ]
