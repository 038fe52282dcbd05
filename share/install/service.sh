# shellcheck shell=sh
# The service, where systemd runs. Nothing depends on it: without it the hook decides itself.

units="libhooks-answer.socket libhooks-answer.service libhooks-companion.service"
unit_dir=/usr/lib/systemd/system

# start_service: systemd learns of the units, and starts those of this version. Units that the administrator
# has disabled since they were first installed stay so. $1: nothing where they are new.
start_service() {
    if [ ! -d /run/systemd/system ]; then return; fi
    step "start libhooks-answer and libhooks-companion"
    if [ -n "$dry_run" ]; then return; fi
    control daemon-reload
    for unit in $units; do
        if [ -z "$1" ]; then control enable "$unit"; fi
    done
    # All are stopped before one is started: a socket does not move while its service runs.
    control stop libhooks-companion.service libhooks-answer.service libhooks-answer.socket
    drop_sockets "answer-$name.sock"
    for unit in $units; do
        if systemctl -q is-enabled "$unit"; then control start "$unit"; fi
    done
}

# stop_service: before its files go.
stop_service() {
    if [ ! -d /run/systemd/system ] || [ -z "$(recorded "$unit_dir/libhooks-answer.socket")" ]; then return; fi
    step "stop libhooks-answer and libhooks-companion"
    if [ -n "$dry_run" ]; then return; fi
    # shellcheck disable=SC2086
    control disable --now $units
    drop_sockets
}

# forget_service: after they are gone.
forget_service() {
    if [ -d /run/systemd/system ] && [ -z "$dry_run" ]; then control daemon-reload; fi
}

# control WORDS: systemctl's, whose failure is no reason to put back what was.
control() { systemctl -q "$@" || warn "systemctl $* failed: without the service the hook decides itself, a little slower"; }

# drop_sockets [NAME]: those of other versions, which nobody listens on any more.
drop_sockets() {
    for socket in /run/libhooks/answer-*.sock; do
        if [ "${socket##*/}" != "${1-}" ]; then rm -f -- "$socket"; fi
    done
}
