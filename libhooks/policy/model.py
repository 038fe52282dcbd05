"""A policy as the rules see it: merged, validated, typed."""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Iterable, Mapping, NamedTuple

from libhooks.decision import DEFAULT, Kind, Level, Rule
from libhooks.names import Name

if TYPE_CHECKING:
    from libhooks.releases import Pair


class Mode(Enum):
    """``AUDIT`` decides and records, but changes and refuses nothing."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class OnInvalid(Enum):
    """What becomes of guests while the policy is invalid: ``LAST_GOOD`` decides by the last valid one."""

    REFUSE = "refuse"
    LAST_GOOD = "last-good"


class Place(NamedTuple):
    """A thing of the fleet and what each host calls it.

    ``at`` maps a host pattern to that host's names, the preferred one first. ``source`` is what must
    be mounted there, "" if the policy does not say. ``rules`` says where each pattern's names stand.
    """

    kind: Kind
    id: str
    at: Mapping[str, tuple[Name, ...]]
    source: str
    rule: Rule
    rules: Mapping[str, Rule]

    @property
    def label(self) -> str:
        """The place as the policy writes it: ``storage.images``."""
        return f"{self.kind.value}.{self.id}"


class Identification(Enum):
    """What is made of what a guest says of where it comes from (``origin``).

    ``OFF``: nothing. ``VERIFY``: names are those of that host, and what is behind them is compared.
    ``REWRITE``: what no place names is also found here by what it is.
    """

    OFF = "off"
    VERIFY = "verify"
    REWRITE = "rewrite"


class Setting(NamedTuple):
    """A requirement's level and the rule that set it; ``audited`` is recorded and not enforced."""

    level: Level
    rule: Rule
    audited: bool = False


def fits(names: tuple[str, ...], uuids: tuple[str, ...], name: str, uuid: str) -> bool:
    """Whether a ``match`` fits a guest: each of the two that is given has a pattern that does."""
    by_name = not names or any(fnmatchcase(name, pattern) for pattern in names)
    by_uuid = not uuids or any(uuid.lower() == one.lower() for one in uuids)
    return by_name and by_uuid


class How(Enum):
    """What an adjustment does: ``FIT`` keeps what this host has, ``TRUNCATE`` what QEMU takes."""

    KEEP = "keep"
    DROP = "drop"
    FIT = "fit"
    TRUNCATE = "truncate"


class Adjustment(NamedTuple):
    """A line of ``[adjust]``."""

    how: How
    rule: Rule


class Action(Enum):
    """What an edit does with what it selects."""

    SET = "set"
    REMOVE = "remove"


class DirectEdit(NamedTuple):
    """An ``[edit.ID]`` table: a change for what no place covers, in the guests that match.

    ``select`` is an XPath as ``selection`` takes it; ``value`` counts for SET alone.
    """

    id: str
    names: tuple[str, ...]
    uuids: tuple[str, ...]
    select: str
    action: Action
    value: str
    rule: Rule


class Guests(NamedTuple):
    """A ``[guest.ID]`` table: exceptions for the guests whose name or UUID match.

    A guest matches when each of ``names`` and ``uuids`` that is given has a pattern that fits.
    """

    id: str
    names: tuple[str, ...]
    uuids: tuple[str, ...]
    mode: Mode | None
    require: Mapping[str, Setting]
    rule: Rule

    def match(self, name: str, uuid: str) -> bool:
        """Whether the exceptions are for this guest."""
        return fits(self.names, self.uuids, name, uuid)


class Journal(NamedTuple):
    """The ``[journal]`` table: where decisions are recorded, and what happens if they can't be.

    With ``cases``, what is refused is also kept as a case of ``libhooks policy test``.
    """

    path: str = "/var/log/libhooks/decisions.jsonl"
    required: bool = False
    cases: bool = False


class Policy(NamedTuple):
    """The effective policy of this host.

    ``present`` is False where no file sets anything: libhooks then audits. ``deadline`` is the time
    in seconds that a whole decision may take (``hook.deadline``). ``adjust`` has what is not "keep", by
    key; ``edits`` are in the order of the files. ``releases`` are the pairs of releases that count instead
    of the guide's, none where those do. ``waivers``: whether those that guests bring are honoured. ``exempt``
    are the requirements that a guest's own tables switch off and the fleet does not. ``digest`` identifies
    the text of ``files``; two hosts with the same digest have the same policy.
    """

    present: bool = False
    mode: Mode = Mode.AUDIT
    places: tuple[Place, ...] = ()
    require: Mapping[str, Setting] = {}
    guests: tuple[Guests, ...] = ()
    adjust: Mapping[str, Adjustment] = {}
    edits: tuple[DirectEdit, ...] = ()
    journal: Journal = Journal()
    deadline: float = 10.0
    releases: tuple[Pair, ...] = ()
    origin: Identification = Identification.VERIFY
    waivers: bool = True
    exempt: Mapping[str, Setting] = {}
    on_invalid: OnInvalid = OnInvalid.REFUSE
    digest: str = ""
    files: tuple[str, ...] = ()

    def for_guest(self, name: str, uuid: str) -> Policy:
        """The policy with all matching ``[guest.*]`` tables applied, in the order of the files.

        Of the edits it has those that match.
        """
        policy = self._replace(
            edits=tuple(one for one in self.edits if fits(one.names, one.uuids, name, uuid))
        )
        for table in self.guests:
            if table.match(name, uuid):
                policy = policy._replace(
                    mode=table.mode or policy.mode, require={**policy.require, **table.require}
                )
        return policy if policy.require is self.require else policy._replace(exempt=self._exempt(policy))

    def _exempt(self, own: Policy) -> Mapping[str, Setting]:
        off = {code: one for code, one in own.require.items() if one.level is Level.OFF}
        return {
            code: one for code, one in off.items() if self.setting(code, Level.WARN).level is not Level.OFF
        }

    def setting(self, code: str, default: Level) -> Setting:
        """The level of a requirement: the policy's, or the requirement's own default."""
        return self.require.get(code) or Setting(default, DEFAULT)


def best_pattern(patterns: Iterable[str], names: tuple[str, ...]) -> str | None:
    """The pattern that fits a host best, or None.

    An exact name beats a glob, a glob with more literal characters one with fewer; between two exact
    ones the host's better name decides. Patterns match case-insensitively.
    Raises ValueError, naming both, if two globs fit equally well.
    """
    exact = {pattern.lower(): pattern for pattern in patterns}
    for name in names:
        if name.lower() in exact:
            return exact[name.lower()]
    fits = [one for one in patterns if any(fnmatchcase(name.lower(), one.lower()) for name in names)]
    ranked = sorted(fits, key=_literals, reverse=True)
    if len(ranked) > 1 and _literals(ranked[0]) == _literals(ranked[1]):
        raise ValueError(f'"{ranked[0]}" and "{ranked[1]}" fit host {names[0]} equally well')
    return ranked[0] if ranked else None


def _literals(pattern: str) -> int:
    return sum(character not in "*?[]" for character in pattern)
