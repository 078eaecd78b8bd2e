"""Attacks of hostile scripts of overlays on the host, on other overlays and on servers. Each is an overlay of its own;
all of them are built beside servers that must not notice. docs/security.md has a row for each group."""

import errno
import json
import re
from pathlib import Path

from testhosts.case import MANIFESTS, STATE, DaemonTest, server

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
ROOM = "/run/left4me-script"
REFUSED = {errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT}
# The host's own addresses, which the test gives it.
HOST_V4, HOST_V6 = "192.0.2.7", "2001:db8::7"
PREFIX = """mkdir left4dead2
exec 4>&1 >left4dead2/said 2>&1
trap 'cat left4dead2/said >&4' EXIT
set +e
echo uid=$(id -u)
try() { if "$@"; then echo "BREACH: $*"; else echo "refused: $*"; fi; }
writes() { try sh -c 'echo evil >"$1"' sh "$1"; }
reads() { try sh -c 'head -c 1 "$1" >/dev/null' sh "$1"; }
lists() { try sh -c 'ls "$1" | grep -q .' sh "$1"; }
"""


def perl(name: str, *arguments: str) -> str:
    text = (ATTACKS / name).read_text(encoding="utf-8")
    return f"cat >$TMPDIR/attack.pl <<'END_OF_ATTACK'\n{text}\nEND_OF_ATTACK\nperl $TMPDIR/attack.pl {' '.join(arguments)}\n"


def each(verb: str, *paths: str) -> str:
    return "".join(f"{verb} '{path}'\n" for path in paths)


