"""``libhooks hook NAME OPERATION SUB-OPERATION EXTRA``: what the installed hook runs, for trials."""

from __future__ import annotations

from libhooks import inline
from libhooks.cli.options import Usage, existing
from libhooks.door import POLICY_DIRECTORY, Settings
from libhooks.event import Event, Operation

_OPTIONS = ("--policy", "--host", "--root")
HELP = "usage: libhooks hook NAME OPERATION SUB-OPERATION EXTRA [--policy DIR] [--host NAME] [--root DIR]"


def hook(arguments: list[str]) -> int:
    """Answer as libvirt expects it; returns only where there is nothing to answer.

    Not parsed by argparse: a guest's name may begin with a dash.
    """
    leading, rest = _options(arguments)
    positional, trailing = rest[:4], rest[4:]
    following, left = _options(trailing)
    if left or len(positional) < 2:
        raise Usage(HELP)
    if positional[1] not in [operation.value for operation in Operation]:
        return 0
    given = {**leading, **following}
    policy, host, root = (given.get(option, "") for option in _OPTIONS)
    settings = existing(Settings(policy or POLICY_DIRECTORY, host, root or "/"))
    name, operation, *details = positional
    inline.main(Event(name, Operation(operation), *details), settings)  # noqa: RET503


def _options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options at the head of some arguments, and the rest."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in _OPTIONS:
        option, equals, value = rest.pop(0).partition("=")
        if not equals and not rest:
            raise Usage(f"{option} needs a value\n{HELP}")
        found[option] = value if equals else rest.pop(0)
    return found, rest
