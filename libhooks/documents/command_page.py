"""The man page libhooks(8): the commands, made of their own tables."""

from __future__ import annotations

from typing import Iterator

from libhooks.documents import roff
from libhooks.documents.commands import Argument, Command, commands

_ABOUT = """\
`libhooks` makes `virsh migrate` work between hosts that are not identical. It is a libvirt hook: when a
guest arrives, it rewrites in the guest's definition what this host calls by another name, refuses the
guest where a requirement is not met, and records what it decided and why. Nobody runs a command for that.
What it does is said by the policy, see `libhooks-policy(5)`; these commands are for whoever writes one,
and for whoever wants to know what happened.

Until there is a policy, it only watches: it records what it would decide, and changes and refuses
nothing.
"""
_EXAMPLES = (
    ("What would happen to a guest on this host, and on another one:",
     "virsh dumpxml --migratable web1 | libhooks check\n"
     "virsh dumpxml --migratable web1 | libhooks check --host hostb"),
    ("Is the policy right?", "libhooks policy check"),
    ("What happened, and why was the last guest refused?",
     "libhooks log --verdict refused -n 1\nlibhooks log show 5XK9H1C\nlibhooks explain storage.shared"),
    ("A definition for another host, for a migration with --persistent:",
     "virsh dumpxml --migratable --inactive web1 |\n"
     "    libhooks rewrite --host hostb > web1-hostb.xml\n"
     "virsh migrate --live --persistent \\\n"
     "    --persistent-xml web1-hostb.xml web1 qemu+ssh://hostb/system"),
    ("Switch the hook off, at once and for every guest:", "touch /etc/libhooks/disabled"),
)  # fmt: skip
_FILES = (
    ("/etc/libhooks/policy.d/*.toml", "The policy."),
    ("/etc/libhooks/host", "The name of this host in the policy, if it is not its host name."),
    ("/etc/libhooks/disabled", "While this file exists, the hook does nothing."),
    ("/etc/libvirt/hooks/qemu.d/50-libhooks", "The hook."),
    ("/var/log/libhooks/decisions.jsonl", "The journal: a JSON object a line for each decision."),
    ("/var/lib/libhooks/policy/", "The last good policy, where the policy asks for it."),
    ("/var/lib/libhooks/definitions/", "Saved definitions as they were before they were repaired."),
)
_STATUS = (
    ("0", "Accepted, or fine."),
    ("1", "Refused, or a check that failed."),
    ("2", "Wrong usage, or an invalid policy."),
    ("3", "An error inside libhooks."),
)


def page() -> str:
    """The page's text."""
    return roff.page(_parts(commands()))


def _parts(all: Command) -> Iterator[str]:
    yield roff.title("libhooks", 8, "System Administration")
    yield roff.section("NAME")
    yield "libhooks \\- make virsh migrate work between hosts that are not identical"
    yield roff.section("SYNOPSIS")
    for command in _leaves(all):
        yield f".br\n{roff.running(_usage(command))}"
    yield f".br\n{roff.running('`libhooks --version`')}"
    yield roff.section("DESCRIPTION")
    yield from map(roff.paragraph, _ABOUT.split("\n\n"))
    yield roff.section("COMMANDS")
    for command in _leaves(all):
        yield from _command(command)
    yield roff.subsection("libhooks hook NAME OPERATION SUB-OPERATION EXTRA")
    yield roff.paragraph(
        "What the installed hook runs: the domain XML on stdin, the answer on stdout, reasons on stderr, "
        "as libvirt has it. With `--policy` *DIR*, `--host` *NAME* and `--root` *DIR* it can be tried."
    )
    yield from _lists()


def _lists() -> Iterator[str]:
    yield roff.section("EXIT STATUS")
    yield from (roff.item(f"`{code}`", meaning) for code, meaning in _STATUS)
    yield roff.section("EXAMPLES")
    for words, lines in _EXAMPLES:
        yield roff.paragraph(words)
        yield roff.literal(lines)
    yield roff.section("FILES")
    yield from (roff.item(f"`{path}`", meaning) for path, meaning in _FILES)
    yield roff.section("SEE ALSO")
    yield roff.running("`libhooks-policy(5)`, `virsh(1)`, `libvirtd(8)`, `virtqemud(8)`")


def _leaves(all: Command) -> Iterator[Command]:
    return (command for command in all.all() if command.words and not command.below)


def _usage(command: Command) -> str:
    options = " [*OPTION*]..." if len(command.options) > 1 else ""
    return f"`libhooks {' '.join(command.words)}`{options}{''.join(map(_positional, command.positionals))}"


def _positional(argument: Argument) -> str:
    many = "..." if argument.many else ""
    return f" [{_value(argument)}]{many}" if argument.optional else f" {_value(argument)}{many}"


def _value(argument: Argument) -> str:
    """Words that are to be written so are bold, what stands for others is underlined."""
    if argument.choices:
        return "|".join(f"`{one}`" for one in argument.choices)
    words = [f"*{one}*" if one.isupper() else f"`{one}`" for one in argument.value.split(" ")]
    return " ".join(words)


def _command(command: Command) -> Iterator[str]:
    yield roff.subsection(f"libhooks {' '.join(command.words)}")
    yield roff.paragraph(_sentence(command.description or command.help))
    for argument in (*command.positionals, *command.options):
        if "--help" not in argument.names:
            yield roff.item(_tag(argument), _sentence(argument.help))


def _tag(argument: Argument) -> str:
    names = ", ".join(f"`{name}`" for name in argument.names)
    return f"{names} {_value(argument)}".strip() if argument.value else names


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "?")) else ".")
