"""The guest's devices, and what people call them."""

from __future__ import annotations

from typing import Iterator

from lxml import etree

from libhooks.domain import children
from libhooks.requirements.model import Subject


def devices(subject: Subject) -> Iterator[tuple[etree._Element, str]]:
    """Each with its step of an XPath below ``/domain/devices``."""
    found = subject.domain.root.find("devices")
    return children(found) if found is not None else iter(())


def label(element: etree._Element, step: str) -> str:
    """What a person calls a device: ``disk vda``, ``interface 52:54:00:12:34:56``."""
    if element.tag == "controller":
        return f"controller {element.get('type', '')} {element.get('index', '')}".strip()
    if element.tag == "interface":
        mac = element.find("mac")
        return f"interface {mac.get('address', '')}" if mac is not None else step
    target = element.find("target")
    told = "" if target is None else target.get("dev") or target.get("dir") or ""
    return f"{element.tag} {told or step.partition('[')[2].rstrip(']')}".strip()
