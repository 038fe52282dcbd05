"""Each mistake a policy can hold, and exactly what people are told about it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.lint import lint
from libhooks.policy.load import diagnose, load, with_lines
from libhooks.policy.render import counted, render

CASES = sorted(path for path in (Path(__file__).parent / "policies").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistakes_are_told_exactly_so(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every mistake is shown with its place, its line and what would help, and all of them at once."""
    expect = case / "expect.txt"
    told = _told(_own_copy(case / "policy.d", tmp_path))
    if request.config.getoption("--regenerate", False):
        expect.write_text(told)
    assert told == expect.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refusal_carries_one_line(case: Path, tmp_path: Path) -> None:
    """What a refused guest's owner reads of a broken policy is one short line of plain text."""
    directory = _own_copy(case / "policy.d", tmp_path)
    if diagnose(str(directory))[0] is None:
        with pytest.raises(PolicyError) as raised:
            load(str(directory))
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 400


def _own_copy(policy: Path, tmp_path: Path) -> Path:
    """A checkout may be writable by its group; a policy may not."""
    directory = Path(shutil.copytree(policy, tmp_path / "policy.d"))
    directory.chmod(0o755)
    for file in directory.iterdir():
        file.chmod(0o644)
    return directory


def _told(directory: Path) -> str:
    policy, diagnostics = diagnose(str(directory))
    if policy is not None:
        diagnostics = with_lines(lint(policy), str(directory))
        return f"{render(diagnostics)}\n{counted(diagnostics)}\n"
    return f"{render(diagnostics)}\n{counted(diagnostics)}\n{PolicyError(diagnostics)}\n"
