"""The house: which module may import which. Faces on top, words at the ground, no circle."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Each module or package (longest prefix counts), with its layer. Imports go down, never up.
LAYERS = {
    "libhooks.protocol": 0,
    "libhooks.names": 0,
    "libhooks.event": 0,
    "libhooks.decision": 0,
    "libhooks.domain": 0,
    "libhooks.origin": 0,
    "libhooks.arrivals": 0,
    "libhooks.carried": 0,
    "libhooks.stamp": 0,
    "libhooks.waiver": 0,
    "libhooks.policy.model": 0,
    "libhooks.policy.diagnostic": 0,
    "libhooks.facts.model": 0,
    "libhooks.facts.machine.model": 0,
    "libhooks.facts.machine.words": 0,
    "libhooks.facts.surroundings.model": 0,
    "libhooks.facts.surroundings.words": 0,
    "libhooks.facts.service.model": 0,
    "libhooks.facts.service.words": 0,
    "libhooks.numbers": 0,
    "libhooks.abi": 0,
    "libhooks.ledger": 0,
    "libhooks.secrecy": 0,
    "libhooks.selection": 0,
    "libhooks.spots": 0,
    "libhooks.releases": 0,
    "libhooks.references": 1,
    "libhooks.places": 1,
    "libhooks.nearest": 1,
    "libhooks.chain": 1,
    "libhooks.stamping": 1,
    "libhooks.identification": 1,
    "libhooks.causes": 0,
    "libhooks.guard": 1,
    "libhooks.adjust": 1,
    "libhooks.edits": 1,
    "libhooks.requirements": 1,
    "libhooks.requirements.document": 5,
    "libhooks.policy.lint": 1,
    "libhooks.policy.overlap": 1,
    "libhooks.policy.reach": 1,
    "libhooks.engine": 2,
    "libhooks.repair": 2,
    "libhooks.door": 3,
    "libhooks.cases": 3,
    "libhooks.suggestions": 3,
    "libhooks.client": 4,
    "libhooks.inline": 4,
    "libhooks.service": 4,
    "libhooks.cli": 4,
    "libhooks.documents": 5,
    "libhooks.__main__": 5,
}
#: The edge reads files and finds words; of ours it imports itself and layer 0.
EDGE = (
    "libhooks.policy",
    "libhooks.facts",
    "libhooks.journal",
    "libhooks.libvirtd",
    "libhooks.originals",
    "libhooks.process",
    "libhooks.refusal",
)
#: Layers 1 and 3 in themselves: concepts that several modules share. All else is kept apart.
CONCEPTS = {
    "libhooks.places": {"libhooks.references.model"},
    "libhooks.door": {"libhooks.cases", "libhooks.cases.written"},
    "libhooks.policy.lint": {"libhooks.policy.overlap", "libhooks.policy.reach"},
    "libhooks.policy.reach": {"libhooks.policy.overlap"},
    "libhooks.chain": {
        "libhooks.places",
        "libhooks.references",
        "libhooks.references.model",
        "libhooks.references.storage",
    },
    "libhooks.identification": {"libhooks.places"},
    "libhooks.repair": {"libhooks.engine"},
    "libhooks.stamping": {"libhooks.references", "libhooks.references.model"},
    "libhooks.references": {
        f"libhooks.references.{one}" for one in ("model", "address", "device", "files", "network", "storage")
    },
    "libhooks.requirements": {
        f"libhooks.requirements.{one}"
        for one in (
            "model",
            "capacity",
            "deadline",
            "device",
            "device_vectors",
            "network",
            "network_wiring",
            "platform",
            "platform_cpu",
            "policy",
            "service",
            "service_host",
            "storage",
            "storage_access",
            "storage_exporter",
            "storage_identity",
            "storage_sharing",
        )
    },  # fmt: skip
}
SHARED = {
    "libhooks.cases.": {
        f"libhooks.cases.{one}" for one in ("answers", "case", "notation", "run", "shapes", "told")
    },
    "libhooks.suggestions.": {
        f"libhooks.suggestions.{one}" for one in ("model", "places", "records")
    },
    "libhooks.references.": {"libhooks.references.model", "libhooks.references.extras"},
    "libhooks.requirements.": {
        "libhooks.requirements.model", "libhooks.chain", "libhooks.guard", "libhooks.places",
        "libhooks.references.model", "libhooks.references.commandline",
        "libhooks.requirements.devices", "libhooks.requirements.emulators", "libhooks.requirements.others",
        "libhooks.requirements.sharing",
        "libhooks.requirements.service_settings",
    },
}  # fmt: skip
#: A face may call a face below it where one process is both.
FACES = {
    "libhooks.client": {"libhooks.inline"},
    "libhooks.cli": {"libhooks.inline", "libhooks.service.answerer", "libhooks.service.companion"},
}
#: What decides must not know of time, environment, files or logs.
IMPURE = {"os", "time", "pathlib", "structlog", "libvirt", "socket", "subprocess", "random", "logging"}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / "libhooks").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """What a module imports, at its top or inside a function: whole dotted names."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (one if one in MODULES else str(node.module) for one in below)


