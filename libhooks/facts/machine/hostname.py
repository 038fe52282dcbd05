"""The platform: the names that this host goes by, without asking a name server."""

from __future__ import annotations

from libhooks.facts.reading.paths import Paths


def host(paths: Paths) -> tuple[str, ...]:
    """The names of this host, best first.

    The first line of /etc/libhooks/host is the only one where it is not blank. Else the kernel's host name,
    before it the full name of it that /etc/hosts knows, after it the short one.
    """
    given = _first_line(paths, "/etc/libhooks/host")
    if given:
        return (given,)
    name = _first_line(paths, "/proc/sys/kernel/hostname")
    if name in ("", "(none)"):
        return ()
    full = name if "." in name else full_name(paths.text("/etc/hosts") or "", name)
    return tuple(dict.fromkeys((full or name, name.split(".")[0])))


def _first_line(paths: Paths, path: str) -> str:
    lines = (paths.text(path) or "").splitlines()
    return lines[0].strip() if lines else ""


def full_name(hosts: str, name: str) -> str:
    """The dotted name that a line of /etc/hosts gives a host, its own domain before any other; "" if none."""
    dotted = [word for words in _naming(hosts, name) for word in words if "." in word]
    own = [word for word in dotted if word.lower().startswith(f"{name.lower()}.")]
    others = [word for word in dotted if not word.lower().startswith("localhost.")]
    return next(iter(own + others), "")


def _naming(hosts: str, name: str) -> list[list[str]]:
    """The names on each line that has this one among them."""
    lines = (line.split("#")[0].split()[1:] for line in hosts.splitlines())
    return [words for words in lines if name.lower() in (word.lower() for word in words)]