# Scripts that are contained while they run: what they find out is in the artifact, and none of it is a breach.
CONTAINED = {
    "shadow": each("reads", "/etc/shadow", "/etc/passwd", "/etc/machine-id", "/proc/1/environ", "/proc/kcore", "/proc/kallsyms"),
    "secrets": each("reads", "/etc/left4me/secrets/rcon", "/etc/left4me/config.yaml") + each("lists", "/etc/left4me", "/etc/ssh"),
    "overlays": each("lists", f"{STATE}/overlays", f"{STATE}/overlays/maps", f"{STATE}/instances", STATE, "/srv", "/srv/left4dead2")
    + each("reads", f"{MANIFESTS}/community.yaml", f"{ROOM}/../.build/record", f"{ROOM}/../request"),
    "homes": each("lists", "/root", "/home", "/opt", "/mnt", "/media", "/boot", "/var/log", "/var/lib", "/sys", "/run/systemd/units"),
    "writes": each("writes", "/usr/evil", "/etc/evil", "/evil", "/run/evil", "/tmp/evil", "/var/tmp/evil", "/dev/shm/evil", "/usr/bin/env",
                   "/etc/ld.so.cache", "/proc/self/oom_score_adj_", "/proc/sys/kernel/hostname", "/var/evil"),
    "room": each("writes", f"{ROOM}/run", f"{ROOM}/limits", f"{ROOM}/network", f"{ROOM}/evil") + f"try rm {ROOM}/run\ntry mkdir {ROOM}/x\n",
    "calls": perl("script_calls.pl"),
    "processes": "ls /proc | grep -c '^[0-9]'\nfor p in $(seq 1 4000); do kill -0 $p 2>/dev/null && echo own $p; done\n"
    "for p in /proc/[0-9]*; do [ -O $p ] || echo BREACH $p; done\ntry kill -9 1\ntry renice -n -20 $$\n",
    "bus": "".join(f"try busctl --address=unix:path={path} list\n" for path in
                   ("/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket", "/run/systemd/private"))
    + "try busctl call org.left4me.Helper1 /org/left4me/Helper1 org.left4me.Helper1 Stop as 1 beta\n"
    "try systemctl stop left4me-server@beta.service\ntry systemd-run true\ntry sh -c 'test -S /run/systemd/journal/socket'\n",
    "setuid": "cp /bin/bash b\ntry chmod 4755 b\ntry chmod 2755 b\ntry sudo -n true\ntry su -c true\ntry unshare -r true\nrm -f b\n"
    "[ $(id -u) -ge 61184 ] || echo BREACH\n",
    "namespaces": "".join(f"try unshare {flag} true\n" for flag in ("-U", "-r", "-m", "-n", "-p -f", "-C", "-i", "-u"))
    + "try nsenter -t 1 -m true\ntry nsenter -t 1 -n true\n",
    "cgroup": "cat /proc/self/cgroup\ngroup=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)\n"
    "writes $group/memory.max\nwrites $group/pids.max\nwrites $group/cgroup.procs\nwrites /sys/fs/cgroup/cgroup.procs\n"
    "try mkdir $group/evil\ntry mount -t cgroup2 none $TMPDIR\n",
    "loopback": perl("script_network.pl", "27016", "127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::ffff:127.0.0.1"),
    "private": perl("script_network.pl", "27016", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "fd00::1",
                    "fe80::1", "ff02::1", "224.0.0.1", "255.255.255.255"),
    "host-address": perl("script_network.pl", "27016", HOST_V4, HOST_V6, f"::ffff:{HOST_V4}"),
    "public": perl("script_network.pl", "53", "203.0.113.5", "2001:db8:1::5") + "try getent hosts example.org\n",
    "listen": "perl -MIO::Socket::INET -MIO::Socket::UNIX -e '$a = IO::Socket::INET->new(LocalPort => 27999, Listen => 1, Proto => \"tcp\"); "
    'print $a ? "bound\\n" : "refused\\n"; $b = IO::Socket::UNIX->new(Local => "\\0left4me-attack", Listen => 1); sleep 6\'\n',
    "devices": each("reads", "/dev/sda", "/dev/vda", "/dev/mem", "/dev/kmsg", "/dev/loop0", "/dev/fuse", "/dev/kvm", "/dev/net/tun",
                    "/dev/console", "/dev/tty0", "/dev/rtc0", "/dev/input/event0") + "try mknod $TMPDIR/d b 8 0\ntry mknod $TMPDIR/d c 1 1\n",
    "hard-links": "try ln /usr/bin/env left4dead2/env\n" f"try ln {ROOM}/run left4dead2/run\ntry ln /etc/ld.so.cache left4dead2/cache\n",
    "outlive": "setsid sh -c \"trap '' TERM HUP INT; while :; do sleep 1; : left4me-outlives; done\" >/dev/null 2>&1 &\ndisown\necho left\n",
    "modules": "try modprobe loop\ntry insmod /usr/lib/x.ko\nwrites /proc/sys/kernel/modprobe\nwrites /proc/sysrq-trigger\n",
    "limits": "try ulimit -n 4096\ntry ulimit -u 4096\ntry ulimit -c 100\ntry ulimit -v unlimited\nulimit -a\n",
    "terminals": "printf '<0>to everybody\\n' >&4\nfor t in /dev/pts/*; do writes $t; done\nwrites /dev/tty\n",
    "disk": "dd if=/dev/zero of=$HOME/full bs=1M 2>/dev/null && full=BREACH\nsize=$(stat -c %s $HOME/full)\nrm $HOME/full\necho $full $size\n",
    "inodes": "try perl -e 'for (1 .. 400000) { open(my $f, \">\", \"$ENV{HOME}/$_\") or exit 1 } exit 0'\nrm -r $HOME\n",
    "memory": "try perl -e '$x .= \"x\" x (1 << 24) while length($x) < (3 << 30)'\n",
    "forks": "perl -e '$n = 0; while ($n < 500) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } push @all, $p; $n++ } "
    "print \"forks $n\\n\"; kill 9, @all'\n",
    "journal": "for i in $(seq 20000); do echo left4me-noise $i; done >&4\necho done\n",
}
# Scripts whose build fails: why.
FAILING = {
    "fifo": ("mkdir left4dead2; mkfifo left4dead2/pipe; echo x >left4dead2/x", "pipe.* is a FIFO"),
    "link-absolute": ("mkdir left4dead2; ln -s /etc/passwd left4dead2/x; echo x >left4dead2/y", "symlink that leads out"),
    "link-up": ("mkdir left4dead2; ln -s ../../../../etc left4dead2/x; echo x >left4dead2/y", "symlink that leads out"),
    "link-through": ("mkdir -p a/b; ln -s a/b c; ln -s c/../../../etc d; echo x >y", "symlink that leads out"),
    "nothing": ("true", "no file"),
    "error": ("echo x >y; false; echo z >z", "exit code 1"),
    "too-much": ("mkdir left4dead2; head -c 3M /dev/zero >left4dead2/x", "more than .*bytes"),
    "too-long": ("sleep 600", "longer than its timeout of 3 s"),
    "stops-its-runner": ("kill -STOP $PPID; sleep 600", "longer than its timeout of 3 s"),
    "kills-its-runner": ("kill -KILL $PPID; sleep 600", "unit ended with"),
    "fork-bomb": ("b() { b | b & }; b; sleep 600", "exit code|longer than its timeout"),
    "forged-archive": (
        "perl -e '$n = \"../../../../evil\"; $h = pack(\"a100a8a8a8a12a12a8a1a100a6a2a32a32a8a8a155x12\", $n, \"0000644\", \"0000000\", "
        '"0000000", "00000000004", "00000000000", "        ", "0", "", "ustar", "00", "", "", "", "", ""); '
        'substr($h, 148, 8) = sprintf("%06o\\0 ", unpack("%24C*", $h)); print $h, "evil", "\\0" x (508 + 1024)\' '
        f">{ROOM}/output; echo complete >{ROOM}/result; kill -KILL $PPID",
        r"\.\.",
    ),
    "forged-noise": (f"head -c 100K /dev/urandom >{ROOM}/output; echo complete >{ROOM}/result; kill -KILL $PPID", "left: |unit ended"),
    "forged-result": (f"yes 'running forever' | head -c 64K >{ROOM}/result; sleep 600", "nonsense"),
    "endless-output": (f"while :; do cat /dev/zero >{ROOM}/output; done", "leaves more than|longer than its timeout"),
    "setuid-file": ("cp /bin/bash x; chmod 4755 x", "exit code 1"),
}  # fmt: skip


