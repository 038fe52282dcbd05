"""Identification: finding here, by what it is, what no place names.

The origin stamp says what was behind a name on the guest's last host. Only strong identity rewrites: a
guest must never run on what merely looks like its disk. Of a bridge only the segment is known, which is
weak: what is on the same one is told of, and no more.
"""

from __future__ import annotations

from libhooks import names
from libhooks.decision import ORIGIN
from libhooks.facts.model import Facts, Unknown
from libhooks.names import Form
from libhooks.origin import Identity
from libhooks.places import Outcome, Resolution
from libhooks.policy.model import Identification


def identified(found: Resolution, identity: Identity, use: Identification, facts: Facts) -> Resolution:
    """A resolution that no place answers, with the name that this host has for the same thing.

    Where the policy does not let that rewrite, the name is only told (``elsewhere``).
    """
    name = found.reference.name
    if found.outcome is not Outcome.NO_PLACE or name is None:
        return found
    if name.form is Form.BRIDGE:
        return _on_the_segment(found, name.parts[0], identity.segment, facts)
    if name.form is not Form.PATH:
        return found
    here = facts.paths_of(identity.mount_source, identity.subpath, str(identity.inode), identity.wwid,
                          identity.uuid)  # fmt: skip
    if isinstance(here, Unknown) or not here or str(name) in here:
        return found
    if use is not Identification.REWRITE:
        return found._replace(elsewhere=here[0])
    return found._replace(outcome=Outcome.RENAMED, new=names.path(here[0]), rule=ORIGIN)


def _on_the_segment(found: Resolution, bridge: str, segment: str, facts: Facts) -> Resolution:
    """A bridge that is not here, with the one that seems to be on its segment, if that is one alone."""
    if not segment or facts.link(bridge) is not None:
        return found
    here = facts.bridges_on(segment)
    if isinstance(here, Unknown) or len(here) != 1:
        return found
    return found._replace(elsewhere=here[0])
