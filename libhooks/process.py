"""What the hook's process reads and writes: libvirt's streams, the journal, the system log.

With nothing but ``posix``: it is imported at every migration.
"""

import posix

from libhooks.protocol import MAX_BYTES

_SYSTEM_LOG = "/dev/log"
#: Facility daemon (RFC 5424), and the severities.
_DAEMON = 3 * 8
WARNING, INFORMATION = 4, 6
#: Some system loggers cut a message off here; a longer record is in the journal alone.
_LONGEST_SYSTEM_LOG = 8192


def read_document() -> bytes:
    """Stdin to its end, or to where it is too large for any domain; nothing, if it cannot be read."""
    chunks, size = [], 0
    while size <= MAX_BYTES:
        try:
            chunk = posix.read(0, 1 << 16)
        except OSError:
            return b""
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def told(descriptor: int, data: bytes) -> bool:
    """Whether all of some bytes could be written."""
    view = memoryview(data)
    try:
        while view:
            view = view[posix.write(descriptor, view) :]
    except OSError:
        return False
    return True


def append(path: str, line: bytes) -> None:
    """Add a line to the journal, made with mode 0600 if it is not there.

    One write with O_APPEND: lines of hooks that run side by side never mix. Raises OSError if the line
    could not be written whole.
    """
    flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_NOFOLLOW | posix.O_CLOEXEC
    descriptor = posix.open(path, flags, 0o600)
    try:
        written = posix.write(descriptor, line)
    finally:
        posix.close(descriptor)
    if written != len(line):
        raise OSError(f"{path}: {written} of {len(line)} bytes written")


def tell_system_log(line: bytes, severity: int = INFORMATION) -> None:
    """Send a line to the system log, if one listens and is not behind: it never holds a guest up."""
    if len(line) > _LONGEST_SYSTEM_LOG:
        return
    # The datagram socket alone: the socket module around it costs 8 ms at import.
    from _socket import AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK, socket

    speaker = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK)
    try:
        text = b"<%d>libhooks[%d]: %s" % (_DAEMON + severity, posix.getpid(), line.rstrip())
        speaker.sendto(text, _SYSTEM_LOG)
    except OSError:
        # No logger, or one that is behind. The journal has the record; this is the copy.
        return
    finally:
        speaker.close()
