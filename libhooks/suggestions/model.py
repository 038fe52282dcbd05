"""What refusals say that a policy lacks."""

from __future__ import annotations

from typing import NamedTuple

from libhooks.decision import Kind
from libhooks.names import Name


class Refusal(NamedTuple):
    """A finding that refused a guest, in the words of its record."""

    id: str
    time: str
    host: str
    guest: str
    came_from: str
    code: str
    subject: str
    wanted: str
    found: str
    hint: str


class Want(NamedTuple):
    """A place that is missing, or lacks a name on the host that refused.

    ``name`` is what the guest calls it; ``place`` the place's ID, "" where there is none; ``here`` this
    host's name, where what the record found leaves no other.
    """

    kind: Kind
    name: Name | None
    place: str
    here: Name | None
    refusal: Refusal


class Wants(NamedTuple):
    """All that refusals come to: what places would have helped with, and what none would."""

    places: tuple[Want, ...]
    others: tuple[Refusal, ...]
