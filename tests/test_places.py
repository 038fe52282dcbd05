"""Places: what a name is called here, whatever host the guest comes from."""

from __future__ import annotations

from typing import Mapping

import pytest
from lxml import etree

from libhooks import names
from libhooks.decision import Kind, Rule, Spot
from libhooks.event import Operation
from libhooks.names import Name
from libhooks.places import Index, Outcome
from libhooks.policy.model import Place, best_pattern
from libhooks.references import ROWS
from libhooks.references.model import Reference, Role, Row

DISK = next(row for row in ROWS if row.element == "devices/disk/source")
KERNEL = next(row for row in ROWS if row.element == "os/kernel")
INTERFACE = next(row for row in ROWS if row.element == "devices/interface/source")
LISTEN = next(row for row in ROWS if row.element == "devices/graphics/listen" and row.covers == ("@address",))

At = Mapping[str, "tuple[Name, ...]"]


def place(kind: Kind, id: str, at: At) -> Place:
    rules = {pattern: Rule("p.toml", line) for line, pattern in enumerate(at, 2)}
    return Place(kind, id, at, "", Rule("p.toml", 1), rules)


def storage(id: str, **at: str) -> Place:
    """A storage place; one name or several with blanks between them for each host."""
    return place(
        Kind.STORAGE, id, {host: tuple(_name(word) for word in told.split()) for host, told in at.items()}
    )


def _name(word: str) -> Name:
    return names.pool(word[5:]) if word.startswith("pool:") else names.path(word)


def resolved(
    places: tuple[Place, ...],
    text: str,
    me: str = "b",
    operation: Operation = Operation.MIGRATE,
    row: Row = DISK,
) -> tuple[Outcome, str]:
    """What becomes of a path: the outcome, and the name that it gets ("" for none)."""
    return _told(places, _name(text), me, operation, row)


def _told(
    places: tuple[Place, ...], name: Name, me: str, operation: Operation, row: Row
) -> tuple[Outcome, str]:
    reference = Reference(row, Spot("disk vda", "/domain"), name, Role.IMAGE, True, None)
    found = Index(places, (me,)).resolve(reference, operation)
    return found.outcome, str(found.new) if found.new else ""


NOTHING = (Outcome.NO_PLACE, "")
KEPT = (Outcome.KEPT, "")
UNMAPPED = (Outcome.UNMAPPED, "")
AMBIGUOUS = (Outcome.AMBIGUOUS, "")


def renamed(new: str) -> tuple[Outcome, str]:
    return Outcome.RENAMED, new


IMAGES = (storage("images", a="/srv/images", b="/mnt/store"),)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/srv/images/web1", renamed("/mnt/store/web1")),
        ("/srv/images/deep/er/web1", renamed("/mnt/store/deep/er/web1")),
        ("/srv/images", renamed("/mnt/store")),
        ("//srv/./images///web1/", renamed("/mnt/store/web1")),
        ("/srv/images/..web1", renamed("/mnt/store/..web1")),
        ("/srv/images/...", renamed("/mnt/store/...")),
        ("/srv/images2/web1", NOTHING),
        ("/srv/image", NOTHING),
        ("/srv", NOTHING),
        ("/", NOTHING),
        ("/SRV/images/web1", NOTHING),
        ("/other/srv/images/web1", NOTHING),
        ("/mnt/store/web1", KEPT),
        ("/srv/images/../x", (Outcome.UNREADABLE, "")),
        ("/elsewhere/..", (Outcome.UNREADABLE, "")),
    ],
)
def test_a_path_under_a_place(text: str, answer: tuple[Outcome, str]) -> None:
    """Names are compared as text, by whole components, after superfluous slashes and dots are gone."""
    assert resolved(IMAGES, text) == answer


