"""What virt-install can be told of a host, and what else a host can have a guest use."""

from __future__ import annotations

from typing import Mapping, NamedTuple


class Option(NamedTuple):
    """Values of an option, as virt-install has them; how many of them one guest gets, and what each has more.

    Behind each `` | `` stands an XPath of the device with its value, for what virt-install has no word for;
    behind `` | - `` one that goes.
    A blank value leaves the option out.
    """

    values: tuple[str, ...]
    at_once: int = 1
    more: str = ""


_CEPH = (
    " | ./auth/@username=libvirt | ./auth/secret/@type=ceph"
    " | ./auth/secret/@uuid=4e5f6a7b-0c1d-4e2f-8a3b-000000000001"
)
_PCI = (
    " | ./@managed=yes | ./source/address/@domain=0x0000 | ./source/address/@bus=0x41"
    " | ./source/address/@slot=0x10 | ./source/address/@function=0x1"
)
#: virt-install looks for disks that are not there to be made: what they are is said afterwards.
_DISK = "path=/x,size=1"
_BLOCK = " | ./@type=block | - ./source/@file | ./source/@dev={}"
_VOLUME = " | ./@type=volume | - ./source/@file | ./source/@pool={} | ./source/@volume={}"
_RESERVATIONS = (
    " | ./source/reservations/@managed=no | ./source/reservations/source/@type=unix"
    " | ./source/reservations/source/@path=/run/qemu-pr.sock | ./source/reservations/source/@mode=client"
)
_FIRMWARE = "loader=/usr/share/OVMF/OVMF_CODE.fd,loader.readonly=yes,loader.type=pflash"

_DISKS = (
    "path=/srv/images/a.qcow2,size=1,bus=virtio,cache=none,driver.io=native",
    "path=/srv/images/sub/b.raw,size=1,format=raw,bus=scsi,cache=writeback,driver.discard=unmap",
    f"{_DISK},bus=virtio,driver.io=threads,driver.iothread=1" + _BLOCK.format("/dev/mapper/vg-c"),
    f"{_DISK},device=lun,bus=scsi" + _BLOCK.format("/dev/disk/by-id/wwn-0x5000") + _RESERVATIONS,
    f"{_DISK},bus=virtio" + _VOLUME.format("images", "d.qcow2"),
    f"{_DISK},bus=virtio" + _VOLUME.format("san", "unit:0:0:1") + " | ./source/@mode=host",
    "device=cdrom,bus=sata | ./source/@file=/srv/iso/debian.iso | ./source/@startupPolicy=optional",
    "device=cdrom,bus=sata",
    "device=floppy | ./source/@file=/srv/iso/f.img",
    "type=network,source.protocol=rbd,source.name=vms/e,source.host0.name=mon1,source.host0.port=6789,"
    f"source.host1.name=mon2,bus=virtio{_CEPH} | ./source/config/@file=/etc/ceph/ceph.conf",
    "type=network,source.protocol=iscsi,source.name=iqn.2013-07.org:t/1,source.host0.name=san,"
    "source.host0.port=3260,bus=scsi | ./source/auth/@username=u | ./source/auth/secret/@type=iscsi"
    " | ./source/auth/secret/@usage=x | ./source/initiator/iqn/@name=iqn.me",
    "type=network,source.protocol=gluster,source.name=vol/f.qcow2,source.host0.name=g1,source.host1.name=g2,"
    "source.host1.transport=tcp,bus=virtio",
    "type=network,source.protocol=nbd,source.name=exp,source.host0.transport=unix,"
    "source.host0.socket=/run/nbd.sock,bus=virtio",
    "type=network,source.protocol=nbd,source.host0.name=n,source.host0.port=10809,bus=virtio"
    " | ./source/@tls=yes",
    "type=network,source.protocol=https,source.name=images/g.iso,source.host0.name=www,"
    "source.host0.port=443,device=cdrom,bus=sata | ./source/ssl/@verify=yes",
    f"{_DISK},bus=virtio,readonly=on,driver.type=fat"
    " | ./@type=dir | - ./source/@file | ./source/@dir=/srv/fat",
    "type=nvme,source.type=pci,source.managed=yes,source.namespace=1,source.address.domain=0x0001,"
    "source.address.bus=0x03,source.address.slot=0x00,source.address.function=0x0,bus=virtio",
    "type=vhostuser,source.type=unix,bus=virtio | ./source/@path=/run/vhost-blk.sock",
    "path=/srv/images/h.qcow2,size=1,driver.type=qcow2,bus=virtio,driver.copy_on_read=on,serial=S1"
    " | ./backingStore/@type=file | ./backingStore/format/@type=qcow2"
    " | ./backingStore/source/@file=/srv/base/h.qcow2"
    " | ./backingStore/backingStore/@type=block | ./backingStore/backingStore/format/@type=raw"
    " | ./backingStore/backingStore/source/@dev=/dev/mapper/vg-base",
)  # fmt: skip

