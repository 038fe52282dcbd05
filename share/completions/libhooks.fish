# Made of libhooks' own tables by python3 -m libhooks.documents: edit those.
function __libhooks_at
    set -l words (string match -v -- '-*' (commandline -opc))[2..]
    if test (count $argv) -eq 0
        test (count $words) -eq 0; return
    end
    string match -q -- "$argv *" "$words "
end
complete -c libhooks -f
complete -c libhooks -n "__libhooks_at" -a check -d 'what the hook would decide here for a domain XML'
complete -c libhooks -n "__libhooks_at" -a rewrite -d 'the XML for this host, for virsh migrate --xml'
complete -c libhooks -n "__libhooks_at" -a policy -d 'the policy files: check, show and explain them'
complete -c libhooks -n "__libhooks_at" -a log -d 'the decisions that were made on this host'
complete -c libhooks -n "__libhooks_at" -a explain -d 'a requirement: what, why, and how to fix it'
complete -c libhooks -n "__libhooks_at" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at" -l version -d 'show program'"'"'s version number and exit'
complete -c libhooks -n "__libhooks_at check" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at check" -l operation -x -a 'migrate restore' -d 'default: migrate'
complete -c libhooks -n "__libhooks_at check" -l json -d 'print the record that the journal would get'
complete -c libhooks -n "__libhooks_at check" -l policy -x -a '(__fish_complete_directories)' -d 'policy directory or file (default: /etc/libhooks/policy.d)'
complete -c libhooks -n "__libhooks_at check" -l host -x -d 'decide as the host of this name'
complete -c libhooks -n "__libhooks_at check" -l root -x -a '(__fish_complete_directories)' -d 'read the host'"'"'s facts from a captured tree'
complete -c libhooks -n "__libhooks_at check" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at check" -F
complete -c libhooks -n "__libhooks_at rewrite" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at rewrite" -l operation -x -a 'migrate restore' -d 'default: migrate'
complete -c libhooks -n "__libhooks_at rewrite" -l policy -x -a '(__fish_complete_directories)' -d 'policy directory or file (default: /etc/libhooks/policy.d)'
complete -c libhooks -n "__libhooks_at rewrite" -l host -x -d 'decide as the host of this name'
complete -c libhooks -n "__libhooks_at rewrite" -l root -x -a '(__fish_complete_directories)' -d 'read the host'"'"'s facts from a captured tree'
complete -c libhooks -n "__libhooks_at rewrite" -F
complete -c libhooks -n "__libhooks_at policy; and test (count (string match -v -- '-*' (commandline -opc))) -eq 2" -a check -d 'errors and warnings, each with file, line and help'
complete -c libhooks -n "__libhooks_at policy; and test (count (string match -v -- '-*' (commandline -opc))) -eq 2" -a show -d 'the policy in force, with where each line comes from'
complete -c libhooks -n "__libhooks_at policy; and test (count (string match -v -- '-*' (commandline -opc))) -eq 2" -a explain -d 'which line decides what of a guest, and why others do not'
complete -c libhooks -n "__libhooks_at policy" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at policy check" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at policy check" -l format -x -a 'full concise json' -d 'default: full'
complete -c libhooks -n "__libhooks_at policy check" -l policy -x -a '(__fish_complete_directories)' -d 'policy directory or file (default: /etc/libhooks/policy.d)'
complete -c libhooks -n "__libhooks_at policy check" -l host -x -d 'decide as the host of this name'
complete -c libhooks -n "__libhooks_at policy check" -l root -x -a '(__fish_complete_directories)' -d 'read the host'"'"'s facts from a captured tree'
complete -c libhooks -n "__libhooks_at policy check" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at policy check" -F
complete -c libhooks -n "__libhooks_at policy show" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at policy show" -l policy -x -a '(__fish_complete_directories)' -d '==SUPPRESS=='
complete -c libhooks -n "__libhooks_at policy show" -l host -x -d 'show what this host calls each place'
complete -c libhooks -n "__libhooks_at policy show" -l json -d 'print it as JSON'
complete -c libhooks -n "__libhooks_at policy show" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at policy show" -F
complete -c libhooks -n "__libhooks_at policy explain" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at policy explain" -l operation -x -a 'migrate restore' -d 'default: migrate'
complete -c libhooks -n "__libhooks_at policy explain" -l json -d 'print it as JSON'
complete -c libhooks -n "__libhooks_at policy explain" -l policy -x -a '(__fish_complete_directories)' -d 'policy directory or file (default: /etc/libhooks/policy.d)'
complete -c libhooks -n "__libhooks_at policy explain" -l host -x -d 'decide as the host of this name'
complete -c libhooks -n "__libhooks_at policy explain" -l root -x -a '(__fish_complete_directories)' -d 'read the host'"'"'s facts from a captured tree'
complete -c libhooks -n "__libhooks_at policy explain" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at policy explain" -F
complete -c libhooks -n "__libhooks_at log" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at log" -l file -r -F -d 'the journal (default: the one the policy names)'
complete -c libhooks -n "__libhooks_at log" -l domain -x -d 'only decisions on this guest'
complete -c libhooks -n "__libhooks_at log" -l verdict -x -a 'unchanged rewritten refused' -d 'only this verdict'
complete -c libhooks -n "__libhooks_at log" -l code -x -a 'policy.host policy.ambiguous storage.mapped network.mapped address.mapped device.mapped file.mapped network.form guard.abi adjust.fit storage.exists storage.shared storage.protocol storage.cache storage.source storage.same storage.stable-name storage.separate storage.access network.exists network.active network.listen network.up network.segment network.mtu network.filter platform.release platform.version platform.machine platform.arch platform.emulator platform.firmware platform.cpu device.vectors device.migratable device.present device.tpm capacity.memory capacity.hugepages capacity.cpus capacity.nodes service.duplicate service.shared-etc service.host-uuid hook.deadline service.daemon service.config service.tls service.firewall service.hostname service.clock' -d 'only decisions with a finding of this code'
complete -c libhooks -n "__libhooks_at log" -s n -l lines -x -d 'only the last N'
complete -c libhooks -n "__libhooks_at log" -s f -l follow -d 'go on as decisions are made'
complete -c libhooks -n "__libhooks_at log" -l json -d 'the records as they are, one a line'
complete -c libhooks -n "__libhooks_at log" -l policy -x -a '(__fish_complete_directories)' -d 'whose journal, by default'
complete -c libhooks -n "__libhooks_at log" -l host -x -d 'only decisions made as this host'
complete -c libhooks -n "__libhooks_at log" -l root -x -a '(__fish_complete_directories)' -d 'the journal of a captured tree'
complete -c libhooks -n "__libhooks_at log" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at log" -a 'show'
complete -c libhooks -n "__libhooks_at explain" -s h -l help -d 'show this help message and exit'
complete -c libhooks -n "__libhooks_at explain" -l policy -x -a '(__fish_complete_directories)' -d 'policy directory or file (default: /etc/libhooks/policy.d)'
complete -c libhooks -n "__libhooks_at explain" -l host -x -d 'decide as the host of this name'
complete -c libhooks -n "__libhooks_at explain" -l root -x -a '(__fish_complete_directories)' -d 'read the host'"'"'s facts from a captured tree'
complete -c libhooks -n "__libhooks_at explain" -l color -x -a 'auto always never' -d 'default: auto'
complete -c libhooks -n "__libhooks_at explain" -a 'policy.host policy.ambiguous storage.mapped network.mapped address.mapped device.mapped file.mapped network.form guard.abi adjust.fit storage.exists storage.shared storage.protocol storage.cache storage.source storage.same storage.stable-name storage.separate storage.access network.exists network.active network.listen network.up network.segment network.mtu network.filter platform.release platform.version platform.machine platform.arch platform.emulator platform.firmware platform.cpu device.vectors device.migratable device.present device.tpm capacity.memory capacity.hugepages capacity.cpus capacity.nodes service.duplicate service.shared-etc service.host-uuid hook.deadline service.daemon service.config service.tls service.firewall service.hostname service.clock unreadable not-a-file too-large owner writable encoding syntax duplicate version unknown-key type quotes name value same-name match missing position guest-abi tie no-host one-host no-place ambiguous unjudged no-guest no-effect shadowed dead-end stray-host override repeated unknown-guest'
