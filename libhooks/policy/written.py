"""A policy in force as TOML, beside each line where it comes from."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

from libhooks.decision import Rule
from libhooks.policy.diagnostic import dotted, quoted
from libhooks.policy.history import Setting, Table

#: The columns of a screen: a list or table that is wider with its comment gets a line an item.
WIDTH = 80


class Line(NamedTuple):
    """A line of TOML and the comment behind it. Both are empty between tables."""

    text: str = ""
    origin: str = ""

    @property
    def width(self) -> int:
        """The columns that both take."""
        return len(self.text) + len(self.origin) + len("  # ")


def lines(tables: Sequence[Table]) -> tuple[Line, ...]:
    """The tables as TOML that loads as the same policy. What is told only stands behind a ``#``."""
    found: list[Line] = []
    for table in tables:
        told = [line for setting in table.settings for line in _setting(setting, table)]
        if table.path:
            whole = not table.settings or any(one.told for one in table.settings) or bool(table.rule.line)
            header = "" if whole else "# "
            told.insert(0, Line(f"{header}[{dotted(table.path)}]", str(table.rule)))
        found += [Line(), *told] if found else told
    return tuple(found)


def column(told: Sequence[Line]) -> int:
    """The column at which comments begin, for all lines that leave room for them."""
    room = WIDTH - max((len(line.origin) + len("# ") for line in told), default=0)
    return max((len(line.text) + 2 for line in told if len(line.text) + 2 <= room), default=0)


def commented(line: Line, at: int) -> tuple[str, str]:
    """A line and its comment, which begins at a column or behind what is longer."""
    if not line.origin:
        return line.text, ""
    return line.text.ljust(at - 2) + "  ", f"# {line.origin}"


def toml(value: object) -> str:
    """A value on one line, as a policy can hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        pairs = (f"{dotted([key])} = {toml(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return str(value)


def _setting(setting: Setting, table: Table) -> Iterator[Line]:
    key = ("" if setting.told else "# ") + dotted(setting.path[len(table.path) :])
    line, value = Line(f"{key} = {toml(setting.value)}", _origin(setting)), setting.value
    if line.width > WIDTH and isinstance(value, list):
        yield Line(f"{key} = [", line.origin)
        for one, rule in zip(value, setting.items):
            yield Line(f"    {toml(one)},", str(rule))
        yield Line("]", str(setting.rule))
    elif line.width > WIDTH and isinstance(value, dict):
        for (word, one), rule in zip(value.items(), setting.items):
            yield Line(f"{key}.{dotted([word])} = {toml(one)}", line.origin if setting.over else str(rule))
    else:
        yield line


def _origin(setting: Setting) -> str:
    return f"{setting.rule}, over {_and(setting.over)}" if setting.over else str(setting.rule)


def _and(rules: Sequence[Rule]) -> str:
    return " and ".join(map(str, rules))
