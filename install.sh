#!/bin/sh
# Installs libhooks on this host, or removes it again. It either finishes or puts back what was.
set -eu
umask 022
LC_ALL=C
export LC_ALL
unset CDPATH
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin

here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=share/install/transaction.sh
. "$here/share/install/transaction.sh"
# shellcheck source=share/install/python.sh
. "$here/share/install/python.sh"
# shellcheck source=share/install/packages.sh
. "$here/share/install/packages.sh"
# shellcheck source=share/install/libvirt.sh
. "$here/share/install/libvirt.sh"
# shellcheck source=share/install/tree.sh
. "$here/share/install/tree.sh"
# shellcheck source=share/install/manifest.sh
. "$here/share/install/manifest.sh"
# shellcheck source=share/install/place.sh
. "$here/share/install/place.sh"
# shellcheck source=share/install/remove.sh
. "$here/share/install/remove.sh"
# shellcheck source=share/install/service.sh
. "$here/share/install/service.sh"
# shellcheck source=share/install/demo.sh
. "$here/share/install/demo.sh"

usage() {
    cat <<'END'
usage: install.sh [--host NAME] [--dry-run] [--root DIR]
       install.sh --uninstall [--dry-run] [--root DIR]
       install.sh --demo [--dry-run]

  --host NAME   the name this host has in the policy, if it is not its host name
  --dry-run     say what would be done, and do nothing
  --root DIR    stage into DIR, for packagers: no packages, no reload, no trial run
  --uninstall   remove what was installed and not edited since
  --demo        show a real migration between two hosts made up on this machine
  --help        this text

Exit codes: 0 done, 1 failed and put back what was, 2 not understood.
END
}

# step WORDS: one thing that is done now, or would be.
step() {
    changed=yes
    say "${dry_run:+would }$*"
}

say() { printf '%s\n' "$*"; }

warn() { printf 'install.sh: %s\n' "$*" >&2; }

die() {
    warn "$@"
    explained=yes
    exit 1
}

misused() {
    warn "$*; see install.sh --help"
    exit 2
}

parse_options() {
    action=install root='' staged='' host='' dry_run=''
    while [ $# -gt 0 ]; do
        case $1 in
        --root=* | --host=*)
            value=${1#*=} option=${1%%=*}
            shift
            set -- "$option" "$value" "$@"
            continue
            ;;
        --root | --host)
            if [ -z "${2-}" ]; then misused "$1 needs a value"; fi
            if [ "$1" = --root ]; then root=$2 staged=yes; else host=$2; fi
            shift
            ;;
        --uninstall | --demo)
            [ "$action" = install ] || misused "$1 and --$action do not go together"
            action=${1#--}
            ;;
        --dry-run) dry_run=yes ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) misused "unknown argument '$1'" ;;
        esac
        shift
    done
    case $host in
    -* | *[!A-Za-z0-9._-]*) misused "'$host' is no host name" ;;
    esac
    if [ -n "$host" ] && [ "$action" != install ]; then misused "--host does not go with --$action"; fi
    if [ -n "$staged" ] && [ "$action" = demo ]; then misused "--root does not go with --demo"; fi
}

# find_root: `root` becomes what every path below starts with; nothing for this host itself.
find_root() {
    if [ -z "$staged" ]; then
        if [ -z "$dry_run" ] && [ "$(id -u)" -ne 0 ]; then
            die "this needs root (sudo $0), or --root DIR to stage into a directory"
        fi
        return
    fi
    case $root in
    /*) ;;
    *) root=$PWD/$root ;;
    esac
    if [ -d "$root" ]; then root=$(cd -- "$root" && pwd -P); fi
    if [ "$root" = / ]; then misused "--root / is this host itself: leave it out"; fi
}

install_libhooks() {
    doing "looking at this host"
    if [ -z "$staged" ]; then find_libvirt; fi
    choose_python
    if [ -z "$staged" ]; then require_modules; else vendored=; fi
    choose_hook_path
    begin
    doing "preparing the code"
    build_tree
    if [ -z "$staged" ] && [ -z "$dry_run" ]; then
        doing "trying the new code"
        trial_run
    fi
    doing "installing"
    had_service=$(recorded "$unit_dir/libhooks-answer.socket")
    place_everything
    if [ -n "$changed" ] && [ -z "$staged" ]; then
        doing "making libvirt see the hook"
        label
        reload_daemon
    fi
    finish
    if [ -n "$changed" ] && [ -z "$staged" ]; then start_service "$had_service"; fi
    if [ -z "$changed" ]; then
        say "libhooks $version is already installed, nothing changed"
    elif [ -z "$dry_run$staged" ]; then
        what_next
    fi
    if [ -e "$root/etc/libhooks/disabled" ]; then
        warn "/etc/libhooks/disabled exists, so the hook does nothing; remove that file to switch it on"
    fi
}

what_next() {
    say "
libhooks $version is installed${reloaded:+ and $reloaded knows it}."
    for file in /etc/libhooks/policy.d/*.toml; do
        if [ -e "$file" ] && [ "$file" != /etc/libhooks/policy.d/00-example.toml ]; then
            say "There is a policy already; does it still say what you mean?  libhooks policy check"
            return
        fi
    done
    cat <<'END'
Until there is a policy it only watches: it records what it would decide in /var/log/libhooks, and
changes and refuses nothing. Next:
  write a policy    /etc/libhooks/policy.d/00-example.toml shows how, in a file beside it
  check it          libhooks policy check
  try a guest       virsh dumpxml --migratable GUEST | libhooks check
  do the same       on every host that guests migrate to
Undo: install.sh --uninstall
END
}

parse_options "$@"
find_root
arm
case $action in
install) install_libhooks ;;
uninstall) uninstall_libhooks ;;
demo) run_demo ;;
esac
