"""The hook's process, as libvirt starts it: arguments in, one answer out.

Imports next to nothing: an answer of the service costs little more than the interpreter's start.
"""

import posix
import sys
import time

_DECIDED = ("migrate", "restore")
_INTERNAL = 3
#: libvirt shows a refusal behind 200 characters of its own: ours begins on a line of its own.
_LINE_END = "\n"

#: Where the answerer's socket is, below a name that holds the version.
SOCKETS = "/run/libhooks"
#: Seconds within which the answerer has to acknowledge, and then to give a sign of life, again and again.
_ACKNOWLEDGED = 0.2
_ALIVE = 1.0
#: What the answer may take beyond the deadline: that is the facts' alone.
_GRACE = 1.0
_CHUNK = 1 << 18

TYPE_CHECKING = False  # importing typing for it would cost more than all else here
if TYPE_CHECKING:
    from _socket import socket
    from typing import NoReturn

    from libhooks.protocol import Answer


def main(sockets: str = SOCKETS) -> None:
    """Answer ``NAME OPERATION SUB-OPERATION EXTRA`` and end the process.

    Anything but an arrival is none of our business: a failing ``reconnect`` kills a running guest.
    """
    began = time.monotonic()
    words = sys.argv[1:5]
    if len(words) < 2 or words[1] not in _DECIDED:
        posix._exit(0)
    try:
        _answer(words, sockets, began)
    except BaseException as error:  # noqa: BLE001 - the last line of defence: a sentence, not a traceback
        _broken(words, error)


def _answer(words: "list[str]", sockets: str, began: float) -> "NoReturn":
    from libhooks import process

    document = process.read_document()
    given = _served(words, document, sockets, began)
    if given is None:
        _inline(words, document, began)
    code, journal, line, stdout, stderr = given
    try:
        process.append(journal, line)
    except OSError:
        # Whether an answer may go without its record is the policy's to say, and `inline` asks it.
        _inline(words, document, began)
    process.tell_system_log(line)
    if stderr:
        process.told(2, _LINE_END.encode() + stderr)
    posix._exit(code if process.told(1, stdout) else _INTERNAL)


def _served(words: "list[str]", document: bytes, sockets: str, began: float) -> "Answer | None":
    """The answerer's answer; None where we have to decide ourselves."""
    from libhooks import process, protocol

    try:
        return ask(f"{sockets}/answer-{protocol.version()}.sock", words, document, began)
    except (FileNotFoundError, PermissionError):  # there is none, or none for this user
        return None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, a guest waits for an answer
        why = getattr(error, "strerror", None) or str(error)
        text = f"guest '{_shown(words[0])}': decided without the answerer: {why}"
        process.tell_system_log(text.encode("utf-8", "replace"), process.WARNING)
        return None


def ask(path: str, words: "list[str]", document: bytes, began: float) -> "Answer":
    """The answer of whoever listens at ``path``, which took charge in time and stayed alive.

    ``began`` is when the decision did, in monotonic seconds. Raises OSError or ValueError for no answer.
    """
    from _socket import AF_UNIX, SOCK_STREAM, socket

    from libhooks import protocol

    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        until = time.monotonic() + _ACKNOWLEDGED
        connection.settimeout(_ACKNOWLEDGED)
        connection.connect(path)
        _check_peer(connection)
        connection.sendall(protocol.request(words, time.monotonic() - began, document))
        letter, payload = _message(connection, until)
        if letter != protocol.ACKNOWLEDGED:
            raise ValueError("it does not acknowledge")
        until = began + protocol.acknowledged(payload) + _GRACE
        while letter != protocol.ANSWER:
            letter, payload = _message(connection, until)
        return protocol.answered(payload)
    finally:
        connection.close()


def _check_peer(connection: "socket") -> None:
    """Raise ValueError where the socket is not root's, or the user's own: its answer would move guests."""
    from _socket import SO_PEERCRED, SOL_SOCKET

    credentials = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)
    user = int.from_bytes(credentials[4:8], sys.byteorder)
    if user not in (0, posix.geteuid()):
        raise ValueError(f"its socket is user {user}'s")


def _message(connection: "socket", until: float) -> "tuple[bytes, bytes]":
    """The next message: its letter and what follows. Raises OSError or ValueError."""
    from libhooks import protocol

    letter, size = protocol.message_head(_received(connection, protocol.HEAD, until))
    return letter, _received(connection, size, until)


def _received(connection: "socket", size: int, until: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(min(left, _ALIVE))
        chunk = connection.recv(min(size - len(data), _CHUNK))
        if not chunk:
            raise ValueError("it ended without an answer")
        data += chunk
    return bytes(data)


def _inline(words: "list[str]", document: bytes, began: float) -> "NoReturn":
    sys.path.extend(package_directories())
    from libhooks import inline
    from libhooks.door import Settings
    from libhooks.event import Event, Operation

    name, operation, *rest = words
    event = Event(name, Operation(operation), *rest)
    inline.main(event, Settings(spent=time.monotonic() - began), _LINE_END, document)


def package_directories() -> "list[str]":
    """Where the distribution keeps lxml: this process is started without site-packages (-S).

    Computed from the interpreter that runs, so that an upgrade of Python needs no new installation.
    """
    version = "python{}.{}".format(*sys.version_info)
    candidates = [f"{sys.prefix}/lib/python3/dist-packages"]
    for lib in dict.fromkeys((sys.platlibdir, "lib64", "lib")):
        candidates.append(f"{sys.prefix}/{lib}/{version}/site-packages")
    own = __file__.rpartition("/libhooks/")[0]
    return [*candidates, f"{own}/vendor"]


def _broken(words: "list[str]", error: BaseException) -> None:
    if words[1] == "migrate":
        missing = f": {error}" if isinstance(error, ImportError) else ""
        text = (
            f"{_LINE_END}libhooks: guest '{_shown(words[0])}' is refused: libhooks cannot run here\n"
            f"  found:  {type(error).__name__}{missing}\n"
            "  hint:   run install.sh again on this host, then libhooks check\n"
        )
        posix.write(2, text.encode("utf-8", "replace"))
        posix._exit(_INTERNAL)
    posix._exit(0)


def _shown(name: str) -> str:
    """A guest's name, which comes from whoever names guests: nothing that moves a cursor gets through."""
    return "".join(one if one.isprintable() else "?" for one in name)
