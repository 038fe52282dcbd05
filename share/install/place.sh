# shellcheck shell=sh
# From the staged tree to where it belongs, file by file, each only if it differs.

place_everything() {
    previous=$(readlink "$root$lib/current" || :)
    : >"$stage/manifest"
    place_code
    make_dir /etc/libhooks/policy.d 0755
    make_dir /var/log/libhooks 0700
    place_settings /etc/libhooks/policy.d/00-example.toml
    place_settings /etc/logrotate.d/libhooks
    place_host
    documents >"$stage/documents"
    while read -r _ path; do place_document "$path"; done <"$stage/documents"
    place_program /usr/bin/libhooks
    # The code before what calls it: a hook without its code refuses every guest.
    if [ "$previous" != "$name" ]; then put "$tree$lib/current" "$lib/current" 0777; fi
    place_program "$hook_path"
    for unit in $units; do place_program "$unit_dir/$unit" 0644; done
    drop_obsolete
    drop_old_versions
    place_manifest
}

# place_code: a directory of its own for each version, complete from the moment it is there.
place_code() {
    if same_code; then return; fi
    step "install $root$lib/$name"
    if [ -n "$dry_run" ]; then return; fi
    if [ -e "$root$lib/$name" ]; then take "$lib/$name"; fi # damaged
    remember "delete $root$lib/$name"
    mv -T -- "$tree$lib/$name" "$root$lib/$name"
}

# Byte-code may differ without meaning anything else: that it is there counts.
same_code() {
    [ -d "$root$lib/$name" ] || return
    (cd "$tree$lib/$name" && find . -type f ! -name '*.pyc' -exec sha256sum {} +) >"$stage/sums"
    (cd "$tree$lib/$name" && find . -name '*.pyc') >"$stage/compiled"
    (cd "$root$lib/$name" && sha256sum --check --status "$stage/sums" 2>/dev/null) || return
    while read -r file; do [ -f "$root$lib/$name/$file" ] || return; done <"$stage/compiled"
}

# place_settings PATH: a file that is there to be edited. The administrator's word stands: an edited one
# stays as it is, a removed one stays away.
place_settings() {
    was=$(recorded "$1") now=$(sum_of "$root$1") ours=$(sum_of "$tree$1")
    if [ "$now" = "$was" ] && [ "$now" != "$ours" ]; then # also: neither there nor ever installed
        put "$tree$1" "$1" 0644
        record "$ours" "$1"
    elif [ "$now" = "$ours" ]; then
        record "$ours" "$1"
    else
        if [ -n "$now" ]; then say "keep $root$1, which is yours"; fi
        if [ -n "$was" ]; then record "$was" "$1"; fi
    fi
}

# place_host: who gives --host means it. Without, the file is left alone.
place_host() {
    file=/etc/libhooks/host
    if [ -n "$host" ]; then
        if ! cmp -s "$tree$file" "$root$file"; then put "$tree$file" "$file" 0644; fi
        record "$(sum_of "$tree$file")" "$file"
    elif [ -n "$(recorded "$file")" ]; then
        record "$(recorded "$file")" "$file"
    fi
}

# place_program PATH [MODE]: a file that has to fit the code, so an edited one gives way.
place_program() {
    was=$(recorded "$1") now=$(sum_of "$root$1") ours=$(sum_of "$tree$1") mode=${2:-0755}
    record "$ours" "$1"
    if [ "$now" = "$ours" ] && [ ! -L "$root$1" ]; then
        if [ "$mode" != 0755 ] || [ -x "$root$1" ]; then return; fi
    fi
    if [ -n "$now" ] && [ "$now" != "$was" ] && [ "$now" != "$ours" ]; then
        # The words of all of them, of programs when their code is missing: then the manifest may be, too.
        grep -q 'run install.sh again' "$root$1" || die "$root$1 is not ours: move it away, then run this again"
        set_aside "$1"
    fi
    put "$tree$1" "$1" "$mode"
}

# place_document PATH: a file to be read that has to fit the code. Somebody else's of that name stays.
place_document() {
    was=$(recorded "$1") now=$(sum_of "$root$1") ours=$(sum_of "$tree$1")
    if [ -n "$now" ] && [ -z "$was" ] && ! grep -q 'python3 -m libhooks.documents' "$root$1"; then
        say "keep $root$1, which is not ours"
        return
    fi
    record "$ours" "$1"
    if [ "$now" != "$ours" ]; then put "$tree$1" "$1" 0644; fi
}

# drop_obsolete: what an earlier version had and this one has not.
drop_obsolete() {
    recorded_files | awk -v lib="$lib/" '
        NR == FNR { stays[substr($0, 67)]; next }
        { path = substr($0, 67) }
        index(path, lib) != 1 && !(path in stays) { print path }' "$stage/manifest" - >"$stage/obsolete"
    while read -r path; do remove_file "$path"; done <"$stage/obsolete"
}

drop_old_versions() {
    for candidate in $(recorded_versions); do
        case " $(versions_to_keep | tr '\n' ' ') $name " in
        *" $candidate "*) ;;
        *) remove_version "$candidate" ;;
        esac
    done
}
