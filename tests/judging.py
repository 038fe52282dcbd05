"""One requirement judged by itself, with what no golden case can have: an origin stamp."""

from __future__ import annotations

from pathlib import Path

from golden_cases import GOLDEN

from libhooks import references, requirements
from libhooks.decision import Unmet
from libhooks.domain import parse
from libhooks.event import Event, Operation
from libhooks.facts.host import open_facts
from libhooks.facts.model import Memo
from libhooks.origin import Origin
from libhooks.places import Index
from libhooks.policy.model import Policy
from libhooks.requirements.model import Requirement, Subject

PLAIN = Policy()
HOSTB = GOLDEN / "hosts" / "hostb"


def requirement(code: str) -> Requirement:
    """The requirement of that code."""
    return next(one for one in requirements.ALL if one.code == code)


def judged(
    code: str, document: str, root: Path = HOSTB, origin: Origin | None = None, policy: Policy = PLAIN
) -> list[Unmet]:
    """What a requirement says of a guest that arrives at the host of a captured tree."""
    event, domain = Event("web1", Operation.MIGRATE), parse(document.encode())
    with open_facts(str(root)) as facts:
        memo = Memo(facts)
        places = Index(policy.places, memo.host())
        found = tuple(places.resolve(one, event.operation) for one in references.find(domain))
        subject = Subject(event, domain, found, (), (), places, policy, memo, origin)
        return list(requirement(code).judge(subject))


def tree(directory: Path, **files: str) -> Path:
    """A captured tree of files; a name's ``__`` is a slash, and ``stat`` is its stat.toml."""
    for name, text in files.items():
        path = directory / ("stat.toml" if name == "stat" else name.replace("__", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
