"""What no example shows, and why."""

#: Rows that this libvirt and QEMU, on this machine, cannot show.
UNTRIED = {
    "cpu/numa/cell/@discard": "virtiofs wants shared memory, and it does not",
    "os/varstore": "it is a newer libvirt's",
    "os/shim": "it is a newer libvirt's",
    "launchSecurity/quoteGenerationService": "it is a newer libvirt's",
    "devices/pstore/path": "it is a newer libvirt's",
    "devices/interface/portForward": "it takes passt",
    "bootloader": "it is another hypervisor's",
    "os/boot": "it and <boot> in devices exclude each other, and the guest has the latter",
    "devices/console/target": "every other kind of console is another machine's",
    "devices/tpm/backend/@type": "it takes swtpm",
    "devices/tpm/backend/@version": "it takes swtpm",
    "devices/tpm/backend/active_pcr_banks": "it takes swtpm",
    "devices/hostdev/@mode": "QEMU's guests have one mode only",
    "devices/redirdev/@bus": "there is one bus only",
    "devices/filesystem/driver/@format": "it is another hypervisor's",
    "devices/smartcard/certificate": "it takes a guest without a passed-through card",
    "devices/smartcard/database": "it takes a guest without a passed-through card",
    "devices/shmem/server/@path": "it takes a guest whose shared memory has a server",
}

_WITH_OTHERS = "it comes after another comparison that the same edit fails"
_OTHER = "another architecture's, or another hypervisor's"
_ONE = "QEMU's guests have one of them only"
_SWTPM = "it takes swtpm"
_MEMORY = "it takes another kind of memory device"
_NODES = "it takes a guest with two NUMA nodes"
#: What libvirt compares and no example shows, by how it would begin to say so, and why.
UNSHOWN = {
    "State of Xen feature": _OTHER,
    "State of feature '%s' differs: source: '%s,%s=%s,%s=%llu'": _OTHER,
    "Processor mask of target NUMA node": _NODES,
    "Target CPU does not match source": "libvirt puts a <cpu> with the topology where there is none",
    "Target CPU arch ": "the guest says no architecture in its <cpu>",
    "Target CPU cores": _WITH_OTHERS,
    "Target CPU dies": _WITH_OTHERS,
    "Target CPU threads": _WITH_OTHERS,
    "Target CPU type ": "the guest says no architecture in its <cpu>",
    "Target CPU vendor id": "QEMU takes none with this model",
    "Target NUMA distance": _NODES,
    "Target NUMA node count": _NODES,
    "Target NVDIMM": _MEMORY,
    "Target TPM device type": _SWTPM,
    "Target TPM version": _SWTPM,
    "Target active PCR banks": _SWTPM,
    "Target base board does not": _WITH_OTHERS,
    "Target channel addr": "it takes a guestfwd channel",
    "Target channel type": "the kinds of channels have other addresses, which libvirt misses first",
    "Target console type": _OTHER,
    "Target controller index": "libvirt adds the one that is missing, and counts them first",
    "Target device ccid address": "QEMU has one slot for smart cards",
    "Target device isa address": "libvirt forgets the address of a panic device",
    "Target disk bus": "a disk on another bus has another kind of address, which libvirt refuses first",
    "Target domain IOMMU device intremap": "libvirt wants it for what else the IOMMU of the guest does",
    "Target domain IOMMU device model": _OTHER,
    "Target domain OS type": _ONE,
    "Target domain architecture": "there is QEMU for one architecture here",
    "Target domain memory balloon count": "libvirt puts one where there is none",
    "Target domain memory device count": "libvirt compares the guest's memory first",
    "Target domain vCPU max": "libvirt wants the topology to match first",
    "Target host device mode": _ONE,
    "Target hub device type": _ONE,
    "Target memory device block size": _MEMORY,
    "Target memory device model": _MEMORY,
    "Target memory device requested size": _MEMORY,
    "Target memory device size": "libvirt compares the guest's memory first",
    "Target memory device targetNode": _NODES,
    "Target redirected device bus": _ONE,
    "Target serial model": _WITH_OTHERS,
    "Target shared memory MSI": "it takes shared memory with a server",
    "Target shared memory server": _WITH_OTHERS,
    "Target video card 2d accel": "QEMU has no such thing",
}
