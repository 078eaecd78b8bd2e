#!/bin/sh
# Tries to fill the helper's memory, or to keep it from others: COUNT requests for 4096 names each, at once.
# usage: many_requests.sh COUNT
set -eu
names=$(seq -f 'n-%.0f' 4096)
said=$(mktemp -d)
for n in $(seq "$1"); do
    # shellcheck disable=SC2086  # a list of names
    { busctl --timeout=240 call org.left4me.Helper1 /org/left4me/Helper1 org.left4me.Helper1 Disable as 4096 $names >/dev/null \
        2>"$said/$n" && echo answered >"$said/$n"; } &
done
wait
echo "$(cat "$said"/* | grep -c '^answered$') answered"
echo "$(cat "$said"/* | grep -c 'retry when') told to retry"
rm -r "$said"
