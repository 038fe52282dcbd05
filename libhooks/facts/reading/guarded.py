"""The host itself, read without ever waiting for what does not answer.

Only a file system that is local for certain is read in this process; all others by a child that may hang in
our place. What did not answer once is not asked again, and the next question gets a fresh child.

Several that are silent are silent side by side: when the first file system is to be waited for, so are all
that the expected paths lead to, each by a child of its own and for as long as a question has.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, cast

from libhooks.facts.reading.local import Locality
from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, Entry, Mounts, parse
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import LiveRoot, NoAnswer, Node, OutOfTime

if TYPE_CHECKING:
    from libhooks.facts.reading.prober import Prober, Spare


class _Waking(NamedTuple):
    """A file system was asked whether it is awake: by whom, and until when it may answer."""

    prober: Prober
    until: float
    silence: str


class _Asleep(OSError):
    """A path leads on to a file system that has yet to say that it is awake."""


#: Stands for programs where file systems have a device number: one that hangs says nothing of its disk.
_PROGRAMS = (-1, -1)


class Guarded:
    """The host itself, read without ever waiting longer than allowed.

    ``spare`` gives the child, and gets it back if it is in order; without, it ends with the decision.
    """

    def __init__(self, spare: Spare | None = None) -> None:
        self._spare = spare
        self._live = LiveRoot()
        self._prober: Prober | None = None
        self._mounts: Mounts | None = None
        self._silent: dict[tuple[int, int], str] = {}
        self._awake: set[tuple[int, int]] = set()
        self._waking: dict[tuple[int, int], _Waking] = {}
        self._expected: tuple[str, ...] = ()
        self._looking_ahead = False
        self._local = Locality(Paths(self._live))
        self._allowed = 0.0
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        """From now on, until the next call, everything that can hang has this long together."""
        self._allowed = seconds
        self._until = time.monotonic() + seconds

    def expect(self, paths: tuple[str, ...]) -> None:
        """The paths that will be asked about."""
        self._expected = tuple(dict.fromkeys((*self._expected, *paths)))

    def close(self) -> None:
        """Ends all children, without waiting for them; or gives back the one that is in order."""
        if self._spare is not None and self._prober is not None:
            self._spare.give(self._prober)
            self._prober = None
        self._abandon()
        while self._waking:
            self._waking.popitem()[1].prober.abandon()

    def _abandon(self) -> None:
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
        if mount.device in self._awake or (mount.fstype == "autofs" and not self._looking_ahead):
            return
        if mount.device in self._silent:
            raise NoAnswer(self._silent[mount.device])
        if mount.fstype != "autofs":
            self._begin_waking(mount)
        if self._looking_ahead:
            raise _Asleep
        self._look_ahead()
        self._await(mount.device)

    def _begin_waking(self, mount: Entry) -> None:
        if mount.device in self._waking:
            return
        if time.monotonic() >= self._until:
            raise OutOfTime(mount.point)
        prober, self._prober = self._child(), None
        self._waking[mount.device] = _Waking(prober, self._until, self._silence())
        prober.send(("awake", mount.point))

    def _look_ahead(self) -> None:
        """Begin to wake what the expected paths lead to, as far as can be seen without waiting."""
        self._looking_ahead, paths = True, Paths(self)
        try:
            for path in self._expected:
                with contextlib.suppress(OSError, ValueError):
                    paths.resolve(path)
        finally:
            self._looking_ahead = False

    def _await(self, device: tuple[int, int]) -> None:
        waking = self._waking.pop(device)
        try:
            waking.prober.answer(waking.until, waking.silence)
        except NoAnswer as error:
            self._silent[device] = str(error)
            waking.prober.abandon()
            raise
        except OSError:
            pass
        self._awake.add(device)
        self._abandon()
        self._prober = waking.prober

    def _silence(self) -> str:
        return f"no answer in {round(self._allowed, 1):g} s"

    def _child(self) -> Prober:
        if self._prober is None:
            self._prober = self._new_child()
        return self._prober

    def _ask_child(self, device: tuple[int, int], request: tuple[object, ...], point: str) -> object:
        """The child's answer; where it has none, whatever is on the device is silent from now on."""
        if device in self._silent:
            raise NoAnswer(self._silent[device])
        if time.monotonic() >= self._until:
            raise OutOfTime(point)
        try:
            return self._child().ask(request, self._until, self._silence())
        except NoAnswer as error:
            self._silent[device] = str(error)
            self._abandon()
            raise

    def _new_child(self) -> Prober:
        if self._spare is not None:
            return self._spare.take()
        from libhooks.facts.reading.prober import Prober  # Most hosts' decisions need no child.

        return Prober()
