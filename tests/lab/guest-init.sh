#!/bin/busybox sh
# shellcheck shell=dash disable=SC2013,SC2043
# Process 1 of a lab guest: answers ping, and beats. A beat is "beat BOOT NUMBER": BOOT is drawn at
# each boot, NUMBER grows by one. It goes to the serial port and to the first sector of the disk, so
# it stands still when the guest or its storage does, and starts afresh when the guest was rebooted.
# It also goes to a virtio-serial channel that is called lab.beat: any other may have no reader at the
# host's end, and writing to it would wait for one.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in @MODULES@; do
    [ ! -f /modules/$module.ko ] || insmod /modules/$module.ko
done

for word in $(cat /proc/cmdline); do
    case $word in lab.address=*) address=${word#*=} ;; esac
done
ip link set lo up
ip address add "$address/24" dev eth0
ip link set eth0 up
arping -q -U -c 1 -I eth0 "$address" & # switches may still look for it where it ran before

read -r boot </proc/sys/kernel/random/boot_id
number=0
while :; do
    number=$((number + 1))
    echo "beat $boot $number" >/dev/ttyS0
    printf '%-511s\n' "beat $boot $number" | dd of=/dev/vda bs=512 count=1 conv=notrunc,fsync 2>/dev/null
    for port in /sys/class/virtio-ports/*; do
        read -r name <"$port/name" && [ "$name" = lab.beat ] && echo "beat $boot $number" >"/dev/${port##*/}"
    done 2>/dev/null
    sleep 0.2
done
