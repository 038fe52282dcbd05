"""docs/requirements.md says what the requirements say."""

from __future__ import annotations

from pathlib import Path
from typing import Union

import pytest

from libhooks import requirements
from libhooks.policy.schema import CODES
from libhooks.requirements.document import document
from libhooks.requirements.model import Requirement
from libhooks.requirements.service_host import HostRequirement

PAGE = Path(__file__).resolve().parents[1] / "docs" / "requirements.md"


def test_the_page_is_current(regenerate: bool) -> None:
    """Whoever changes a requirement changes what is written about it."""
    if regenerate:
        PAGE.write_text(document())
    assert PAGE.read_text() == document()


@pytest.mark.parametrize("requirement", requirements.everything(), ids=lambda one: one.code)
def test_each_is_explained(requirement: Union[Requirement, HostRequirement]) -> None:
    """A policy can name it once, and its text says what, why and how to fix it."""
    assert [one.code for one in requirements.everything()].count(requirement.code) == 1
    assert requirement.code in CODES
    first = (requirement.judge.__doc__ or "").splitlines()[0]
    assert first.endswith(".")
