"""What the errors of libvirt come to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import libvirt


class Unreachable(Exception):
    """libvirtd cannot be asked: it is not there, went away, or does not answer. The text says which."""


class Rejected(Exception):
    """libvirtd was asked and would not. The text is its own."""


class NoGuest(Rejected):
    """There is no such guest."""


@contextmanager
def asking() -> Iterator[None]:
    """libvirt's errors, in a block, as one of ours."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise _ours(error) from error


#: What libvirt says where there is nobody to ask any more.
_GONE = {
    libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
}


def _ours(error: libvirt.libvirtError) -> Exception:
    code, text = error.get_error_code(), (error.get_error_message() or str(error)).splitlines()[0]
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return NoGuest(text)
    gone = code in _GONE or (
        code == libvirt.VIR_ERR_INTERNAL_ERROR and error.get_error_domain() == libvirt.VIR_FROM_RPC
    )
    return Unreachable(text) if gone else Rejected(text)


def silence() -> None:
    """libvirt's library prints every error to stderr by itself; ours are told once, by whoever asks."""
    libvirt.registerErrorHandler(lambda *_: None, None)
