"""Paths outside the disks: boot files, character devices, device nodes, sockets, logs, directories."""

from __future__ import annotations

from lxml import etree

from libhooks import names
from libhooks.domain import around
from libhooks.names import Form, Name
from libhooks.references.model import (
    CHARACTER_DEVICES,
    PATH_KINDS,
    Role,
    Row,
    absolute,
    of_type,
    path_row,
    row,
)  # fmt: skip

#: Sources of randomness that the kernel gives every host.
_EVERYWHERE = ("/dev/random", "/dev/urandom")
_UNIX_PATH = "unix:path="


def _has_path(source: etree._Element) -> bool:
    # A pty's path is what the running guest happened to get, on the other host; vdagents have none.
    return around(source).get("type", "") in ("file", "dev", "pipe", "unix")


def _character_role(source: etree._Element) -> Role:
    kind = around(source).get("type")
    made_here = kind == "file" or (kind == "unix" and source.get("mode") != "connect")
    return Role.OUTPUT if made_here else Role.ENDPOINT


def _vhostuser_role(source: etree._Element) -> Role:
    return Role.OUTPUT if source.get("mode") == "server" else Role.ENDPOINT


def _tpm_role(source: etree._Element) -> Role:
    return Role.ENDPOINT if source.get("type") == "unix" else Role.OUTPUT


def _memory_role(path: etree._Element) -> Role:
    return Role.ENDPOINT if (path.text or "").strip().startswith("/dev/") else Role.OUTPUT


def _of_random(backend: etree._Element) -> bool:
    return backend.get("model") == "random"


def _random(text: str) -> Name | None:
    return None if text in _EVERYWHERE else names.path(text)


def _bus(text: str) -> Name | None:
    """The socket of a D-Bus address that says nothing else."""
    path = text[len(_UNIX_PATH) :]
    return absolute(path) if text.startswith(_UNIX_PATH) and not set(path) & set(",;%") else None


def _bus_address(new: Name) -> str:
    return f"{_UNIX_PATH}{new}"


def _guest_writes(source: etree._Element) -> bool:
    return around(source).find("readonly") is None


_BOOT: tuple[Row, ...] = (
    path_row("os/loader", "text()", Role.FIRMWARE),
    path_row("os/nvram", "text()", Role.NVRAM),
    path_row("os/nvram", "@template", Role.FIRMWARE),
    path_row("os/varstore", "@path", Role.NVRAM),
    path_row("os/varstore", "@template", Role.FIRMWARE),
    path_row("os/kernel", "text()", Role.BOOT),
    path_row("os/initrd", "text()", Role.BOOT),
    path_row("os/shim", "text()", Role.BOOT),
    path_row("os/dtb", "text()", Role.BOOT),
    path_row("os/acpi/table", "text()", Role.BOOT),
    path_row("bootloader", "text()", Role.BOOT, parse=absolute),
    path_row("devices/emulator", "text()", Role.EMULATOR),
    path_row("devices/interface/rom", "@file", Role.BOOT),
    path_row("devices/hostdev/rom", "@file", Role.BOOT),
)

_CHARACTER: tuple[Row, ...] = tuple(
    one
    for device in CHARACTER_DEVICES
    for one in (
        path_row(f"{device}/source", "@path", _character_role, _has_path),
        path_row(f"{device}/log", "@file", Role.OUTPUT),
    )
)

_DISPLAY: tuple[Row, ...] = (
    # As with the address: libvirt wants both to say the same, and writes both.
    path_row("devices/graphics", "@socket", Role.OUTPUT),
    path_row("devices/graphics/listen", "@socket", Role.OUTPUT),
    path_row("devices/graphics", "@xauth", Role.BOOT, parse=absolute),
    path_row("devices/graphics/gl", "@rendernode", Role.ENDPOINT),
    row("devices/graphics", "@address", PATH_KINDS, Role.ENDPOINT, Form.PATH, _bus, text_of=_bus_address),
    path_row("devices/audio", "@path", Role.OUTPUT, parse=absolute),
    path_row("devices/audio", "@runtimeDir", Role.ENDPOINT, parse=absolute),
    path_row("devices/audio/input", "@dev", Role.ENDPOINT, parse=absolute),
    path_row("devices/audio/output", "@dev", Role.ENDPOINT, parse=absolute),
)

_INTERFACE: tuple[Row, ...] = (
    path_row("devices/interface/source", "@path", _vhostuser_role, of_type("vhostuser")),
    path_row("devices/interface/source", "@dev", Role.ENDPOINT, of_type("vdpa")),
    path_row("devices/interface/script", "@path", Role.BOOT, parse=absolute),
    path_row("devices/interface/downscript", "@path", Role.BOOT, parse=absolute),
    path_row("devices/interface/backend", "@tap", Role.ENDPOINT),
    path_row("devices/interface/backend", "@vhost", Role.ENDPOINT),
    path_row("devices/interface/backend", "@logFile", Role.OUTPUT),
)

_SHARED: tuple[Row, ...] = tuple(
    path_row("devices/filesystem/source", at, Role.ENDPOINT)._replace(writable=_guest_writes)
    for at in ("@dir", "@file", "@dev")
)

_DEVICES: tuple[Row, ...] = (
    path_row("devices/filesystem/source", "@socket", Role.ENDPOINT),
    path_row("devices/filesystem/binary", "@path", Role.BOOT),
    path_row("devices/lease/target", "@path", Role.ENDPOINT),
    path_row("devices/hostdev/source/block", "text()", Role.ENDPOINT),
    path_row("devices/hostdev/source/char", "text()", Role.ENDPOINT),
    path_row("devices/input/source", "@dev", Role.ENDPOINT),
    path_row("devices/input/source", "@evdev", Role.ENDPOINT),
    path_row("devices/smartcard/database", "text()", Role.ENDPOINT),
    path_row("devices/tpm/backend/device", "@path", Role.ENDPOINT, parse=absolute),
    path_row("devices/tpm/backend/source", "@path", _tpm_role, parse=absolute),
    path_row("devices/rng/backend", "text()", Role.ENDPOINT, _of_random, _random),
    path_row("devices/shmem/server", "@path", Role.ENDPOINT),
    path_row("devices/memory/source/path", "text()", _memory_role),
    path_row("devices/pstore/path", "text()", Role.OUTPUT),
    path_row("blkiotune/device/path", "text()", Role.ENDPOINT),
    path_row("launchSecurity/quoteGenerationService", "@path", Role.ENDPOINT),
)

ROWS: tuple[Row, ...] = (*_BOOT, *_CHARACTER, *_DISPLAY, *_INTERFACE, *_SHARED, *_DEVICES)
