# shellcheck shell=sh
# All or nothing: each change to the system is noted, with the way back, before it is made. What ends
# the installation before `finish`, be it an error or Ctrl-C, takes the noted ways back, newest first.

lib=/usr/lib/libhooks
manifest=$lib/manifest
last_good=/var/lib/libhooks/policy

arm() {
    undo='' stage='' saved=0 changed='' made='' task='' explained=''
    trap 'leave $?' EXIT
    trap 'die "interrupted"' INT TERM HUP PIPE
}

# doing WORDS: what to blame if a command fails now.
doing() { task=$*; }

# begin: from here on only one install.sh works on this root, and changes can be taken back.
begin() {
    if [ -n "$dry_run" ]; then
        stage=$(mktemp -d)
        remember "delete $stage"
        return
    fi
    doing "making $root$lib"
    make_dir "$lib" 0755
    exec 9<"$root$lib"
    flock -n 9 || die "another install.sh is at work in $root$lib"
    rm -rf -- "$root$lib"/.stage.* # of one that was killed
    # On the file system of its destination, so that a version appears there in one rename.
    stage=$root$lib/.stage.$$
    remember "delete $stage"
    mkdir -m 0700 "$stage"
}

# finish: what was done stays. Only words follow, and what may fail.
finish() {
    trap '' INT TERM HUP
    trap - PIPE
    undo=''
    rm -rf -- "$stage" || : # done all the same
}

leave() {
    trap - EXIT
    trap '' INT TERM HUP PIPE
    if [ "$1" -eq 0 ]; then exit 0; fi
    exec >/dev/null # perhaps nobody listens any more
    roll_back
    if [ -n "$undo" ] && [ -z "$dry_run" ]; then
        warn "failed while $task; put back what was" || :
    elif [ -z "$explained" ]; then
        warn "failed while $task" || :
    fi
    exit 1
}

# remember "WAY [NUMBER] PATH": how to take back what is done next.
remember() {
    undo="$1
$undo"
}

roll_back() {
    printf %s "$undo" | while read -r way path; do
        backup=$stage/old.${path%% *}
        case $way in
        delete) rm -rf -- "$path" ;;
        rmdir) if [ -d "$path" ]; then rmdir -- "$path"; fi ;;
        replace) # by the copy made of it
            path=${path#* }
            again=$(beside "$path")
            rm -f -- "$again" && cp -aT -- "$backup" "$again" && mv -fT -- "$again" "$path"
            ;;
        return) # moved away, unless interrupted before that
            path=${path#* }
            if [ ! -e "$path" ] && [ ! -L "$path" ]; then
                mkdir -p -- "${path%/*}" && mv -T -- "$backup" "$path"
            fi
            ;;
        esac || warn "could not put back $path"
    done
}

# beside PATH: a name for a file that is about to be renamed to PATH. Never in qemu.d: libvirt runs
# everything in there, dotfiles included.
beside() {
    case $1 in
    */qemu.d/*) set -- "${1%/*}" ;;
    esac
    printf '%s\n' "${1%/*}/.libhooks.new"
}

# make_dir PATH MODE: with its parents. Those that were missing go into the manifest.
make_dir() {
    if [ -n "$dry_run" ] || [ -d "$root$1" ]; then return; fi
    case $1 in
    /*/*) make_dir "${1%/*}" 0755 ;;
    *) if [ ! -d "$root/" ]; then
        remember "rmdir $root"
        mkdir -p -- "$root"
    fi ;;
    esac
    remember "rmdir $root$1"
    mkdir -m "$2" -- "$root$1"
    made="$made$1
"
}

# put SOURCE PATH MODE: PATH, below the root, becomes SOURCE in one rename.
put() {
    target=$root$2
    step "install $target"
    if [ -n "$dry_run" ]; then return; fi
    if [ -d "$target" ] && [ ! -L "$target" ]; then die "$target is a directory; a file belongs there"; fi
    make_dir "${2%/*}" 0755
    arriving=$(beside "$target")
    remember "delete $arriving"
    rm -f -- "$arriving"
    cp -PT -- "$1" "$arriving"
    if [ ! -L "$arriving" ]; then chmod "$3" "$arriving"; fi
    if [ -e "$target" ] || [ -L "$target" ]; then
        saved=$((saved + 1))
        cp -aT -- "$target" "$stage/old.$saved"
        remember "replace $saved $target"
    else
        remember "delete $target"
    fi
    mv -fT -- "$arriving" "$target"
}

# take PATH: PATH, below the root, is gone, though not for good before `finish`.
take() {
    if [ -n "$dry_run" ]; then return; fi
    saved=$((saved + 1))
    remember "return $saved $root$1"
    mv -T -- "$root$1" "$stage/old.$saved"
}

# set_aside PATH: what the administrator made of a program of ours is kept where nothing runs it.
set_aside() {
    kept=/etc/libhooks/${1##*/}.edited
    step "keep your edited $root$1 as $root$kept"
    if [ -n "$dry_run" ]; then return; fi
    make_dir /etc/libhooks 0755
    quietly put "$root$1" "$kept" 0600
    take "$1"
}

quietly() { "$@" >/dev/null; }
