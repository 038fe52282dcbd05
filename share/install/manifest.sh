# shellcheck shell=sh
# What was installed is written down, a checksum for each file (as `sha256sum --check` reads it) and the
# directories that were missing. So a later run tells what the administrator changed since, and leaves that alone.

# recorded_files: the lines "CHECKSUM  PATH" of the last installation.
recorded_files() {
    if [ -f "$root$manifest" ]; then grep -E '^[0-9a-f]{64}  /' "$root$manifest" || :; fi
}

# recorded PATH: the checksum it was installed with; nothing if it was not.
recorded() { recorded_files | awk -v path="$1" 'substr($0, 67) == path { print $1 }'; }

# recorded_directories: those that this made, the deepest first.
recorded_directories() {
    if [ -f "$root$manifest" ]; then sed -n 's|^dir  /|/|p' "$root$manifest" | sort -r; fi
}

# recorded_versions: the directories of code.
recorded_versions() { recorded_files | sed -n "s|^.\{66\}$lib/\([^/]*\)/.*|\1|p" | sort -u; }

# unchanged_in DIRECTORY: the recorded files below it that are still what was installed.
unchanged_in() {
    recorded_files | sed 's|  /|  ./|' | grep -F "  .$1/" |
        { cd "$root/" && sha256sum --check 2>/dev/null || :; } | sed -n 's|^\.\(/.*\): OK$|\1|p'
}

sum_of() {
    if [ -f "$1" ]; then sha256sum <"$1" | cut -c 1-64; fi
}

# record CHECKSUM PATH: for the manifest of this installation.
record() { printf '%s  %s\n' "$1" "$2" >>"$stage/manifest"; }

# place_manifest: with the code of this version and of the one before, which decisions under way may still use.
place_manifest() {
    if [ -n "$dry_run" ]; then return; fi
    {
        cat "$stage/manifest"
        (cd "$root/" && find ".$lib/$name" -type f -exec sha256sum {} +) | sed 's|  \./|  /|'
        for kept in $(versions_to_keep); do recorded_files | grep -F "  $lib/$kept/" || :; done
        { recorded_directories && printf %s "$made"; } | sed 's|^|dir  |'
    } | sort -u -k 2 >"$stage/new_manifest"
    if ! cmp -s "$stage/new_manifest" "$root$manifest"; then quietly put "$stage/new_manifest" "$manifest" 0644; fi
}

# versions_to_keep: besides the new one.
versions_to_keep() {
    for candidate in $(recorded_versions); do
        case $candidate in
        "$name") ;;
        "$previous") printf '%s\n' "$candidate" ;;
        *) if [ "$previous" = "$name" ]; then printf '%s\n' "$candidate"; fi ;;
        esac
    done
}
