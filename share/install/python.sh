# shellcheck shell=sh
# The interpreter: one that the distribution owns, so that it outlives upgrades of anything else.

# choose_python: sets `python`, which is written into the hook and the command.
choose_python() {
    python=$(find_python)
    if [ -z "$python" ] && [ -z "$staged" ]; then
        install_packages "$(interpreter_package)"
        python=$(find_python)
    fi
    if [ -z "$python" ]; then
        if [ -n "$dry_run" ]; then
            say "would then go on with that interpreter"
            exit 0
        fi
        die "no Python of at least 3.9 in /usr/bin"
    fi
}

# The plain name first: a distribution upgrade keeps it, and its packages are made for it. Only /usr/bin:
# AppArmor and SELinux let libvirt run no interpreter from /usr/local, /opt or somebody's home.
find_python() {
    for candidate in python3 python3.16 python3.15 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
        candidate=/usr/bin/$candidate
        case $(readlink -f -- "$candidate" || :) in
        /usr/bin/*) ;;
        *) continue ;;
        esac
        if python_runs "$candidate" 'import sys; sys.exit(sys.version_info < (3, 9))'; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

# python_runs INTERPRETER CODE: quietly.
python_runs() { [ -x "$1" ] && "$1" -I -c "$2" </dev/null >/dev/null 2>&1; }
