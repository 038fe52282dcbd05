"""The journal's lines as the commands print them: structlog renders, in the journal's own form."""

from __future__ import annotations

import sys
from typing import BinaryIO

import structlog

from libhooks import journal


def _line(_: object, __: str, event: structlog.typing.EventDict) -> bytes:
    """The last processor: the record's line without its newline, which the logger adds."""
    return journal.encode(event["event"])[:-1]


def logger(stream: BinaryIO) -> structlog.typing.FilteringBoundLogger:
    """A logger whose ``info(record)`` writes the record's line to ``stream``."""
    bound: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream), processors=[_line]
    )
    return bound


def show(record: journal.Record) -> None:
    """Write a record to stdout as the journal has it."""
    sys.stdout.flush()
    logger(sys.stdout.buffer).info(record)  # type: ignore[arg-type]
