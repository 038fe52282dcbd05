#!/bin/sh
# Process 1 of a lab machine, started by namespaces.py in namespaces of its own: gives it a private
# view of the file system, says which pid it has outside, and then only keeps the namespaces alive.
# It ends when its standard input does, that is when the lab's process ends, however it ends; the
# kernel then kills what runs in the machine and drops its mounts and links.
#
# usage: machine.sh NAME CHECKOUT
set -eu
name=$1 checkout=$2

read -r outside _ </proc/self/stat # read before /proc is this namespace's own

# Mounts of the real machine that will be covered are let go, so that the mount table shows only what
# is there: libvirt looks in it for cgroups, libhooks for storage. The checkout may lie on one of them.
while read -r _ target _; do
    case $checkout/ in "$target"/*) continue ;; esac
    case $target/ in
    /proc/?* | /sys/* | /run/* | /srv/* | /mnt/* | /tmp/*) umount --lazy "$target" 2>/dev/null || true ;;
    esac
done <<TABLE
$(cat /proc/self/mounts)
TABLE

mount -t proc proc /proc
mount -t sysfs sysfs /sys # shows the links of this network namespace, and no cgroups
echo "$name" >/proc/sys/kernel/hostname

# All that is written goes to one tmpfs. It is made on /run, which the machine's own /run then covers.
mount -t tmpfs -o mode=755 lab /run
mkdir /run/checkout
mount --bind "$checkout" /run/checkout
mount -o remount,bind,ro /run/checkout
for dir in etc usr var root opt; do
    if [ ! -d "/$dir" ] || [ -L "/$dir" ]; then continue; fi
    mkdir -p "/run/$dir/upper" "/run/$dir/work"
    chmod --reference="/$dir" "/run/$dir/upper"
    mount -t overlay -o "lowerdir=/$dir,upperdir=/run/$dir/upper,workdir=/run/$dir/work" overlay "/$dir"
done
for dir in srv mnt tmp; do
    mount -t tmpfs -o mode=755 lab "/$dir"
done
chmod 1777 /tmp

# The checkout keeps its path, even below a directory that is covered by now.
mkdir -p "$checkout"
mount --move /run/checkout "$checkout"
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lock /run/gluster

# What the real machine has of libvirt, Gluster and libhooks is not this machine's. An overlay only
# records the removal.
rm -rf /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt \
    /var/lib/glusterd /var/log/glusterfs \
    /etc/libhooks /usr/lib/libhooks /usr/bin/libhooks /var/lib/libhooks /var/log/libhooks \
    /etc/logrotate.d/libhooks* /etc/systemd/system/libhooks* /etc/systemd/system/*.wants/libhooks* \
    /usr/lib/systemd/system/libhooks* /usr/share/man/man?/libhooks* /usr/share/doc/libhooks*
mkdir -p /etc/libvirt/hooks /var/lib/libvirt/boot /var/log/libvirt/qemu /var/cache/libvirt \
    /var/lib/glusterd /var/log/glusterfs

echo "ready $outside"
# SIGCHLD ignored: the kernel then reaps orphans, else libvirtd waits for dead QEMUs for ever.
exec env --ignore-signal=CHLD cat >/dev/null
