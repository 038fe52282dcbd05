"""The answers to ``service_model``'s questions. Never on the hook's path: some of them run a program."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Callable

from libhooks.facts.host import HostFacts
from libhooks.facts.reading import conf, programs
from libhooks.facts.reading.guarded import Guarded
from libhooks.facts.reading.root import Garbage, Root
from libhooks.facts.service import units
from libhooks.facts.service.nftables import ACCEPT, DROP, Ruleset
from libhooks.facts.service.words import Certificate, Daemon, Firewall, Settings

if TYPE_CHECKING:
    from libhooks.facts.model import Unknown

NFT, GETENT, TIMEDATECTL = "/usr/sbin/nft", "/usr/bin/getent", "/usr/bin/timedatectl"
#: Seconds for all questions together.
DEADLINE = 30.0
#: The tables of the packet filter before nftables, one a line, where any is in use.
_LEGACY = "/proc/net/ip_tables_names"

Run = Callable[..., bytes]


def open_services(root: str = "/", now: Callable[[], float] = time.time) -> HostServices:
    """The services of this host, or of the captured tree at ``root``. Close them when all is asked."""
    if root == "/":
        guarded = Guarded()
        return HostServices(guarded, guarded, programs.run, now)
    from libhooks.facts.reading.tree import TreeRoot

    tree = TreeRoot(root, DEADLINE)
    return HostServices(tree, None, tree.run, now)


class HostServices(HostFacts):
    """A ``service_model.ServiceFacts``."""

    def __init__(self, root: Root, guarded: Guarded | None, run: Run, now: Callable[[], float]) -> None:
        super().__init__(root, guarded, DEADLINE)
        self._run = run
        self.now = now

    def __enter__(self) -> HostServices:
        return self

    def exists(self, path: str) -> bool | Unknown:
        """From lstat(2)."""
        return self._ask(lambda: self._paths.node(path) is not None)

    def daemon(self) -> Daemon | None | Unknown:
        """From systemd's directories and the kernel's sockets."""
        return self._ask(lambda: units.daemon(self._paths))

    def starts(self, unit: str) -> bool | Unknown:
        """From systemd's directories."""
        return self._ask(lambda: units.starts(self._paths, unit))

    def settings(self, path: str) -> Settings | Unknown:
        """From the file."""
        return self._ask(lambda: self._settings(path))

    def _settings(self, path: str) -> Settings:
        self._paths.text(path)  # what can't be read is unknown; what makes no sense is broken
        try:
            return Settings(conf.settings(self._paths, path))
        except Garbage as error:
            return Settings({}, str(error).removeprefix(f"{path}: "))

    def certificate(self, path: str) -> Certificate | None | Unknown:
        """From openssl."""
        from libhooks.facts.service.certificate import decode

        def asked() -> Certificate | None:
            text = self._paths.text(path)
            return None if text is None else decode(text.encode("utf-8", "surrogateescape"))

        return self._ask(asked)

    def firewall(self, first: int, last: int) -> Firewall | Unknown:
        """From nft."""
        return self._ask(lambda: self._firewall(range(first, last + 1)))

    def _firewall(self, ports: range) -> Firewall:
        legacy = (self._paths.text(_LEGACY) or "").split()
        if "filter" in legacy:
            raise Garbage("the rules of iptables-legacy are not read: see iptables-legacy-save")
        rules = Ruleset(self._run(NFT, "--json", "list", "ruleset").decode("utf-8", "replace"))
        fates = {port: rules.fates(port) for port in ports}
        closed = tuple(port for port, fate in fates.items() if fate == {DROP})
        unclear = tuple(port for port, fate in fates.items() if fate > {ACCEPT})
        return Firewall(closed, unclear)

    def hostname(self) -> str | Unknown:
        """From the kernel."""
        return self._ask(lambda: self._paths.line("/proc/sys/kernel/hostname"))

    def resolved(self, name: str) -> tuple[str, ...] | Unknown:
        """From getent, which asks as any program does: /etc/hosts, DNS ..."""
        return self._ask(lambda: self._resolved(name))

    def _resolved(self, name: str) -> tuple[str, ...]:
        try:
            printed = self._run(GETENT, "ahosts", name)
        except programs.Failed as error:
            if error.code == 2:  # it knows no such name
                return ()
            raise
        lines = (line.split() for line in printed.decode("utf-8", "replace").splitlines())
        return tuple(dict.fromkeys(words[0] for words in lines if words))

    def synchronised(self) -> bool | Unknown:
        """From timedatectl, which asks the kernel (adjtimex(2))."""
        return self._ask(self._synchronised)

    def _synchronised(self) -> bool:
        told = self._run(TIMEDATECTL, "show", "--property=NTPSynchronized", "--value").strip()
        if told not in (b"yes", b"no"):
            raise Garbage(f"timedatectl says {json.dumps(told.decode('utf-8', 'replace')[:40])}")
        return told == b"yes"
