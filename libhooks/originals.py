"""The saved definitions that were repaired: what each was before, kept for whoever wants it back."""

from __future__ import annotations

import json
import os
from typing import Iterator, NamedTuple

DIRECTORY = "/var/lib/libhooks/definitions"


class Original(NamedTuple):
    """A definition as it was before its repair by the record ``id``. ``time`` is the repair's, RFC 3339."""

    id: str
    time: str
    name: str
    uuid: str
    document: bytes


class Originals:
    """The directory of them, root's alone: definitions hold passwords. One for each record, for ever."""

    def __init__(self, directory: str = DIRECTORY) -> None:
        self._directory = directory

    def has(self, id: str) -> bool:
        """Whether the definition of a record's guest was repaired already."""
        return os.path.exists(self._path(id, "json"))

    def keep(self, original: Original) -> None:
        """Keep a definition that is about to be repaired. Raises OSError where it cannot be, for certain."""
        os.makedirs(self._directory, 0o700, exist_ok=True)
        self._write(self._path(original.id, "xml"), original.document)

    def confirm(self, original: Original) -> None:
        """The definition that was kept has been repaired; never again by this record."""
        told = {key: value for key, value in original._asdict().items() if key != "document"}
        self._write(self._path(original.id, "json"), json.dumps(told).encode() + b"\n")

    def drop(self, id: str) -> None:
        """Forget one whose repair came to nothing."""
        os.unlink(self._path(id, "xml"))

    def all(self) -> Iterator[Original]:
        """All that are kept, oldest first. Raises OSError where they cannot be read."""
        try:
            names = sorted(os.listdir(self._directory))
        except FileNotFoundError:
            return
        for name in names:
            id, _, suffix = name.rpartition(".")
            if suffix == "json":
                yield self._read(id)

    def _read(self, id: str) -> Original:
        with open(self._path(id, "json"), "rb") as stream:
            told = json.load(stream)
        with open(self._path(id, "xml"), "rb") as stream:
            return Original(id, str(told["time"]), str(told["name"]), str(told["uuid"]), stream.read())

    def _path(self, id: str, suffix: str) -> str:
        return os.path.join(self._directory, f"{id}.{suffix}")

    def _write(self, path: str, data: bytes) -> None:
        """All of it or nothing, on the disk before the definition changes."""
        new = f"{path}.new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(new, path)
