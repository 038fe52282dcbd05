"""What libvirt calls the hook with: a guest's name, an operation and its details."""

from enum import Enum
from typing import NamedTuple


class Operation(Enum):
    """The operations at which libvirt lets a hook rewrite or refuse a guest.

    libvirt knows others (``prepare``, ``start``, ``reconnect`` ...); none of them is ours to decide,
    and a failing ``reconnect`` kills a running guest.
    """

    MIGRATE = "migrate"
    RESTORE = "restore"


class Event(NamedTuple):
    """One call of ``/etc/libvirt/hooks/qemu NAME OPERATION SUB-OPERATION EXTRA``.

    ``name`` is the guest's name here, on the destination: after ``--dname`` it is the new one.
    """

    name: str
    operation: Operation
    suboperation: str = "begin"
    extra: str = "-"