NESTED = (storage("all", a="/srv", b="/mnt/all"), storage("fast", a="/srv/fast", b="/mnt/fast", c="/srv"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/srv/fast/web1", AMBIGUOUS),  # on host c it would be fast/web1 of fast
        ("/srv/web1", AMBIGUOUS),
        ("/mnt/all/fast/web1", KEPT),
    ],
)
def test_the_longest_name_of_each_host(text: str, answer: tuple[Outcome, str]) -> None:
    """Each host's longest name that contains a path is that host's answer, and all hosts are asked."""
    assert resolved(NESTED, text) == answer
    assert resolved(
        NESTED[:1] + (storage("fast", a="/srv/fast", b="/mnt/fast"),), "/srv/fast/web1"
    ) == renamed("/mnt/fast/web1")


@pytest.mark.parametrize(
    ("places", "text", "answer"),
    [
        # One answer, however many hosts give it.
        ((storage("p", a="/x", c="/x", d="/x", b="/y"),), "/x/1", renamed("/y/1")),
        # This host calls it so as well.
        ((storage("p", a="/x", b="/y /x"),), "/x/1", KEPT),
        ((storage("p", a="/x /y", b="/y"),), "/y/1", KEPT),
        # A second name of the other host.
        ((storage("p", a="/x /z", b="/y"),), "/z/1", renamed("/y/1")),
        # No name here.
        ((storage("p", a="/x", c="/z"), storage("q", b="/q")), "/x/1", UNMAPPED),
        ((storage("p", a="/x"), storage("r", c="/x"), storage("q", b="/q")), "/x/1", UNMAPPED),
        # Different places, different answers.
        ((storage("p", a="/x", b="/y"), storage("q", c="/x", b="/z")), "/x/1", AMBIGUOUS),
        ((storage("p", a="/x", b="/y"), storage("q", c="/x")), "/x/1", AMBIGUOUS),
        ((storage("p", a="/x", b="/y"), storage("q", c="/x", b="/x")), "/x/1", AMBIGUOUS),
        ((storage("p", a="/x", b="/y"), storage("q", a="/q", b="/x")), "/x/1", AMBIGUOUS),
        # Different places, and yet the same answer.
        ((storage("p", a="/x", b="/y"), storage("q", c="/x/1", b="/y/1")), "/x/1/2", renamed("/y/1/2")),
        # The same place at different depths.
        ((storage("p", a="/x", c="/x/1", b="/y"),), "/x/1/2", AMBIGUOUS),
        ((storage("p", a="/x", c="/x/1", b="/y"),), "/x/2", renamed("/y/2")),
        # Names of another form.
        ((storage("p", a="/x", b="pool:v /y"),), "/x/1", renamed("/y/1")),
        ((storage("p", a="/x", b="pool:v"),), "/x/1", renamed("pool:v/1")),
        ((storage("p", a="/x", b="pool:v"),), "/x/1/2", (Outcome.UNFIT, "pool:v/1/2")),
        ((storage("p", a="/x", b="pool:v"),), "/x", (Outcome.UNFIT, "pool:v")),
        ((storage("p", a="pool:v /x", b="/y"),), "/x/1", renamed("/y/1")),
    ],
)
def test_resolution(places: tuple[Place, ...], text: str, answer: tuple[Outcome, str]) -> None:
    """Where a guest comes from is not known: every host of the policy is asked, and all have to agree."""
    assert resolved(places, text) == answer


@pytest.mark.parametrize(
    ("places", "text", "answer"),
    [
        # Ambiguous at migrate; a saved guest was saved here, under this host's name.
        ((storage("p", a="/x", b="/y"), storage("q", c="/x", b="/x")), "/x/1", KEPT),
        ((storage("p", a="/x", b="/y"), storage("q", c="/q", b="/x/1")), "/x/1/2", KEPT),
        ((storage("p", a="/x", b="/y"), storage("q", c="/q", b="/x/1")), "/x/2", renamed("/y/2")),
        # None of this host's names: as at migrate.
        ((storage("p", a="/x", b="/y"), storage("q", c="/x", b="/z")), "/x/1", AMBIGUOUS),
    ],
)
def test_restore(places: tuple[Place, ...], text: str, answer: tuple[Outcome, str]) -> None:
    """A saved guest whose name lies under one of this host's comes from this host."""
    assert resolved(places, text, operation=Operation.RESTORE) == answer


