"""The journal as it grows: every line once, across rotations."""

from __future__ import annotations

import os
from contextlib import closing
from typing import BinaryIO


class Tail:
    """Reads a journal on, from the file that was rotated last, if there is one."""

    def __init__(self) -> None:
        self._path = ""
        self._stream: BinaryIO | None = None

    def fresh(self, path: str) -> list[bytes]:
        """The whole lines since the last time. Another ``path`` is read from its beginning."""
        if path != self._path:
            self._path, rotated = path, _open(f"{path}.1")
            self._close()
            if rotated is not None:
                with closing(rotated):
                    return rotated.read().splitlines() + self._rest()
        return self._rest()

    def _rest(self) -> list[bytes]:
        found = self._read()
        if not self._is_current():
            self._close()
            self._stream = _open(self._path)
            found += self._read()
        return found

    def _read(self) -> list[bytes]:
        if self._stream is None:
            return []
        began = self._stream.tell()
        whole, newline, _ = self._stream.read().rpartition(b"\n")
        self._stream.seek(began + len(whole) + len(newline))
        return whole.splitlines()

    def _is_current(self) -> bool:
        """Whether what is open is what stands there, and was not cut off."""
        if self._stream is None:
            return False
        mine = os.fstat(self._stream.fileno())
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (
            there.st_dev,
            there.st_ino,
        ) and self._stream.tell() <= there.st_size

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None
