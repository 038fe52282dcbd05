"""The user that QEMU runs as here, as libvirt finds it: qemu.conf, then what its package was built with."""

from __future__ import annotations

from typing import NamedTuple

from libhooks.facts.reading import conf
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage
from libhooks.numbers import decimal

CONF = "/etc/libvirt/qemu.conf"
_USERS, _GROUPS = "/etc/passwd", "/etc/group"
#: What packages are built with: Debian and Ubuntu; Fedora, RHEL and SUSE; libvirt's own default.
_BUILT_WITH = ("libvirt-qemu", "qemu", "root")


class User(NamedTuple):
    """A user and all its groups, its own first. ``owns``: libvirt gives it QEMU's images."""

    name: str
    uid: int
    gids: tuple[int, ...]
    owns: bool


def qemu(paths: Paths) -> User:
    """The user of qemu.conf, else the first of those known here that packages are built with.

    Raises Garbage where /etc/passwd has no such user: a directory service may, and can't be asked here.
    """
    settings = conf.settings(paths, CONF)
    users = _table(paths, _USERS)
    named = settings.get("user", "")
    name = named if isinstance(named, str) and named else next(one for one in _BUILT_WITH if _has(users, one))
    uid, own = _user(users, name)
    group = settings.get("group", "")
    gid = _group(paths, group) if isinstance(group, str) and group else own
    return User(name, uid, (gid, *_others(paths, name, gid)), settings.get("dynamic_ownership", "1") != "0")


def _has(users: dict[str, list[str]], name: str) -> bool:
    return name in users or name == "root"


def _user(users: dict[str, list[str]], name: str) -> tuple[int, int]:
    """The numbers of a user and its group. A name that is none is a number; ``+`` says that it is one."""
    if name in users:
        return int(users[name][0]), int(users[name][1])
    number = decimal(name[1:] if name.startswith("+") else name)
    if number is not None:
        return number, 0
    if name == "root":
        return 0, 0
    raise Garbage(f"{CONF} names the user {name}, and {_USERS} does not")


def _group(paths: Paths, name: str) -> int:
    groups = _table(paths, _GROUPS)
    if name in groups:
        return int(groups[name][0])
    number = decimal(name[1:] if name.startswith("+") else name)
    if number is not None or name == "root":
        return number or 0
    raise Garbage(f"{CONF} names the group {name}, and {_GROUPS} does not")


def _others(paths: Paths, name: str, gid: int) -> tuple[int, ...]:
    groups = _table(paths, _GROUPS).values()
    members = (int(fields[0]) for fields in groups if len(fields) > 1 and name in fields[1].split(","))
    return tuple(one for one in members if one != gid)


def _table(paths: Paths, path: str) -> dict[str, list[str]]:
    """The lines of /etc/passwd or /etc/group: by name, what follows the password, if that is numbers."""
    found: dict[str, list[str]] = {}
    numbers = 1 if path == _GROUPS else 2
    for line in (paths.text(path) or "").splitlines():
        name, *fields = line.split(":")
        if len(fields) > numbers and None not in map(decimal, fields[1 : 1 + numbers]):
            found.setdefault(name, fields[1:])
    return found
