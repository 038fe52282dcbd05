"""Facts that are told instead of asked for."""

from __future__ import annotations

from typing import Callable, Hashable, Mapping, TypeVar, cast

from libhooks.facts.model import Memo, Unknown

#: Questions, by name and arguments, and their answers: what a ``Memo`` has at the end of a decision.
Told = Mapping[tuple[str, Hashable], object]

_UNSAID = Unknown("the case does not say")
#: Questions to which nobody is ever at a loss for an answer.
_NEVER_UNKNOWN = ("host", "unasked")

_Answer = TypeVar("_Answer")


class Answers(Memo):
    """A ``model.Facts`` of what is told. All else is Unknown: a host that nobody has is not made up."""

    def __init__(self, told: Told, host: str = "") -> None:
        super().__init__(self, host)
        self.answers = {**told, **self.answers}

    def expect(self, *paths: str) -> None:
        """Nothing hangs in what is told."""

    def _once(self, question: Callable[..., _Answer], *argument: str) -> _Answer:
        name = question.__name__
        unsaid = () if name in _NEVER_UNKNOWN else _UNSAID
        return cast(_Answer, self.answers.get((name, argument), unsaid))
