"""Sets of CPUs and nodes, as libvirt and Linux write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libhooks.numbers import numbers, written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set()),
        (" \n", set()),
        ("0", {0}),
        ("0-3,8\n", {0, 1, 2, 3, 8}),
        ("0-7,^2", {0, 1, 3, 4, 5, 6, 7}),
        (" 1 , 3-3 ", {1, 3}),
    ],
)
def test_sets(text: str, found: set[int]) -> None:
    """Numbers, ranges, and what is left out again."""
    assert numbers(text) == found


@pytest.mark.parametrize("text", ["a", "1-", "-1", "3-1", "1,,2", "0-99999999", "²", "1 2", "0x1"])
def test_no_sets(text: str) -> None:
    """Anything else is an error, and no endless work."""
    with pytest.raises(ValueError, match="not a set of numbers"):
        numbers(text)


@given(st.frozensets(st.integers(min_value=0, max_value=300)))
def test_written(found: frozenset[int]) -> None:
    """What is written reads as what it was."""
    assert numbers(written(found) if found else "") == found


def test_written_shortly() -> None:
    """Neighbours are a range."""
    assert (written({3, 1, 2, 8}), written(())) == ("1-3,8", "none")
