# shellcheck shell=sh
# What libhooks imports comes from the distribution; a private copy beside the code only where it has none.

# require_modules: installs what is missing; sets `vendored` to the modules that need a private copy.
require_modules() {
    wanted='lxml libvirt structlog' packages='' vendored=''
    if ! python_runs "$python" 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        wanted="$wanted tomli" # 3.11 has it as tomllib
    fi
    for module in $wanted; do
        if python_runs "$python" "import $module"; then continue; fi
        if [ -d "$lib/current/vendor/$module" ] || [ -f "$lib/current/vendor/$module.py" ]; then
            vendored="$vendored $module"
            continue
        fi
        package=$(package_of "$module")
        if package_exists "$package"; then packages="$packages $package"; else vendored="$vendored $module"; fi
    done
    # shellcheck disable=SC2086 # a list
    if [ -n "$packages" ]; then install_packages $packages; fi
    if [ -n "$vendored" ]; then require_pip; fi
}

# package_manager: prints apt, dnf, zypper, pacman or nothing.
package_manager() {
    for manager in apt-get dnf zypper pacman; do
        if command -v "$manager" >/dev/null; then
            printf '%s\n' "${manager%-get}"
            return
        fi
    done
}

# package_of MODULE: the name of its package for the chosen interpreter.
package_of() {
    version_infix=${python#/usr/bin/python} # 3, or 3.11 where the distribution's python3 is too old
    case $(package_manager)/$1 in
    dnf/*) printf 'python%s-%s\n' "$version_infix" "$1" ;;
    zypper/libvirt) printf 'python%s-libvirt-python\n' "$(printf %s "$version_infix" | tr -d .)" ;;
    zypper/*) printf 'python%s-%s\n' "$(printf %s "$version_infix" | tr -d .)" "$1" ;;
    pacman/libvirt) printf 'libvirt-python\n' ;;
    pacman/*) printf 'python-%s\n' "$1" ;;
    *) printf 'python3-%s\n' "$1" ;;
    esac
}

# interpreter_package: an interpreter that is new enough, also on RHEL 8 and SLES 15.
interpreter_package() {
    case $(package_manager) in
    dnf) echo python3.11 ;;
    zypper) echo python311 ;;
    pacman) echo python ;;
    *) echo python3 ;;
    esac
}

package_exists() {
    case $(package_manager) in
    apt)
        apt_knows "$1" && return
        [ -z "$dry_run" ] || return # a fresh machine has no lists yet: do not fetch them for a question
        refresh_apt
        apt_knows "$1"
        ;;
    dnf) dnf -q info "$1" >/dev/null 2>&1 ;;
    zypper) zypper -q --non-interactive search --match-exact "$1" >/dev/null 2>&1 ;;
    pacman) pacman -Si "$1" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

apt_knows() { [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }

refreshed=''
refresh_apt() {
    if [ -n "$refreshed" ]; then return; fi
    refreshed=yes
    say "fetch the package lists"
    logged apt-get -q update
}

# install_packages NAME...: stays whatever happens later; taking a package away could break others.
install_packages() {
    step "install the packages $*"
    if [ -n "$dry_run" ]; then return; fi
    doing "installing the packages $*"
    case $(package_manager) in
    apt)
        for package in "$@"; do apt_knows "$package" || refresh_apt; done
        DEBIAN_FRONTEND=noninteractive logged apt-get -q -y --no-install-recommends \
            -o DPkg::Lock::Timeout=300 install "$@"
        ;;
    dnf) logged dnf -q -y install "$@" ;;
    zypper) logged zypper -q --non-interactive install "$@" ;;
    pacman) logged pacman -S --noconfirm --needed "$@" ;;
    *) die "no package manager that this knows (apt, dnf, zypper, pacman); install by hand: $*" ;;
    esac
}

# logged COMMAND...: its output only matters if it fails.
logged() {
    log=$(mktemp)
    if "$@" </dev/null >"$log" 2>&1; then
        rm -f -- "$log"
        return
    fi
    tail -n 25 "$log" >&2
    rm -f -- "$log"
    die "failed: $*"
}

require_pip() {
    if python_runs "$python" 'import pip'; then return; fi
    install_packages "$(package_of pip)"
}

# vendor DIRECTORY: the private copies. libvirt is only for commands that ask other hosts, and is built from
# source, so doing without it is said, and no failure.
vendor() {
    for module in $vendored; do
        case $module in
        libvirt)
            if ! "$python" -I -m pip install -q --target "$1" libvirt-python >/dev/null 2>&1; then
                warn "no Python binding of libvirt for $python: waive, origin, definitions and the companion will not work"
            fi
            ;;
        *) logged "$python" -I -m pip install -q --only-binary :all: --target "$1" "$module" ;;
        esac
    done
}
