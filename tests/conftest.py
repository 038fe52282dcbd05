"""What all tests share: where things are, and how golden files are written anew."""

from __future__ import annotations

import signal

import pytest

pytest_plugins = ["answering", "installer", "lab.fixture"]


# Under nohup, or behind an & of a script, these are ignored, and so they would be by all that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate", action="store_true", help="write golden files anew; review them as a diff"
    )


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--regenerate"))
