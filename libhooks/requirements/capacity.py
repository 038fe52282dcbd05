"""Capacity: what the guest takes of this host's memory, huge pages, CPUs and NUMA nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from lxml import etree

from libhooks.decision import Level, Spot, Unmet
from libhooks.domain import children
from libhooks.facts.model import Unknown
from libhooks.numbers import numbers, written
from libhooks.requirements.model import BOTH, LIBVIRT, Requirement, Subject

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Pages

_MEMORY = Spot("memory", "/domain/memory")
_BACKING = Spot("memory", "/domain/memoryBacking/hugepages")
_PINS = Spot("cpu pinning", "/domain")
_NUMA = Spot("numa tuning", "/domain/numatune")

#: The largest ordinary pages that no architecture has as huge ones, in KiB.
_ORDINARY = 16

#: libvirt's units of memory, as how many of them are how many bytes; KiB where it says none.
_UNITS = {"b": 1, "bytes": 1, "KB": 10**3, "k": 1 << 10, "KiB": 1 << 10, "MB": 10**6, "M": 1 << 20,
          "MiB": 1 << 20, "GB": 10**9, "G": 1 << 30, "GiB": 1 << 30, "TB": 10**12, "T": 1 << 40,
          "TiB": 1 << 40}  # fmt: skip


class Cell(NamedTuple):
    """A NUMA node of the guest; a guest without any is one. ``memory`` in KiB.

    ``page`` is the size of its huge pages in KiB: 0 for the host's usual size, None for ordinary memory.
    ``nodes`` are the host's nodes that its memory is bound to, None for any.
    """

    id: int
    memory: int
    page: int | None
    nodes: frozenset[int] | None


def memory(subject: Subject) -> Iterator[Unmet]:
    """This host has less memory available than the guest may use.

    Compared with MemAvailable of /proc/meminfo: what can be had without swapping. What the guest has on huge
    pages is not counted here, but by capacity.hugepages. Memory devices count too: a DIMM in full, virtio-mem
    as far as it is requested. NVDIMMs and virtio-pmem do not (their pages are a file's, which the kernel
    writes back when memory is short), nor does SGX's (the processor has its own).

    A guest seldom uses all that it may, so this is a warning. Stop or move guests away from this host first,
    or migrate to another one.
    """
    wanted = sum(cell.memory for cell in cells(subject.domain.root) if cell.page is None)
    available = subject.facts.memory()
    if wanted and isinstance(available, Unknown):
        hint = "see that /proc/meminfo can be read"
        yield Unmet(_MEMORY, "", f"{_size(wanted)} available", available.why, hint, True)
    elif not isinstance(available, Unknown):
        yield from short(wanted, available)


def short(wanted: int, available: int) -> Iterator[Unmet]:
    """Whether memory is short, both in KiB: of preflight's too."""
    if wanted > available:
        hint = "move guests away from this host, or migrate to another one"
        yield Unmet(_MEMORY, "", f"{_size(wanted)} available", _size(available), hint)


def hugepages(subject: Subject) -> Iterator[Unmet]:
    """This host has too few free huge pages for the guest, or libvirt could not reach them.

    QEMU takes all of them when it starts, of the size that the guest names, on the nodes that it is bound
    to. Reserve more: echo N > /sys/kernel/mm/hugepages/hugepages-SIZE/nr_hugepages, or on one node below
    /sys/devices/system/node; 1 GiB pages best on the kernel's command line, while memory is still in one
    piece.

    Unless the guest's memory is of source memfd, libvirt takes them from a hugetlbfs of their size that was
    mounted when the daemon started: systemd mounts one for the usual size at /dev/hugepages, all others are
    the administrator's (mount -t hugetlbfs -o pagesize=1G none DIRECTORY, and hugetlbfs_mount in qemu.conf
    if that is set).
    """
    wanted = _pages_wanted(subject.domain.root)
    pages = subject.facts.hugepages() if wanted else ()
    for (size, nodes), kib in wanted.items():
        if isinstance(pages, Unknown):
            hint = "see that /sys/kernel/mm/hugepages can be read"
            yield Unmet(_BACKING, "", f"{_size(kib)} of huge pages", pages.why, hint, True)
        else:
            yield from _too_few(size, nodes, kib, pages)
    if not isinstance(pages, Unknown) and not _of_memfd(subject.domain.root):
        for size in dict.fromkeys(size for size, _ in wanted):
            yield from _unmounted(size, subject.facts.hugetlbfs(), pages)


