"""What the companion says of itself: sentences with their details, for systemd's journal or a terminal."""

from __future__ import annotations

import os
import sys

import structlog

Speaker = structlog.typing.FilteringBoundLogger

_PRIORITIES = {"info": 6, "warning": 4, "error": 3}


def _line(_: object, level: str, event: structlog.typing.EventDict) -> str:
    sentence = str(event.pop("event"))
    details = "".join(f"  {key}: {value}" for key, value in event.items())
    told = "".join(one if one.isprintable() else "?" for one in sentence + details)
    # systemd takes the level from the head of a line; nobody else wants to see it.
    return f"<{_PRIORITIES[level]}>{told}" if "JOURNAL_STREAM" in os.environ else told


def speaker() -> Speaker:
    """A logger: ``info``, ``warning`` and ``error`` take a sentence and its details."""
    bound: Speaker = structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=[_line])
    return bound
