"""How answers are written in TOML. ``shapes`` has how they are read back."""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple, cast

from libhooks.facts.model import Unknown
from libhooks.policy.diagnostic import quoted


def value(answer: object) -> str:
    """An answer. What is not there is ``{missing = true}``, what is not known ``{unknown = "why"}``.

    Of a table, a field that has its default is left out, and so is one that is None.
    """
    if isinstance(answer, Unknown):
        return f"{{unknown = {quoted(answer.why)}}}"
    if hasattr(answer, "_fields"):
        return _table(cast(NamedTuple, answer))
    return _WRITTEN[type(answer)](answer)


def _list(answer: object) -> str:
    return f"[{', '.join(map(value, cast('tuple[object, ...]', answer)))}]"


def _set(answer: object) -> str:
    return _list(tuple(sorted(cast("frozenset[str]", answer))))


def _table(answer: NamedTuple) -> str:
    fields, defaults = answer._asdict(), answer._field_defaults
    told = {key: one for key, one in fields.items() if one is not None and one != defaults.get(key)}
    return f"{{{', '.join(f'{key} = {value(one)}' for key, one in told.items())}}}"


_WRITTEN: Mapping[type, Callable[[object], str]] = {
    type(None): lambda _: "{missing = true}",
    bool: lambda answer: "true" if answer else "false",
    int: str,
    str: lambda answer: quoted(str(answer)),
    tuple: _list,
    frozenset: _set,
}


def long(text: str) -> str:
    """A text of several lines: as it is, where TOML takes it so."""
    plain = all(one >= " " or one in "\t\n" for one in text) and "\x7f" not in text
    if plain and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    lines = (quoted(line)[1:-1] for line in text.split("\n"))
    return '"""\n' + "\n".join(lines) + '"""'
