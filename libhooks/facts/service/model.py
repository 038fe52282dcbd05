"""The questions about a host's own services, asked by the service, doctor and preflight.

The hook has no way to ask them: answering some of them runs a program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from libhooks.facts.model import Unknown
    from libhooks.facts.service.words import Certificate, Daemon, Firewall, Settings


class ServiceFacts(Protocol):
    """The typed questions. Each answers within its deadline; one that cannot is Unknown."""

    def host(self) -> tuple[str, ...]:
        """The names this host goes by, best first."""

    def host_uuid(self) -> str | None | Unknown:
        """The UUID that libvirt knows this host by; None where it makes a new one at each start."""

    def exists(self, path: str) -> bool | Unknown:
        """Whether there is anything at ``path``."""

    def daemon(self) -> Daemon | None | Unknown:
        """The daemon that runs QEMU's guests: virtqemud or libvirtd; None where neither is installed."""

    def starts(self, unit: str) -> bool | Unknown:
        """Whether a unit of systemd starts with the host."""

    def settings(self, path: str) -> Settings | Unknown:
        """What one of libvirt's files sets; nothing where it is missing."""

    def certificate(self, path: str) -> Certificate | None | Unknown:
        """The first certificate in a file; None where there is no such file."""

    def firewall(self, first: int, last: int) -> Firewall | Unknown:
        """What this host's packet filter does with new connections to a range of TCP ports."""

    def hostname(self) -> str | Unknown:
        """The kernel's host name, which libvirt tells the other host to connect to."""

    def resolved(self, name: str) -> tuple[str, ...] | Unknown:
        """The addresses of a host's name, as programs on this host find them."""

    def synchronised(self) -> bool | Unknown:
        """Whether the kernel's clock is kept by a time service."""

    def now(self) -> float:
        """The time, in seconds since 1970."""
