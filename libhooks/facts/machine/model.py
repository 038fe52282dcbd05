"""The questions that a decision may ask of the machine: what it runs, and what it has to give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Protocol, TypeVar

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Cpu, Emulator, Held, HostDevice, Pages
    from libhooks.facts.model import Unknown


class MachineFacts(Protocol):
    """Part of ``model.Facts``."""

    def release(self) -> tuple[str, str] | None | Unknown:
        """os-release's ID and VERSION_ID; None where the host has no such file."""

    def nvram_template(self, loader: str) -> str | None | Unknown:
        """The template that libvirt takes here for a loader's nvram; None where nothing knows the loader."""

    def architecture(self) -> str | Unknown:
        """This host's architecture, in libvirt's words: x86_64, aarch64, ppc64le, s390x ..."""

    def emulator(self, path: str) -> Emulator | None | Unknown:
        """What the emulator at ``path`` can do; None where it is missing."""

    def blockers(self, emulator: str, model: str) -> tuple[str, ...] | None | Unknown:
        """The features that KVM lacks here for a CPU model; None where the emulator has no such model."""

    def cpu(self) -> Cpu | None | Unknown:
        """The processor; None where it is none whose flags we can read (not x86)."""

    def memory(self) -> int | Unknown:
        """The memory that is available, in KiB."""

    def hugepages(self) -> tuple[Pages, ...] | Unknown:
        """The free huge pages, by size and node."""

    def hugetlbfs(self) -> frozenset[int] | Unknown:
        """The sizes of pages, in KiB, of which libvirt finds a hugetlbfs; 0 where it does not say which."""

    def cpus(self) -> frozenset[int] | Unknown:
        """The CPUs that are online."""

    def nodes(self) -> frozenset[int] | Unknown:
        """The NUMA nodes that are online."""

    def cpu_controller(self) -> int | None | Unknown:
        """The control groups (1 or 2) that share out CPUs, 0 where none do; None without any."""

    def perf_events(self) -> frozenset[str] | Unknown:
        """The perf events, in libvirt's words, that can be counted here."""

    def security_models(self) -> frozenset[str] | Unknown:
        """The models of security labels that are in force: dac, selinux, apparmor."""

    def device(self, form: str, id: str) -> HostDevice | None | Unknown:
        """A device of the host, by the form and the text of its name (``names.Form``)."""

    def held(self) -> tuple[Held, ...] | Unknown:
        """The host devices that active guests have."""


_Answer = TypeVar("_Answer")


class MachineMemo:
    """Part of ``model.Memo``."""

    _facts: MachineFacts

    def _once(self, question: Callable[..., _Answer], *argument: str) -> _Answer:
        raise NotImplementedError

    def release(self) -> tuple[str, str] | None | Unknown:
        """As MachineFacts'; so are the others."""
        return self._once(self._facts.release)

    def nvram_template(self, loader: str) -> str | None | Unknown:
        """Once."""
        return self._once(self._facts.nvram_template, loader)

    def architecture(self) -> str | Unknown:
        """Once."""
        return self._once(self._facts.architecture)

    def emulator(self, path: str) -> Emulator | None | Unknown:
        """Once."""
        return self._once(self._facts.emulator, path)

    def blockers(self, emulator: str, model: str) -> tuple[str, ...] | None | Unknown:
        """Once."""
        return self._once(self._facts.blockers, emulator, model)

    def cpu(self) -> Cpu | None | Unknown:
        """Once."""
        return self._once(self._facts.cpu)

    def memory(self) -> int | Unknown:
        """Once."""
        return self._once(self._facts.memory)

    def hugepages(self) -> tuple[Pages, ...] | Unknown:
        """Once."""
        return self._once(self._facts.hugepages)

    def hugetlbfs(self) -> frozenset[int] | Unknown:
        """Once."""
        return self._once(self._facts.hugetlbfs)

    def cpus(self) -> frozenset[int] | Unknown:
        """Once."""
        return self._once(self._facts.cpus)

    def nodes(self) -> frozenset[int] | Unknown:
        """Once."""
        return self._once(self._facts.nodes)

    def cpu_controller(self) -> int | None | Unknown:
        """Once."""
        return self._once(self._facts.cpu_controller)

    def perf_events(self) -> frozenset[str] | Unknown:
        """Once."""
        return self._once(self._facts.perf_events)

    def security_models(self) -> frozenset[str] | Unknown:
        """Once."""
        return self._once(self._facts.security_models)

    def device(self, form: str, id: str) -> HostDevice | None | Unknown:
        """Once."""
        return self._once(self._facts.device, form, id)

    def held(self) -> tuple[Held, ...] | Unknown:
        """Once."""
        return self._once(self._facts.held)
