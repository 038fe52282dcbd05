"""Hosts: libvirtd behind a connection, and the guests that it knows."""

from __future__ import annotations

from contextlib import suppress
from typing import Callable, Iterator

import libvirt

from libhooks.libvirtd.errors import Unreachable, asking, silence
from libhooks.libvirtd.guests import Guest

#: Seconds between two signs of life of libvirtd, and how many may be missing.
_KEEPALIVE = (5, 4)
_Told = Callable[[str, str, int, int], None]


class Host:
    """A host. All may raise Unreachable."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._connection = connection

    def by_uuid(self, uuid: str) -> Guest:
        """The guest of a UUID. Raises NoGuest."""
        with asking():
            return Guest(self._connection.lookupByUUIDString(uuid))

    def by_name(self, name: str) -> Guest:
        """The guest of a name. Raises NoGuest."""
        with asking():
            return Guest(self._connection.lookupByName(name))

    def everyone(self) -> Iterator[Guest]:
        """All guests that run or are defined here."""
        with asking():
            found = self._connection.listAllDomains()
        yield from map(Guest, found)

    def define(self, document: bytes) -> None:
        """Save a definition in the place of the one there is. Raises Rejected."""
        with asking():
            self._connection.defineXML(document.decode())

    def watch(self, told: _Told, closed: Callable[[], None]) -> None:
        """Have the guests' lives ``told`` (UUID, name, event, detail), and the connection's end (``closed``).

        Only with an event loop, which also asks libvirtd for signs of life.
        """

        def tell(_: object, domain: libvirt.virDomain, event: int, detail: int, __: object) -> None:
            told(domain.UUIDString(), domain.name(), event, detail)

        connection = self._connection
        with asking():
            connection.registerCloseCallback(lambda *_: closed(), None)
            connection.setKeepAlive(*_KEEPALIVE)
            connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, tell, None)

    def close(self) -> None:
        """End the connection; one that has broken is closed already."""
        with suppress(libvirt.libvirtError):
            self._connection.close()


def reach(uri: str) -> Host:
    """The host behind a URI. Raises Unreachable."""
    silence()
    try:
        return Host(libvirt.open(uri))
    except libvirt.libvirtError as error:
        raise Unreachable((error.get_error_message() or str(error)).splitlines()[0]) from error
