"""What this host has to give: memory, huge pages, CPUs and NUMA nodes."""

from __future__ import annotations

from libhooks.facts.machine.words import Pages
from libhooks.facts.reading import conf
from libhooks.facts.reading.mounts import TABLE, TABLE_LIMIT, entries
from libhooks.facts.reading.paths import Paths
from libhooks.facts.reading.root import Garbage
from libhooks.numbers import decimal, numbers

_MEMINFO = "/proc/meminfo"
_QEMU_CONF = "/etc/libvirt/qemu.conf"
_NODES = "/sys/devices/system/node"
_POOLS = "/sys/kernel/mm/hugepages"
#: A host without NUMA has all it has on node 0, and no directory that says so.
_ONLY = 0


def memory(paths: Paths) -> int:
    """MemAvailable, in KiB: what can be had without swapping (proc_meminfo(5))."""
    return _meminfo(paths, "MemAvailable")


def _meminfo(paths: Paths, name: str) -> int:
    text = paths.text(_MEMINFO)
    for line in (text or "").splitlines():
        words = line.split()
        found = decimal(words[1]) if len(words) == 3 and words[0] == f"{name}:" else None
        if found is not None:
            return found
    raise Garbage(f"{_MEMINFO} has no {name}" if text is not None else f"there is no {_MEMINFO}")


def hugepages(paths: Paths) -> tuple[Pages, ...]:
    """Free huge pages, node by node, and what may still be made. Raises OSError or Garbage."""
    sizes = _sizes(paths, _POOLS)
    usual = _meminfo(paths, "Hugepagesize") if sizes else 0
    found = []
    for size in sizes:
        pool = f"{_POOLS}/hugepages-{size}kB"
        for node, directory in _by_node(paths, size, pool):
            found.append(Pages(node, size, paths.number(f"{directory}/free_hugepages"), size == usual))
        more = paths.number(f"{pool}/nr_overcommit_hugepages") - paths.number(f"{pool}/surplus_hugepages")
        if more > 0:
            found.append(Pages(-1, size, more, size == usual))
    return tuple(found)


def _sizes(paths: Paths, directory: str) -> list[int]:
    names = [name for name in paths.names(directory) if name.startswith("hugepages-") and name.endswith("kB")]
    return [int(name[10:-2]) for name in names if name[10:-2].isdecimal()]


def _by_node(paths: Paths, size: int, pool: str) -> list[tuple[int, str]]:
    found = []
    for name in paths.names(_NODES):
        below = f"{_NODES}/{name}/hugepages/hugepages-{size}kB"
        if name.startswith("node") and name[4:].isdecimal() and paths.node(below) is not None:
            found.append((int(name[4:]), below))
    return found or [(_ONLY, pool)]


def hugetlbfs(paths: Paths) -> frozenset[int]:
    """The sizes of the pages of those hugetlbfs that libvirt uses: of qemu.conf if it names any, else of all.

    ``hugetlbfs_mount = ""`` means none. Kernels before 4.13 do not tell the size: 0, which is the usual one.
    """
    mounted = [one for one in entries(paths.text(TABLE, TABLE_LIMIT) or "") if one.fstype == "hugetlbfs"]
    named = conf.settings(paths, _QEMU_CONF).get("hugetlbfs_mount")
    points = (named,) if isinstance(named, str) else named
    used = [one for one in mounted if points is None or one.point in {p.rstrip("/") for p in points}]
    return frozenset(_page_size(one.options) for one in used)


def _page_size(options: tuple[str, ...]) -> int:
    """``pagesize=2M`` in KiB; the kernel writes K and M."""
    text = next((one[len("pagesize=") :] for one in options if one.startswith("pagesize=")), "")
    size = decimal(text[:-1]) or 0
    return size << {"K": 0, "M": 10, "G": 20}.get(text[-1:], 0)


def cpus(paths: Paths) -> frozenset[int]:
    """The CPUs that are online."""
    return _set(paths, "/sys/devices/system/cpu/online")


def nodes(paths: Paths) -> frozenset[int]:
    """The NUMA nodes that are online."""
    if paths.node(_NODES) is None:
        return frozenset((_ONLY,))
    return _set(paths, f"{_NODES}/online")


def _set(paths: Paths, path: str) -> frozenset[int]:
    line = paths.line(path)
    try:
        found = numbers(line)
    except ValueError:
        raise Garbage(f"{path} is no set of numbers") from None
    if not found:
        raise Garbage(f"{path} names none")
    return found
