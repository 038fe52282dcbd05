"""Releases of operating systems, and from which to which guests may migrate.

Written as ``"rhel 6.5+ -> rhel 7"``: a system's ID and a version, each as os-release has them. "7" is any
7.x, "6.5" that release alone, "6.5+" it and the later ones of its major release; "<->" is either way.
Rebuilds of RHEL count as the RHEL that they rebuild.
"""

from __future__ import annotations

from typing import NamedTuple

#: os-release's ID of what is built from RHEL's sources.
_REBUILDS = frozenset(("centos", "almalinux", "rocky", "ol", "scientific", "eurolinux", "virtuozzo"))
_WORDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")


class Release(NamedTuple):
    """An operating system's release. ``version`` holds the numbers that it tells of itself, maybe none."""

    id: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join((self.id, ".".join(map(str, self.version)))).strip()

    @property
    def major(self) -> int:
        """The first number, 0 where there is none."""
        return self.version[0] if self.version else 0


class Range(NamedTuple):
    """Releases that one side of a pair stands for; ``later`` is its "+"."""

    release: Release
    later: bool = False

    def fits(self, other: Release) -> bool:
        """Whether a release is one of these. One that tells less than is asked is not refused for it."""
        mine, theirs = self.release.version, other.version
        if self.release.id != other.id:
            return False
        if self.later:
            return mine[:1] == theirs[:1] and theirs[1:] >= mine[1 : len(theirs)]
        return mine[: len(theirs)] == theirs[: len(mine)]


class Pair(NamedTuple):
    """From which releases to which a guest may go; ``text`` is how it was written."""

    text: str
    source: Range
    target: Range
    both: bool

    def fits(self, source: Release, target: Release) -> bool:
        """Whether it lets a guest go this way."""
        forth = self.source.fits(source) and self.target.fits(target)
        return forth or (self.both and self.source.fits(target) and self.target.fits(source))


def release(id: str, version: str) -> Release:
    """A release by os-release's ID and VERSION_ID, a rebuild as the RHEL that it rebuilds.

    A version that has no number in front tells none.
    """
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return Release("rhel" if id.lower() in _REBUILDS else id.lower(), tuple(numbers))


def pair(text: str) -> Pair:
    """A pair as a policy writes it. Raises ValueError, with what is wrong, for anything else."""
    both = "<->" in text
    source, arrow, target = text.partition("<->" if both else "->")
    if not arrow:
        raise ValueError("no -> in it")
    return Pair(" ".join(text.split()), _range(source), _range(target), both)


def _range(text: str) -> Range:
    id, version = ([*text.split(), "", ""])[:2]
    numbers = version.rstrip("+")
    plain = id and id.islower() and not set(id) - _WORDS and len(text.split()) <= 2
    if not plain or (version and not all(one.isdecimal() for one in numbers.split("."))):
        raise ValueError(f"{' '.join(text.split()) or 'nothing'} is no system and version")
    return Range(release(id, numbers), version.endswith("+"))


#: Red Hat's guide for RHEL 7, 15.1: what it supports. Of what it does not speak, it demands nothing.
GUIDE = tuple(
    pair(one) for one in ("rhel 5 -> rhel 5", "rhel 6 -> rhel 6", "rhel 6.5+ -> rhel 7", "rhel 7 -> rhel 7")
)
_GUIDE_MAJORS = (5, 6, 7)
#: Where the guide knows of trouble on the way to an older minor release.
_TROUBLED = (5, 6)


def obstacle(source: Release, target: Release, pairs: tuple[Pair, ...] = ()) -> str:
    """Why a guest should not go from one release to another; "" where nothing speaks against it.

    ``pairs`` are the policy's, which count instead of the guide's.
    """
    if source == target:
        return ""
    if pairs:
        return "" if _allowed(source, target, pairs) else "the policy's [platform] releases do not have that"
    if {source.id, target.id} != {"rhel"} or not {source.major, target.major} <= set(_GUIDE_MAJORS):
        return ""
    if not _allowed(source, target, GUIDE):
        return "the guide does not support that"
    older = target.version < source.version[: len(target.version)]
    troubled = source.major == target.major in _TROUBLED
    return "supported, with known issues (an older minor release)" if older and troubled else ""


def _allowed(source: Release, target: Release, pairs: tuple[Pair, ...]) -> bool:
    return any(one.fits(source, target) for one in pairs)
