"""Deciding in the hook's own process: libvirt's stdin and stdout around the door."""

from __future__ import annotations

import os
from typing import NoReturn

from libhooks import journal
from libhooks.domain import MAX_BYTES
from libhooks.door import INTERNAL, Answer, Settings, answer
from libhooks.event import Event, Operation


def main(event: Event, settings: Settings) -> NoReturn:
    """Answer libvirt and end the process, the record written before the answer is given."""
    libvirt = _take_stdout()
    given = answer(event, _read_document(), settings)
    given = recorded(event, given, settings.root)
    if given.stderr:
        _write(2, given.stderr.encode("utf-8", "replace"))
    if given.stdout:
        _write(libvirt, given.stdout)
    # Nothing is left to flush or close, and tearing the interpreter down costs milliseconds.
    os._exit(given.code)


def _take_stdout() -> int:
    """Keep stdout for the answer alone: whatever a library prints must not reach libvirt as XML."""
    libvirt = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return libvirt


def _read_document() -> bytes:
    """Stdin to its end, or to where it is too large for any domain."""
    chunks, size = [], 0
    while size <= MAX_BYTES:
        chunk = os.read(0, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def recorded(event: Event, given: Answer, root: str = "/") -> Answer:
    """The answer after its record is written; without one, an answer only if the policy allows that.

    A trial with the facts of another ``root`` writes below that root, not into this host's journal.
    """
    line = journal.encode(given.record)
    try:
        journal.append(root.rstrip("/") + given.policy.journal.path, line)
    except OSError as error:
        given = _unrecorded(event, given, error)
    if root == "/":
        journal.tell_system_log(line)
    return given


def _unrecorded(event: Event, given: Answer, error: OSError) -> Answer:
    if not given.policy.journal.required or event.operation is not Operation.MIGRATE:
        return given
    told = given.stderr or (
        f"libhooks: guest '{event.name}' is refused: its decision cannot be recorded, and the policy wants "
        f"a record (journal.required)\n  found:  {error.strerror or error}: {given.policy.journal.path}\n"
    )
    return given._replace(stdout=b"", stderr=told, code=given.code or INTERNAL)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