def _of_memfd(root: etree._Element) -> bool:
    source = root.find("memoryBacking/source")
    return source is not None and source.get("type") == "memfd"


def _unmounted(size: int, mounted: frozenset[int] | Unknown, pages: tuple[Pages, ...]) -> Iterator[Unmet]:
    """Where the kernel does not tell a mount's size (0), it is the usual one."""
    fitting = {one.size for one in pages if one.size == size or (not size and one.usual)}
    usual = {0} if any(one.usual and one.size in fitting for one in pages) else set()
    wanted = f"a hugetlbfs{f' of {_size(min(fitting))} pages' if fitting else ''} that libvirt can use"
    if isinstance(mounted, Unknown):
        yield Unmet(_BACKING, "", wanted, mounted.why, "see that it can be read", True)
    elif fitting and not mounted & (fitting | usual):
        sizes = ", ".join(_size(one) for one in sorted(mounted) if one)
        found = f"mounted are those of {sizes} pages" if sizes else "none is mounted"
        hint = f"mount -t hugetlbfs -o pagesize={min(fitting)}K none DIRECTORY, and restart libvirt"
        yield Unmet(_BACKING, "", wanted, found, hint)


def _pages_wanted(root: etree._Element) -> dict[tuple[int, frozenset[int] | None], int]:
    """KiB of huge pages by their size and where they have to be."""
    wanted: dict[tuple[int, frozenset[int] | None], int] = {}
    for cell in cells(root):
        if cell.page is not None:
            where = (cell.page, cell.nodes)
            wanted[where] = wanted.get(where, 0) + cell.memory
    return wanted


