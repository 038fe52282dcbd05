"""The catalogue of what can be wrong with a policy."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

from libhooks.policy.mistakes import MISTAKES
from libhooks.policy.schema import CODES

ROOT = Path(__file__).resolve().parents[1]
#: What makes a diagnostic of a code, its first argument or the one that is given by name.
_MAKERS = {"error", "_error", "_warning", "at_key", "at_value", "Diagnostic", "Idle"}


def made() -> Iterator[str]:
    """The codes that the modules of the policy give to diagnostics."""
    for path in (ROOT / "libhooks" / "policy").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in _MAKERS:
                    yield str(node.args[0].value)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                names, values = node.targets[0].elts, getattr(node.value, "elts", [])
                for one, value in zip(names, values):
                    if getattr(one, "id", "") == "code":
                        yield str(value.value)


def test_every_code_is_explained() -> None:
    """Each code that a diagnostic can have says what it means, and none is explained that there is not."""
    assert set(made()) == set(MISTAKES)
    assert all(words.endswith(".") for words in MISTAKES.values())


def test_codes_are_no_requirements() -> None:
    """``libhooks explain`` tells diagnostics and requirements apart by their names."""
    assert not set(MISTAKES) & set(CODES)


def test_every_code_is_tried() -> None:
    """Each stands in a golden case or a test, as people see it."""
    goldens = (*(ROOT / "tests" / "policies").glob("*/expect.txt"), *(ROOT / "tests").glob("screens/*.txt"))
    told = "".join(path.read_text() for path in (*goldens, *(ROOT / "tests").glob("test_policy_l*.py")))
    assert [code for code in MISTAKES if not re.search(rf"\b{code}[\]\":]", told)] == []