def test_file_before_storage() -> None:
    """A file place answers before a storage place does; only where none does, storage is asked."""
    kernel = place(
        Kind.FILE, "kernel", {"a": (names.path("/x/vmlinuz"),), "b": (names.path("/boot/vmlinuz"),)}
    )
    places = (storage("p", a="/x", b="/y"), kernel)
    assert resolved(places, "/x/vmlinuz", row=KERNEL) == renamed("/boot/vmlinuz")
    assert resolved(places, "/x/initrd", row=KERNEL) == renamed("/y/initrd")
    reference = Reference(KERNEL, Spot("", "/domain"), names.path("/x/vmlinuz"), Role.BOOT, False, None)
    assert Index(places, ("b",)).resolve(reference, Operation.MIGRATE).kind is Kind.FILE


def test_rule() -> None:
    """An answer names the line of the policy that says what this host calls the place."""
    reference = Reference(DISK, Spot("", "/domain"), names.path("/srv/images/1"), Role.IMAGE, True, None)
    found = Index(IMAGES, ("b",)).resolve(reference, Operation.MIGRATE)
    assert found.rule == Rule("p.toml", 3)
    assert found.place == IMAGES[0]


def test_ambiguity_is_told() -> None:
    """An ambiguous name is told with what each host's place would make of it."""
    places = (storage("p", a="/x", b="/y"), storage("q", c="/x", d="/x"), storage("r", b="/x", e="/r"))
    reference = Reference(DISK, Spot("", "/domain"), names.path("/x/1"), Role.IMAGE, True, None)
    found = Index(places, ("b",)).resolve(reference, Operation.MIGRATE)
    assert sorted(found.answers) == [
        "from a (storage.p): /y/1",
        "from b (storage.r): itself",
        "from c (storage.q): no name here",
        "from d (storage.q): no name here",
    ]


@pytest.mark.parametrize(
    ("patterns", "names_", "best"),
    [
        (("hosta", "hostb"), ("hostb",), "hostb"),
        (("hosta", "hostc"), ("hostb",), None),
        (("host*", "hostb"), ("hostb",), "hostb"),
        (("hostb*", "hostb"), ("hostb",), "hostb"),
        (("*", "host*", "ho*"), ("hostb",), "host*"),
        (("host?", "host*"), ("hostb-long",), "host*"),
        (("host[ab]", "*"), ("hostb",), "host[ab]"),
        (("HOSTB",), ("hostb",), "HOSTB"),
        (("hostb",), ("HostB",), "hostb"),
        (("Host*",), ("hOSTb",), "Host*"),
        (("hostb", "hostb.example.org"), ("hostb.example.org", "hostb"), "hostb.example.org"),
        (("hostb", "*.example.org"), ("hostb.example.org", "hostb"), "hostb"),
        (("*.example.org", "host*"), ("hostb.example.org", "hostb"), "*.example.org"),
        ((), ("hostb",), None),
        (("hostb", "*"), (), None),
    ],
)
def test_best_pattern(patterns: tuple[str, ...], names_: tuple[str, ...], best: str | None) -> None:
    """An exact name beats a glob, a glob with more literal characters one with fewer; case does not count."""
    assert best_pattern(patterns, names_) == best


def test_equal_patterns() -> None:
    """Two globs that fit a host equally well are an error that names both."""
    with pytest.raises(ValueError, match=r'^"host\?" and "\?ostb" fit host hostb equally well$'):
        best_pattern(("host?", "?ostb"), ("hostb",))
    with pytest.raises(ValueError, match="equally well"):
        Index((storage("p", **{"host?": "/x", "?ostb": "/y"}),), ("hostb",))


GLOBBED = (storage("images", a="/srv/images", **{"rack2-*": "/mnt/store /images", "rack2-9": "/own"}),)


