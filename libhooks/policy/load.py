"""A policy directory becomes a policy, or a list of everything that is wrong with it."""

from __future__ import annotations

from typing import Sequence

from libhooks.policy import build, files, settings, syntax
from libhooks.policy.diagnostic import Diagnostic, PolicyError, errors
from libhooks.policy.files import Source
from libhooks.policy.model import Policy
from libhooks.policy.settings import Settings

__all__ = ["PolicyError", "diagnose", "digest", "documents", "load", "with_lines"]

try:  # hashlib would load OpenSSL, which takes longer than all the rest; random.py does the same
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256


def load(path: str) -> Policy:
    """The policy of a directory's ``*.toml`` files, or of one file.

    A directory that is not there, or whose files set nothing, is no policy: libhooks then audits.
    Raises PolicyError with everything that is wrong.
    """
    policy, diagnostics = diagnose(path)
    if policy is None:
        raise PolicyError(errors(diagnostics))
    return policy


def diagnose(*paths: str) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """The policy of directories and files, in the order given, and all errors; None if there are any."""
    sources, problems = _sources(paths)
    read, mistakes = _documents(sources)
    problems += (*mistakes, *build.conflicts(read))
    problems = problems or build.gaps(read)
    if problems:
        return None, _in_order(problems, sources)
    policy = build.policy(read)
    return (_signed(policy, sources) if policy.present else policy), ()


def documents(*paths: str) -> tuple[Settings, ...]:
    """What each file sets, for those who ask what the merged policy no longer tells."""
    return _documents(_sources(paths)[0])[0]


def _in_order(problems: Sequence[Diagnostic], sources: Sequence[Source]) -> tuple[Diagnostic, ...]:
    order = {source.name: number for number, source in enumerate(sources)}
    return tuple(sorted(problems, key=lambda one: (order.get(one.file, -1), one.line, one.column)))


def with_lines(diagnostics: Sequence[Diagnostic], *paths: str) -> tuple[Diagnostic, ...]:
    """Diagnostics that know a line only, completed by its text and the column where it begins."""
    texts = {name: data.decode("utf-8", "replace").split("\n") for name, data in _sources(paths)[0]}
    return tuple(_with_line(one, texts.get(one.file, [])) for one in diagnostics)


def _with_line(diagnostic: Diagnostic, lines: list[str]) -> Diagnostic:
    if diagnostic.column or not 0 < diagnostic.line <= len(lines):
        return diagnostic
    line = lines[diagnostic.line - 1].rstrip("\r")
    return diagnostic._replace(source_line=line, column=len(line) - len(line.lstrip()) + 1)


def _sources(paths: Sequence[str]) -> tuple[tuple[Source, ...], tuple[Diagnostic, ...]]:
    read = [files.read(path) for path in paths]
    return tuple(one for found, _ in read for one in found), tuple(one for _, wrong in read for one in wrong)


def _documents(sources: Sequence[Source]) -> tuple[tuple[Settings, ...], tuple[Diagnostic, ...]]:
    found: list[Settings] = []
    problems: list[Diagnostic] = []
    for source in sources:
        document = syntax.document(*source)
        if isinstance(document, Diagnostic):
            problems.append(document)
        else:
            found.append(settings.read(document))
            problems += found[-1].problems
    return tuple(found), tuple(problems)


def _signed(policy: Policy, sources: Sequence[Source]) -> Policy:
    return policy._replace(digest=digest(sources), files=tuple(name for name, _ in sources))


def digest(sources: Sequence[Source]) -> str:
    """What identifies the text of a policy's files."""
    found = sha256()
    for name, data in sources:
        found.update(f"{len(name)}:{name}:{len(data)}:".encode() + data)
    return str(found.hexdigest()[:16])
