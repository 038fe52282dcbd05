"""What one requirement leaves to another, so that a guest is told of it once."""

from __future__ import annotations

from libhooks.decision import Level
from libhooks.requirements.model import Subject


def left_to(code: str, subject: Subject) -> bool:
    """Whether another requirement says so. Where that is off for the guest, nobody else would."""
    return subject.policy.setting(code, Level.REFUSE).level is not Level.OFF