@pytest.mark.parametrize(
    ("me", "text", "answer"),
    [
        ("rack2-1", "/srv/images/1", renamed("/mnt/store/1")),
        ("rack2-9", "/srv/images/1", renamed("/own/1")),
        ("rack2-9", "/mnt/store/1", renamed("/own/1")),
        ("rack2-9", "/images/1", renamed("/own/1")),
        ("rack2-1", "/images/1", KEPT),
        ("rack2-1", "/own/1", renamed("/mnt/store/1")),
        ("a", "/images/1", renamed("/srv/images/1")),
        ("rack3-1", "/images/1", UNMAPPED),
    ],
)
def test_globs(me: str, text: str, answer: tuple[Outcome, str]) -> None:
    """A glob is a host of the policy like any other: guests come from it, and go to it."""
    assert resolved(GLOBBED, text, me) == answer


def test_a_host_named_elsewhere() -> None:
    """A host that one place names exactly has by a glob what another place says of its like."""
    places = (storage("p", **{"rack*": "/x", "b": "/y"}), storage("q", **{"rack7": "/x/1", "b": "/z"}))
    assert resolved(places, "/x/1/2") == AMBIGUOUS  # from rack7: /z/2; from any other rack: /y/1/2
    assert resolved(places, "/x/2") == renamed("/y/2")


def network(**at: str) -> tuple[Place, ...]:
    forms = {"bridge": names.bridge, "ovs": names.ovs, "network": names.network, "direct": names.direct}
    told = {host: tuple(_of_form(forms, word) for word in words.split()) for host, words in at.items()}
    return (place(Kind.NETWORK, "prod", told),)


def _of_form(forms: Mapping[str, object], word: str) -> Name:
    form, _, rest = word.partition(":")
    maker = forms[form]
    assert callable(maker)
    made = maker(*rest.split("/"))
    assert isinstance(made, Name)
    return made


@pytest.mark.parametrize(
    ("places", "name", "answer"),
    [
        (network(a="bridge:br0", b="network:n"), names.bridge("br0"), renamed("network:n")),
        (network(a="bridge:br0", b="network:n/web"), names.bridge("br0"), renamed("network:n/web")),
        (network(a="bridge:br0", b="network:n"), names.ovs("br0"), NOTHING),
        (network(a="bridge:br0", b="network:n"), names.bridge("br01"), NOTHING),
        (network(a="network:m", b="network:n"), names.network("m", "web"), renamed("network:n/web")),
        (network(a="network:m", b="bridge:n"), names.network("m", "web"), (Outcome.UNFIT, "bridge:n/web")),
        (
            network(a="network:m", b="network:n/db"),
            names.network("m", "web"),
            (Outcome.UNFIT, "network:n/db/web"),
        ),
        (network(a="network:m/web", b="bridge:n"), names.network("m", "web"), renamed("bridge:n")),
        (network(a="network:m/web", b="bridge:n"), names.network("m"), NOTHING),
        (
            network(a="direct:eth0", b="direct:eth1"),
            names.direct("eth0", "vepa"),
            renamed("direct:eth1/vepa"),
        ),
        (
            network(a="direct:eth0/vepa", b="direct:eth1/bridge"),
            names.direct("eth0", "vepa"),
            renamed("direct:eth1/bridge"),
        ),
        (network(a="direct:eth0/vepa", b="direct:eth1"), names.direct("eth0", "bridge"), NOTHING),
        (network(a="bridge:br0 network:m", b="ovs:o network:n"), names.network("m"), renamed("network:n")),
        (network(a="bridge:br0 network:m", b="ovs:o network:n"), names.bridge("br0"), renamed("ovs:o")),
    ],
)
def test_networks(places: tuple[Place, ...], name: Name, answer: tuple[Outcome, str]) -> None:
    """What follows a network's name is its port group, what follows a device's is its mode."""
    assert _told(places, name, "b", Operation.MIGRATE, INTERFACE) == answer


RBD = names.store("rbd", "vms", ("m1:6789", "m2:6789"), "secret-a")
BARE = names.store("rbd", "vms")


