"""The requirements as a document: ``python3 -m libhooks.requirements.document > docs/requirements.md``."""

from __future__ import annotations

import inspect
from typing import Iterator

from libhooks import requirements
from libhooks.requirements.model import Requirement, Scope
from libhooks.requirements.service_host import HostRequirement

_HEAD = """\
# Requirements

What a guest must meet on the host that it arrives at. This page is made of the functions that judge them
(`python3 -m libhooks.requirements.document > docs/requirements.md`); on a host, `libhooks explain CODE` says
the same. A policy sets each to "refuse", "warn" or "off" in `[require]`, and for some guests in a
`[guest.NAME]` table.
"""
_WHEN = {
    Scope.GUEST: "at {operations}",
    Scope.HOST: "not by the hook, which runs no programs; no command of this version judges it yet",
}


def document() -> str:
    """The page: an overview, and a section for each requirement, in the order in which findings are told."""
    return "\n".join((_HEAD, *_overview(), "", *_sections()))


def _overview() -> Iterator[str]:
    yield "| code | what it demands | default |"
    yield "|---|---|---|"
    for one in requirements.everything():
        yield f"| [{one.code}](#{_anchor(one.code)}) | {one.title} | {one.default.value} |"


def _sections() -> Iterator[str]:
    for one in requirements.everything():
        yield f"## {one.code}\n"
        yield f"*{one.title[0].upper()}{one.title[1:]}.*\n"
        yield inspect.cleandoc(one.judge.__doc__ or "") + "\n"
        yield f"- default: {one.default.value}\n- judged: {_when(one)}\n- demanded by: {one.source}\n"


def _when(one: Requirement | HostRequirement) -> str:
    when = _WHEN[one.scope].format(operations=" and ".join(operation.value for operation in one.operations))
    return f"{when}, where the guest says where it comes from" if one.needs_origin else when


def _anchor(code: str) -> str:
    """As GitHub makes it of a heading."""
    return code.replace(".", "")


if __name__ == "__main__":
    print(document(), end="")
