# shellcheck shell=sh
# The way out: only what the manifest lists, and only as it was installed.

uninstall_libhooks() {
    if [ ! -f "$root$manifest" ]; then
        say "libhooks is not installed${root:+ in $root}, nothing to remove"
        return
    fi
    begin
    doing "removing libhooks"
    directories=$(recorded_directories)
    if [ -z "$staged" ]; then stop_service; fi
    # The hook comes first, before its code: a hook without code refuses every guest.
    recorded_files | cut -c 67- | grep -v "^$lib/" | sed 's|^/etc/libvirt/|0 &|; t; s|^|1 |' | sort >"$stage/files"
    while read -r _ path; do remove_file "$path"; done <"$stage/files"
    for candidate in $(recorded_versions); do remove_version "$candidate"; done
    if [ -L "$root$lib/current" ]; then take "$lib/current"; fi
    take "$manifest"
    remove_last_good
    if [ -z "$staged" ]; then
        forget_service
        reload_daemon
    fi
    finish
    for directory in $directories; do remove_directory "$directory"; done
    if [ -z "$dry_run" ]; then say "libhooks is removed; the distribution's packages that it used stay"; fi
}

# remove_last_good: the copy of the policy that the hook keeps where the policy asks for it.
remove_last_good() {
    if [ ! -d "$root$last_good" ]; then return; fi
    step "remove $root$last_good"
    take "$last_good"
    directories="$directories ${last_good%/*}"
}

# remove_file PATH: unless it was edited.
remove_file() {
    now=$(sum_of "$root$1")
    if [ -z "$now" ]; then return; fi
    if [ "$now" = "$(recorded "$1")" ]; then
        step "remove $root$1"
        take "$1"
        return
    fi
    case $1 in
    /etc/libvirt/* | /usr/bin/* | "$unit_dir"/*) set_aside "$1" ;; # a program without its code
    *) say "keep $root$1, which is yours" ;;
    esac
}

# remove_version NAME: in one move, unless there are files in it that are not as installed. Byte-code always
# goes: later Pythons may have made more of it.
remove_version() {
    step "remove $root$lib/$1"
    if [ -n "$dry_run" ]; then return; fi
    unchanged_in "$lib/$1" >"$stage/unchanged"
    files_in "$lib/$1" | grep -E '/__pycache__/[^/]*\.pyc$' >>"$stage/unchanged" || :
    files_in "$lib/$1" | grep -vxF -f "$stage/unchanged" >"$stage/yours" || :
    if [ ! -s "$stage/yours" ]; then
        take "$lib/$1"
        return
    fi
    sort -u "$stage/unchanged" >"$stage/ours"
    while read -r path; do take "$path"; done <"$stage/ours"
    find "$root$lib/$1" -depth -type d -empty -exec rmdir {} \;
    say "keep $root$lib/$1, which holds files of yours"
}

files_in() { (cd "$root/" && find ".$1" ! -type d) | sed 's|^\.||'; }

# remove_directory PATH: of those that this made, the empty ones.
remove_directory() {
    if [ -n "$dry_run" ] || [ ! -d "$root$1" ]; then return; fi
    if ! rmdir -- "$root$1" 2>/dev/null; then
        case $1 in
        /var/log/libhooks | /etc/libhooks) say "keep $root$1, which is not empty" ;;
        esac
    fi
}
