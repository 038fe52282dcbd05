"""What runs the guest: its virtualization type and its emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from libhooks.facts.model import File
from libhooks.names import Form, Name
from libhooks.references.model import Role
from libhooks.requirements.model import Subject

if TYPE_CHECKING:
    from libhooks.facts.machine.words import Emulator
    from libhooks.facts.model import Unknown


def emulators(subject: Subject) -> Iterator[tuple[Name, Emulator | Unknown]]:
    """The guest's emulator and what it can do. One that can't be seen here is platform.emulator's affair."""
    for _, name in subject.named(Role.EMULATOR, form=Form.PATH):
        here = isinstance(subject.facts.file(str(name)), File)
        found = subject.facts.emulator(str(name)) if here else None
        if found is not None:
            yield name, found


def is_kvm(subject: Subject) -> bool:
    """Whether the processor runs the guest, rather than QEMU alone."""
    return subject.domain.root.get("type") == "kvm"