def _too_few(size: int, nodes: frozenset[int] | None, kib: int, pages: tuple[Pages, ...]) -> Iterator[Unmet]:
    fitting = [one for one in pages if one.size == size or (not size and one.usual)]
    called = "huge pages" if not size else f"pages of {_size(size)}"
    if not fitting:
        hint = "reserve them (hugepages=, hugepagesz= on the kernel's command line)"
        yield Unmet(_BACKING, "", f"{_size(kib)} in {called}", "this host has no such pages", hint)
        return
    free = sum(one.free for one in fitting if nodes is None or one.node in nodes or one.node < 0)
    needed = -(-kib // fitting[0].size)
    if free < needed:
        on = f" on {_nodes(nodes)}" if nodes is not None else ""
        hint = f"reserve more in /sys/kernel/mm/hugepages/hugepages-{fitting[0].size}kB/nr_hugepages"
        yield Unmet(
            _BACKING, "", f"{needed} free pages of {_size(fitting[0].size)}{on}", f"{free} free", hint
        )


def cpus(subject: Subject) -> Iterator[Unmet]:
    """The guest is pinned to CPUs that this host does not have, or that are offline.

    libvirt would fail to set the pinning, after the hook. Let [adjust] cpu-pinning drop or fit it, or give
    the guest pins that all its hosts have.
    """
    pinned = _named(subject.domain.root, _CPU_SETS)
    online = subject.facts.cpus() if pinned else frozenset[int]()
    if isinstance(online, Unknown):
        yield Unmet(_PINS, "", f"CPUs {written(pinned)} online", online.why, "see that it can be read", True)
    elif pinned - online:
        hint = "pin the guest to CPUs that all its hosts have"
        wanted, found = f"CPUs {written(pinned - online)} online", f"CPUs {written(online)} are"
        yield Unmet(_PINS, "", wanted, found, hint)


def nodes(subject: Subject) -> Iterator[Unmet]:
    """The guest's memory is bound to NUMA nodes that this host does not have.

    libvirt would refuse to start the guest here. Let [adjust] numa drop or fit it, or bind the guest to nodes
    that all its hosts have.
    """
    bound = _named(subject.domain.root, _NODE_SETS)
    online = subject.facts.nodes() if bound else frozenset[int]()
    if isinstance(online, Unknown):
        yield Unmet(_NUMA, "", _nodes(bound), online.why, "see that it can be read", True)
    elif bound - online:
        hint = "bind the guest to nodes that all its hosts have"
        yield Unmet(_NUMA, "", _nodes(bound - online), f"this host has {_nodes(online)}", hint)


#: Where a domain names CPUs and nodes of the host: an element, and its attribute, "" for its text.
_CPU_SETS = (
    ("vcpu", "cpuset"),
    ("cputune/vcpupin", "cpuset"),
    ("cputune/emulatorpin", "cpuset"),
    ("cputune/iothreadpin", "cpuset"),
)
_NODE_SETS = (
    ("numatune/memory", "nodeset"),
    ("numatune/memnode", "nodeset"),
    ("devices/memory/source/nodemask", ""),
)


def _named(root: etree._Element, where: tuple[tuple[str, str], ...]) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for path, attribute in where:
        for element in root.iterfind(path):
            found |= _set(element.get(attribute) if attribute else element.text)
    return found


def _set(text: str | None) -> frozenset[int]:
    """A set as libvirt writes it; none for what is none (libvirt has rejected it before us)."""
    try:
        return numbers(text or "")
    except ValueError:
        return frozenset()


def cells(root: etree._Element) -> tuple[Cell, ...]:
    """The guest's NUMA nodes with what backs their memory, and behind them its memory devices."""
    told = [one for one, _ in _each(root, "cpu/numa", "cell")]
    numbered = [(_number(one.get("id"), at), _kib(one, "memory")) for at, one in enumerate(told)]
    if not told:
        # Here <memory> has the devices in it; nodes say what they have without them.
        devices = sum(_kib(size) for size in root.iterfind("devices/memory/target/size"))
        numbered = [(0, max(0, _kib(root.find("memory")) - devices))]
    return (*(Cell(id, kib, _page(root, id), _bound(root, id)) for id, kib in numbered), *_plugged(root))


def _plugged(root: etree._Element) -> Iterator[Cell]:
    """The memory devices that are this host's memory: all others are a file's, or the processor's own."""
    for device in root.iterfind("devices/memory"):
        if device.get("model") in ("dimm", "virtio-mem"):
            id = _number(device.findtext("target/node"), 0)
            requested, size = device.find("target/requested"), device.find("target/size")
            page, nodes = device.find("source/pagesize"), device.findtext("source/nodemask")
            yield Cell(
                id,
                _kib(size if requested is None else requested),
                _page(root, id) if page is None else _huge(_kib(page)),
                _bound(root, id) if nodes is None else _set(nodes),
            )


def _each(root: etree._Element, path: str, tag: str) -> Iterator[tuple[etree._Element, str]]:
    parent = root.find(path)
    return (
        ((one, step) for one, step in children(parent) if one.tag == tag) if parent is not None else iter(())
    )


def _huge(kib: int) -> int | None:
    """A page's size where it is a huge one: a guest may ask for ordinary ones by their size, too."""
    return kib if kib > _ORDINARY else None


def _page(root: etree._Element, id: int) -> int | None:
    """The size of a cell's pages: one that names the cell counts before one that names none."""
    pages = [one for one, _ in _each(root, "memoryBacking/hugepages", "page")]
    if not pages:
        return 0 if root.find("memoryBacking/hugepages") is not None else None
    for page in pages:
        if id in _set(page.get("nodeset")):
            return _huge(_kib(page, "size"))
    return next((_huge(_kib(page, "size")) for page in pages if page.get("nodeset") is None), None)


def _bound(root: etree._Element, id: int) -> frozenset[int] | None:
    """The host's nodes that a cell's memory has to be on; None where it only prefers some."""
    own = next((one for one in root.iterfind("numatune/memnode") if one.get("cellid") == str(id)), None)
    element = own if own is not None else root.find("numatune/memory")
    if element is None or element.get("mode") == "preferred" or not element.get("nodeset"):
        return None
    return _set(element.get("nodeset"))


def _kib(element: etree._Element | None, attribute: str = "") -> int:
    if element is None:
        return 0
    number = _number(element.get(attribute) if attribute else element.text, 0)
    return number * _UNITS.get(element.get("unit", "KiB"), 1 << 10) // 1024


def _number(text: str | None, otherwise: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else otherwise


def _size(kib: int) -> str:
    for unit, size in (("TiB", 1 << 30), ("GiB", 1 << 20), ("MiB", 1 << 10)):
        if kib >= size:
            return f"{kib / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{kib} KiB"


def _nodes(found: frozenset[int]) -> str:
    return f"node{'' if len(found) == 1 else 's'} {written(found)}"


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("capacity.memory", "memory for the guest is available", LIBVIRT, Level.WARN, BOTH, memory),
    Requirement(
        "capacity.hugepages", "huge pages for the guest are free", LIBVIRT, Level.REFUSE, BOTH, hugepages
    ),
    Requirement("capacity.cpus", "CPUs that it is pinned to are online", LIBVIRT, Level.WARN, BOTH, cpus),
    Requirement(
        "capacity.nodes", "NUMA nodes that it is bound to are here", LIBVIRT, Level.REFUSE, BOTH, nodes
    ),
)
