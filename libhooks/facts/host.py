"""The facts of a host: the questions of ``model.Facts``, answered by reading files, each within its time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, TypeVar

from libhooks.facts.machine.answers import Machine
from libhooks.facts.model import File, Image, Leaf, Link, Mount, StoragePool, Unknown, VirtualNetwork
from libhooks.facts.reading.guarded import Guarded
from libhooks.facts.reading.mounts import Mounts
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage, Root, words
from libhooks.facts.storage import files
from libhooks.facts.surroundings.answers import Surroundings

if TYPE_CHECKING:
    from libhooks.facts.reading.prober import Spare

#: Seconds that one question may take, and that all of a decision's questions may take together.
QUESTION = 2.0
DECISION = 10.0

_Answer = TypeVar("_Answer")


def open_facts(root: str = "/", deadline: float = DECISION, spare: Spare | None = None) -> HostFacts:
    """The facts of this host, or of the captured tree at ``root``. Close them when the decision is made.

    ``deadline`` is how many seconds from now all questions together may wait for what does not answer.
    ``spare`` keeps the process that waits, where there are more decisions to come.
    Raises OSError or ``Garbage`` (a ValueError) where the tree's stat.toml can't be read.
    """
    if root == "/":
        guarded = Guarded(spare)
        return HostFacts(guarded, guarded, deadline)
    from libhooks.facts.reading.tree import TreeRoot

    return HostFacts(TreeRoot(root, deadline), None, deadline)


class HostFacts(Machine, Surroundings):
    """A ``model.Facts``. Lives for one decision: what it has seen of the host's directories it keeps."""

    def __init__(self, root: Root, guarded: Guarded | None, deadline: float) -> None:
        self._root = root
        self._guarded = guarded
        self._paths = Paths(root)
        self._table: Mounts | None = None
        self._end = time.monotonic() + deadline

    def __enter__(self) -> HostFacts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process that reads what may hang. Never waits."""
        if self._guarded is not None:
            self._guarded.close()

    def expect(self, *paths: str) -> None:
        """What they lie on will be waited for side by side."""
        self._root.expect(paths)

    def host(self) -> tuple[str, ...]:
        """From /etc/libhooks/host, the kernel and /etc/hosts; none where they can't be read."""
        from libhooks.facts.machine import hostname

        # A host whose name can't be read is one that no policy names.
        found = self._ask(lambda: hostname.host(self._paths))
        return () if isinstance(found, Unknown) else found

    def file(self, path: str) -> File | None | Unknown:
        """From lstat(2), link by link."""
        return self._ask(lambda: files.file(self._paths, path))

    def mount(self, path: str) -> Mount | Unknown:
        """From /proc/self/mountinfo."""
        return self._ask(lambda: self._mount(path))

    def image(self, path: str) -> Image | None | Unknown:
        """From the image's first cluster."""
        return self._ask(lambda: files.image(self._paths, path))

    def block(self, path: str) -> tuple[Leaf, ...] | None | Unknown:
        """From sysfs."""
        return self._ask(lambda: files.leaves(self._paths, path))

    def link(self, name: str) -> Link | None | Unknown:
        """From sysfs, and the sockets of Open vSwitch."""
        from libhooks.facts.network import links

        return self._ask(lambda: links.link(self._paths, name))

    def network(self, name: str) -> VirtualNetwork | None | Unknown:
        """From libvirt's files."""
        from libhooks.facts.network import links

        return self._ask(lambda: links.network(self._paths, name))

    def pool(self, name: str) -> StoragePool | None | Unknown:
        """From libvirt's files."""
        from libhooks.facts.network import links

        return self._ask(lambda: links.pool(self._paths, name))

    def addresses(self) -> tuple[str, ...] | Unknown:
        """From /proc/net."""
        from libhooks.facts.network import links

        return self._ask(lambda: links.addresses(self._paths))

    def shared_filesystems(self) -> tuple[str, ...] | Unknown:
        """From qemu.conf."""
        return self._ask(lambda: files.shared_filesystems(self._paths))

    def _ask(self, question: Callable[[], _Answer]) -> _Answer | Unknown:
        """The answer to a question; Unknown, with the reason, where the host gives none."""
        if self._guarded is not None:
            self._guarded.allow(max(0.0, min(QUESTION, self._end - time.monotonic())))
        try:
            return question()
        except OSError as error:
            return Unknown(words(self._noted(error)))
        except Garbage as error:
            return Unknown(str(error))
        except ValueError:  # A text that no path can be: half a surrogate pair, a NUL.
            return Unknown("not a path of this host")

    def _mount(self, path: str) -> Mount:
        place = self._paths.resolve(path)
        found = files.mount(self._mounts(), place.real)
        if found.fstype == "autofs" and place.node is not None and place.node.kind == "dir":
            # Looking at a mount point does not make the automounter mount it; looking into it does.
            self._root.lstat(f"{place.real}/.")
            found = files.mount(self._mounts(), place.real)
        return found

    def _mounts(self) -> Mounts:
        if self._guarded is not None:
            return self._guarded.mounts()
        if self._table is None:
            self._table = files.table(self._paths)
        return self._table
