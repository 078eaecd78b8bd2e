# bash completion for l4d2ctl. l4d2ctl itself knows its verbs, options and names: `l4d2ctl __complete WORD…`.

_l4d2ctl() {
    local word split='' line
    local -a words=()
    # bash splits words at "="; l4d2ctl gets them as they were typed.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ ${#words[@]} -gt 0 && ($word == '=' || ${words[-1]} == *=) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    [[ ${words[-1]} == *=* ]] && split=${words[-1]%%=*}=

    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]#"$split"}")
            return
        fi
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$split"}")
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
}

complete -F _l4d2ctl l4d2ctl
