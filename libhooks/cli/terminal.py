"""What a terminal shows: colours where there is one, and only characters that print."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from libhooks.refusal import printable

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "faint": "2"}


def level(level: str, audited: bool) -> tuple[str, str]:
    """A finding's level in a word for people, and its colour."""
    if level == "off":
        return "exempt", "cyan"
    if level == "refuse":
        return ("would refuse", "yellow") if audited else ("refuse", "red")
    return level, "yellow"


class Screen:
    """Writes lines to a stream. ``colour``: auto (a terminal, and NO_COLOR unset), always or never."""

    def __init__(self, colour: str = "auto", stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        terminal = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._coloured = colour == "always" or (colour == "auto" and terminal)

    @property
    def width(self) -> int:
        """The columns that running text may fill: the terminal's, at most what reads well."""
        return max(40, min(shutil.get_terminal_size().columns, 80))

    def line(self, text: str = "", paint: str = "") -> None:
        """One line, whatever is in it: what could move the cursor is replaced."""
        self._stream.write(self.painted(printable(text), paint) + "\n")

    def painted(self, text: str, paint: str) -> str:
        """A text that prints, in a colour."""
        if not self._coloured or not paint or not text:
            return text
        return f"\x1b[{_COLOURS[paint]}m{text}\x1b[0m"

    def parts(self, *parts: tuple[str, str]) -> None:
        """One line made of (text, paint) parts."""
        self._stream.write("".join(self.painted(printable(text), paint) for text, paint in parts) + "\n")

    def whole(self, *parts: tuple[str, str]) -> None:
        """As ``parts``, for a line that counts only in full: it is never cut short."""
        safe = (("".join(one if one.isprintable() else "?" for one in text), paint) for text, paint in parts)
        self._stream.write("".join(self.painted(text, paint) for text, paint in safe) + "\n")
