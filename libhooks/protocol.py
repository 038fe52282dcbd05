"""What the hook and the answerer say to each other over their socket. Both ends are one version's.

The hook sends one request: MAGIC, three numbers (the size of the words, the milliseconds that are spent, the
size of the document), the words (the version's name, the guest's name, the operation ...) and the document.
The answerer sends messages, each a letter, a number (the size of what follows) and that: ``ACKNOWLEDGED`` at
once, with the deadline in milliseconds and the version's name; ``ALIVE`` while it decides; one ``ANSWER``.
Numbers have four bytes, the highest first. No imports here: the hook's process reads this at every migration.
"""

MAGIC = b"libhooks 1\n"
ACKNOWLEDGED, ALIVE, ANSWER = b"a", b".", b"="

#: libvirt's own limit for a document in a message is 4 MiB (REMOTE_STRING_MAX); no real one is larger.
MAX_BYTES = 8 * 1024 * 1024
#: What a part of a message may weigh. Rewriting lengthens a document, though never by as much.
_LIMIT = 4 * MAX_BYTES
_NUMBER = 4
#: The letter of a message and its size.
HEAD = 1 + _NUMBER
REQUEST_HEAD = len(MAGIC) + 3 * _NUMBER

#: The exit code, the journal's path, the record's line in it, stdout and stderr.
Answer = tuple[int, str, bytes, bytes, bytes]


def version() -> str:
    """The name of this version of the code: the directory's that it is installed in."""
    return __file__.rpartition("/libhooks/")[0].rpartition("/")[2]


def request(words: "list[str]", spent: float, document: bytes) -> bytes:
    """What the hook sends. ``spent`` are the seconds of the decision's time that are gone."""
    text = _encoded("\0".join([version(), *words]))
    return MAGIC + _numbers(len(text), int(spent * 1000), len(document)) + text + document


def request_sizes(head: bytes) -> "tuple[int, float, int]":
    """The size of the words, the seconds spent, and the size of the document. Raises ValueError."""
    if not head.startswith(MAGIC):
        raise ValueError("not a request of this version")
    words, spent, document = _parsed(head[len(MAGIC) :])
    if words > _LIMIT or document > _LIMIT:
        raise ValueError("a request beyond all measure")
    return words, spent / 1000, document


def request_words(text: bytes) -> "list[str]":
    """The guest's name, the operation and so on. Raises ValueError where another version asks."""
    name, *words = _decoded(text).split("\0")
    if name != version():
        raise ValueError("another version asks")
    return words


def acknowledgement(deadline: float) -> bytes:
    """The answerer's first message: it is there, and decides within so many seconds."""
    return message(ACKNOWLEDGED, _numbers(int(deadline * 1000)) + _encoded(version()))


def acknowledged(payload: bytes) -> float:
    """The deadline in seconds. Raises ValueError where another version answers."""
    if _decoded(payload[_NUMBER:]) != version():
        raise ValueError("another version answers")
    return int.from_bytes(payload[:_NUMBER], "big") / 1000


def message(letter: bytes, payload: bytes = b"") -> bytes:
    """A message of the answerer's."""
    return letter + _numbers(len(payload)) + payload


def message_head(head: bytes) -> "tuple[bytes, int]":
    """The letter of a message and the size of what follows. Raises ValueError for what is none."""
    letter, size = head[:1], int.from_bytes(head[1:], "big")
    if letter not in (ACKNOWLEDGED, ALIVE, ANSWER) or size > 2 * _LIMIT:
        raise ValueError("it says what makes no sense")
    return letter, size


def answer(given: Answer) -> bytes:
    """The answerer's last message."""
    code, journal, *parts = given
    path = _encoded(journal)
    sizes = _numbers(code, len(path), *map(len, parts))
    return message(ANSWER, sizes + path + b"".join(parts))


def answered(payload: bytes) -> Answer:
    """The answer in a message. Raises ValueError for anything but a whole one, its record one line."""
    head = 5 * _NUMBER
    code, *sizes = _parsed(payload[:head])
    if len(payload) != head + sum(sizes) or not 0 <= code <= 3:
        raise ValueError("its answer makes no sense")
    parts, at = [], head
    for size in sizes:
        parts.append(payload[at : at + size])
        at += size
    path, line, stdout, stderr = parts
    if not path.startswith(b"/") or line.find(b"\n") != len(line) - 1:
        raise ValueError("its record makes no sense")
    return code, _decoded(path), line, stdout, stderr


def _numbers(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(_NUMBER, "big") for number in numbers)


def _parsed(data: bytes) -> "list[int]":
    return [int.from_bytes(data[at : at + _NUMBER], "big") for at in range(0, len(data), _NUMBER)]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
