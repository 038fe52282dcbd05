# shellcheck shell=sh
# What is to be installed, laid out in the staging directory as it will lie on the host.

# build_tree: sets `tree`, and `version` and `name` of the code in it.
build_tree() {
    tree=$stage/tree
    version=$(sed -n 's/^__version__ = "\([0-9A-Za-z.+]*\)"$/\1/p' "$here/libhooks/__init__.py")
    [ -n "$version" ] || die "no __version__ in $here/libhooks/__init__.py"
    mkdir -p "$tree$lib"
    copy_code "$tree$lib/new"
    name=$version-$(digest "$tree$lib/new")
    mv -T "$tree$lib/new" "$tree$lib/$name"
    ln -s "$name" "$tree$lib/current"
    if [ -n "$vendored" ] && [ -z "$dry_run" ]; then copy_vendored "$tree$lib/$name/vendor"; fi
    if [ -z "$dry_run" ]; then compile "$tree$lib/$name"; fi

    render "$here/hooks/qemu" "$hook_path" 0755
    render "$here/share/bin/libhooks" /usr/bin/libhooks 0755
    render "$here/share/policy/00-example.toml" /etc/libhooks/policy.d/00-example.toml 0644
    render "$here/share/logrotate.d/libhooks" /etc/logrotate.d/libhooks 0644
    documents | while read -r source path; do render "$here/share/$source" "$path" 0644; done
    for unit in $units; do render "$here/share/systemd/$unit" "$unit_dir/$unit" 0644; done
    if [ -n "$host" ]; then
        printf '%s\n' "$host" >"$tree/etc/libhooks/host"
    fi
}

# documents: what is there to be read, by people, editors and shells: from where in share/, and where to.
documents() {
    zsh=/usr/share/zsh/site-functions
    if [ -e /etc/debian_version ]; then zsh=/usr/share/zsh/vendor-completions; fi # its zsh looks there only
    cat <<END
libhooks-policy.schema.json /usr/share/libhooks/libhooks-policy.schema.json
man/man5/libhooks-policy.5 /usr/share/man/man5/libhooks-policy.5
man/man8/libhooks.8 /usr/share/man/man8/libhooks.8
completions/libhooks.bash /usr/share/bash-completion/completions/libhooks
completions/_libhooks $zsh/_libhooks
completions/libhooks.fish /usr/share/fish/vendor_completions.d/libhooks.fish
END
}

copy_code() {
    cp -R -- "$here/libhooks" "$stage/code"
    find "$stage/code" \( -name __pycache__ -o -name '*~' -o -name '.?*' \) -prune -exec rm -rf {} +
    mkdir "$1"
    mv -- "$stage/code" "$1/libhooks"
    cp -- "$here/hooks/hook" "$1/hook"
    chmod -R u=rwX,go=rX "$1" # whatever the umask was when the checkout was made
}

# digest DIRECTORY: names what the code is, not what it is said to be. The private copies follow from it, the
# modules asked for and the interpreter.
digest() {
    {
        (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2)
        if [ -n "$vendored" ]; then
            printf '%s\n' "$vendored"
            "$python" -I -c 'import sys; print(sys.implementation.cache_tag)'
        fi
    } | sha256sum | cut -c 1-12
}

# The same name stands for the same private copies: no need to fetch them again.
copy_vendored() {
    if [ -d "$lib/$name/vendor" ]; then
        cp -a -- "$lib/$name/vendor" "$1"
    else
        step "fetch a private copy of$vendored"
        vendor "$1"
    fi
}

# compile DIRECTORY: "unchecked", as the directory's name already says what it holds; and times, which some
# file systems and image builders do not keep, then do not matter.
compile() {
    set -- "$1" "$python" -I -m compileall -q -f --invalidation-mode unchecked-hash -s "$tree" -p /
    code=$1
    shift
    "$@" "$code/libhooks"
    if [ -d "$code/vendor" ]; then "$@" "$code/vendor" >/dev/null 2>&1 || :; fi # may hold files for other Pythons
}

# render SOURCE PATH MODE: with the interpreter and the code's name filled in.
render() {
    mkdir -p "$tree${2%/*}"
    sed "s|@PYTHON@|$python|g; s|@VERSION@|$name|g" "$1" >"$tree$2"
    chmod "$3" "$tree$2"
}

# trial_run: the staged programs meet a guest, at a host that is empty, and have nothing to say about it.
# Neither the policy nor the journal of this host is touched.
trial_run() {
    trial=$stage/trial
    mkdir -p "$trial/policy" "$trial/root/var/log/libhooks"
    printf '%s' "<domain type='qemu'><name>trial</name><uuid>00000000-0000-4000-8000-000000000001</uuid>" \
        "<memory>65536</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>" \
        "<devices/></domain>" >"$trial/domain.xml"
    silent "$tree$hook_path" trial reconnect begin -
    silent "$python" -I -S "$tree$lib/current/hook" trial reconnect begin -
    silent "$python" -I -S "$here/share/install/trial.py" "$tree$lib/$name" "$trial/policy" "$trial/root"
    silent "$tree/usr/bin/libhooks" hook trial migrate begin - \
        --policy "$trial/policy" --host trial --root "$trial/root"
    if [ ! -s "$trial/root/var/log/libhooks/decisions.jsonl" ]; then die "the trial run left no record in its journal"; fi
}

# silent COMMAND...: must succeed and print nothing, like a hook that finds nothing to change.
silent() {
    if ! "$@" <"$trial/domain.xml" >"$trial/output" 2>&1 || [ -s "$trial/output" ]; then
        head -n 25 "$trial/output" >&2
        die "the trial run failed: $*"
    fi
}
