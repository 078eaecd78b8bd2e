#!/bin/sh
# Puts something into the place of a branch that blocks, leads elsewhere or never ends when it is read.
# Usage: git_reference.sh REPOSITORY BRANCH KIND
cd "$1/refs/heads" || exit
branch=$2
rm -rf "$branch"
case $3 in
    fifo) mkfifo "$branch" ;;
    link-to-fifo) mkfifo "$HOME/pipe" 2>/dev/null; ln -s "$HOME/pipe" "$branch" ;;
    link-to-shadow) ln -s /etc/shadow "$branch" ;;
    link-to-state) ln -s /var/lib/left4me/state/status.json "$branch" ;;
    link-to-tty) ln -s /dev/zero "$branch" ;;
    directory) mkdir -p "$branch/a/b" && echo x >"$branch/a/b/c" ;;
    huge) truncate -s 100G "$branch" ;;
    socket) perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$branch" ;;
    unreadable) echo 1111111111111111111111111111111111111111 >"$branch" && chmod 0000 "$branch" ;;
    symbolic) mkfifo pipe; echo "ref: refs/heads/pipe" >"$branch" ;;
    loop) echo "ref: refs/heads/$branch" >"$branch" ;;
    outside) echo "ref: refs/heads/../../../../etc/shadow" >"$branch" ;;
    garbage) head -c 41 /dev/zero >"$branch" ;;
    missing-commit) echo 1111111111111111111111111111111111111111 >"$branch" ;;
esac
