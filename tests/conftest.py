"""What all tests share: where things are, and how golden files are written anew."""

from __future__ import annotations

import pytest

pytest_plugins = ["installer", "lab.fixture"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate", action="store_true", help="write golden files anew; review them as a diff"
    )


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--regenerate"))