@pytest.mark.parametrize(
    ("theirs", "mine", "name", "answer"),
    [
        (
            BARE,
            names.store("rbd", "p2"),
            names.store("rbd", "vms/1", ("m1",)),
            names.store("rbd", "p2/1", ("m1",)),
        ),
        (
            RBD,
            names.store("rbd", "p2", ("m9",)),
            names.store("rbd", "vms/1", ("m2:6789", "m1:6789")),
            names.store("rbd", "p2/1", ("m9",)),
        ),
        (RBD, BARE, names.store("rbd", "vms/1", ("m1:6789",)), None),
        (RBD, BARE, names.store("rbd", "vms/1"), None),
        (
            BARE,
            names.store("gluster", "vol"),
            names.store("rbd", "vms/1", ("m1",)),
            names.store("gluster", "vol/1"),
        ),
        (BARE, names.path("/mnt/rbd"), names.store("rbd", "vms/1", ("m1",)), names.path("/mnt/rbd/1")),
        (
            names.path("/mnt/rbd"),
            RBD,
            names.path("/mnt/rbd/1"),
            names.store("rbd", "vms/1", ("m1:6789", "m2:6789"), "secret-a"),
        ),
        (
            BARE,
            names.store("rbd", "p2", (), "s"),
            names.store("rbd", "vms/1", ("m1",), "t"),
            names.store("rbd", "p2/1", ("m1",), "s"),
        ),
        (
            names.store("nbd", "", ("h:1",)),
            names.store("nbd", "", ("h:2",)),
            names.store("nbd", "exp", ("h:1",)),
            names.store("nbd", "exp", ("h:2",)),
        ),
        (BARE, names.store("rbd", "p2"), names.store("rbd", "vms2/1"), None),
        (BARE, names.store("rbd", "p2"), names.store("nbd", "vms/1"), None),
    ],
)
def test_network_disks(theirs: Name, mine: Name, name: Name, answer: Name | None) -> None:
    """A place's hosts are part of its name where it names any; else the disk keeps its own."""
    places = (place(Kind.STORAGE, "p", {"a": (theirs,), "b": (mine,)}),)
    reference = Reference(DISK, Spot("", "/domain"), name, Role.IMAGE, True, None)
    assert Index(places, ("b",)).resolve(reference, Operation.MIGRATE).new == answer


def test_a_reference_that_cannot_take_the_name() -> None:
    """A kernel can only be a file: a pool is unfit for it, with the reason."""
    reference = Reference(
        KERNEL, Spot("", "/domain"), names.path("/x/1"), Role.BOOT, False, etree.Element("kernel")
    )
    found = Index((storage("p", a="/x", b="pool:v"),), ("b",)).resolve(reference, Operation.MIGRATE)
    assert (found.outcome, found.why) == (Outcome.UNFIT, "it cannot be a pool")
    assert found.now == names.path("/x/1")


def test_malformed() -> None:
    """Text that can be no name has no answer, whatever the policy."""
    reference = Reference(DISK, Spot("", "/domain"), None, Role.IMAGE, True, None, "not an absolute path: x")
    found = Index(IMAGES, ("b",)).resolve(reference, Operation.MIGRATE)
    assert (found.outcome, found.why, found.now) == (Outcome.UNREADABLE, "not an absolute path: x", None)


@pytest.mark.parametrize(
    ("places", "me", "known"),
    [
        (IMAGES, "b", True),
        (IMAGES, "a", True),
        (IMAGES, "c", False),
        ((), "b", False),
        (GLOBBED, "rack2-5", True),
        ((storage("p", a="/x"), storage("q", b="/y")), "b", True),
    ],
)
def test_knows_host(places: tuple[Place, ...], me: str, known: bool) -> None:
    """A policy knows a host that any of its places has a name for."""
    assert Index(places, (me,)).knows_host is known


def test_addresses() -> None:
    """Addresses are whole names: nothing lies under one."""
    places = (
        place(Kind.ADDRESS, "c", {"a": (names.address("192.0.2.1"),), "b": (names.address("192.0.2.2"),)}),
    )
    assert _told(places, names.address("192.0.2.1"), "b", Operation.MIGRATE, LISTEN) == renamed("192.0.2.2")
    assert _told(places, names.address("192.0.2.11"), "b", Operation.MIGRATE, LISTEN) == NOTHING
