"""The questions about the machine, answered by reading files; the readers are loaded when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, TypeVar

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Cpu, Emulator, Held, HostDevice, Pages
    from libhooks.facts.model import Unknown
    from libhooks.facts.reading.paths import Paths
    from libhooks.facts.reading.root import Root

_Answer = TypeVar("_Answer")


class Machine:
    """Part of ``host.HostFacts``."""

    _paths: Paths
    _root: Root

    def _ask(self, question: Callable[[], _Answer]) -> _Answer | Unknown:
        raise NotImplementedError

    def release(self) -> tuple[str, str] | None | Unknown:
        """From os-release."""
        from libhooks.facts.machine import release

        return self._ask(lambda: release.release(self._paths))

    def nvram_template(self, loader: str) -> str | None | Unknown:
        """From QEMU's firmware descriptions and qemu.conf."""
        from libhooks.facts.machine import firmware

        return self._ask(lambda: firmware.nvram_template(self._paths, loader))

    def architecture(self) -> str | Unknown:
        """From the kernel, or from a program's header."""
        from libhooks.facts.machine import release

        return self._ask(lambda: release.architecture(self._paths))

    def emulator(self, path: str) -> Emulator | None | Unknown:
        """From libvirt's cache, or from the emulator itself."""
        from libhooks.facts.machine import capabilities

        return self._ask(lambda: capabilities.emulator(self._paths, path, self._root.run))

    def blockers(self, emulator: str, model: str) -> tuple[str, ...] | None | Unknown:
        """From libvirt's cache."""
        from libhooks.facts.machine import capabilities

        return self._ask(lambda: capabilities.blockers(self._paths, emulator, model))

    def cpu(self) -> Cpu | None | Unknown:
        """From /proc/cpuinfo."""
        from libhooks.facts.machine import release

        return self._ask(lambda: release.cpu(self._paths))

    def memory(self) -> int | Unknown:
        """From /proc/meminfo."""
        from libhooks.facts.machine import memory

        return self._ask(lambda: memory.memory(self._paths))

    def hugepages(self) -> tuple[Pages, ...] | Unknown:
        """From sysfs."""
        from libhooks.facts.machine import memory

        return self._ask(lambda: memory.hugepages(self._paths))

    def hugetlbfs(self) -> frozenset[int] | Unknown:
        """From the mount table, and qemu.conf."""
        from libhooks.facts.machine import memory

        return self._ask(lambda: memory.hugetlbfs(self._paths))

    def cpus(self) -> frozenset[int] | Unknown:
        """From sysfs."""
        from libhooks.facts.machine import memory

        return self._ask(lambda: memory.cpus(self._paths))

    def nodes(self) -> frozenset[int] | Unknown:
        """From sysfs."""
        from libhooks.facts.machine import memory

        return self._ask(lambda: memory.nodes(self._paths))

    def cpu_controller(self) -> int | None | Unknown:
        """From the mount table, and the control groups."""
        from libhooks.facts.machine import tuning

        return self._ask(lambda: tuning.cpu_controller(self._paths))

    def perf_events(self) -> frozenset[str] | Unknown:
        """From sysfs."""
        from libhooks.facts.machine import tuning

        return self._ask(lambda: tuning.perf_events(self._paths))

    def security_models(self) -> frozenset[str] | Unknown:
        """From sysfs, and qemu.conf."""
        from libhooks.facts.machine import tuning

        return self._ask(lambda: tuning.security_models(self._paths))

    def device(self, form: str, id: str) -> HostDevice | None | Unknown:
        """From sysfs."""
        from libhooks.facts.machine import devices

        return self._ask(lambda: devices.device(self._paths, form, id))

    def held(self) -> tuple[Held, ...] | Unknown:
        """From libvirt's files about active guests."""
        from libhooks.facts.machine import devices

        return self._ask(lambda: devices.held(self._paths))
