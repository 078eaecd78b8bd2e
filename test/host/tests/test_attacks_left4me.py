"""Attacks of a compromised daemon on root and on others: everything here is done as user left4me, with its
groups, outside of the daemon's own sandbox. docs/security.md has a row for each."""

import shlex
from pathlib import Path

from testhosts.case import MANIFESTS, STATE, DaemonTest, unit_of

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
HELPER = "org.left4me.Helper1 /org/left4me/Helper1 org.left4me.Helper1"
SYSTEMD = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
VERBS = ("Enable", "Disable", "Start", "Stop", "Restart", "Attach", "ResetFailed", "Purge", "StartBuild", "StartScript", "StopBuild", "Refresh")
BAD_NAMES = ("", ".", "..", "../alpha", "/", "a/b", "alpha.service", "-alpha", "alpha-", "Alpha", "alpha ", " alpha", "alpha\n",
             "alpha;reboot", "$(reboot)", "*", "%i", "al%pha", "alpha@beta", "\\x2e\\x2e", "ssh.service", "a" * 33, "älpha")  # fmt: skip
CANARY = "r00ts-own-words"
# What must be as it was, whatever left4me does: root's files, who is who, units that are not ours.
PRECIOUS = (
    "ls -laR --time-style=full-iso /root /etc/sudoers.d /etc/dbus-1 /etc/left4me/config.yaml /usr/libexec; find /etc/systemd "
    "/run/systemd/system ! -type d ! -name 'left4me-server@*' -ls | sort; cat /etc/passwd /etc/group /etc/shadow /root/precious/word; find /etc /usr/bin /usr/sbin /usr/libexec /var/lib/left4me -perm /6000 -type f -ls | sort; "
    "systemctl show -P ActiveState,MainPID dbus.service systemd-journald.service; stat -c '%n %a %U %G' /var/lib/left4me /var/lib/left4me/* "
    "/run/left4me /run/left4me/* /etc/left4me /etc/left4me/*"
)


