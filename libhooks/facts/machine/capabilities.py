"""What an emulator can do: as libvirt found out, else as it says of itself.

libvirt keeps what it asked an emulator in /var/cache/libvirt/qemu/capabilities, in a private format, and
asks anew when the emulator changes. It has looked there for the very guest that we judge, just before it
called the hook: where the times fit, the file tells what libvirt will go by. It is large and one element a
line: what we want of it is looked for as text, which takes a fiftieth of the time.
"""

from __future__ import annotations

from typing import Callable

from libhooks.facts.machine.words import Emulator
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage, Node, OutOfTime, words
from libhooks.numbers import decimal

try:  # hashlib would load OpenSSL, which takes longer than all the rest
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256

_CACHE = "/var/cache/libvirt/qemu/capabilities"
#: The largest that we have seen weighs 1 MiB.
_LIMIT = 1 << 23

#: Runs a program with arguments, and gives what it printed.
Run = Callable[..., bytes]


def emulator(paths: Paths, path: str, run: Run) -> Emulator | None:
    """What the emulator at ``path`` can do; None where there is none. Raises OSError or Garbage."""
    place = paths.resolve(path)
    if place.node is None or place.node.kind != "file":
        return None
    try:
        text = _cached(paths, path, place.node)
    except Garbage as why:
        return Emulator(0, 0, "", _asked(place.real, place.node, run, why))
    versions = [_number(text, tag) for tag in ("version", "selfvers")]
    return Emulator(versions[0], versions[1], _text(text, "arch"), _machines(text))


def blockers(paths: Paths, path: str, model: str) -> tuple[str, ...] | None:
    """The features that KVM lacks here for a CPU model; None where the emulator has no such model."""
    node = paths.node(path)
    if node is None:
        return None
    text = _cached(paths, path, node)
    _, found, after = text.partition(f"<cpu type='kvm' name='{model}'")
    if not found:
        return None
    head, _, inner = after.partition(">")
    if "usable='no'" not in head or head.endswith("/"):
        return ()
    return tuple(_attribute(part, "name") for part in inner.partition("</cpu>")[0].split("<blocker")[1:])


def _cached(paths: Paths, path: str, node: Node) -> str:
    """libvirt's file about an emulator. Raises Garbage where there is none that fits."""
    file = f"{_CACHE}/{sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()}.xml"
    text = paths.text(file, _LIMIT)
    if text is None:
        raise Garbage(f"libvirt has not asked it yet (no {file})")
    if "<qemuCaps>" not in text or not text.rstrip().endswith("</qemuCaps>"):
        raise Garbage(f"{file} makes no sense")
    if _number(text, "qemuctime") != node.changed:
        raise Garbage(f"{file} is about another build of it")
    return text


def _text(text: str, tag: str) -> str:
    return text.partition(f"<{tag}>")[2].partition("<")[0].strip()


def _attribute(part: str, name: str) -> str:
    """An attribute of the element whose text begins, "" if it has none."""
    return part.partition(">")[0].partition(f" {name}='")[2].partition("'")[0]


def _number(text: str, tag: str) -> int:
    return decimal(_text(text, tag)) or 0


def _machines(text: str) -> tuple[str, ...]:
    """Machine types and their aliases, each once: libvirt lists them for KVM and for emulation."""
    parts = text.split("<machine")[1:]
    names = (_attribute(part, name) for part in parts for name in ("name", "alias"))
    return tuple(name for name in dict.fromkeys(names) if name)


def _asked(real: str, node: Node, run: Run, why: Garbage) -> tuple[str, ...]:
    if not _trusted(real, node):
        raise why
    try:
        text = run(real, "-machine", "help").decode("utf-8", "replace")
    except OutOfTime:
        raise
    except OSError as error:
        raise Garbage(f"{why}; -machine help: {words(error)}") from None
    except Garbage as error:
        raise Garbage(f"{why}; {error}") from None
    found = tuple(line.split()[0] for line in text.splitlines()[1:] if line.strip())
    if not found or not text.startswith("Supported machines"):
        raise Garbage(f"{why}; -machine help lists none")
    return found


def _trusted(real: str, node: Node) -> bool:
    """Whether to run it: the document names it, so it has to look like QEMU, and be root's alone to write."""
    name = real.rpartition("/")[2]
    return ("qemu" in name or "kvm" in name) and node.uid == 0 and not node.mode & 0o022
