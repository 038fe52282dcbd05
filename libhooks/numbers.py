"""Numbers as libvirt and Linux write them, and sets of them: ``0-3,8``, ``0-7,^2``."""

from __future__ import annotations

from typing import Iterable

#: More CPUs than any host has; a range that is longer is garbage, not work.
_MOST = 1 << 16
#: The digits of the largest number that Linux writes (64 bits).
_DIGITS = 20


def decimal(text: str) -> int | None:
    """A number of at most 64 bits or so; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def numbers(text: str) -> frozenset[int]:
    """The numbers of a set, none for a blank text. Raises ValueError for what is no set."""
    found: set[int] = set()
    for part in text.strip().split(",") if text.strip() else ():
        bare = part.strip()
        if bare.startswith("^"):
            found -= _range(bare[1:])
        else:
            found |= _range(bare)
    return frozenset(found)


def _range(text: str) -> set[int]:
    first, dash, last = text.partition("-")
    low, high = _number(first), _number(last if dash else first)
    if high < low:
        raise ValueError(f"not a set of numbers: {text}")
    return set(range(low, high + 1))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8) or int(text) >= _MOST:
        raise ValueError(f"not a set of numbers: {text}")
    return int(text)


def written(found: Iterable[int]) -> str:
    """Numbers as a set is written, the shortest way; "none" for none."""
    parts: list[list[int]] = []
    for number in sorted(found):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{low}-{high}" if high > low else str(low) for low, high in parts) or "none"
