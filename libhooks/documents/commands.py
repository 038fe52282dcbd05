"""The command line as data: what argparse's tables say of each command."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Iterator

from libhooks.cli.main import parser


@dataclass(frozen=True)
class Argument:
    """An option, or, without ``names``, a positional argument. ``value`` is "" where it takes none."""

    names: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...]
    optional: bool
    many: bool


@dataclass(frozen=True)
class Command:
    """A command: the words that lead to it, none for ``libhooks`` itself."""

    words: tuple[str, ...]
    help: str
    description: str
    arguments: tuple[Argument, ...]
    below: tuple[Command, ...]

    @property
    def options(self) -> tuple[Argument, ...]:
        """What begins with a dash."""
        return tuple(one for one in self.arguments if one.names)

    @property
    def positionals(self) -> tuple[Argument, ...]:
        """What does not."""
        return tuple(one for one in self.arguments if not one.names)

    def all(self) -> Iterator[Command]:
        """This command and those below it."""
        yield self
        for command in self.below:
            yield from command.all()


def commands() -> Command:
    """``libhooks`` with all its commands."""
    return _command(parser(), (), "")


def _command(of: argparse.ArgumentParser, words: tuple[str, ...], help: str) -> Command:
    """argparse has no public way to ask a parser what it takes; these names have stood since 2.7."""
    arguments, below = [], []
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            below += [_command(one, (*words, name), helps[name]) for name, one in action.choices.items()]
        else:
            arguments.append(_argument(action))
    return Command(words, help, of.description or "", tuple(arguments), tuple(below))


def _argument(action: argparse.Action) -> Argument:
    choices = tuple(map(str, action.choices or ()))
    named = "|".join(choices) or action.metavar or action.dest.upper()
    takes = action.nargs != 0
    return Argument(
        tuple(action.option_strings),
        str(named) if takes else "",
        (action.help or "").replace("%%", "%"),
        choices,
        not action.required or action.nargs in ("?", "*"),
        action.nargs in ("*", "+"),
    )
