"""The header of a qcow2 image: what lies behind it (QEMU, docs/interop/qcow2.txt).

A guest can write any header into its own disk, so every number in it is doubted, with QEMU's own bounds
(block/qcow2.c): what QEMU would refuse to open is unknown here.
"""

from __future__ import annotations

import struct

from libhooks.facts.model import Image, Unknown

#: Enough for the header and the backing file's name of nearly every image; ``extent`` says if not.
FIRST_READ = 4096
#: A header of version 2 has no fewer bytes.
SMALLEST = 72
#: What is no image at all.
NONE = Unknown("not a qcow2 image")

_MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQII")
_V3_LENGTH = 104
_BACKING_FORMAT = 0xE2792ACA
_LONGEST_NAME, _LONGEST_FORMAT = 1023, 15


def extent(head: bytes) -> int:
    """How many bytes of the image ``parse`` needs, at most a cluster; 0 where it needs no more."""
    if len(head) < SMALLEST:
        return 0
    magic, version, offset, length, bits = _fields(head)
    if magic != _MAGIC or version not in (2, 3) or not 9 <= bits <= 21 or not offset:
        return 0
    return min(offset + length, 1 << bits)


def parse(head: bytes) -> Image | Unknown:
    """What a header says; Unknown, with the reason, for what is none or makes no sense."""
    if len(head) < SMALLEST or not head.startswith(_MAGIC) or _fields(head)[1] not in (2, 3):
        return NONE
    _, version, offset, length, bits = _fields(head)
    start = _extensions_start(head, version)
    if not 9 <= bits <= 21 or not start:
        return Unknown("a damaged qcow2 header")
    if not offset:
        return Image(None, "")
    if length > min(_LONGEST_NAME, (1 << bits) - offset) or not start <= offset <= len(head) - length:
        return Unknown("a damaged qcow2 header: its backing file's name lies outside it")
    return _image(head[offset : offset + length], _backing_format(head[start:offset]))


def _fields(head: bytes) -> tuple[bytes, int, int, int, int]:
    """Magic, version, the backing file's offset and length, and the bits of the cluster size."""
    magic, version, offset, length, bits = _HEADER.unpack_from(head)
    return magic, version, offset, length, bits


def _extensions_start(head: bytes, version: int) -> int:
    """Where the header extensions begin; 0 where the header is shorter than its version has it."""
    if version == 2:
        return SMALLEST
    if len(head) < _V3_LENGTH:
        return 0
    length = int.from_bytes(head[100:104], "big")
    return length if length >= _V3_LENGTH else 0


def _backing_format(extensions: bytes) -> bytes | None:
    """The extension that names the backing file's format; empty without one, None where all is damaged."""
    at = 0
    while at + 8 <= len(extensions):
        kind, length = struct.unpack_from(">II", extensions, at)
        at += 8
        if kind == 0:
            break
        if length > len(extensions) - at or (kind == _BACKING_FORMAT and length > _LONGEST_FORMAT):
            return None
        if kind == _BACKING_FORMAT:
            return extensions[at : at + length]
        at += (length + 7) & ~7
    return b""


def _image(name: bytes, form: bytes | None) -> Image | Unknown:
    """QEMU takes both as C strings; a name that XML could not hold is not passed on."""
    if form is None:
        return Unknown("a damaged qcow2 header: its extensions run over")
    try:
        backing = name.split(b"\0")[0].decode("utf-8")
        backing_format = form.split(b"\0")[0].decode("ascii")
    except UnicodeDecodeError:
        return Unknown("a qcow2 header whose backing file's name is not UTF-8")
    if any(ord(character) < 32 for character in backing + backing_format):
        return Unknown("a qcow2 header whose backing file's name has control characters")
    return Image(backing or None, backing_format if backing else "")
