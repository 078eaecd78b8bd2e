# bash completion for l4d2ctl. Names come from the manifests: `l4d2ctl get KIND -o name` asks no host.

_l4d2ctl_names() {
    l4d2ctl get "$1" -o name 2>/dev/null | cut -d/ -f2
}

_l4d2ctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local verb='' kind='' word words=''
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            -*) ;;
            *) if [[ -z $verb ]]; then verb=$word; elif [[ -z $kind ]]; then kind=$word; fi ;;
        esac
    done

    COMPREPLY=()
    case $prev in
        --config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        -f | --file)
            if [[ $verb != logs ]]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
            fi ;;
        -o | --output)
            case $verb in
                get) words='table wide yaml json name' ;;
                diff | events) words='text json' ;;
                history) words='table json' ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
            return ;;
        --reason) return ;;
        --for)
            [[ $verb == suspend ]] && return
            mapfile -t COMPREPLY < <(compgen -W ready -- "$cur")
            return ;;
        --group) mapfile -t COMPREPLY < <(compgen -g -- "$cur"); return ;;
        --timeout | --revision | --lines | -n) return ;;
    esac

    if [[ -z $verb ]]; then
        words='apply diff validate get describe status start stop delete reconcile approve init-repo suspend resume wait events
            history logs explain schema
            version'
        [[ $cur == -* ]] && words='--help --version --config'
    elif [[ $cur == -* ]]; then
        case $verb in
            apply) words='--file --dry-run --wait' ;;
            diff) words='--file --revision --output' ;;
            validate) words='--file' ;;
            get) words='--output --watch' ;;
            status) words='--json' ;;
            start | stop) words='--wait' ;;
            reconcile) words='--wait --fetch --unattended' ;;
            init-repo) words='--group' ;;
            wait) words='--for --timeout' ;;
            suspend) words='--all --reason --for' ;;
            resume) words='--all' ;;
            events) words='--follow --lines --output' ;;
            history) words='--lines --output' ;;
            logs) words='--lines --follow --no-follow' ;;
        esac
        words+=' --help --config'
    else
        case $verb in
            status | start | stop | wait | logs | suspend | resume | events) [[ -z $kind ]] && words=$(_l4d2ctl_names servers) ;;
            get | describe)
                if [[ -n $kind ]]; then
                    words=$(_l4d2ctl_names "$kind")
                else
                    words='servers blueprints overlays'
                    [[ $verb == get ]] && words+=' all'
                    [[ $verb == describe ]] && words='server blueprint overlay'
                fi ;;
            delete)
                case $kind in
                    '') words="server blueprint overlay $(_l4d2ctl_names servers)" ;;
                    server | blueprint | overlay) words=$(_l4d2ctl_names "$kind") ;;
                esac ;;
            explain) words='server blueprint overlay' ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _l4d2ctl l4d2ctl
