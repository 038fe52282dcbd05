"""Two libvirt hosts and a filer on one machine, for tests and for `install.sh --demo`."""

from .errors import LabError
from .guest import Beat, Guest, beat_on_disk, beat_on_serial, create_disk, domain_xml
from .host import Host
from .lab import Lab
from .requirements import PACKAGES, missing, missing_extras

__all__ = [
    "PACKAGES",
    "Beat",
    "Guest",
    "Host",
    "Lab",
    "LabError",
    "beat_on_disk",
    "beat_on_serial",
    "create_disk",
    "domain_xml",
    "missing",
    "missing_extras",
]
