"""The templates that nvrams are made from, read from firmware descriptions and qemu.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from libhooks.facts.host import open_facts
from libhooks.facts.model import Unknown

CODE, VARS = "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"
#: After QEMU's docs/interop/firmware.json, as the package edk2-ovmf has them.
DESCRIPTION = """\
{"description": "OVMF", "interface-types": ["uefi"],
 "mapping": {"device": "flash",
             "executable": {"filename": "%s", "format": "raw"},
             "nvram-template": {"filename": "%s", "format": "raw"}},
 "targets": [], "features": [], "tags": []}
"""


def template(root: Path, loader: str = CODE) -> str | Unknown | None:
    with open_facts(str(root)) as facts:
        return facts.nvram_template(loader)


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_descriptions_name_the_template(tmp_path: Path) -> None:
    """A description of QEMU's firmware names the template of its loader; the administrator's comes first."""
    write(tmp_path, "usr/share/qemu/firmware/50-ovmf.json", DESCRIPTION % (CODE, VARS))
    assert template(tmp_path) == VARS
    write(tmp_path, "etc/qemu/firmware/10-ours.json", DESCRIPTION % (CODE, "/etc/ours.fd"))
    assert template(tmp_path) == "/etc/ours.fd"


def test_configuration_names_the_template(tmp_path: Path) -> None:
    """Where no description knows the loader, qemu.conf's nvram does."""
    write(tmp_path, "etc/libvirt/qemu.conf", f'nvram = [\n  "{CODE}:{VARS}"\n]\n')
    assert template(tmp_path) == VARS


def test_libvirt_knows_some(tmp_path: Path) -> None:
    """Without either, libvirt has pairs of its own; a loader that is in none has no template."""
    assert template(tmp_path, "/usr/share/OVMF/OVMF_CODE.fd") == "/usr/share/OVMF/OVMF_VARS.fd"
    assert template(tmp_path, "/opt/firmware.fd") is None


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"mapping": {}}', '{"mapping": {"device": "flash", "nvram-template": 1}}']
)
def test_garbage(tmp_path: Path, text: str) -> None:
    """A description that is none is unknown, with its name."""
    write(tmp_path, "etc/qemu/firmware/10-bad.json", text)
    assert template(tmp_path) == Unknown("/etc/qemu/firmware/10-bad.json is no firmware description")


def test_switched_off(tmp_path: Path) -> None:
    """An empty description says nothing."""
    write(tmp_path, "etc/qemu/firmware/10-off.json", "")
    assert template(tmp_path, "/opt/firmware.fd") is None
