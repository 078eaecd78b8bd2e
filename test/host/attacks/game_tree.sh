# A game writes into its own tree what it would like to find there at its next start: its config, program, plugins, and what
# hides those of its layers. Run as the game, in its merged directory.
set -eu
case $1 in
config) echo 'hostname "taken"' >left4dead2/cfg/server.cfg ;;
config-replaced) rm left4dead2/cfg/server.cfg; echo 'hostname "taken"' >left4dead2/cfg/.x; mv left4dead2/cfg/.x left4dead2/cfg/server.cfg ;;
config-removed) rm left4dead2/cfg/server.cfg ;;
config-linked) echo 'hostname "taken"' >left4dead2/logs/mine.cfg; ln -sf ../logs/mine.cfg left4dead2/cfg/server.cfg ;;
config-hard-linked) echo 'hostname "taken"' >left4dead2/logs/mine.cfg; ln -f left4dead2/logs/mine.cfg left4dead2/cfg/server.cfg ;;
config-fifo) rm left4dead2/cfg/server.cfg; mkfifo left4dead2/cfg/server.cfg ;;
config-directory) rm left4dead2/cfg/server.cfg; mkdir left4dead2/cfg/server.cfg; touch left4dead2/cfg/server.cfg/x ;;
cfg-removed) rm -r left4dead2/cfg ;;
cfg-anew) rm -r left4dead2/cfg; mkdir left4dead2/cfg; echo 'hostname "taken"' >left4dead2/cfg/server.cfg ;;
cfg-anew-empty) rm -r left4dead2/cfg; mkdir left4dead2/cfg; echo 'hostname "taken"' >left4dead2/cfg/banned_user.cfg ;;
cfg-linked) rm -r left4dead2/cfg; mkdir left4dead2/logs/cfg; echo 'hostname "taken"' >left4dead2/logs/cfg/server.cfg; ln -s logs/cfg left4dead2/cfg ;;
cfg-closed) rm -r left4dead2/cfg; mkdir -m 0 left4dead2/cfg ;;
all-anew) mv left4dead2/ems /tmp/ems-$$ 2>/dev/null || true; rm -rf left4dead2 2>/dev/null || true; mkdir -p left4dead2/cfg; echo 'hostname "taken"' >left4dead2/cfg/server.cfg ;;
program) printf '#!/bin/sh\nexec sleep 3600\n' >.x; chmod +x .x; mv .x srcds_run ;;
library) mkdir -p bin; echo taken >bin/libc.so.6; echo taken >left4dead2/addons/evil.so; echo '"Plugin" { "file" "addons/evil" }' >left4dead2/addons/evil.vdf ;;
plugin) mkdir -p left4dead2/addons/sourcemod/plugins; echo taken >left4dead2/addons/sourcemod/plugins/admin.smx; echo taken >left4dead2/addons/sourcemod/plugins/evil.smx ;;
plugin-removed) rm left4dead2/addons/sourcemod/plugins/admin.smx ;;
admins) mkdir -p left4dead2/addons/sourcemod/configs; echo '"STEAM_1:0:1" "z"' >left4dead2/addons/sourcemod/configs/admins_simple.ini ;;
script) mkdir -p left4dead2/scripts/vscripts; echo taken >left4dead2/scripts/vscripts/director_base.nut ;;
autoexec) echo 'hostname "taken"' >left4dead2/cfg/autoexec.cfg ;;
deep) d=deep; i=0; while [ $i -lt 300 ]; do d=$d/d; i=$((i + 1)); done; mkdir -p $d; cd $d; i=0; while [ $i -lt 100 ]; do mkdir -p a/a/a/a/a/a/a/a/a/a; cd a/a/a/a/a/a/a/a/a/a; i=$((i + 1)); done; echo taken >x ;;
many) mkdir -p left4dead2/cfg; cd left4dead2/cfg; seq -f junk%.0f 100000 | xargs touch ;;
names) touch "$(printf 'a\nb')" "$(printf 'c\033[2J\033]0;owned\007')" "$(printf '\377\376')" "$(printf 'left4dead2/cfg/%0200d' 1)" ' ' '*' -- -rf ;;
*) echo "game_tree.sh: what is $1?" >&2; exit 2 ;;
esac