_NETWORKS = (
    "bridge=br0,model=virtio",
    "network=default,model=e1000e",
    "network=default,source.portgroup=web,model=virtio,mtu.size=1400",
    "type=direct,source=eth0,source.mode=bridge,model=virtio",
    "type=direct,source=eth1,source.mode=vepa,virtualport.type=802.1Qbh,virtualport.parameters.profileid=p",
    "bridge=ovsbr0,virtualport.type=openvswitch,model=virtio,"
    "virtualport.parameters.interfaceid=4e5f6a7b-0c1d-4e2f-8a3b-00000000000a",
    "bridge=ovsbr0,virtualport.type=openvswitch,model=virtio",
    "bridge=ovsbr1,virtualport.type=openvswitch,model=virtio | ./vlan/tag/@id=42",
    "user,model=virtio | ./backend/@type=passt | ./backend/@logFile=/srv/out/passt.log | ./source/@dev=eth0",
    "type=ethernet,target.dev=mytap0,model=virtio | ./script/@path=/srv/etc/ifup",
    "type=vhostuser,source.type=unix,source.path=/run/vhost1.sock,source.mode=client,model=virtio",
    f"type=hostdev{_PCI} | ./source/address/@type=pci | ./teaming/@type=transient"
    " | ./teaming/@persistent=ua-1",
    "bridge=br1,model=virtio,filterref.filter=clean-traffic,rom.file=/opt/roms/x.rom,driver.queues=4,"
    "target.dev=tapbr1 | ./bandwidth/inbound/@average=1000",
    "type=vdpa,model=virtio | ./source/@dev=/dev/vhost-vdpa-0",
    "network=prod,link.state=up",
)  # fmt: skip

_GRAPHICS = (
    "vnc,listen=192.0.2.11,port=5901,password=secret",
    "spice,listen=192.0.2.11,tlsPort=5903,clipboard.copypaste=no",
    "vnc,listen=socket,listens0.type=socket,listens0.socket=/run/vnc.sock",
    "spice,listen=none,gl.enable=yes,gl.rendernode=/dev/dri/renderD128",
    "vnc,listens0.type=network,listens0.network=default",
    "vnc,listens0.type=address,listens0.address=192.0.2.11",
    "egl-headless,gl.rendernode=/dev/dri/renderD129",
    "sdl | ./@display=:0 | ./@xauth=/srv/home/.Xauthority",
    "spice,listen=::1",
    "vnc,listen=2001:db8::11",
    "none",
)  # fmt: skip

_SERIALS = (
    "",
    "pty,log.file=/var/log/vm/s.log,log.append=on",
    "file,source.path=/srv/out/serial.txt",
    "tcp,source.mode=bind,source.host=192.0.2.11,source.service=4555,protocol.type=telnet",
    "udp,source.connect_host=192.0.2.99,source.connect_service=4556,source.bind_host=192.0.2.11,"
    "source.bind_service=4557",
    "unix,source.path=/run/ser.sock,source.mode=bind",
    "dev,source.path=/dev/ttyS1",
    "pipe,source.path=/run/pipe1",
)  # fmt: skip

_HOSTDEVS = (
    "",
    f"type=pci{_PCI} | ./@mode=subsystem | ./rom/@file=/opt/roms/gpu.rom",
    "type=usb | ./@mode=subsystem | ./source/vendor/@id=0x046d | ./source/product/@id=0xc52b",
    "type=usb | ./@mode=subsystem | ./source/address/@bus=1 | ./source/address/@device=4",
    "type=mdev | ./@mode=subsystem | ./@model=vfio-pci"
    " | ./source/address/@uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
    "type=scsi | ./@mode=subsystem | ./source/adapter/@name=scsi_host0 | ./source/address/@bus=0"
    " | ./source/address/@target=0 | ./source/address/@unit=0",
    "type=scsi | ./@mode=subsystem | ./source/@protocol=iscsi | ./source/@name=iqn.2014-08.com:disk/1"
    " | ./source/host/@name=san | ./source/host/@port=3260",
    "type=scsi_host | ./@mode=subsystem | ./source/@protocol=vhost | ./source/@wwpn=naa.5123456789abcde0",
)  # fmt: skip

