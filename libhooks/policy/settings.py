"""One document's settings, checked against the schema: every leaf parsed, every mistake collected."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple

from libhooks.policy import schema
from libhooks.policy.diagnostic import Diagnostic, Wrong, closest, dotted, quoted, shown
from libhooks.policy.document import Document
from libhooks.policy.schema import Key, Node

#: Where a setting stands. A host's pattern is in lower case: host names have no other.
Path = tuple[str, ...]


class Leaf(NamedTuple):
    """A parsed value and where it stands."""

    value: object
    document: Document
    path: Path


class Settings(NamedTuple):
    """What one document sets. ``tables`` are those that it mentions, empty ones too."""

    leaves: Mapping[Path, Leaf]
    tables: Mapping[Path, Document]
    problems: tuple[Diagnostic, ...]

    @property
    def present(self) -> bool:
        """Whether anything is set; a version alone is not a policy."""
        return bool(self.problems) or any(path != ("version",) for path in self.leaves)


def read(document: Document) -> Settings:
    """The settings of one document. Where its version is not ours, that alone is reported."""
    reader = _Reader(document)
    if "version" in document.table:
        reader.entry(schema.TREE, "version", document.table["version"], ())
    if not reader.problems:
        reader.table(schema.TREE, document.table, ())
    found = Settings(reader.leaves, reader.tables, tuple(reader.problems))
    if found.present and "version" not in document.table:
        missing = document.at_key("version", (), "no version", "start the file with: version = 1")
        return found._replace(problems=(missing, *found.problems))
    return found


class _Reader:
    """The walk through one document, side by side with the schema."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.leaves: dict[Path, Leaf] = {}
        self.tables: dict[Path, Document] = {}
        self.problems: list[Diagnostic] = []

    def table(self, node: Mapping[str, Node], table: Mapping[str, object], path: Path) -> None:
        for word, value in table.items():
            if path or word != "version":
                self.entry(node, word, value, path)

    def entry(self, node: Mapping[str, Node], word: str, value: object, path: Path) -> None:
        here = (*path, word)
        step = schema.step(node, word)
        if step is None:
            self._unknown(node, here)
        elif isinstance(step[1], Key):
            self._key(step[0], step[1], value, here)
        elif self._sorts(step[0], here):
            self._inner(step[1], value, here)

    def _inner(self, node: Mapping[str, Node], value: object, path: Path) -> None:
        if isinstance(value, dict):
            self.tables[path] = self.document
            self.table(node, value, path)
        else:
            message = f"{dotted(path)} is a table, found {shown(value)}"
            self.problems.append(self.document.at_key("type", path, message, _table_help(node, path)))

    def _key(self, sort: str, key: Key, value: object, path: Path) -> None:
        if sort in schema.SORTS and isinstance(value, dict) and _is_dotted(value):
            self.problems.extend(self._unquoted(sort, path, value))
        elif self._sorts(sort, path):
            self._leaf(key, value, path)

    def _leaf(self, key: Key, value: object, path: Path) -> None:
        own = (*path[:-1], path[-1].lower()) if key.path[-1] == "HOST" else path
        if own in self.leaves:
            first = dotted(self.leaves[own].path)
            self.problems.append(self.document.at_key("duplicate", path, f"{dotted(path)} is {first} again"))
        try:
            self.leaves[own] = Leaf(key.form.parse(value), self.document, path)
        except Wrong as wrong:
            message = f"{dotted(path)}: {wrong.message}"
            where = (*path, *wrong.within)
            self.problems.append(self.document.at_value("value", where, message, wrong.help))

    def _sorts(self, sort: str, path: Path) -> bool:
        """Whether a word in a place of ``ID``, ``HOST`` or ``CODE`` can be one."""
        try:
            if sort in schema.SORTS:
                schema.SORTS[sort](path)
        except Wrong as wrong:
            self.problems.append(self.document.at_key("name", path, wrong.message, wrong.help))
            return False
        return True

    def _unquoted(self, sort: str, path: Path, table: Mapping[str, object]) -> Iterator[Diagnostic]:
        """``at.hostb.example.org = ...`` is a table in a table to TOML."""
        message = f"{dotted(path)} is a table" + (' without "protocol"' if sort == "HOST" else "")
        table_of = "" if len(path) == 2 else f"{path[-2]}."
        wanted = "a host name" if sort == "HOST" else "a requirement"
        for tail, value in _leaves(table):
            name = table_of + quoted(".".join((path[-1], *tail)))
            told = shown(value) if isinstance(value, str) else "..."
            help = f"{wanted} with dots needs quotes: {name} = {told}"
            yield self.document.at_key("quotes", (*path, *tail), message, help)

    def _unknown(self, node: Mapping[str, Node], path: Path) -> None:
        where = f" in [{dotted(path[:-1])}]" if path[:-1] else ""
        message = f"unknown key {shown(path[-1])}{where}"
        self.problems.append(self.document.at_key("unknown-key", path, message, _unknown_help(node, path)))


def _table_help(node: Mapping[str, Node], path: Path) -> str:
    inner = next(iter(node))
    if len(path) > 2:
        return f"write {path[-1]}.{inner} = ..."
    return f"write [{dotted(path)}.{inner}]" if inner in schema.SORTS else f"write [{dotted(path)}]"


def _unknown_help(node: Mapping[str, Node], path: Path) -> str:
    if path in schema.LATER or path[:1] in schema.LATER:
        return f"this version of libhooks does not support {dotted(path)} yet"
    if path[-1] in ("version", "mode"):
        return f"{path[-1]} stands at the top of the file, before the first [table]"
    known = sorted(node)
    return closest(path[-1], known) or f"known here: {', '.join(known)}"


def _is_dotted(table: Mapping[str, object]) -> bool:
    """Whether a table was meant as a host's name or a requirement's code with dots."""
    return bool(table) and not set(table) & {"protocol", "name", "hosts", "secret", "level", "mode"}


def _leaves(table: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    for word, value in table.items():
        if isinstance(value, dict) and value and "protocol" not in value:
            yield from (((word, *tail), inner) for tail, inner in _leaves(value))
        else:
            yield (word,), value
