"""A policy directory becomes a policy, or a list of everything that is wrong with it."""

from __future__ import annotations

from libhooks.policy import build, files, settings, syntax
from libhooks.policy.diagnostic import Diagnostic, PolicyError, errors
from libhooks.policy.files import Source
from libhooks.policy.model import Policy
from libhooks.policy.settings import Settings

__all__ = ["PolicyError", "diagnose", "load"]

try:  # as stdlib's random does: hashlib loads OpenSSL, which takes longer than all the rest of this
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256


def load(path: str) -> Policy:
    """The policy of a directory's ``*.toml`` files, or of one such file.

    A directory that is not there, or whose files set nothing, is no policy: libhooks then audits.
    Raises PolicyError with everything that is wrong.
    """
    policy, diagnostics = diagnose(path)
    if policy is None:
        raise PolicyError(errors(diagnostics))
    return policy


def diagnose(path: str) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """The policy at a path, None if it is invalid, and all errors."""
    sources, problems = files.read(path)
    documents, mistakes = _settings(sources)
    problems += mistakes
    problems += () if problems else build.problems(documents)
    if problems:
        return None, problems
    policy = build.policy(documents)
    return (_signed(policy, sources) if policy.present else policy), ()


def _settings(sources: tuple[Source, ...]) -> tuple[tuple[Settings, ...], tuple[Diagnostic, ...]]:
    documents: list[Settings] = []
    problems: list[Diagnostic] = []
    for source in sources:
        document = syntax.document(*source)
        if isinstance(document, Diagnostic):
            problems.append(document)
        else:
            documents.append(settings.read(document))
            problems += documents[-1].problems
    return tuple(documents), tuple(problems)


def _signed(policy: Policy, sources: tuple[Source, ...]) -> Policy:
    digest = sha256()
    for name, data in sources:
        digest.update(f"{len(name)}:{name}:{len(data)}:".encode() + data)
    return policy._replace(digest=digest.hexdigest()[:16], files=tuple(name for name, _ in sources))