class Compromised(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_in("sh", "-c", f"mkdir -m 0700 /root/precious && umask 077 && echo {CANARY} >/root/precious/word")
        # Tests break alpha; the daemon would repair it meanwhile.
        self.run_in("systemctl", "stop", "left4me.service")
        self.before = self.precious()

    def precious(self) -> str:
        return self.run_in("sh", "-c", f"{PRECIOUS}; true", expect=None).stdout

    def by_left4me(self, script: str, timeout: float = 120):
        return self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", "sh", "-c", f"cd /; {script}",
                           expect=None, timeout=timeout)  # fmt: skip

    def refused(self, rows: dict[str, str]) -> None:
        for what, script in rows.items():
            with self.subTest(what):
                done = self.by_left4me(script)
                self.assertNotEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}")
                self.assertNotIn(CANARY, done.stdout + done.stderr)

    def unharmed(self) -> None:
        self.assertEqual(self.precious(), self.before)
        self.bystanders_live_on()

    def start_alpha(self) -> str:
        """Asks the helper to start alpha and returns the resulting state of its unit."""
        self.by_left4me(f"busctl call {HELPER} Stop as 1 alpha")
        self.until("alpha has stopped", lambda: self.properties("alpha")["ActiveState"] in ("inactive", "failed"), 40)
        self.run_in("systemctl", "reset-failed", unit_of("alpha"), expect=None)
        self.by_left4me(f"busctl call {HELPER} Start as 1 alpha")
        self.until("alpha has started or failed", lambda: self.properties("alpha")["ActiveState"] in ("active", "failed"), 60)
        return self.properties("alpha")["ActiveState"]

    def test_the_helper_takes_names_of_servers_and_nothing_else(self):
        script = "".join(
            f"busctl call {HELPER} {verb} as 2 alpha {shlex.quote(name)} >/dev/null 2>&1 && echo {verb} {shlex.quote(name)}\n"
            for verb in VERBS
            for name in BAD_NAMES
        )
        self.assertEqual(self.by_left4me(script, timeout=300).stdout, "")
        self.refused(
            {
                "a text for a list": f"busctl call {HELPER} Stop s alpha",
                "a mode beside the names": f"busctl call {HELPER} Start ass 1 alpha replace",
                "numbers": f"busctl call {HELPER} Stop au 1 0",
                "a verb that is none": f"busctl call {HELPER} Reload as 0",
                "the helper's name": "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus "
                "RequestName su org.left4me.Helper1 0",
            }
        )
        self.assertEqual(self.properties("alpha")["ActiveState"], "active")
        self.unharmed()

    def test_any_number_of_requests_neither_fill_the_helper_nor_crash_it(self):
        program = "/srv/attacks/many_requests.sh"
        self.write(program, (ATTACKS / "many_requests.sh").read_text())
        self.run_in("chmod", "-R", "a+rX", "/srv/attacks")
        peak = "/var/tmp/peak"
        self.run_in("systemd-run", "--quiet", "--collect", "--unit=watch-helper", "sh", "-c",
                    f"while sleep 0.1; do grep -h VmHWM /proc/$(systemctl show -P MainPID left4me-helper)/status >>{peak}; done")  # fmt: skip
        said = self.by_left4me(f"sh {program} 40", timeout=300).stdout
        self.run_in("systemctl", "stop", "watch-helper")
        answered, later = (int(line.split()[0]) for line in said.splitlines())
        self.assertEqual(answered + later, 40, said)
        self.assertGreaterEqual(answered, 1, said)
        measured = [int(word) for word in self.run_in("cat", peak).stdout.split() if word.isdigit()]
        self.assertLess(max(measured), 100 << 10)
        self.assertEqual(self.by_left4me(f"busctl call {HELPER} Stop as 1 alpha").returncode, 0)
        self.unharmed()

    def test_systemd_and_the_rest_of_the_host_do_nothing_for_left4me(self):
        unit = unit_of("alpha")
        self.refused(
            {
                "start a unit": f"busctl call {SYSTEMD} StartUnit ss {unit} replace",
                "stop a unit": f"busctl call {SYSTEMD} StopUnit ss dbus.service replace",
                "kill a unit": f"busctl call {SYSTEMD} KillUnit ssi {unit} all 9",
                "a unit of its own": f"busctl call {SYSTEMD} StartTransientUnit 'ssa(sv)a(sa(sv))' x.service replace 0 0",
                "systemd-run": "systemd-run --no-ask-password true",
                "change a unit's limits": f"busctl call {SYSTEMD} SetUnitProperties 'sba(sv)' {unit} true 0",
                "enable any unit": f"busctl call {SYSTEMD} EnableUnitFiles asbb 1 debug-shell.service false true",
                "link a unit file": f"busctl call {SYSTEMD} LinkUnitFiles asbb 1 /var/lib/left4me/state/x.service true true",
                "mask a unit": f"busctl call {SYSTEMD} MaskUnitFiles asbb 1 dbus.service true true",
                "the environment of units": f"busctl call {SYSTEMD} SetEnvironment as 1 LD_PRELOAD=/x",
                "reload": f"busctl call {SYSTEMD} Reload",
                "re-execute": f"busctl call {SYSTEMD} Reexecute",
                "power off": f"busctl call {SYSTEMD} PowerOff",
                "mount into a unit": f"busctl call {SYSTEMD} BindMountUnit sssbb {unit} /root /mnt true true",
                "unmount by its unit": "systemctl --no-ask-password start left4me-umount@beta",
                "attach by its unit": "systemctl --no-ask-password start left4me-attach@beta",
                "run the mounting program": "/usr/libexec/left4me-overlay mount alpha",
                "unmount by hand": f"/usr/libexec/left4me-overlay umount beta || umount {STATE}/runtime/beta/merged",
                "run the sandbox program": "/usr/libexec/left4me-sandbox alpha",
                "a helper of its own": "/usr/libexec/left4me-helper",
                "sudo": "sudo -n true",
                "su": "su root -c true </dev/null",
                "a device": f"mknod {STATE}/state/disk b 8 0",
                "a mount": f"mount --bind /root {STATE}/state",
                "another root directory": f"chroot {STATE} /bin/sh",
            }
        )
        self.unharmed()

    def test_no_unit_of_left4me_has_io_uring_userfaultfd_or_keyrings(self):
        for unit in ("left4me.service", "left4me-reconcile.service", "left4me-build@maps.service", "left4me-refresh@maps.service", "left4me-helper.service"):
            with self.subTest(unit):
                allowed = self.run_in("systemctl", "show", "-P", "SystemCallFilter", unit).stdout.split()
                self.assertIn("openat", allowed)
                for call in ("io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "keyctl", "add_key", "request_key"):
                    self.assertNotIn(call, allowed)

    def test_left4me_cannot_write_anything_that_root_runs_reads_or_trusts(self):
        game = self.life("alpha").pid
        self.run_in("systemctl", "start", "left4me-helper")
        helper = self.run_in("systemctl", "show", "-P", "MainPID", "left4me-helper").stdout.strip()
        self.refused(
            {
                "the configuration": "echo x >>/etc/left4me/config.yaml || mv /etc/left4me/config.yaml /etc/left4me/x",
                "the directory of the configuration": f"mv {MANIFESTS} /etc/left4me/x",
                "a unit file": "touch /etc/systemd/system/x.service || touch /run/systemd/system/x.service",
                "a drop-in of a server": f"mkdir /etc/systemd/system/{unit_of('alpha')}.d || mkdir -p /run/systemd/system/{unit_of('alpha')}.d",
                "the bus policy": "touch /etc/dbus-1/system.d/x.conf",
                "sudoers": "touch /etc/sudoers.d/x",
                "the programs": "touch /usr/libexec/left4me-overlay /usr/bin/l4d2ctl",
                "the state directory": f"mv {STATE}/overlays {STATE}/x || touch {STATE}/x",
                "runtime as a link": f"mv {STATE}/runtime {STATE}/r || rmdir {STATE}/runtime/alpha || touch {STATE}/runtime/x",
                "the installation as a link": f"mv {STATE}/installation {STATE}/i",
                "the lock as a link": "rm /run/left4me/lock || ln -sf /etc/shadow /run/left4me/lock",
                "the daemon's directory as a link": "mv /run/left4me/daemon /run/left4me/d || rmdir /run/left4me/daemon",
                "the helper's memory": f"head -c 1 /proc/{helper}/mem || ls /proc/{helper}/fd",
                "the helper's life": f"kill -9 {helper}",
                "a game's life": f"kill -9 {game}",
                "a game's cgroup": f"echo $$ >/sys/fs/cgroup/left4me.slice/cgroup.procs || echo 1 >/sys/fs/cgroup$(cut -d: -f3 /proc/{game}/cgroup)/cgroup.kill",
                "PID 1's root": "ls /proc/1/root/root",
                "root's file": "cat /root/precious/word",
                "the password hashes": "cat /etc/shadow",
            }
        )
        self.unharmed()

    def test_a_forged_rendering_mounts_nothing_of_root(self):
        current = f"{STATE}/instances/alpha/current"
        artifact = self.run_in("readlink", current).stdout.strip()
        own = f"instances/alpha/{artifact}/layer"
        self.run_in("cp", "-a", f"{STATE}/instances/alpha", "/var/tmp/alpha")
        layers = {
            "a layer above": f"{own}\n../../../root\ninstallation\n",
            "an absolute layer": f"{own}\n/root\ninstallation\n",
            "another server's rendering": f"instances/beta/{artifact}/layer\ninstallation\n",
            "only root": "/root\n/root\n",
            "commas and colons, which overlayfs reads": f"{own}\noverlays/a:/root\ninstallation\n",
            "an option": f"{own},upperdir=/root\ninstallation\n",
            "no installation": f"{own}\n",
            "a thousand layers": own + "\n" + "overlays/maps/0123456789abcdef\n" * 1000 + "installation\n",
            "nothing": "",
            "zeros": "\0" * 100,
            "control characters": f"{own}\n\x1b]0;owned\x07\ninstallation\n",
        }
        scripts = {what: f"printf %b {shlex.quote(text.encode('unicode_escape').decode())} >layers" for what, text in layers.items()}
        scripts |= {
            "layers are a link": "ln -sf /etc/shadow layers",
            "layers are a FIFO": "rm layers; mkfifo layers",
            "layers are a device's link": "ln -sf /dev/zero layers",
            "layers are 100 GiB": "truncate -s 100G layers",
            "layers are a directory": "rm layers; mkdir layers",
            "the layer is a link": "rm -rf layer; ln -s /root layer",
            "the rendering is a link": f"cd ..; mv {artifact} x; ln -s /root {artifact}",
            "current leads out": f"ln -sfn /root {current}",
            "current leads to another server": f"ln -sfn ../beta/{artifact} {current}",
            "current is a directory": f"rm {current}; mkdir {current}",
            "the instance is a link": f"mv {STATE}/instances/alpha {STATE}/instances/x; ln -s /root {STATE}/instances/alpha",
        }
        for what, script in scripts.items():
            with self.subTest(what):
                done = self.by_left4me(f"cd {STATE}/instances/alpha/{artifact} && {script}")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.start_alpha(), "failed")
                self.assertNotIn(" /root", self.run_in("sh", "-c", f"grep {STATE} /proc/self/mountinfo").stdout)
                said = self.run_in("journalctl", "-b", "-n", "40", "--no-pager", "-o", "cat", "-u", unit_of("alpha")).stdout
                self.assertNotIn(CANARY, said)
                self.assertNotIn("root:", said)
                self.assertNotIn("\x1b", said)
                self.run_in("sh", "-c", f"rm -rf {STATE}/instances/alpha {STATE}/instances/x; cp -a /var/tmp/alpha {STATE}/instances/alpha")
        self.assertEqual(self.start_alpha(), "active")
        self.run_in("rm", "-rf", "/var/tmp/alpha")
        self.unharmed()

    def test_code_in_a_rendering_runs_as_the_game_in_its_sandbox(self):
        env = f"{STATE}/instances/alpha/current/server.env"
        self.by_left4me(f"printf '%s\\n' 'id -un >who; touch /root/x /etc/x {STATE}/state/x || true; grep CapEff /proc/self/status >>who' >>{env}"
                        f" && sed -i '1i cd {STATE}/runtime/alpha/merged' {env}")  # fmt: skip
        self.assertEqual(self.start_alpha(), "active")
        who = f"{STATE}/runtime/alpha/merged/who"
        wanted = "left4me-server\nCapEff:\t0000000000000000\n"
        self.until("it has said who it is", lambda: self.run_in("cat", who, expect=None).stdout == wanted)
        for path in ("/root/x", "/etc/x", f"{STATE}/state/x"):
            self.assertFalse(self.exists(path))
        self.unharmed()

    def test_planted_files_do_not_mislead_root_s_l4d2ctl(self):
        state = f"{STATE}/state"
        rows = {
            "the status is a link": f"ln -sf /etc/shadow {state}/status.json",
            "the last good revision is a link": f"ln -sf /root/precious/word {state}/last-good",
            "the suspensions are a link": f"ln -sf /root/precious/word {state}/suspensions.json",
            "the approval is a link": f"ln -sf /root/precious/word {state}/approved",
            "the events are a link": f"ln -sf /root/precious/word {state}/events.jsonl",
            "the history is a link": f"ln -sf /root/precious/word {state}/history.jsonl",
            "the state leads to root": f"mv {state}/status.json {state}/s; ln -s /root/precious/new {state}/status.json",
            "the locks lead to root": "rm -rf /run/left4me/daemon/locks; ln -s /root/precious /run/left4me/daemon/locks",
            "the trigger socket is a link": "rm -f /run/left4me/daemon/trigger; ln -s /root/precious/word /run/left4me/daemon/trigger",
            "a manifest is a link": f"ln -sf /root/precious/word {MANIFESTS}/x.yaml",
            "a manifest is a FIFO": f"rm -f {MANIFESTS}/x.yaml; mkfifo {MANIFESTS}/x.yaml",
            "a manifest has terminal codes": f"rm -f {MANIFESTS}/x.yaml; printf 'kind: \"\\033]0;owned\\007\"\\n' >{MANIFESTS}/x.yaml",
        }
        for what, script in rows.items():
            with self.subTest(what):
                self.by_left4me(script)
                for words in (("status",), ("get", "servers"), ("events",), ("history",), ("reconcile",), ("stop", "alpha"), ("start", "alpha")):
                    done = self.run_in("timeout", "60", "l4d2ctl", *words, expect=None)
                    self.assertNotEqual(done.returncode, 124, words)
                    for secret in (CANARY, "root:", "\x1b]"):
                        self.assertNotIn(secret, done.stdout + done.stderr)
        self.run_in("rm", "-rf", f"{MANIFESTS}/x.yaml", "/run/left4me/daemon/locks")
        self.unharmed()

    def test_the_target_of_a_link_in_a_game_s_files_survives_the_purge(self):
        upper = f"{STATE}/runtime/alpha/upper"
        self.by_left4me(f"busctl call {HELPER} Stop as 1 alpha")
        self.until("alpha has stopped", lambda: self.properties("alpha")["ActiveState"] == "inactive", 40)
        self.run_in("sh", "-c", f"ln -s /root/precious {upper}/a; ln -s /root/precious/word {upper}/b; ln -s / {upper}/c; "
                    f"chown -h left4me-server: {upper}/a {upper}/b {upper}/c")  # fmt: skip
        self.assertEqual(self.by_left4me(f"busctl call {HELPER} Purge as 1 alpha").returncode, 0)
        self.until("alpha's files are gone", lambda: not self.exists(upper))
        self.unharmed()
