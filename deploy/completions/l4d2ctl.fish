# fish completion for l4d2ctl. l4d2ctl itself knows its verbs, options and names: `l4d2ctl __complete WORD…`.

function __l4d2ctl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete $words[2..] 2>/dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    else
        printf '%s\n' $lines
    end
end

complete -c l4d2ctl -f -a '(__l4d2ctl_complete)'
