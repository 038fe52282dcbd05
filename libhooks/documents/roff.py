"""Text as roff, with the macros of man(7): what groff and mandoc both read."""

from __future__ import annotations

import re
import textwrap
from typing import Iterable

#: What roff, or a terminal by its own idea of typography, would take for something else.
_ESCAPES = {
    "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq",
}  # fmt: skip
#: In running text, what people write as in Markdown: `literal` and *argument*.
_MARKED = re.compile(r"`([^`]+)`|\*([A-Z][^*]*)\*")

#: A heading begins a paragraph.
_HEADED = re.compile(r"^(\.S[HS] .*\n)\.(?:PP|br)\n", re.MULTILINE)


def title(name: str, section: int, words: str) -> str:
    """The page's first lines: names and keys are not to be hyphenated, nor lines filled with blanks."""
    return f'.TH {_escaped(name.upper())} {section} "" "libhooks" "{_escaped(words)}"\n.nh\n.ad l'


def section(name: str) -> str:
    """A section's heading."""
    return f'.SH "{_escaped(name)}"'


def subsection(name: str) -> str:
    """A heading within a section."""
    return f'.SS "{_escaped(name)}"'


def paragraph(text: str) -> str:
    """A paragraph of running text."""
    return f".PP\n{running(text)}"


def item(tag: str, text: str) -> str:
    """A word and what it means, as in a list of options; the word's own marks count."""
    return f".TP\n{running(tag)}\n{running(text)}"


def literal(lines: str) -> str:
    """Lines as they are, indented."""
    told = "\n".join(_protected(_escaped(line)) if line else "" for line in lines.rstrip("\n").split("\n"))
    return f".PP\n.RS 4\n.nf\n{told}\n.fi\n.RE"


def running(text: str) -> str:
    """Text in which `literals` are bold and *ARGUMENTS* are underlined."""
    told, at = "", 0
    for mark in _MARKED.finditer(text):
        bold, italic = mark.groups()
        told += _escaped(text[at : mark.start()])
        told += f"\\fB{_escaped(bold)}\\fR" if bold else f"\\fI{_escaped(italic)}\\fR"
        at = mark.end()
    lines = textwrap.wrap(told + _escaped(text[at:]), 80, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_protected, lines))


def page(parts: Iterable[str]) -> str:
    """The parts of a page as its text."""
    head = ".\\\" Made of libhooks' own tables by python3 -m libhooks.documents: edit those."
    return _HEADED.sub(r"\1", "\n".join((head, *parts))) + "\n"


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(one, one if one.isascii() else f"\\[u{ord(one):04X}]") for one in text)


def _protected(line: str) -> str:
    """A line that begins like a request is none."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line
