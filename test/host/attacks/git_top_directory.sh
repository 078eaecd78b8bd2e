#!/bin/sh
# Tries to create or replace every file beside objects/ and refs/ that git or libgit2 would read.
# Usage: git_top_directory.sh REPOSITORY   (prints what it managed)
cd "$1" || exit
mine=$HOME/mine
mkdir -p "$mine"
for name in config.worktree shallow packed-refs FETCH_HEAD MERGE_HEAD ORIG_HEAD CHERRY_PICK_HEAD BISECT_LOG gitdir commondir \
    HEAD.lock config.lock packed-refs.lock shallow.lock description gc.pid index info/attributes info/grafts info/exclude \
    info/sparse-checkout logs/HEAD logs/refs/heads/main worktrees/w/gitdir worktrees/w/commondir modules/m/config \
    remotes/origin branches/origin rebase-merge/done common/config lfs/config svn/.metadata hooks/update hooks/post-update \
    hooks/reference-transaction hooks/push-to-checkout hooks/proc-receive; do
    mkdir -p "$(dirname "$name")" 2>/dev/null
    (echo "$mine" >"$name") 2>/dev/null && echo "made $name"
done
for name in HEAD config objects refs hooks hooks/pre-receive; do
    mv "$name" "$name.moved" 2>/dev/null && echo "moved $name"
    rm -f "$name" 2>/dev/null && echo "removed $name"
    ln -sfn "$mine" "$name" 2>/dev/null && [ -L "$name" ] && [ "$(readlink "$name")" = "$mine" ] && echo "linked $name"
    chmod 0777 "$name" 2>/dev/null && echo "opened $name"
done
(echo "[core]" >>config) 2>/dev/null && echo "wrote config"
exit 0
