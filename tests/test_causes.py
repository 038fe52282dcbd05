"""What could not be read is said once of a spot: by the first who had to know it, or by a graver one."""

from __future__ import annotations

import pytest

from libhooks.causes import told_once
from libhooks.decision import Finding, Level, Rule, Spot, Unmet

RULE = Rule("default", 0)
SILENT = Unmet(
    Spot("disk vda", "/domain/devices/disk"), "/srv/a", "it", "unknown: no answer in 2 s", "", True
)
OTHER_DISK = SILENT._replace(subject="/srv/b")
OTHER_CAUSE = SILENT._replace(found="unknown: permission denied")
KNOWN = SILENT._replace(found="no such file", unknown=False)

EXISTS = Finding("storage.exists", Level.REFUSE, SILENT, RULE)
SHARED = Finding("storage.shared", Level.REFUSE, SILENT._replace(wanted="shared"), RULE)


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ((), ()),
        ((EXISTS, SHARED), (EXISTS,)),
        ((EXISTS._replace(level=Level.WARN), SHARED), (SHARED,)),
        ((EXISTS._replace(audited=True), SHARED), (SHARED,)),
        (
            (EXISTS._replace(level=Level.WARN), SHARED._replace(audited=True)),
            (SHARED._replace(audited=True),),
        ),
        ((EXISTS, SHARED._replace(level=Level.WARN)), (EXISTS,)),
    ],
)
def test_one_cause(findings: tuple[Finding, ...], told: tuple[Finding, ...]) -> None:
    """Of two who say the same of one thing one is kept: the first, unless the other weighs more."""
    assert told_once(findings) == told


@pytest.mark.parametrize("other", [OTHER_DISK, OTHER_CAUSE, KNOWN])
def test_several_causes(other: Unmet) -> None:
    """Another thing, another cause, and whatever is known, are findings of their own."""
    findings = (EXISTS, SHARED._replace(unmet=other))
    assert told_once(findings) == findings


def test_exemption() -> None:
    """An exemption is shown, and keeps nobody else from saying so."""
    findings = (EXISTS._replace(level=Level.OFF), SHARED, SHARED._replace(level=Level.OFF))
    assert told_once(findings) == findings