def overlay(name: str, script: str, more: str = "") -> str:
    return (
        f"---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: {name}}}\n"
        f"spec: {{source: {{script: {{run: {json.dumps(script)}{more}}}}}}}\n"
    )


class HostileScripts(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/secrets/rcon", "hunter2")
        for address in (f"{HOST_V4}/32", f"{HOST_V6}/128"):
            self.run_in("ip", "address", "add", address, "dev", "lo", expect=None)

    def put(self, overlays: dict[str, str]) -> None:
        names = ", ".join(overlays)
        blueprint = f"---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {{name: hostile}}\nspec: {{overlays: [{names}]}}\n"
        self.write(f"{MANIFESTS}/hostile.yaml", "".join(overlays.values()) + blueprint + server("mallory", 27099, "hostile"))

    def record(self, name: str) -> dict:
        done = self.run_in("cat", f"{STATE}/overlays/{name}/.build/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def log(self, name: str) -> str:
        return self.ctl("logs", f"overlay/{name}", "-n", "5000").stdout

    def result(self, name: str, seconds: float = 240) -> dict:
        self.until(f"{name} has an end", lambda: {"artifact", "failure"} & set(self.record(name)), seconds)
        return self.record(name)

    def said(self, name: str) -> str:
        """What a contained script found out."""
        record = self.result(name)
        self.assertNotIn("failure", record, self.log(name))
        return self.run_in("cat", f"{STATE}/overlays/{name}/{record['artifact']['digest']}/left4dead2/said").stdout

    def test_what_a_hostile_script_does_stays_in_its_sandbox(self):
        before = self.run_in("sh", "-c", "ls -R /etc /root /usr/bin /tmp /var/tmp /dev/shm; cat /etc/shadow").stdout
        self.put({name: overlay(name, PREFIX + script) for name, script in CONTAINED.items()})
        heard = False
        self.until("the listener listens", lambda: self.exists(f"{STATE}/overlays/listen/.build/progress"), 120)
        while "artifact" not in self.record("listen") and "failure" not in self.record("listen"):
            sockets = self.run_in("sh", "-c", "cat /proc/net/unix; ss -ltn").stdout
            heard = heard or "left4me-attack" in sockets or ":27999" in sockets
        self.assertFalse(heard, "a script listens on the host")
        for name in CONTAINED:
            with self.subTest(name):
                said = self.said(name)
                self.assertNotIn("BREACH", said)
                self.assertTrue(said.strip())
                if name != "journal":  # of which the rest is dropped
                    self.assertIn(said.strip().splitlines()[-1][:200], self.log(name))
        for name in ("calls", "loopback", "private", "host-address", "public"):
            with self.subTest(name):
                results = dict(line.rsplit(" ", 1) for line in self.said(name).splitlines() if re.fullmatch(r"\S+( (tcp|udp))? \d+", line))
                self.assertGreater(len(results), 3)
                if name == "calls":
                    self.assertGreater(len(results), 55)
                    self.assertLessEqual({int(found) for found in results.values()}, REFUSED, results)
                self.assertNotIn("0", results.values(), results)
        self.assertIn("bound", self.said("listen"))
        self.assertLess(int(re.search(r"forks (\d+)", self.said("forks"))[1]), 64)
        self.assertLessEqual(int(self.said("disk").splitlines()[-1]), 1 << 30)
        noise = self.run_in("sh", "-c", "journalctl -q -o cat -u left4me-script@journal.service | grep -c left4me-noise", expect=None).stdout
        # journald allows up to six times the unit's limit where much of the disk is free.
        self.assertLess(int(noise), 6100)
        urgent = self.run_in("journalctl", "-b", "-q", "-p", "0..3", "-o", "cat").stdout
        self.assertNotIn("to everybody", urgent)
        self.until("nothing outlives its build",
                   lambda: self.run_in("pgrep", "-f", "left4me-outlives", expect=None).returncode == 1)  # fmt: skip
        active = ("systemctl", "list-units", "--no-legend", "--state=active", "left4me-script@*")
        self.until("all scripts have ended", lambda: self.run_in(*active).stdout == "")
        after = self.run_in("sh", "-c", "ls -R /etc /root /usr/bin /tmp /var/tmp /dev/shm; cat /etc/shadow").stdout
        ours = ("systemd-private", "hostile.yaml", "left4me-server@mallory.service")
        new = set(after.splitlines()) - set(before.splitlines())
        self.assertEqual([line for line in new if not any(word in line for word in ours)], [])
        # Each had a user of its own.
        self.assertEqual(len({re.search(r"^uid=(\d+)", self.said(name), re.MULTILINE)[1] for name in CONTAINED}), len(CONTAINED))
        self.bystanders_live_on()
        for port in (27015, 27016, 27017):
            self.until(f"{port} answers", lambda port=port: self.a2s(port))

    def test_what_a_hostile_script_leaves_is_refused_with_its_reason(self):
        limits = ', timeout: "3s", disk: 2Mi'
        usual = {name: ("" if name in ("too-much", "forged-archive", "forged-noise") else ', timeout: "3s"') for name in FAILING}
        usual["too-much"] = ", disk: 2Mi"
        usual["endless-output"] = limits
        self.put({name: overlay(name, script, usual[name]) for name, (script, _) in FAILING.items()})
        for name, (_, why) in FAILING.items():
            with self.subTest(name):
                record = self.result(name)
                self.assertIn("failure", record, self.log(name))
                self.assertRegex(record["failure"]["message"], why)
                self.assertNotIn("artifact", record)
                self.assertRegex(self.log(name), why)
                self.assertIn(record["failure"]["reason"], ("ScriptFailed", "TimedOut", "SourceUnavailable"))
        self.assertFalse(self.exists("/evil"))
        self.assertFalse(self.exists(f"{STATE}/evil"))
        self.bystanders_live_on()
        for port in (27015, 27016, 27017):
            self.until(f"{port} answers", lambda port=port: self.a2s(port))

    def test_a_sandbox_that_is_not_whole_runs_no_script(self):
        """What root takes away, or what systemd leaves out in silence, is found before the script begins."""
        holes = {
            "network": ("PrivateNetwork=no", "the host's network"),
            "capability": ("CapabilityBoundingSet=CAP_NET_RAW\nAmbientCapabilities=CAP_NET_RAW", "capabilities"),
            "etc": ("TemporaryFileSystem=\nTemporaryFileSystem=/work:size=1G,mode=0777\nBindReadOnlyPaths=/etc/left4me", "would see /etc/left4me"),
            "bus": ("BindReadOnlyPaths=/run/dbus", "would see /run/dbus"),
            "room": ("TemporaryFileSystem=\nTemporaryFileSystem=/etc:ro\nTemporaryFileSystem=/work:size=10M,mode=0777", "less disk"),
            # PrivateTmp= is implied by DynamicUser=yes. Without it nothing makes the place for /tmp, and systemd does not start the unit.
            "user": ("DynamicUser=no\nPrivateTmp=yes\nUser=left4me", "a user of the host"),
        }
        for name, (settings, _) in holes.items():
            self.write(f"/etc/systemd/system/left4me-script@{name}.service.d/hole.conf", f"[Service]\n{settings}\n")
        self.run_in("systemctl", "daemon-reload")
        self.put({name: overlay(name, "echo BREACH; mkdir left4dead2; echo x >left4dead2/x") for name in holes})
        for name, (_, why) in holes.items():
            with self.subTest(name):
                record = self.result(name)
                self.assertIn("failure", record)
                self.assertIn(why, record["failure"]["message"])
                self.assertNotIn("BREACH", self.log(name))
        self.bystanders_live_on()
