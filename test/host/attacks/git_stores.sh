#!/bin/sh
# Tries to lead git elsewhere from within objects/ and refs/: alternates, indexes, links in the place of directories.
# Usage: git_stores.sh REPOSITORY   (prints what it managed)
cd "$1" || exit
elsewhere=$HOME/elsewhere
mkdir -p "$elsewhere"
chmod 0777 "$elsewhere"
for name in objects/info/alternates objects/info/http-alternates objects/info/commit-graph objects/info/packs \
    objects/info/commit-graphs/commit-graph-chain objects/pack/multi-pack-index objects/pack/pack-1.idx objects/HEAD \
    refs/replace/1111111111111111111111111111111111111111 refs/notes/commits refs/stash refs/HEAD refs/bisect/bad; do
    mkdir -p "$(dirname "$name")" 2>/dev/null
    (echo "$elsewhere" >"$name") 2>/dev/null && echo "made $name"
done
mkfifo objects/pack/pack-2.idx 2>/dev/null && echo "made a FIFO in objects/pack"
for name in objects/00 objects/7f objects/ff objects/pack objects/info refs/heads refs/tags; do
    mv "$name" "$name.moved" 2>/dev/null && echo "moved $name"
    rmdir "$name" 2>/dev/null && echo "removed $name"
    [ -d "$name" ] || ln -s "$elsewhere" "$name" 2>/dev/null
    [ -L "$name" ] && echo "linked $name"
done
exit 0
