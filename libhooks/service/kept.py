"""What the answerer keeps from one decision to the next: the policy, its index, a child that reads.

Facts are never kept: each decision sees the host as it is.
"""

from __future__ import annotations

import time
from functools import partial

from libhooks.door import Means
from libhooks.facts.host import open_facts
from libhooks.facts.reading.prober import Spare
from libhooks.places import Index
from libhooks.policy import files
from libhooks.policy.diagnostic import PolicyError
from libhooks.policy.load import load
from libhooks.policy.model import Place, Policy

#: A file that was touched less than this before it was looked at may be touched again and look the same:
#: the kernel's clock for files ticks every few milliseconds.
_TICK = 100_000_000


class KeptPolicy:
    """The policy last used, good for as long as its files are what they were. So are its errors."""

    def __init__(self) -> None:
        self._identity: object = None
        self._policy: Policy | PolicyError = Policy()
        self.loads = 0

    @property
    def deadline(self) -> float:
        """The seconds that a decision may take, as the policy last used has it."""
        return Policy().deadline if isinstance(self._policy, PolicyError) else self._policy.deadline

    def load(self, path: str) -> Policy:
        """As ``policy.load``."""
        now = time.time_ns()
        touched, identity = files.identity(path)
        if identity != self._identity:
            self._policy = _loaded(path)
            self.loads += 1
            # Looked at before it was read: what is touched in between is another one the next time.
            self._identity = identity if 0 < now - touched > _TICK else None
        if isinstance(self._policy, PolicyError):
            raise PolicyError(self._policy.diagnostics)
        return self._policy


def _loaded(path: str) -> Policy | PolicyError:
    try:
        return load(path)
    except PolicyError as error:
        return error.with_traceback(None)


class KeptIndex:
    """The index last used, good for the same places seen from a host of the same names."""

    def __init__(self) -> None:
        self._places: tuple[Place, ...] = ()
        self._me: tuple[str, ...] = ()
        self._index = Index((), ())

    def __call__(self, places: tuple[Place, ...], me: tuple[str, ...]) -> Index:
        """As ``Index``."""
        if places is not self._places or me != self._me:
            self._index = Index(places, me)
            self._places, self._me = places, me
        return self._index


class Kept:
    """All that is kept, as the door takes it."""

    def __init__(self) -> None:
        self.policy = KeptPolicy()
        self.means = Means(self.policy.load, KeptIndex(), partial(open_facts, spare=Spare()))

    def warm(self, policy: str) -> None:
        """Have a policy and its index ready. What is wrong with them is for the decisions to say."""
        try:
            with open_facts() as facts:
                self.means.indexed(self.policy.load(policy).places, facts.host())
        except Exception:  # noqa: BLE001 - the first decision meets it again, and tells
            return
