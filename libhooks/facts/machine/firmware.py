"""Which template an nvram is made from where the guest names none: libvirt then asks for its loader's.

virQEMUFirmware's order: the descriptions that packages install for QEMU (docs/interop/firmware.json), the
administrator's first; then the pairs of qemu.conf's ``nvram``, or the ones built into libvirt.
"""

from __future__ import annotations

import json
from typing import Iterator

from libhooks.facts.reading.conf import string_list
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage

_DESCRIPTIONS = ("/etc/qemu/firmware", "/usr/share/qemu/firmware")
_CONFIGURATION = "/etc/libvirt/qemu.conf"
#: libvirt's configure option --with-loader-nvram, as distributions leave it.
_BUILT_IN = (
    "/usr/share/OVMF/OVMF_CODE.fd:/usr/share/OVMF/OVMF_VARS.fd",
    "/usr/share/OVMF/OVMF_CODE.secboot.fd:/usr/share/OVMF/OVMF_VARS.fd",
    "/usr/share/AAVMF/AAVMF_CODE.fd:/usr/share/AAVMF/AAVMF_VARS.fd",
    "/usr/share/AAVMF/AAVMF32_CODE.fd:/usr/share/AAVMF/AAVMF32_VARS.fd",
)


def nvram_template(paths: Paths, loader: str) -> str | None:
    """The template that goes with a loader, None where nothing here knows the loader.

    Raises Garbage, with its name, for a description that is none.
    """
    for directory in _DESCRIPTIONS:
        for name in sorted(one for one in paths.names(directory) if one.endswith(".json")):
            for described, template in _described(f"{directory}/{name}", paths):
                if described == loader:
                    return template
    pairs = string_list(paths.text(_CONFIGURATION) or "", "nvram") or _BUILT_IN
    found = dict(pair.split(":", 1) for pair in pairs if ":" in pair)
    return found.get(loader)


def _described(path: str, paths: Paths) -> Iterator[tuple[str, str]]:
    text = paths.text(path)
    if not text:
        return  # an empty file in /etc switches one of the packages off
    try:
        mapping = json.loads(text)["mapping"]
        if mapping["device"] == "flash" and "nvram-template" in mapping:
            yield mapping["executable"]["filename"], mapping["nvram-template"]["filename"]
    except (ValueError, KeyError, TypeError):
        raise Garbage(f"{path} is no firmware description") from None
