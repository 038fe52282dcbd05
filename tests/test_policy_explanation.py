"""What is explained of a decision is how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden_cases import Case, cases, expected, settings

from libhooks import engine, names, requirements
from libhooks.cli.explanation import Explanation, Standing, explanation
from libhooks.cli.explanation_json import told
from libhooks.decision import DEFAULT, Kind, Rule
from libhooks.domain import parse
from libhooks.door import brought
from libhooks.event import Event
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.names import Name
from libhooks.nearest import nearest
from libhooks.policy.load import load
from libhooks.policy.model import Place
from libhooks.requirements.model import Requirement

#: How a requirement stands that the record shows as an exemption, if nothing else of it counts.
EXEMPT = (Standing.OFF, Standing.WAIVED)
#: Cases where the engine comes to a decision, of each kind a few.
NAMES = (
    "main-job", "adjust-fit", "chain-from-headers", "chain-unmapped", "disk-path-to-volume-below",
    "edit-over-place", "edit-undoes-place", "guest-several", "guest-by-name-and-uuid", "host-unknown",
    "mode-audit-refused", "network-vlan-lost", "no-policy", "ref-device-malformed", "require-off",
    "require-unknown-warn", "resolve-ambiguous", "resolve-climbing", "restore-here-first", "storage-local",
    "guard-driver", "graphics-every-form", "exempt-in-a-refusal", "origin-tells", "origin-identity-rewrite",
    "origin-identity-verify", "require-audit", "waiver", "waiver-copy-storage", "waiver-copy-storage-disk",
    "waiver-denied", "req-storage-cache-exempt",
)  # fmt: skip
CASES = [case for case in cases() if case.name in NAMES]
assert len(CASES) == len(NAMES)


def explained(case: Case, scratch: Path) -> tuple[Explanation, set[str]]:
    """The explanation of a golden case, and the codes that were judged for it."""
    where, judged = settings(case, scratch), set()

    def noted(requirement: Requirement) -> Requirement:
        def judge(subject: object) -> object:
            judged.add(requirement.code)
            return requirement.judge(subject)  # type: ignore[arg-type]

        return requirement._replace(judge=judge)  # type: ignore[arg-type]

    policy, domain = load(where.policy), parse(case.document)
    event = Event(case.guest, case.operation)
    with open_facts(where.root, policy.deadline) as facts:
        own = policy.for_guest(event.name, domain.uuid)
        memo = Memo(facts, where.host)
        carried = brought(own, domain, event, memo.host())
        everything = tuple(map(noted, requirements.ALL))
        examined = engine.examine(event, domain, own, memo, everything, carried)
        return explanation(domain, policy, carried, examined), judged


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_explanation_tells_what_was_decided(case: Case, tmp_path: Path) -> None:
    """The verdict is the hook's; each requirement is told once, and as met only if it was judged."""
    found, judged = explained(case, tmp_path)
    record = expected(case).record
    assert found.decision.verdict.value == record["verdict"]
    assert found.policy.mode.value == record["mode"]
    standings = {one.requirement.code: one.standing for one in found.judged}
    assert set(standings) == {one.code for one in requirements.ALL}
    assert len(found.judged) == len(requirements.ALL)
    assert {code for code, one in standings.items() if one not in (Standing.OFF, Standing.SKIPPED)} == judged
    for counted, levels in (((Standing.UNMET, Standing.UNKNOWN), ("refuse", "warn")), (EXEMPT, ("off",))):
        of_record = {one["code"] for one in record["findings"] if one["level"] in levels}
        found_so = {code for code, one in standings.items() if one in counted}
        assert of_record <= found_so if counted is EXEMPT else of_record == found_so


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_explanation_tells_every_change(case: Case, tmp_path: Path) -> None:
    """What becomes of a name, an adjustment or an edit is found where the reasons of it are."""
    found = told(explained(case, tmp_path)[0])
    references = [one for outer in found["references"] for one in (outer, *outer["layers"])]
    renamed = {(one["name"], one["new"]) for one in references if one["outcome"] == "renamed"}
    tuned = {(one["old"], one["new"]) for line in found["tuned"] for one in line["changes"]}
    for change in expected(case).record["changes"]:
        of_edits = change["kind"] in ("adjust", "edit")
        assert (change["old"], change["new"]) in (tuned if of_edits else renamed)


@pytest.mark.parametrize(
    "name", ["text-secrets", "text-secrets-rewritten", "edit-secrets", "adjust-passwords"]
)
def test_an_explanation_tells_no_secret(name: str, tmp_path: Path) -> None:
    """Passwords, arguments of QEMU and the like are in no explanation, given by edits or not."""
    (case,) = [case for case in cases() if case.name == name]
    secrets = (
        "planted",
        "hunter2",
        "swordfish",
        "opensesame",
        "tunafish",
        "correct horse",
        "größer",
        "ssssss",
    )
    assert any(secret.encode() in case.document for secret in secrets)
    found = json.dumps(told(explained(case, tmp_path)[0]), ensure_ascii=False)
    assert [secret for secret in secrets if secret in found] == []


IMAGES = Place(
    Kind.STORAGE,
    "images",
    {"hosta": (names.path("/srv/images"),), "hostb": (names.pool("vms"), names.path("/var/lib/images"))},
    "",
    Rule("a.toml", 3),
    {"hosta": Rule("a.toml", 4), "hostb": Rule("a.toml", 5)},
)
CEPH = Place(
    Kind.STORAGE, "ceph", {"hosta": (names.store("rbd", "vms", ("mon1:6789",), "s1"),)}, "", DEFAULT, {}
)
STORE = "rbd:vms at mon1:6789"


@pytest.mark.parametrize(
    ("name", "near", "differs"),
    [
        (names.path("/srv/image/a.raw"), "/srv/images", 'it differs at "image" ("images" there)'),
        (names.path("/svr/images/a.raw"), "/srv/images", 'it differs at "svr" ("srv" there)'),
        (names.path("/srv"), "/srv/images", 'that lies below it, in "images"'),
        (names.path("/var/lib/libvirt/a"), "/var/lib/images", 'it differs at "libvirt" ("images" there)'),
        (names.pool("vmz", "a.raw"), "pool:vms", 'it differs at "vmz" ("vms" there)'),
        (names.store("rbd", "vms/a", ("mon2:6789",)), STORE, "its hosts are others: mon2:6789"),
        (names.store("rbd", "vms/a", ("mon1:6789",), "s2"), STORE, "its secret is another one"),
    ],
)
def test_the_nearest_place_is_told_with_the_difference(name: Name, near: str, differs: str) -> None:
    """Where no place fits, the name that has most in common says where the two part."""
    found = nearest(name, (Kind.STORAGE,), (IMAGES, CEPH))
    assert found is not None
    assert (str(found.name), found.differs) == (near, differs)


@pytest.mark.parametrize(
    "name", [names.path("/opt/vm/a.raw"), names.pool("default"), names.bridge("br0"), names.path("/")]
)
def test_what_has_little_in_common_is_not_near(name: Name) -> None:
    """A name that is like no other has no nearest one: a guess would lead astray."""
    assert nearest(name, (Kind.STORAGE,), (IMAGES, CEPH)) is None


def test_only_places_of_the_kind_are_near() -> None:
    """A file that is not among the places of files is not told to be near a store."""
    assert nearest(names.path("/srv/image"), (Kind.FILE,), (IMAGES,)) is None
