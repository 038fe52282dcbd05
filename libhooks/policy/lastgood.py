"""The last valid policy's files, kept for the time when the policy is invalid (``policy.on-invalid``).

A copy is a directory that is named by its policy's digest, so one that was cut short or altered is none. It
appears in one rename, and the ones before it go.
"""

from __future__ import annotations

import fcntl
import os
from typing import NamedTuple

from libhooks.policy import files
from libhooks.policy.files import Source
from libhooks.policy.load import diagnose, digest
from libhooks.policy.model import OnInvalid, Policy


class LastGood(NamedTuple):
    """A policy that was valid, and the time since when it is kept, in seconds since the epoch."""

    policy: Policy
    time: float


def find(directory: str) -> LastGood | None:
    """The last good policy, if it is whole, nobody but its owner could write it, and it says so itself."""
    try:
        newest = max(_copies(directory), key=lambda one: os.stat(one).st_mtime_ns, default=None)
        if newest is None or files.untrusted(os.path.dirname(directory)) or files.untrusted(directory):
            return None
        policy, _ = diagnose(newest)
        time = os.stat(newest).st_mtime
    except OSError:
        return None  # as if there were none: the policy that is invalid is what people are told of
    whole = policy is not None and policy.digest == os.path.basename(newest)
    return LastGood(policy, time) if policy and whole and policy.on_invalid is OnInvalid.LAST_GOOD else None


def keep(policy: Policy, path: str, directory: str) -> None:
    """Keep the files of a valid policy, unless they are kept already. Raises OSError if that fails."""
    copy = os.path.join(directory, policy.digest)
    if [copy] == _copies(directory) and _is(policy, _read(copy)):
        return
    sources = _read(path)
    if not _is(policy, sources):
        return  # edited since it was read: the next guest will find what is valid then
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with _Locked(directory) as locked:
        if locked:
            _write(sources, copy)
    if not _is(policy, _read(copy)):
        raise OSError(f"{copy}: not what was written")


def drop(directory: str) -> None:
    """Keep none. Raises OSError if that fails."""
    with _Locked(directory) as locked:
        for name in os.listdir(directory) if locked else ():
            _remove(os.path.join(directory, name))


class _Locked:
    """Holds a directory; False where another hook does, which is then about to do the same."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def __enter__(self) -> bool:
        self._held = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        os.close(self._held)


def _copies(directory: str) -> list[str]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    return [os.path.join(directory, name) for name in names if not name.startswith(".")]


def _read(path: str) -> tuple[Source, ...]:
    """The files of a policy; none of them where one is not to be trusted."""
    sources, problems = files.read(path)
    return () if problems else sources


def _is(policy: Policy, sources: tuple[Source, ...]) -> bool:
    return digest(sources) == policy.digest


def _write(sources: tuple[Source, ...], copy: str) -> None:
    """Under the lock: whatever else stands there is left over."""
    directory = os.path.dirname(copy)
    arriving = os.path.join(directory, ".new")
    _remove(arriving)
    os.mkdir(arriving, 0o700)
    for name, data in sources:
        descriptor = os.open(os.path.join(arriving, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fsync(descriptor)
    _remove(copy)
    os.rename(arriving, copy)
    for other in _copies(directory):
        if other != copy:
            _remove(other)


def _remove(path: str) -> None:
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        for name in os.listdir(path):
            _remove(os.path.join(path, name))
        os.rmdir(path)
