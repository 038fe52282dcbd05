"""Whether there was time to decide. Judged last, when all questions have been asked."""

from __future__ import annotations

from typing import Iterator

from libhooks.decision import Level, Spot, Unmet
from libhooks.requirements.model import BOTH, Requirement, Subject


def deadline(subject: Subject) -> Iterator[Unmet]:
    """The time that a decision may take was spent before everything had been asked.

    libvirt waits for its hook without an end, and a guest that migrates waits with it. So a decision has
    hook.deadline seconds (10 where the policy does not say). Storage that does not answer gets two of them,
    all that the guest names at once; what else does not answer, two each time it is met anew. What could not
    be asked after that is unknown, in findings of its own; this one names where it is. See why it does not
    answer, or give the hook more time: deadline = SECONDS in [hook].
    """
    unasked = subject.facts.unasked()
    if unasked:
        where = ", ".join(unasked[:3]) + (" ..." if len(unasked) > 3 else "")
        yield Unmet(
            Spot("decision", "/domain"),
            "",
            f"a decision within {subject.policy.deadline:g} s (hook.deadline)",
            f"the time was spent before {where} could be asked",
            "see why storage does not answer, or set deadline in [hook] higher",
        )


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("hook.deadline", "the decision is made in time", "libhooks", Level.REFUSE, BOTH, deadline),
)