def prefix(name: str, table: dict[str, int]) -> int | None:
    """The entry of a table for a module: the longest prefix."""
    fits = [key for key in table if name == key or name.startswith(key + ".")]
    return table[max(fits, key=len)] if fits else None


def is_edge(name: str) -> bool:
    """Whether a module is at the edge: it reads files, and is no part of the layers."""
    return prefix(name, LAYERS) is None and name.startswith(EDGE)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "libhooks"])
def test_every_module_has_a_room(name: str) -> None:
    """Every module belongs to one layer or to the edge."""
    assert prefix(name, LAYERS) is not None or is_edge(name)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name: str) -> None:
    """A module imports what is below it; in layer 1 and among the faces, only what is named here."""
    for imported in imports(name):
        if imported.startswith("libhooks.") and not allowed(name, imported):
            pytest.fail(f"{name} imports {imported}")


def allowed(name: str, imported: str) -> bool:
    """Whether the house has that stair."""
    mine, theirs = prefix(name, LAYERS), prefix(imported, LAYERS)
    if is_edge(name):
        return is_edge(imported) or theirs == 0
    if mine is None or mine == 5:
        return True
    if is_edge(imported):
        return mine >= 3
    assert theirs is not None, imported
    if mine == 0 or theirs < mine:
        return theirs <= mine
    return theirs == mine and beside(name, imported, mine)


def beside(name: str, imported: str, layer: int) -> bool:
    """Whether two modules of one layer may know each other."""
    if layer == 4:
        own = any(
            name.startswith(one) and imported.startswith(one) for one in ("libhooks.cli", "libhooks.service")
        )
        return own or any(name.startswith(face) and imported in below for face, below in FACES.items())
    if imported in CONCEPTS.get(name, set()):
        return True
    return any(name.startswith(rows) and imported in shared for rows, shared in SHARED.items())


@pytest.mark.parametrize(
    "name", [name for name in MODULES if (prefix(name, LAYERS) or 0) <= 2 and not is_edge(name)]
)
def test_what_decides_is_pure(name: str) -> None:
    """Layers 0 to 2 import no clock, environment, file system, logging or libvirt."""
    assert not IMPURE & {imported.partition(".")[0] for imported in imports(name)}


@pytest.mark.parametrize("name", MODULES)
def test_libvirt_is_imported_in_one_place(name: str) -> None:
    """Calling libvirt from its hook deadlocks: one package alone imports it, for commands and companion."""
    ours = name.startswith("libhooks.libvirtd")
    assert ours or "libvirt" not in {imported.partition(".")[0] for imported in imports(name)}
    apart = ("libhooks.cli", "libhooks.service.", "libhooks.libvirtd")
    if not name.startswith(apart):
        assert not [one for one in imports(name) if one.startswith("libhooks.libvirtd")]
