"""Deciding in the hook's own process: libvirt's stdin and stdout around the door."""

from __future__ import annotations

import fcntl
import os
from typing import NoReturn

from libhooks import journal, process, refusal
from libhooks.door import INTERNAL, Answer, Settings, answer
from libhooks.event import Event, Operation
from libhooks.policy.model import Mode, OnInvalid

_RECORD_HINT = "make room for the journal, or set required = false in [journal]"


def main(event: Event, settings: Settings, before: str = "", document: bytes | None = None) -> NoReturn:
    """Answer libvirt and end the process, the record written before the answer is given.

    ``before`` stands in front of what is said on stderr, if anything is. The document comes from stdin,
    unless that has been read.
    """
    if document is None:
        document = process.read_document()
    libvirt = _take_stdout()
    given = recorded(event, kept(answer(event, document, settings), settings), settings.root)
    # A reason that nobody reads leaves the verdict as it is; a document that nobody reads is no answer.
    if given.stderr:
        process.told(2, (before + given.stderr).encode("utf-8", "replace"))
    code = given.code if process.told(libvirt, given.stdout) else INTERNAL
    # Nothing is left to flush or close, and tearing the interpreter down costs milliseconds.
    os._exit(code)


def _take_stdout() -> int:
    """Keep stdout for the answer alone: whatever a library prints must not reach libvirt as XML."""
    try:
        # Above the three streams: where one of them is closed, the copy must not pass for it.
        libvirt = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 3)
    except OSError:  # closed: nothing can be written to this one either
        libvirt = -1
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != 1:
        os.dup2(nowhere, 1)
        os.close(nowhere)
    return libvirt


def kept(given: Answer, settings: Settings) -> Answer:
    """The answer after its policy, if it asks for that, is kept for the time when it is invalid.

    That it could not be kept stands in the record; no guest is refused for it.
    """
    directory, wanted = settings.last_good, given.policy.on_invalid is OnInvalid.LAST_GOOD
    unread = given.failure is not None and not given.policy.present
    if unread or not directory or not (wanted or os.path.isdir(directory)):
        return given
    from libhooks.policy import lastgood  # few policies ask for it

    try:
        if wanted:
            lastgood.keep(given.policy, settings.policy, directory)
        else:
            lastgood.drop(directory)
    except OSError as error:
        told = f"the last good policy cannot be kept: {directory}: {error.strerror or error}"
        before = given.record["error"]
        return given._replace(record={**given.record, "error": f"{before}; {told}" if before else told})
    return given


def recorded(event: Event, given: Answer, root: str = "/") -> Answer:
    """The answer after its record is written; without one, an answer only if the policy allows that.

    A trial with the facts of another ``root`` writes below that root, not into this host's journal.
    """
    line = journal.encode(given.record)
    try:
        process.append(root.rstrip("/") + given.policy.journal.path, line)
    except OSError as error:
        given = _unrecorded(event, given, error)
    if root == "/":
        process.tell_system_log(line)
    return _kept(given, root) if given.case or given.caseless else given


def _kept(given: Answer, root: str) -> Answer:
    """The answer after its case is kept. Where it can't be, nobody waits: the refusal and the log say so."""
    from libhooks.cases import keep  # few policies want it

    directory, why = keep.directory(given.policy.journal.path), given.caseless
    try:
        if given.case:
            keep.keep(root.rstrip("/") + directory, str(given.record["id"]), given.case)
    except OSError as error:
        why = f"{directory}: {error.strerror or error}"
    if not why:
        return given
    note = f"no case of record {given.record['id']} was kept: {why}"
    if root == "/":
        process.tell_system_log(note.encode("ascii", "backslashreplace"))
    return given._replace(stderr=refusal.noted(given.stderr, note)) if given.stderr else given


def _unrecorded(event: Event, given: Answer, error: OSError) -> Answer:
    """What becomes of a guest whose record is lost: only a policy in force can want it refused for that."""
    detail = f"{given.policy.journal.path}: {error.strerror or error}"
    if given.stderr:
        return given._replace(stderr=refusal.unrecorded(given.stderr, detail))
    demanded = given.policy.journal.required and given.policy.mode is Mode.ENFORCE
    if not demanded or event.operation is not Operation.MIGRATE:
        return given
    what = "its decision cannot be recorded, and the policy wants a record"
    told = refusal.failure(str(given.record["host"]), event.name, what, detail, _RECORD_HINT, "")
    return given._replace(stdout=b"", stderr=told, code=INTERNAL)
