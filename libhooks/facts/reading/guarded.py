"""The host itself, read without ever waiting for what does not answer.

Only a file system that is local for certain is read in this process; all others by a child that may hang in
our place. What did not answer once is not asked again, and the next question gets a fresh child.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, cast

from libhooks.facts.reading.local import Locality
from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, Entry, Mounts, parse
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import LiveRoot, NoAnswer, Node, OutOfTime

if TYPE_CHECKING:
    from libhooks.facts.reading.prober import Prober

#: Stands for programs where file systems have a device number: one that hangs says nothing of its disk.
_PROGRAMS = (-1, -1)


class Guarded:
    """The host itself, read without ever waiting longer than allowed."""

    def __init__(self) -> None:
        self._live = LiveRoot()
        self._prober: Prober | None = None
        self._mounts: Mounts | None = None
        self._silent: dict[tuple[int, int], str] = {}
        self._awake: set[tuple[int, int]] = set()
        self._local = Locality(Paths(self._live))
        self._allowed = 0.0
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        """From now on, until the next call, everything that can hang has this long together."""
        self._allowed = seconds
        self._until = time.monotonic() + seconds

    def close(self) -> None:
        """Ends the child, without waiting for it."""
        if self._prober is not None:
            self._prober.abandon()
            self._prober = None

    def mounts(self) -> Mounts:
        """The mount table, read when first needed, and again after an automount may have changed it."""
        if self._mounts is None:
            text = self._live.read(TABLE, TABLE_LIMIT).decode("utf-8", "surrogateescape")
            self._mounts = parse(text)
        return self._mounts

    def lstat(self, path: str) -> Node:
        """As LiveRoot's; so are the others."""
        return Node(*cast("tuple[Any, ...]", self._ask("lstat", path)))

    def readlink(self, path: str) -> str:
        """The target of a link."""
        return cast(str, self._ask("readlink", path))

    def listdir(self, path: str) -> tuple[str, ...]:
        """The names in a directory."""
        return cast("tuple[str, ...]", self._ask("listdir", path))

    def read(self, path: str, limit: int) -> bytes:
        """A file's contents; those of a device can hang though its node, in /dev, is local."""
        device = self.lstat(path).device
        if device is not None and not self._local.device(device):
            return cast(bytes, self._ask_child(device, ("read", path, limit), path))
        return cast(bytes, self._ask("read", path, limit))

    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute of a file."""
        return cast(bytes, self._ask("attribute", path, name))

    def allows(self, path: str, uid: int, gids: tuple[int, ...]) -> str:
        """Asked in the child, wherever the file is: meanwhile that is another user's process."""
        mount = self.mounts().of(path)
        self._wake(mount)
        return cast(str, self._ask_child(mount.device, ("allows", path, uid, gids), mount.point))

    def run(self, path: str, *arguments: str) -> bytes:
        """Run by the child: a program can hang wherever it is."""
        return cast(bytes, self._ask_child(_PROGRAMS, ("run", path, *arguments), path))

    def _ask(self, question: str, path: str, *more: object) -> object:
        mount = self.mounts().of(path)
        if self._local.mount(mount, self.mounts().of("/")):
            ask: Callable[..., object] = getattr(self._live, question)
            return ask(path, *more)
        try:
            self._wake(mount)
            return self._ask_child(mount.device, (question, path, *more), mount.point)
        finally:
            if mount.fstype == "autofs":
                self._mounts = None

    def _wake(self, mount: Entry) -> None:
        """See that a file system answers, before what the kernel remembers of it is taken for an answer.

        Raises NoAnswer. Whatever else goes wrong, it has answered.
        """
        if mount.device in self._awake or mount.fstype == "autofs":
            return
        try:
            self._ask_child(mount.device, ("awake", mount.point), mount.point)
        except NoAnswer:
            raise
        except OSError:
            pass
        self._awake.add(mount.device)

    def _ask_child(self, device: tuple[int, int], request: tuple[object, ...], point: str) -> object:
        """The child's answer; where it has none, whatever is on the device is silent from now on."""
        if device in self._silent:
            raise NoAnswer(self._silent[device])
        if time.monotonic() >= self._until:
            raise OutOfTime(point)
        if self._prober is None:
            from libhooks.facts.reading.prober import Prober  # Most hosts' decisions need no child.

            self._prober = Prober()
        try:
            return self._prober.ask(request, self._until, f"no answer in {round(self._allowed, 1):g} s")
        except NoAnswer as error:
            self._silent[device] = str(error)
            self.close()
            raise
