"""What in a domain is nobody's to read: it is edited and passed on, and never told."""

from __future__ import annotations

from typing import Callable, Iterator

from lxml import etree

from libhooks.domain import Domain, word

#: Stands where a secret would.
HIDDEN = "(hidden)"

#: The ends of paths below ``<domain>`` whose values are secrets.
_SECRETS = (
    ("graphics", "@passwd"),
    ("qemu:arg", "@value"),
    ("qemu:env", "@value"),
    ("cookie", "text()"),
    ("oemStrings", "entry", "text()"),  # where systemd looks for credentials, and so in fw_cfg below
    ("sysinfo", "entry", "text()"),
    ("launchSecurity", "dhCert", "text()"),
    ("launchSecurity", "session", "text()"),
)


def is_secret(steps: tuple[str, ...]) -> bool:
    """Whether the value at a spot is a secret. ``steps`` lead there, without ordinals."""
    return any(steps[-len(ends) :] == ends for ends in _SECRETS)


def may_select_secret(select: str) -> bool:
    """Whether an edit that selects so may set a secret; in doubt it may."""
    from libhooks.selection import Selection  # its patterns are compiled for those who ask alone

    steps = Selection(select).steps(setting=True)
    if steps is not None:
        return is_secret(steps)
    words = {step.lstrip("@") for ends in _SECRETS for step in ends[1:] or ends if step != "text()"}
    return any(word in select for word in (*words, "cookie", "*", "node("))


def holds_secret(element: etree._Element) -> bool:
    """Whether a secret stands anywhere in an element."""
    return any(True for one in element.iter(etree.Element) for _ in _secrets(one))


def _hidden(_: str) -> str:
    return HIDDEN


def masked(domain: Domain, mask: Callable[[str], str] = _hidden) -> Domain:
    """A copy that people may see: ``mask`` has what stands for each secret."""
    twin = domain.edited(())
    for element in twin.root.iter(etree.Element):
        for last in tuple(_secrets(element)):
            _hide(element, last, mask)
    return twin


def _secrets(element: etree._Element) -> Iterator[str]:
    above = element.getparent()
    steps = (word(element),) if above is None else (word(above), word(element))
    lasts = ("text()",) if (element.text or "").strip() else ()
    for last in (*lasts, *("@" + str(name) for name in element.attrib)):
        if is_secret((*steps, last)):
            yield last


def _hide(element: etree._Element, last: str, mask: Callable[[str], str]) -> None:
    if last == "text()":
        element.text = mask(element.text or "")
    else:
        element.set(last[1:], mask(element.get(last[1:], "")))
