"""The words of a refusal: what the person at the source's ``virsh`` sees.

libvirt relays the hook's stderr verbatim, newlines and all; the connection breaks at 4 MiB.
"""

from __future__ import annotations

from typing import Iterator

from libhooks.decision import Finding, Level

#: Enough for a screen, far below what libvirt's connection bears.
MAX_BYTES = 8000
_LONGEST_LINE = 400


def text(host: str, guest: str, findings: tuple[Finding, ...], where: str) -> str:
    """The refusal of a guest. ``where`` says where its record is."""
    unmet = [finding for finding in findings if finding.refuses]
    exempt = sum(finding.level is Level.OFF for finding in findings)
    warnings = len(findings) - len(unmet) - exempt
    head = f"libhooks: {host} refuses guest '{guest}': {_count(len(unmet), 'requirement')} unmet"
    counted = [_count(*one) for one in ((warnings, "warning"), (exempt, "exemption")) if one[0]]
    tail = [f"({' and '.join(counted)} in the record)"] if counted else []
    return _fitted(head, [list(_told(finding)) for finding in unmet], [*tail, where])


def failure(host: str, guest: str, what: str, detail: str, hint: str, where: str) -> str:
    """The refusal of a guest that libhooks could not decide on."""
    head = f"libhooks: {host} refuses guest '{guest}': {what}"
    return _fitted(head, [[one for one in (detail, f"hint:   {hint}" if hint else "") if one]], [where])


def unrecorded(told: str, detail: str) -> str:
    """A refusal whose record could not be written: its last line, which says where that is, put right."""
    kept = told.rstrip("\n").rpartition("\n")[0]
    return f"{kept}\n  {printable(f'no record of this: {detail}')}\n"


def noted(told: str, note: str) -> str:
    """A refusal with one more line at its end."""
    return f"{told}  {printable(note)}\n"


def _told(finding: Finding) -> Iterator[str]:
    unmet = finding.unmet
    subject = f"  {unmet.subject}" if unmet.subject else ""
    yield f"{finding.code:<16} {unmet.spot.label}{subject}"
    yield f"  wanted: {unmet.wanted}"
    yield f"  found:  {unmet.found}"
    yield f"  hint:   {unmet.hint}"


def _fitted(head: str, blocks: list[list[str]], tail: list[str]) -> str:
    lines = [printable(head)]
    room = MAX_BYTES - 400 - len(lines[0].encode())
    for done, block in enumerate(blocks):
        told = [f"  {printable(line)}" for line in block]
        room -= sum(len(line.encode()) + 1 for line in told)
        if room < 0:
            lines.append(f"  ... and {len(blocks) - done} more, in the record")
            break
        lines += told
    lines += [f"  {printable(line)}" for line in tail if line]
    return "\n".join(lines) + "\n"


def printable(line: str) -> str:
    """A line that cannot move a cursor, change a colour or start a line of its own."""
    safe = "".join(one if one.isprintable() else "?" for one in line)
    return safe if len(safe) <= _LONGEST_LINE else safe[: _LONGEST_LINE - 1] + "…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
