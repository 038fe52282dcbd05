"""Storage: what the guest's files need of this host."""

from __future__ import annotations

from typing import Iterator

from libhooks.chain import path_of
from libhooks.decision import Level, Unmet
from libhooks.facts.model import Facts, File, Unknown
from libhooks.names import Form, Name
from libhooks.places import Resolution
from libhooks.references.model import Role
from libhooks.requirements.model import BOTH, LIBVIRT, Requirement, Subject, unmet
from libhooks.requirements.sharing import described, hidden


def exists(subject: Subject) -> Iterator[Unmet]:
    """An image, a backing file, a kernel or an initrd of the guest is not on this host.

    libvirt would fail to start the guest here, or QEMU would, after the hook. Images are looked for at
    the path that the guest will use on this host; for nvram the file, or its template and a directory
    to make it in; for sockets and logs the directory that they are made in. A disk whose
    startupPolicy lets it be absent may be absent.

    To fix it: mount the storage, or name it in a place so that the path is rewritten.
    """
    for resolution, name in subject.named(Role.IMAGE, Role.BOOT, Role.ENDPOINT):
        if not _optional(resolution):
            yield from _missing(resolution, name, subject.facts)
    for resolution, name in subject.named(Role.NVRAM, form=Form.PATH):
        yield from _missing_nvram(resolution, name, subject)
    for resolution, name in subject.named(Role.OUTPUT, form=Form.PATH):
        yield from _missing_directory(resolution, name, subject.facts)
    for chain in subject.chains:
        if chain.broken is not None:
            yield chain.broken


def _optional(resolution: Resolution) -> bool:
    element = resolution.reference.element
    return element is not None and element.get("startupPolicy") in ("optional", "requisite")


def _missing(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    no_pool = tuple(_missing_pool(resolution, name, facts)) if name.form is Form.POOL else ()
    yield from no_pool
    path = path_of(name, facts)
    file = facts.file(path) if path is not None else None
    if no_pool or path is None or isinstance(file, File):
        return
    if isinstance(file, Unknown):
        if _shown_to_qemu(path, facts):
            return
        yield unmet(resolution, name, "the file on this host", file.why, "see that its storage answers", True)
    else:
        yield unmet(
            resolution, name, "the file on this host", _nothing_at(path, facts), _place_hint(resolution)
        )


def _shown_to_qemu(path: str, facts: Facts) -> bool:
    """Whether QEMU's user can read what root may not even look at: a server that squashes root hides it."""
    access = facts.access(path)
    shown = access is not None and not isinstance(access, Unknown) and access.reads
    return shown and hidden(path, facts) is not None


def _missing_pool(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    pool = facts.pool(name.parts[0])
    wanted = f"an active storage pool {name.parts[0]}"
    hint = f"virsh pool-start {name.parts[0]}"
    if pool is None:
        yield unmet(resolution, name, wanted, "no such pool", "define the pool here, or map its place")
    elif isinstance(pool, Unknown):
        yield unmet(resolution, name, wanted, pool.why, "see that the pool can be read", True)
    elif not pool.active:
        yield unmet(resolution, name, wanted, "the pool is not active", hint)


def _missing_nvram(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    file = subject.facts.file(str(name))
    if isinstance(file, File):
        return
    if isinstance(file, Unknown):
        yield unmet(resolution, name, "the file on this host", file.why, "see that its storage answers", True)
        return
    yield from _missing_directory(resolution, name, subject.facts)
    element = resolution.reference.element
    nvram = element if element is None or element.tag in ("nvram", "varstore") else element.getparent()
    if nvram is None or not nvram.get("template"):
        yield from _missing_template(resolution, name, subject)


def _missing_template(resolution: Resolution, name: Name, subject: Subject) -> Iterator[Unmet]:
    """Without a template (platform.firmware judges one that is named), libvirt takes the loader's."""
    loader = next((str(one) for _, one in subject.named(Role.FIRMWARE, form=Form.PATH)), "")
    if not loader:
        return  # libvirt chooses loader and template together (<os firmware='efi'>)
    template = subject.facts.nvram_template(loader)
    hint = "install the firmware's package, or name a template in the guest's definition (<nvram template=…>)"
    wanted = "the file on this host, or a template to make it from"
    if isinstance(template, Unknown):
        yield unmet(resolution, name, wanted, template.why, hint, unknown=True)
    elif template is None:
        yield unmet(resolution, name, wanted, f"not here, and nothing names a template for {loader}", hint)
    elif subject.facts.file(template) is None:
        yield unmet(resolution, name, wanted, f"neither it nor {template} is here", hint)


def _missing_directory(resolution: Resolution, name: Name, facts: Facts) -> Iterator[Unmet]:
    directory = str(name).rpartition("/")[0] or "/"
    if _made_by_libvirt(directory):
        return
    found = facts.file(directory)
    wanted = f"a directory {directory} to make it in"
    if isinstance(found, Unknown):
        yield unmet(resolution, name, wanted, found.why, "see that its storage answers", True)
    elif found is None or found.kind != "dir":
        what = "no such directory" if found is None else f"a {found.kind}"
        yield unmet(resolution, name, wanted, what, f"mkdir {directory}, or map it in a file place")


def _made_by_libvirt(directory: str) -> bool:
    """libvirt makes these itself: channel targets, and nvram and log directories of its own."""
    return directory.startswith(("/var/lib/libvirt/qemu/", "/run/libvirt/qemu", "/var/run/libvirt/qemu"))


def _nothing_at(path: str, facts: Facts) -> str:
    mount = facts.mount(path)
    if isinstance(mount, Unknown):
        return "no such file"
    return f"no such file; what is mounted there is {described(mount)}"


def _place_hint(resolution: Resolution) -> str:
    if resolution.elsewhere:
        return f'it is {resolution.elsewhere} here: name both in a place, or set origin = "rewrite"'
    if resolution.place is not None:
        return f"mount {resolution.place.label} here, or correct its name ({resolution.rule})"
    return "name where it is on each host in a place of the policy"


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "storage.exists", "every file that the guest uses is here", LIBVIRT, Level.REFUSE, BOTH, exists
    ),
)
