"""Paths outside the disks: firmware and boot files, nvram, character devices and their logs."""

from __future__ import annotations

from lxml import etree

from libhooks import names
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import CHARACTER_DEVICES, PATH_KINDS, Role, Row, attribute_row, text_row

_PATH = frozenset({Form.PATH})


def _character_path(source: etree._Element) -> Name | None:
    # A pty's path is what the running guest happened to get, on the other host; vdagents have none.
    if around(source).get("type", "") not in ("file", "dev", "pipe", "unix"):
        return None
    text = source.get("path")
    return names.path(text) if text else None


def _character_role(source: etree._Element) -> Role:
    kind = around(source).get("type")
    made_here = kind == "file" or (kind == "unix" and source.get("mode") != "connect")
    return Role.OUTPUT if made_here else Role.ENDPOINT


def _character_row(device: str) -> Row:
    row = attribute_row(f"devices/{device}/source", "path", PATH_KINDS, Role.OUTPUT, Form.PATH, names.path)
    return row._replace(read=_character_path, role=_character_role)


def _log_row(device: str) -> Row:
    return attribute_row(f"devices/{device}/log", "file", PATH_KINDS, Role.OUTPUT, Form.PATH, names.path)


def _boot_row(element: str) -> Row:
    return text_row(element, PATH_KINDS, Role.BOOT, Form.PATH, names.path)


ROWS: tuple[Row, ...] = (
    _boot_row("os/loader"),
    _boot_row("os/kernel"),
    _boot_row("os/initrd"),
    text_row("os/nvram", PATH_KINDS, Role.NVRAM, Form.PATH, names.path),
    attribute_row("os/nvram", "template", PATH_KINDS, Role.BOOT, Form.PATH, names.path),
    attribute_row("os/nvram/source", "file", PATH_KINDS, Role.NVRAM, Form.PATH, names.path),
    *(_character_row(device) for device in CHARACTER_DEVICES),
    *(_log_row(device) for device in CHARACTER_DEVICES),
    # As with the address: libvirt wants both to say the same, and writes both.
    attribute_row("devices/graphics", "socket", PATH_KINDS, Role.OUTPUT, Form.PATH, names.path),
    attribute_row("devices/graphics/listen", "socket", PATH_KINDS, Role.OUTPUT, Form.PATH, names.path),
)
