"""The words of a decision: where, what changes, what is unmet, and what comes of it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """The kinds of changes: those of places and of the references that they answer for, and two more."""

    STORAGE = "storage"
    NETWORK = "network"
    ADDRESS = "address"
    DEVICE = "device"
    FILE = "file"
    ADJUST = "adjust"
    EDIT = "edit"


#: The kinds of places.
PLACES = tuple(kind for kind in Kind if kind not in (Kind.ADJUST, Kind.EDIT))


class Rule(NamedTuple):
    """What in the policy fired: a file's name and a line, or a default of libhooks (line 0)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


#: The rule of whatever no policy file set.
DEFAULT = Rule("default", 0)


#: The rule of what a person waived for one migration of one guest.
WAIVER = Rule("waiver", 0)

#: The rule of a name that was found by what is behind it, through the origin stamp.
ORIGIN = Rule("origin", 0)


class Spot(NamedTuple):
    """A place in a domain: ``label`` for people ("disk vda"), ``xpath`` for the machine.

    The XPath is absolute, names one node, and ends in an element, in ``@attribute`` or in ``text()``.
    """

    label: str
    xpath: str

    def at(self, step: str) -> Spot:
        """A spot below this one."""
        return Spot(self.label, f"{self.xpath}/{step}")

    @property
    def parent(self) -> Spot:
        """The spot of the element around this one."""
        return Spot(self.label, self.xpath.rpartition("/")[0])


class Edit(NamedTuple):
    """One difference between the domain that came in and the one that goes out.

    ``old`` and ``new`` are the value of an attribute or text, or an element as XML; None means that
    it is not there. ``secret`` values are applied but never shown.
    """

    spot: Spot
    old: str | None
    new: str | None
    secret: bool = False


class Change(NamedTuple):
    """A rewrite as a person thinks of it: one name of the host gives way to another.

    ``place`` is the ID of the place, of the ``[edit.ID]``, or the key of ``[adjust]``; ``new`` is "" where
    something goes. Every difference between input and output belongs to exactly one Change.
    """

    kind: Kind
    place: str
    spot: Spot
    old: str
    new: str
    rule: Rule
    edits: tuple[Edit, ...]


class Level(Enum):
    """What follows from an unmet requirement."""

    REFUSE = "refuse"
    WARN = "warn"
    OFF = "off"


class Unmet(NamedTuple):
    """A requirement that a spot of the guest does not meet, and what would help.

    ``subject`` is the name in question, as the guest will see it here. ``unknown`` is set where the
    fact that would have told could not be read; ``found`` then says why.
    """

    spot: Spot
    subject: str
    wanted: str
    found: str
    hint: str
    unknown: bool = False


class Finding(NamedTuple):
    """An unmet requirement with the level that the policy gives it, and the rule that says so.

    At level OFF it is an exemption that is shown: the guest's, or a waiver. ``audited``: the policy wants it
    only recorded.
    """

    code: str
    level: Level
    unmet: Unmet
    rule: Rule
    audited: bool = False

    @property
    def refuses(self) -> bool:
        """Whether the guest is refused for it."""
        return self.level is Level.REFUSE and not self.audited


class Verdict(Enum):
    """What becomes of the guest's domain."""

    UNCHANGED = "unchanged"
    REWRITTEN = "rewritten"
    REFUSED = "refused"


class Decision(NamedTuple):
    """The answer for one guest: what to print is ``output`` where the verdict is REWRITTEN.

    In audit mode this is what enforce would have decided; whether it is enforced is the door's affair.
    """

    verdict: Verdict
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    output: bytes | None


class Undecidable(Exception):
    """No decision could be made: the input or the policy cannot be read.

    The text stands alone and names what was wrong; it never quotes a domain's contents at length.
    """
