# fish completion for l4d2ctl. Names come from the manifests: `l4d2ctl get KIND -o name` asks no host.

function __l4d2ctl_names
    l4d2ctl get $argv[1] -o name 2>/dev/null | string replace -r '^.*/' ''
end

function __l4d2ctl_kind
    commandline -opc | string match -r '^(?:servers?|srv|blueprints?|bp|overlays?|ov)$'
end

complete -c l4d2ctl -f
complete -c l4d2ctl -n __fish_use_subcommand -l help -d 'Show help'
complete -c l4d2ctl -n __fish_use_subcommand -l version -d 'Show the version'
complete -c l4d2ctl -l config -r -F -d 'The configuration'

complete -c l4d2ctl -n __fish_use_subcommand -a apply -d 'Put manifests into the source and make the host follow'
complete -c l4d2ctl -n __fish_use_subcommand -a diff -d 'Show what a pass would do now, and why'
complete -c l4d2ctl -n __fish_use_subcommand -a validate -d 'Check a whole set of manifests, offline'
complete -c l4d2ctl -n __fish_use_subcommand -a get -d 'Show servers, blueprints or overlays'
complete -c l4d2ctl -n __fish_use_subcommand -a describe -d 'Tell all about one object'
complete -c l4d2ctl -n __fish_use_subcommand -a status -d 'Show one server'
complete -c l4d2ctl -n __fish_use_subcommand -a start -d 'Set a server to Running'
complete -c l4d2ctl -n __fish_use_subcommand -a stop -d 'Set a server to Stopped'
complete -c l4d2ctl -n __fish_use_subcommand -a delete -d 'Take an object out of the source'
complete -c l4d2ctl -n __fish_use_subcommand -a reconcile -d 'Make the host follow the source'
complete -c l4d2ctl -n __fish_use_subcommand -a approve -d 'Agree to a revision that stops many servers'
complete -c l4d2ctl -n __fish_use_subcommand -a init-repo -d 'Make the repository that operators push to'
complete -c l4d2ctl -n __fish_use_subcommand -a wait -d 'Wait until a server is ready'
complete -c l4d2ctl -n __fish_use_subcommand -a suspend -d 'Keep the hands off a server, or off everything'
complete -c l4d2ctl -n __fish_use_subcommand -a resume -d 'End a suspension'
complete -c l4d2ctl -n __fish_use_subcommand -a events -d 'Show what was done, why, when and for whom'
complete -c l4d2ctl -n __fish_use_subcommand -a history -d 'Show the revisions that were tried'
complete -c l4d2ctl -n __fish_use_subcommand -a logs -d 'Show what a server said'
complete -c l4d2ctl -n __fish_use_subcommand -a explain -d 'Explain a field of a manifest'
complete -c l4d2ctl -n __fish_use_subcommand -a schema -d 'Print the JSON Schema of manifests'
complete -c l4d2ctl -n __fish_use_subcommand -a version -d 'Show the version'

complete -c l4d2ctl -n '__fish_seen_subcommand_from apply diff validate' -s f -l file -r -F -d 'Manifests'
complete -c l4d2ctl -n '__fish_seen_subcommand_from apply' -l dry-run -d 'Only check and show'
complete -c l4d2ctl -n '__fish_seen_subcommand_from apply start stop reconcile' -l wait -d 'Then wait until ready'
complete -c l4d2ctl -n '__fish_seen_subcommand_from reconcile' -l fetch -d 'First fetch the remote'
complete -c l4d2ctl -n '__fish_seen_subcommand_from reconcile' -l unattended -d 'As the timer does it'
complete -c l4d2ctl -n '__fish_seen_subcommand_from diff' -l revision -x -d 'As if the source stood there'
complete -c l4d2ctl -n '__fish_seen_subcommand_from init-repo' -l group -x -a '(__fish_complete_groups)' -d 'Who may push'
complete -c l4d2ctl -n '__fish_seen_subcommand_from diff events' -s o -l output -x -a 'text json'
complete -c l4d2ctl -n '__fish_seen_subcommand_from get' -s o -l output -x -a 'table wide yaml json name'
complete -c l4d2ctl -n '__fish_seen_subcommand_from get' -s w -l watch -d 'Go on with what changes'
complete -c l4d2ctl -n '__fish_seen_subcommand_from status' -l json -d 'One JSON object'
complete -c l4d2ctl -n '__fish_seen_subcommand_from wait' -l for -x -a ready
complete -c l4d2ctl -n '__fish_seen_subcommand_from wait' -l timeout -x -d 'At most this long'
complete -c l4d2ctl -n '__fish_seen_subcommand_from history' -s o -l output -x -a 'table json'
complete -c l4d2ctl -n '__fish_seen_subcommand_from suspend resume' -l all -d 'Everything'
complete -c l4d2ctl -n '__fish_seen_subcommand_from suspend' -l reason -x -d 'Why'
complete -c l4d2ctl -n '__fish_seen_subcommand_from suspend' -l for -x -d 'How long'
complete -c l4d2ctl -n '__fish_seen_subcommand_from logs events history' -s n -l lines -x -d 'How many'
complete -c l4d2ctl -n '__fish_seen_subcommand_from logs events' -s f -l follow -d 'Go on showing new lines'
complete -c l4d2ctl -n '__fish_seen_subcommand_from logs' -l no-follow -d 'Do not'

complete -c l4d2ctl -n '__fish_seen_subcommand_from status start stop wait logs suspend resume events' -a '(__l4d2ctl_names servers)'
complete -c l4d2ctl -n '__fish_seen_subcommand_from delete; and not __l4d2ctl_kind' -a '(__l4d2ctl_names servers)'
complete -c l4d2ctl -n '__fish_seen_subcommand_from get describe delete; and not __l4d2ctl_kind' -a 'servers blueprints overlays'
complete -c l4d2ctl -n '__fish_seen_subcommand_from get describe delete; and __l4d2ctl_kind' -a '(__l4d2ctl_names (__l4d2ctl_kind)[1])'
complete -c l4d2ctl -n '__fish_seen_subcommand_from explain' -a 'server blueprint overlay'
