# shellcheck shell=sh
# The libvirt that is on this host: its version, its hooks, its daemon.

# find_libvirt: sets `libvirt_version`.
find_libvirt() {
    libvirt_version=''
    for daemon in libvirtd virtqemud; do
        if ! command -v "$daemon" >/dev/null; then continue; fi
        libvirt_version=$("$daemon" --version | sed -n 's/.* \([0-9][0-9.]*\)$/\1/p')
        break
    done
    if [ -z "$libvirt_version" ]; then
        die "libvirt is not installed here: found neither libvirtd nor virtqemud"
    fi
}

# choose_hook_path: sets `hook_path`. libvirt knows qemu.d since 6.5; before, there is one file, which often
# belongs to other software.
choose_hook_path() {
    hook_path=/etc/libvirt/hooks/qemu.d/50-libhooks
    if [ -n "$staged" ]; then return; fi
    major=${libvirt_version%%.*}
    minor=${libvirt_version#*.}
    if [ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "${minor%%.*}" -ge 5 ]; }; then
        if [ -e /etc/libvirt/hooks/qemu ] && [ -z "$(recorded /etc/libvirt/hooks/qemu)" ]; then
            say "leave /etc/libvirt/hooks/qemu, which is not ours: libvirt runs it first, then libhooks"
        fi
        return
    fi
    hook_path=/etc/libvirt/hooks/qemu
    if [ -e "$hook_path" ] && [ -z "$(recorded "$hook_path")" ]; then
        die "libvirt $libvirt_version has room for one hook only, and $hook_path is not ours; needed: libvirt 6.5 or later, or no such file"
    fi
}

# label: what SELinux demands of the new files.
label() {
    if [ -n "$dry_run" ] || ! command -v selinuxenabled >/dev/null || ! selinuxenabled; then return; fi
    restorecon -R /etc/libvirt/hooks /etc/libhooks /etc/logrotate.d "$lib" /usr/bin/libhooks /var/log/libhooks "$unit_dir"/libhooks-*
    if getsebool virt_hooks_unconfined 2>/dev/null | grep -q off; then
        warn "SELinux confines libvirt's hooks here; if libhooks is denied something: setsebool -P virt_hooks_unconfined on"
    fi
}

# reload_daemon: libvirt looks for hooks when it starts and at SIGHUP. A restart would disturb guests. Sets
# `reloaded`.
reload_daemon() {
    reloaded=''
    for daemon in libvirtd virtqemud; do
        if [ -d /run/systemd/system ] && systemctl -q is-active "$daemon"; then
            step "reload $daemon"
            if [ -z "$dry_run" ]; then systemctl reload "$daemon"; fi
            reloaded=$daemon
        elif pid=$(running "$daemon"); then
            step "reload $daemon (process $pid)"
            if [ -z "$dry_run" ]; then kill -HUP "$pid"; fi
            reloaded=$daemon
        fi
    done
    if [ -z "$reloaded" ]; then say "libvirt is not running: it will see the change when it starts"; fi
}

# running DAEMON: prints its process, if the number in its pid file is not somebody else's by now.
running() {
    [ -r "/run/$1.pid" ] && pid=$(tr -dc 0-9 <"/run/$1.pid") && [ -n "$pid" ] || return
    program=$(readlink "/proc/$pid/exe") || return
    program=${program% (deleted)} # by an upgrade
    [ "${program##*/}" = "$1" ] && printf '%s\n' "$pid"
}
