# shellcheck shell=sh
# The demonstration: needs more packages than libhooks itself, and none of their daemons on this machine.

run_demo() {
    refuse_beside_guests
    choose_python
    keep_daemons_from_starting
    require_modules
    require_lab
    let_daemons_start
    step "start the demonstration"
    if [ -n "$dry_run" ]; then return; fi
    cd "$here/tests" || exit
    exec "$python" -B -m lab.demo
}

refuse_beside_guests() {
    for guest in /run/libvirt/qemu/*.xml /run/user/*/libvirt/qemu/run/*.xml; do
        if [ -e "$guest" ]; then
            guest=${guest##*/}
            die "the guest '${guest%.xml}' runs on this machine: the demonstration is for machines without guests"
        fi
    done
}

# require_lab: the packages that tests/lab names, by their names in Debian.
require_lab() {
    if [ "$(package_manager)" != apt ]; then
        say "the demonstration knows only Debian's packages: going on with what is here"
        return
    fi
    packages='' wanted=$(cd "$here/tests" && "$python" -B -c 'from lab import PACKAGES; print(*PACKAGES)')
    for package in $wanted; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            packages="$packages $package"
        fi
    done
    # shellcheck disable=SC2086 # a list
    if [ -n "$packages" ]; then
        install_packages $packages
        say "(these packages stay; their daemons stay stopped until the next boot)"
    fi
}

# Debian starts what it installs; the lab runs these daemons in namespaces of its own, and this machine need not.
keep_daemons_from_starting() {
    policy=/usr/sbin/policy-rc.d
    if [ -n "$dry_run" ] || [ -e "$policy" ] || [ "$(package_manager)" != apt ]; then
        policy=''
        return
    fi
    remember "delete $policy"
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
}

let_daemons_start() {
    if [ -n "$policy" ]; then rm -f -- "$policy"; fi
    undo=''
}
