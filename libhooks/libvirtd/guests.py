"""Guests as libvirtd knows them: read, and what their metadata carry."""

from __future__ import annotations

import libvirt
from lxml import etree

from libhooks.libvirtd.errors import Rejected, asking

_SAVED = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
#: What a guest is paused for while it is still arriving.
_ARRIVING = {libvirt.VIR_DOMAIN_PAUSED_MIGRATION, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP}


class Guest:
    """A guest on this host. All may raise Unreachable, NoGuest or Rejected."""

    def __init__(self, domain: libvirt.virDomain) -> None:
        self._domain = domain

    @property
    def name(self) -> str:
        """Its name here."""
        with asking():
            return str(self._domain.name())

    @property
    def uuid(self) -> str:
        """Its UUID, as libvirt writes it."""
        with asking():
            return str(self._domain.UUIDString())

    @property
    def runs(self) -> bool:
        """Whether it runs, or is paused; also while it is arriving."""
        with asking():
            return bool(self._domain.isActive())

    @property
    def is_saved(self) -> bool:
        """Whether libvirt keeps a definition of it for its next start."""
        with asking():
            return bool(self._domain.isPersistent())

    @property
    def is_arriving(self) -> bool:
        """Whether its migration to this host has not ended yet."""
        with asking():
            state, reason = self._domain.state()
        if state == libvirt.VIR_DOMAIN_RUNNING:
            return bool(reason == libvirt.VIR_DOMAIN_RUNNING_POSTCOPY)
        return bool(state == libvirt.VIR_DOMAIN_PAUSED and reason in _ARRIVING)

    def running(self) -> bytes:
        """Its document as it runs, with what is secret in it."""
        return self._document(libvirt.VIR_DOMAIN_XML_SECURE)

    def definition(self) -> bytes:
        """Its document as it will start, with what is secret in it."""
        return self._document(_SAVED)

    def carry(self, element: str, key: str, namespace: str, saved: bool) -> None:
        """Put an element into its metadata: the saved definition's, or the running guest's.

        For the latter this waits until no migration of the guest is under way.
        """
        self._set(element, key, namespace, saved)

    def drop(self, namespace: str, saved: bool) -> None:
        """Take the element of a namespace out of its metadata, if it is there."""
        try:
            self._set(None, None, namespace, saved)
        except Rejected:
            if self._has(namespace, saved):
                raise

    def _has(self, namespace: str, saved: bool) -> bool:
        try:
            with asking():
                self._domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, namespace, _affected(saved))
        except Rejected:
            return False
        return True

    def _set(self, element: str | None, key: str | None, namespace: str, saved: bool) -> None:
        plain = None if element is None else _without_namespace(element)
        with asking():
            self._domain.setMetadata(
                libvirt.VIR_DOMAIN_METADATA_ELEMENT, plain, key, namespace, _affected(saved)
            )

    def _document(self, flags: int) -> bytes:
        with asking():
            return str(self._domain.XMLDesc(flags)).encode()


def _without_namespace(element: str) -> str:
    """An element as libvirt wants it: the namespace it adds itself, and fails where it is there already."""
    root = etree.fromstring(element)
    for one in root.iter(etree.Element):
        one.tag = etree.QName(one).localname
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _affected(saved: bool) -> int:
    return int(libvirt.VIR_DOMAIN_AFFECT_CONFIG if saved else libvirt.VIR_DOMAIN_AFFECT_LIVE)
