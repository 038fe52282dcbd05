"""Where facts are read: the four ways to touch a path, and the host itself as their first provider.

None of them follows a symbolic link: paths.py follows links one component at a time, so that a look
at one file system never strays into another that does not answer.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple, Protocol

#: What a file of the host's configuration, of /proc or of /sys may weigh; more is not read.
SMALL = 1 << 20

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFBLK: "block",
    stat.S_IFCHR: "char",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFLNK: "link",
}


class NoAnswer(OSError):
    """A file system did not answer before its deadline, or has not answered before.

    The text is what a person reads: "no answer in 2 s".
    """


class OutOfTime(NoAnswer):
    """A decision's time was spent before a file system could be asked. ``point`` is where it is mounted."""

    def __init__(self, point: str) -> None:
        super().__init__("no time was left to ask")
        self.point = point


class Garbage(ValueError):
    """What was read makes no sense; the text says what and where."""


class Node(NamedTuple):
    """What stands at a path itself: ``kind`` as in ``model.File``, or "link"; ``size`` in bytes.

    ``inode`` is 0 where it is not known, and so is ``changed``: when it was last changed, in seconds.
    """

    kind: str
    size: int = 0
    device: tuple[int, int] | None = None
    uid: int = 0
    gid: int = 0
    mode: int = 0
    inode: int = 0
    changed: int = 0


class Root(Protocol):
    """A host's files. Paths are absolute, normalised, and no component but the last is a link.

    Each question raises OSError; NoAnswer where a deadline expired.
    """

    def expect(self, paths: tuple[str, ...]) -> None:
        """Say which paths will be asked about; they need not be normalised, and links may be in them."""

    def lstat(self, path: str) -> Node:
        """What stands at ``path``; a link is not followed."""

    def readlink(self, path: str) -> str:
        """The target of a link, as it is written in it."""

    def listdir(self, path: str) -> tuple[str, ...]:
        """The names in a directory, in byte order."""

    def read(self, path: str, limit: int) -> bytes:
        """The first ``limit`` bytes of a regular file or block device, and of nothing else."""

    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute; b"" where there is none, or the file system has no such thing."""

    def allows(self, path: str, uid: int, gids: tuple[int, ...]) -> str:
        """What the kernel, or the server behind it, lets a user do with a file: "r", "w", both or neither.

        The first of ``gids`` is the user's own group.
        """

    def run(self, path: str, *arguments: str) -> bytes:
        """What a program prints; its path is bare. For what can't be read, and must not be guessed."""


def node(status: os.stat_result) -> Node:
    """A stat result in our words."""
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "other")
    device = None
    if kind in ("block", "char"):
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    mode = stat.S_IMODE(status.st_mode)
    return Node(kind, status.st_size, device, status.st_uid, status.st_gid, mode, status.st_ino,
                int(status.st_ctime))  # fmt: skip


def words(error: OSError) -> str:
    """Why a path could not be read, in words that end a sentence."""
    if isinstance(error, NoAnswer):
        return str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    text = os.strerror(error.errno or errno.EIO)
    return text[:1].lower() + text[1:]


def missing(error: OSError) -> bool:
    """Whether an error says that a path is not there; every other one says only that we can't tell."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR)


class LiveRoot:
    """The host that runs us, in this process: a call on a dead file system would never come back."""

    def expect(self, paths: tuple[str, ...]) -> None:
        """Changes nothing: whatever hangs here, we hang with it."""

    def lstat(self, path: str) -> Node:
        """As lstat(2)."""
        return node(os.lstat(path))

    def readlink(self, path: str) -> str:
        """As readlink(2)."""
        return os.readlink(path)

    def listdir(self, path: str) -> tuple[str, ...]:
        """As readdir(3), sorted."""
        return tuple(sorted(os.listdir(path)))

    def read(self, path: str, limit: int) -> bytes:
        """Opens the file, but only one that can't mind: a FIFO would wait, a watchdog begin to count."""
        _readable(node(os.lstat(path)))
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            _readable(node(os.fstat(opened)))
            return _drain(opened, limit)
        finally:
            os.close(opened)

    def attribute(self, path: str, name: str) -> bytes:
        """As getxattr(2), which knows several words for there being none."""
        try:
            return os.getxattr(path, name, follow_symlinks=False)
        except OSError as error:
            if error.errno in (errno.ENODATA, errno.EOPNOTSUPP):
                return b""
            raise

    def awake(self, path: str) -> None:
        """Comes back when the file system at ``path`` does: statfs(2) is never answered from a cache."""
        os.statvfs(path)

    def allows(self, path: str, uid: int, gids: tuple[int, ...]) -> str:
        """As access(2), which asks for the real user: that is another one for as long as it takes.

        For a process that does nothing else meanwhile. Raises PermissionError where it is not root's.
        """
        groups, before = os.getgroups(), (os.getuid(), os.getgid())
        try:
            _really(uid, gids[0] if gids else 0, list(gids))
            return "".join(way for way, how in (("r", os.R_OK), ("w", os.W_OK)) if os.access(path, how))
        finally:
            _really(*before, groups)

    def run(self, path: str, *arguments: str) -> bytes:
        """Runs it, and waits for as long as it takes: for a process that may be left behind."""
        from libhooks.facts.reading.command import run  # hardly ever needed

        return run(path, arguments, SMALL)


def _really(uid: int, gid: int, groups: list[int]) -> None:
    """Make the real user another one; the effective one, root, stays and can change it back."""
    os.setgroups(groups)
    os.setresgid(gid, -1, -1)
    os.setresuid(uid, -1, -1)


def _readable(found: Node) -> None:
    if found.kind == "dir":
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if found.kind not in ("file", "block"):
        raise OSError(errno.EINVAL, f"a {found.kind}, not a file")


def _drain(opened: int, limit: int) -> bytes:
    """Up to ``limit`` bytes: /proc and /sys hand out a page at a time."""
    chunks = []
    while limit > 0:
        chunk = os.read(opened, limit)
        if not chunk:
            break
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)