OPTIONS: Mapping[str, Option] = {
    "--memory": Option(("512", "1024,currentMemory=512", "2048,hugepages=yes")),
    "--vcpus": Option(("1", "2,maxvcpus=4", "4,cpuset=0-3")),
    "--cpu": Option(
        (
            "",
            "host-passthrough",
            "Skylake-Client,+vmx",
            "host-model,numa.cell0.id=0,numa.cell0.cpus=0-1,numa.cell0.memory=524288",
        )
    ),
    "--boot": Option(
        (
            "",
            "hd,menu=on",
            f"{_FIRMWARE},nvram=/var/lib/libvirt/qemu/nvram/g_VARS.fd,"
            "nvram.template=/usr/share/OVMF/OVMF_VARS.fd",
            f"{_FIRMWARE},nvram.template=/usr/share/OVMF/OVMF_VARS.fd",
            "kernel=/srv/boot/vmlinuz,initrd=/srv/boot/initrd.img,kernel_args=console=ttyS0,dtb=/srv/boot/x.dtb",
            "loader=/usr/share/seabios/bios.bin,bios.useserial=yes",
            "acpi.table=/srv/boot/slic.bin,acpi.table.type=slic",
        )
    ),
    "--disk": Option(_DISKS, 3),
    "--network": Option(_NETWORKS, 2, ",mac=52:54:00:00:{0:02x}:{1:02x}"),
    "--graphics": Option(_GRAPHICS),
    "--serial": Option(_SERIALS),
    "--parallel": Option(("", "dev,source.path=/dev/parport0", "file,source.path=/srv/out/par.txt")),
    "--channel": Option(
        (
            "unix,target.type=virtio,target.name=org.qemu.guest_agent.0",
            "unix,source.mode=bind,source.path=/var/lib/libvirt/qemu/channel/target/g.a,target.type=virtio,"
            "target.name=a,log.file=/var/log/vm/c.log",
            "spicevmc,target.type=virtio,target.name=com.redhat.spice.0",
            "file,source.path=/srv/out/chan,target.type=virtio,target.name=b",
        )
    ),
    "--console": Option(("", "pty,target.type=virtio", "pty,target.type=serial")),
    "--hostdev": Option(_HOSTDEVS),
    "--filesystem": Option(
        (
            "",
            "/srv/share,tag1,accessmode=mapped",
            "type=mount,source.dir=/srv/fsd,target.dir=t,driver.type=virtiofs,binary.path=/opt/bin/virtiofsd",
            "type=block,source.dev=/dev/mapper/vg-fs,target.dir=/",
            "type=file,source.file=/srv/images/fs.raw,target.dir=/x,driver.type=path",
        )
    ),
    "--tpm": Option(
        (
            "",
            "/dev/tpm0",
            "backend.type=emulator,model=tpm-crb,backend.version=2.0",
            "backend.type=passthrough,backend.device.path=/dev/tpm1,model=tpm-tis",
        )
    ),
    "--rng": Option(
        (
            "/dev/urandom",
            "/dev/hwrng,rate.bytes=1024,rate.period=1000",
            "type=egd,backend.type=tcp,backend.source.host=192.0.2.11,backend.source.service=708,"
            "backend.source.mode=bind",
        )
    ),
    "--watchdog": Option(("", "i6300esb,action=reset")),
    "--memorybacking": Option(
        (
            "",
            "hugepages=on,nosharepages=yes,locked=yes",
            "access.mode=shared,source_type=memfd",
        )
    ),
    "--memdev": Option(
        ("", "nvdimm,source.path=/srv/nv/nvdimm0,target.size=512,target.node=0,target.label_size=1")
    ),
    "--cputune": Option(("", "vcpupin0.vcpu=0,vcpupin0.cpuset=0-3,emulatorpin.cpuset=1,shares=2048")),
    "--numatune": Option(("", "1-2,mode=preferred")),
    "--blkiotune": Option(("", "weight=200,device0.path=/dev/mapper/vg-c,device0.weight=300")),
    "--controller": Option(
        (
            "",
            "scsi,model=virtio-scsi,driver.queues=4",
            "virtio-serial,vectors=8",
            "usb,model=qemu-xhci",
            "pci,model=pcie-root-port",
        )
    ),
    "--iothreads": Option(("", "2")),
    "--smartcard": Option(("", "passthrough,type=spicevmc")),
    "--redirdev": Option(
        (
            "",
            "usb,type=spicevmc",
            "usb,type=tcp,source.mode=bind,source.host=192.0.2.11,source.service=4000",
        )
    ),
    "--sound": Option(("", "ich9")),
    "--audio": Option(("", "id=1,type=spice", "id=1,type=none", "id=1,type=oss | ./input/@dev=/dev/dsp0")),
    "--input": Option(
        (
            "",
            "tablet,bus=usb",
            "type=passthrough,source.evdev=/dev/input/event3,bus=virtio",
            "type=evdev | ./source/@dev=/dev/input/by-id/kbd",
        )
    ),
    "--shmem": Option(
        (
            "",
            "shm0,size=4,size.unit=M,model.type=ivshmem-plain",
            "shm1,server.path=/run/ivshmem.sock,model.type=ivshmem-doorbell",
        )
    ),
    "--vsock": Option(("", "cid.auto=yes,model=virtio")),
    "--panic": Option(("", "isa")),
    "--memballoon": Option(("virtio,stats.period=10", "none")),
    "--seclabel": Option(("", "type=static,label=system_u:object_r:svirt_image_t:s0:c100,c200,relabel=yes")),
    "--resource": Option(("", "/virtualmachines/production")),
    "--metadata": Option(("title=A guest,description=What /srv/images/a.qcow2 is for",)),
    "--qemu-commandline": Option(("", "-fw_cfg name=opt/x,string=y", "", "env=QEMU_X=/srv/y")),
}
