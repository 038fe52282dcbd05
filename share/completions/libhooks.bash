# Made of libhooks' own tables by python3 -m libhooks.documents: edit those.
_libhooks() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} at='' i
    # --option=value comes as three words
    if [[ $word == '=' ]]; then word=''; fi
    if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at/${COMP_WORDS[i]}" in
        /check) at=/check ;;
        /rewrite) at=/rewrite ;;
        /policy) at=/policy ;;
        /policy/check) at=/policy/check ;;
        /policy/show) at=/policy/show ;;
        /policy/explain) at=/policy/explain ;;
        /policy/test) at=/policy/test ;;
        /suggest) at=/suggest ;;
        /log) at=/log ;;
        /explain) at=/explain ;;
        /waive) at=/waive ;;
        /origin) at=/origin ;;
        /definitions) at=/definitions ;;
        /definitions/list) at=/definitions/list ;;
        /definitions/diff) at=/definitions/diff ;;
        /definitions/restore) at=/definitions/restore ;;
        /serve) at=/serve ;;
        /serve/answer) at=/serve/answer ;;
        /serve/companion) at=/serve/companion ;;
        esac
    done
    case "$at $before" in
    '/check --operation') _libhooks_words 'migrate restore'; return ;;
    '/check --policy') _libhooks_files -d; return ;;
    '/check --host') COMPREPLY=(); return ;;
    '/check --root') _libhooks_files -d; return ;;
    '/check --color') _libhooks_words 'auto always never'; return ;;
    '/rewrite --operation') _libhooks_words 'migrate restore'; return ;;
    '/rewrite --policy') _libhooks_files -d; return ;;
    '/rewrite --host') COMPREPLY=(); return ;;
    '/rewrite --root') _libhooks_files -d; return ;;
    '/policy/check --format') _libhooks_words 'full concise json'; return ;;
    '/policy/check --policy') _libhooks_files -d; return ;;
    '/policy/check --host') COMPREPLY=(); return ;;
    '/policy/check --root') _libhooks_files -d; return ;;
    '/policy/check --color') _libhooks_words 'auto always never'; return ;;
    '/policy/show --policy') _libhooks_files -d; return ;;
    '/policy/show --host') COMPREPLY=(); return ;;
    '/policy/show --color') _libhooks_words 'auto always never'; return ;;
    '/policy/explain --operation') _libhooks_words 'migrate restore'; return ;;
    '/policy/explain --policy') _libhooks_files -d; return ;;
    '/policy/explain --host') COMPREPLY=(); return ;;
    '/policy/explain --root') _libhooks_files -d; return ;;
    '/policy/explain --color') _libhooks_words 'auto always never'; return ;;
    '/policy/test -k') COMPREPLY=(); return ;;
    '/policy/test --policy') _libhooks_files -d; return ;;
    '/policy/test --color') _libhooks_words 'auto always never'; return ;;
    '/suggest --journal') _libhooks_files -f; return ;;
    '/suggest --since') COMPREPLY=(); return ;;
    '/suggest --domain') COMPREPLY=(); return ;;
    '/suggest --policy') _libhooks_files -d; return ;;
    '/suggest --root') _libhooks_files -d; return ;;
    '/log --file') _libhooks_files -f; return ;;
    '/log --domain') COMPREPLY=(); return ;;
    '/log --verdict') _libhooks_words 'unchanged rewritten refused'; return ;;
    '/log --code') _libhooks_words 'policy.host policy.ambiguous storage.mapped network.mapped address.mapped device.mapped file.mapped network.form guard.abi adjust.fit storage.exists storage.shared storage.protocol storage.cache storage.source storage.same storage.stable-name storage.separate storage.access network.exists network.active network.listen network.up network.segment network.mtu network.filter platform.release platform.version platform.machine platform.arch platform.emulator platform.firmware platform.cpu device.vectors device.migratable device.present device.tpm capacity.memory capacity.hugepages capacity.cpus capacity.nodes service.duplicate service.shared-etc service.host-uuid hook.deadline service.daemon service.config service.tls service.firewall service.hostname service.clock'; return ;;
    '/log -n' | '/log --lines') COMPREPLY=(); return ;;
    '/log --as-test') _libhooks_files -d; return ;;
    '/log --policy') _libhooks_files -d; return ;;
    '/log --host') COMPREPLY=(); return ;;
    '/log --root') _libhooks_files -d; return ;;
    '/log --color') _libhooks_words 'auto always never'; return ;;
    '/explain --policy') _libhooks_files -d; return ;;
    '/explain --host') COMPREPLY=(); return ;;
    '/explain --root') _libhooks_files -d; return ;;
    '/explain --color') _libhooks_words 'auto always never'; return ;;
    '/waive --disk') COMPREPLY=(); return ;;
    '/waive --for') COMPREPLY=(); return ;;
    '/waive -c' | '/waive --connect') COMPREPLY=(); return ;;
    '/waive --color') _libhooks_words 'auto always never'; return ;;
    '/origin -c' | '/origin --connect') COMPREPLY=(); return ;;
    '/origin --color') _libhooks_words 'auto always never'; return ;;
    '/definitions/list --directory') _libhooks_files -d; return ;;
    '/definitions/list -c' | '/definitions/list --connect') COMPREPLY=(); return ;;
    '/definitions/list --color') _libhooks_words 'auto always never'; return ;;
    '/definitions/diff --directory') _libhooks_files -d; return ;;
    '/definitions/diff -c' | '/definitions/diff --connect') COMPREPLY=(); return ;;
    '/definitions/diff --color') _libhooks_words 'auto always never'; return ;;
    '/definitions/restore --directory') _libhooks_files -d; return ;;
    '/definitions/restore -c' | '/definitions/restore --connect') COMPREPLY=(); return ;;
    '/definitions/restore --color') _libhooks_words 'auto always never'; return ;;
    '/serve/answer --socket') COMPREPLY=(); return ;;
    '/serve/companion -c' | '/serve/companion --connect') COMPREPLY=(); return ;;
    '/serve/companion --policy') _libhooks_files -d; return ;;
    esac
    case "$at $word" in
    ' -'*) _libhooks_words '-h --help --version'; return ;;
    '/check -'*) _libhooks_words '-h --help --operation --json --policy --host --root --color'; return ;;
    '/rewrite -'*) _libhooks_words '-h --help --operation --policy --host --root'; return ;;
    '/policy -'*) _libhooks_words '-h --help'; return ;;
    '/policy/check -'*) _libhooks_words '-h --help --format --policy --host --root --color'; return ;;
    '/policy/show -'*) _libhooks_words '-h --help --policy --host --json --color'; return ;;
    '/policy/explain -'*) _libhooks_words '-h --help --operation --json --policy --host --root --color'; return ;;
    '/policy/test -'*) _libhooks_words '-h --help -k --coverage --json --policy --color'; return ;;
    '/suggest -'*) _libhooks_words '-h --help --journal --since --domain --policy --root'; return ;;
    '/log -'*) _libhooks_words '-h --help --file --domain --verdict --code -n --lines -f --follow --json --as-test --policy --host --root --color'; return ;;
    '/explain -'*) _libhooks_words '-h --help --policy --host --root --color'; return ;;
    '/waive -'*) _libhooks_words '-h --help --disk --for --list --clear -c --connect --color'; return ;;
    '/origin -'*) _libhooks_words '-h --help --clear -c --connect --color'; return ;;
    '/definitions -'*) _libhooks_words '-h --help'; return ;;
    '/definitions/list -'*) _libhooks_words '-h --help --directory -c --connect --color'; return ;;
    '/definitions/diff -'*) _libhooks_words '-h --help --directory -c --connect --color'; return ;;
    '/definitions/restore -'*) _libhooks_words '-h --help --directory -c --connect --color'; return ;;
    '/serve -'*) _libhooks_words '-h --help'; return ;;
    '/serve/answer -'*) _libhooks_words '-h --help --socket --trial'; return ;;
    '/serve/companion -'*) _libhooks_words '-h --help -c --connect --policy'; return ;;
    esac
    case "$at" in
    '') _libhooks_words 'check rewrite policy suggest log explain waive origin definitions serve' ;;
    '/check') _libhooks_files -f ;;
    '/rewrite') _libhooks_files -f ;;
    '/policy') _libhooks_words 'check show explain test' ;;
    '/policy/check') _libhooks_files -f ;;
    '/policy/show') _libhooks_files -f ;;
    '/policy/explain') _libhooks_files -f ;;
    '/policy/test') _libhooks_files -d ;;
    '/log') _libhooks_words 'show' ;;
    '/explain') _libhooks_words 'policy.host policy.ambiguous storage.mapped network.mapped address.mapped device.mapped file.mapped network.form guard.abi adjust.fit storage.exists storage.shared storage.protocol storage.cache storage.source storage.same storage.stable-name storage.separate storage.access network.exists network.active network.listen network.up network.segment network.mtu network.filter platform.release platform.version platform.machine platform.arch platform.emulator platform.firmware platform.cpu device.vectors device.migratable device.present device.tpm capacity.memory capacity.hugepages capacity.cpus capacity.nodes service.duplicate service.shared-etc service.host-uuid hook.deadline service.daemon service.config service.tls service.firewall service.hostname service.clock unreadable not-a-file too-large owner writable encoding syntax duplicate version unknown-key type quotes name value same-name match missing position guest-abi tie no-host one-host no-place ambiguous unjudged no-guest no-effect shadowed dead-end stray-host override repeated unknown-guest' ;;
    '/waive') _libhooks_words 'policy.host policy.ambiguous storage.mapped network.mapped address.mapped device.mapped file.mapped network.form guard.abi adjust.fit storage.exists storage.shared storage.protocol storage.cache storage.source storage.same storage.stable-name storage.separate storage.access network.exists network.active network.listen network.up network.segment network.mtu network.filter platform.release platform.version platform.machine platform.arch platform.emulator platform.firmware platform.cpu device.vectors device.migratable device.present device.tpm capacity.memory capacity.hugepages capacity.cpus capacity.nodes service.duplicate service.shared-etc service.host-uuid hook.deadline service.daemon service.config service.tls service.firewall service.hostname service.clock unreadable not-a-file too-large owner writable encoding syntax duplicate version unknown-key type quotes name value same-name match missing position guest-abi tie no-host one-host no-place ambiguous unjudged no-guest no-effect shadowed dead-end stray-host override repeated unknown-guest' ;;
    '/definitions') _libhooks_words 'list diff restore' ;;
    '/serve') _libhooks_words 'answer companion' ;;
    esac
}
_libhooks_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_libhooks_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}
complete -F _libhooks libhooks
