#!/bin/sh
# Rewrites a loose object that the operator pushed, after it was reviewed.
# Usage: git_object.sh REPOSITORY OBJECT KIND
cd "$1/objects" || exit
file=$(echo "$2" | sed 's,^..,&/,')
cp -f "$file" "$HOME/kept-object"
chmod u+w "$file"
case $3 in
    short) truncate -s 20 "$file" ;;
    empty) : >"$file" ;;
    fifo) rm -f "$file" && mkfifo "$file" ;;
    link-to-fifo) mkfifo "$HOME/pipe" 2>/dev/null; rm -f "$file" && ln -s "$HOME/pipe" "$file" ;;
    link-to-shadow) rm -f "$file" && ln -s /etc/shadow "$file" ;;
    link-to-zero) rm -f "$file" && ln -s /dev/zero "$file" ;;
    unreadable) chmod 0000 "$file" ;;
    huge) truncate -s 100G "$file" ;;
    # A whole object with another content, whose digest is not the name that it has.
    other) printf 'commit 3\0abc' | perl -MCompress::Zlib -e 'local $/; print compress(<STDIN>)' >"$file" ;;
    # A few kilobytes that become four gigabytes.
    bomb) perl -MCompress::Zlib -e '
        my ($d) = deflateInit(); my $z = "\0" x 1048576; my $out = $d->deflate("blob 4294967296\0");
        $out .= $d->deflate($z) for 1 .. 256; print $out . $d->flush()' >"$file" ;;
    directory) rm -f "$file" && mkdir "$file" ;;
esac
