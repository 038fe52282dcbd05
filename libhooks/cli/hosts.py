"""What the commands ask of libvirtd, and what they say where it does not answer."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import Iterator

from libhooks.cli.options import Unavailable, Usage
from libhooks.decision import Undecidable
from libhooks.libvirtd.errors import NoGuest, Rejected, Unreachable
from libhooks.libvirtd.guests import Guest
from libhooks.libvirtd.hosts import Host, reach


@contextmanager
def host(uri: str) -> Iterator[Host]:
    """The host behind a URI; its errors, in the block, are those of a command."""
    try:
        with closing(reach(uri)) as found:
            yield found
    except Unreachable as error:
        raise Unavailable(f"libvirtd cannot be asked ({uri}): {error}") from error
    except (Rejected, Undecidable) as error:
        raise Unavailable(f"libvirtd refuses: {error}") from error


@contextmanager
def guest(uri: str, name: str) -> Iterator[Guest]:
    """A guest by its name, or by its UUID. Raises Usage where there is none."""
    with host(uri) as found:
        yield lookup(found, name)


def lookup(found: Host, name: str) -> Guest:
    """A guest of a host by its name, or by its UUID. Raises Usage where there is none."""
    try:
        return found.by_name(name)
    except NoGuest:
        try:
            return found.by_uuid(name)
        except Rejected:
            raise Usage(f"there is no guest '{name}' here; virsh list --all shows those there are") from None
