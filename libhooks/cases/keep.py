"""Keeping cases: a directory of files beside the journal, root's alone, of which the newest stay."""

from __future__ import annotations

import os

#: So many cases are kept; the oldest go.
MOST = 100
#: A guest whose case is larger is none that people learn from.
MOST_BYTES = 1 << 20


def directory(journal: str) -> str:
    """Where the cases of a journal's records are."""
    return f"{journal.rpartition('/')[0]}/cases"


def name(id: str) -> str:
    """The file that has the case of a record."""
    return f"{id}.toml"


def keep(where: str, id: str, case: bytes) -> None:
    """Write the case of a record: whole or not at all. Raises OSError.

    A hook that ends on the way leaves a hidden file, which goes as the oldest do.
    """
    if len(case) > MOST_BYTES:
        raise OSError(f"the case has {len(case)} bytes, more than {MOST_BYTES}")
    os.makedirs(where, 0o700, exist_ok=True)
    target = os.path.join(where, name(id))
    hidden = os.path.join(where, f".{name(id)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(hidden, flags, 0o600)
    try:
        _write(descriptor, case)
        os.rename(hidden, target)
    except OSError:
        os.unlink(hidden)
        raise
    finally:
        os.close(descriptor)
    _forget(where)


def _write(descriptor: int, case: bytes) -> None:
    view = memoryview(case)
    while view:
        view = view[os.write(descriptor, view) :]


def _forget(where: str) -> None:
    """Remove the oldest cases beyond MOST. A record's id sorts by its time."""
    kept = sorted((one for one in os.listdir(where) if one.endswith(".toml")), key=lambda one: one.strip("."))
    for old in kept[:-MOST]:
        try:
            os.unlink(os.path.join(where, old))
        except FileNotFoundError:
            continue  # a hook beside this one was faster
