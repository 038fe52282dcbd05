"""``libhooks log show ID --as-test``: a decision that was kept, as a case of ``libhooks policy test``."""

from __future__ import annotations

import os
import sys
from typing import Any, Sequence

from libhooks.cases import keep
from libhooks.cli.options import Usage

#: Stands for stdout where a directory could stand.
SHOWN = "-"


def as_test(found: Sequence[dict[str, Any]], journal: str, directory: str) -> int:
    """Write the case of a record into a directory, or to stdout."""
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        raise Usage(f"more than one record ends in that: {ids}")
    (record,) = found
    case = _kept(record, journal)
    if directory == SHOWN:
        sys.stdout.flush()
        sys.stdout.buffer.write(case)
    else:
        print(_written(directory, f"{_plain(record['domain'])}-{record['id'][-6:]}.toml", case))
    return 0


def _kept(record: dict[str, Any], journal: str) -> bytes:
    file = os.path.join(keep.directory(os.path.abspath(journal)), keep.name(_plain(record["id"])))
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except FileNotFoundError as error:
        kept = f"cases = true in [journal] keeps the last {keep.MOST} that are refused"
        raise Usage(f"no case of record {record['id']} is kept; {kept}") from error
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}; cases are readable by root alone") from error


def _written(directory: str, name: str, case: bytes) -> str:
    path = os.path.join(directory, name)
    try:
        with open(path, "xb") as stream:
            stream.write(case)
    except FileExistsError as error:
        raise Usage(f"{path} is there already") from error
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}; name a directory of cases") from error
    return path


def _plain(name: str) -> str:
    """A guest's name as a file can have it: whoever may name guests must not name files."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in name)
