"""The golden cases: decided here, in the hook's process and by the service, with one and the same answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from answering import Answerer
from golden_cases import Case, as_process, as_service, cases, expected, in_process, settings, write

from libhooks import requirements

CASES = cases()
CODES = [requirement.code for requirement in requirements.ALL]

_POLICY_ALONE = "the policy and the document decide, and both are read or nothing is"
#: Requirements that no fact can leave open, and why.
NEVER_UNKNOWN = {
    "policy.host": "a host whose name cannot be read is one that no policy names",
    "policy.ambiguous": _POLICY_ALONE,
    "storage.mapped": _POLICY_ALONE,
    "network.mapped": _POLICY_ALONE,
    "address.mapped": _POLICY_ALONE,
    "device.mapped": _POLICY_ALONE,
    "file.mapped": _POLICY_ALONE,
    "network.form": _POLICY_ALONE,
    "guard.abi": "it judges our own edits",
    "storage.stable-name": "the name says it all",
    "hook.deadline": "time that is spent is no unknown",
    "device.vectors": "the document says it all",
    "device.migratable": "so it does, and a network that cannot be read is network.exists's finding",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path, regenerate: bool, trial_answerer: Answerer) -> None:
    """Whoever decides on a guest, libvirt and the journal get the same, byte for byte."""
    where = settings(case, tmp_path)
    here, there = in_process(case, where), as_process(case, where)
    served = as_service(case, where, str(trial_answerer.socket))
    if regenerate:
        write(case, here)
    assert here == expected(case)
    assert there == here
    assert served == here


def _findings(case: Case) -> list[tuple[str, bool]]:
    """The codes of the case's findings, and whether each is about something unknown."""
    findings = json.loads((case.directory / "expect.json").read_text())["findings"]
    return [(one["code"], one["found"].startswith("unknown: ")) for one in findings if one["level"] != "off"]


@pytest.mark.parametrize("case", [case for case in CASES if case.passes], ids=lambda case: case.name)
def test_passing(case: Case) -> None:
    """A case that shows how a requirement is met has no finding of it."""
    assert not {code for code, _ in _findings(case)} & set(case.passes)
    assert set(case.passes) <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_requirement_is_shown(code: str) -> None:
    """Each requirement has a case that meets it, one that does not, and one where nobody can tell."""
    assert any(code in case.passes for case in CASES)
    found = {finding for case in CASES for finding in _findings(case)}
    assert (code, False) in found
    assert ((code, True) in found) != (code in NEVER_UNKNOWN)
