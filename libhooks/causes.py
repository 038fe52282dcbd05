"""One thing that could not be read is one finding, however many requirements would have had to know it."""

from __future__ import annotations

from typing import Iterable

from libhooks.decision import Finding, Level


def told_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, without those that say again of a spot what is unknown there, and why.

    The first to say so stays; where a later one is graver, that one. Exemptions all stay: they are shown.
    """
    kept: dict[object, Finding] = {}
    for finding in findings:
        said = _said(finding)
        if said in kept and _gravity(finding) > _gravity(kept[said]):
            del kept[said]
        kept.setdefault(said, finding)
    return tuple(kept.values())


def _said(finding: Finding) -> object:
    """What two findings have in common that say the same."""
    unmet = finding.unmet
    if unmet.unknown and finding.level is not Level.OFF:
        return unmet.spot, unmet.subject, unmet.found
    return finding


def _gravity(finding: Finding) -> tuple[bool, bool]:
    return finding.refuses, finding.level is Level.REFUSE
