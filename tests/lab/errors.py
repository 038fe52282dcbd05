"""What a person is told when the lab can't go on."""

from __future__ import annotations


class LabError(Exception):
    """Where the lab stopped: what was attempted, what to do about it, and the end of the log that tells."""

    def __init__(self, what: str, hint: str = "", log: str = "") -> None:
        self.what = what
        self.hint = hint
        self.log = log
        super().__init__(what)

    def __str__(self) -> str:
        parts = [f"the lab stopped: {self.what}"]
        if self.log.strip():
            parts += [f"  | {line}" for line in self.log.strip().splitlines()[-20:]]
        if self.hint:
            parts.append(f"  hint: {self.hint}")
        return "\n".join(parts)
