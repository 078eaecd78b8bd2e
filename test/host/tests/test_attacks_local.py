"""Attacks of an account that is in none of left4me's groups. docs/security.md lists the rows."""

import json
import shlex
from pathlib import Path

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, DaemonTest, server, unit_of

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
CANARY = "c4n4ry-of-a-secret"
SECRET_BLUEPRINT = (
    "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: secretive}\n"
    "spec: {secrets: [rcon], config: \"hostname secretive\\nrcon_password ${secret:rcon}\\n\"}\n"
)


class AttackTest(DaemonTest):
    """A running host with a secret in use, and two accounts: mallory has no permissions, carol may run l4d2ctl with sudo."""

    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/secrets/rcon", CANARY)
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.write(f"{MANIFESTS}/secretive.yaml", SECRET_BLUEPRINT + server("delta", 27018, blueprint="secretive"))
        for user in ("mallory", "carol", "victim"):
            self.run_in("useradd", "--create-home", user)
        self.write("/etc/sudoers.d/carol", "carol ALL=(root) NOPASSWD: /usr/bin/l4d2ctl, /usr/sbin/l4d2d\n")
        self.run_in("sh", "-c", "chmod 0440 /etc/sudoers.d/carol && echo 127.0.0.1 $(hostname) >>/etc/hosts")
        self.until("delta answers", lambda: self.a2s(27018))
        self.settled()
        self.everybody = self.lives(*SERVERS, "delta")

    def by(self, user: str, script: str, timeout: float = 60, text_in: str | None = None):
        """Runs a script as a user and returns how it ended."""
        return self.run_in("runuser", "-u", user, "--", "sh", "-c", f"cd; {script}", expect=None, timeout=timeout, text_in=text_in)

    def give(self, name: str, user: str = "mallory") -> str:
        """Copies an attack program to where the user finds it, and returns its path."""
        path = f"/srv/attacks/{name}"
        self.write(path, (ATTACKS / name).read_text())
        self.run_in("chmod", "-R", "a+rX", "/srv/attacks")
        return path

    def in_background(self, user: str, script: str) -> None:
        """Runs until the host is destroyed, in a unit, so that nothing waits for its processes."""
        self.run_in("systemd-run", "--quiet", "--collect", f"--uid={user}", "sh", "-c", script)

    def unharmed(self) -> None:
        self.assertEqual(self.lives(*SERVERS, "delta"), self.everybody)

    def refused(self, user: str, rows: dict[str, str]) -> None:
        """Every script fails, and none of them prints the secret."""
        for what, script in rows.items():
            with self.subTest(what):
                done = self.by(user, script)
                self.assertNotEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}")
                self.assertNotIn(CANARY, done.stdout + done.stderr)


class LocalUser(AttackTest):
    def test_a_local_user_reads_no_secret_and_changes_nothing(self):
        pid = self.daemon()["MainPID"]
        self.refused(
            "mallory",
            {
                "read a secret": "cat /etc/left4me/secrets/rcon",
                "list the secrets": "ls /etc/left4me/secrets",
                "list the git keys": "ls /etc/left4me/git",
                "read a rendered config": f"cat {STATE}/instances/delta/current/layer/left4dead2/cfg/server.cfg",
                "read the mounted config": f"cat {STATE}/runtime/delta/merged/left4dead2/cfg/server.cfg",
                "read what a game wrote": f"ls {STATE}/runtime/delta/upper",
                "write a manifest": f"touch {MANIFESTS}/x.yaml",
                "write the configuration": "echo x >>/etc/left4me/config.yaml",
                "write into an overlay": f"touch {STATE}/overlays/x",
                "make a runtime directory": f"mkdir {STATE}/runtime/x",
                "write the state": f"touch {STATE}/state/approved",
                "write into the daemon's directory": "touch /run/left4me/daemon/x",
                "replace the lock": "rm -f /run/left4me/lock || mv /run/left4me/lock /run/left4me/old",
                "enter the locks": "ls /run/left4me/daemon/locks",
                "start a unit by systemd": f"systemctl --no-ask-password stop {unit_of('alpha')}",
                "start the unmounting unit": "systemctl --no-ask-password start left4me-umount@alpha",
                "ask the helper": "busctl call org.left4me.Helper1 /org/left4me/Helper1 org.left4me.Helper1 Stop as 1 alpha",
                "signal the daemon": f"kill -STOP {pid}",
                "signal a game": f"kill -STOP {self.life('delta').pid}",
                "read the daemon's memory": f"head -c 1 /proc/{pid}/mem || cat /proc/{pid}/environ",
                "enter the daemon's root": f"ls /proc/{pid}/root/",
                "enter a game's root": f"ls /proc/{self.life('delta').pid}/root/",
                "tell systemd that the daemon stops": f"systemd-notify --pid={pid} STOPPING=1 && systemctl is-active left4me | grep -v ^active",
                "suspend a server": "l4d2ctl suspend alpha --reason x",
                "stop a server": "l4d2ctl stop alpha",
                "approve": "l4d2ctl approve x",
                "show the renderings": "l4d2ctl describe server delta",
                "own the daemon's id in the journal's files": "ls /var/log/journal/*/system.journal && head -c 8 /var/log/journal/*/system.journal",
                "wake the daemon": "perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); "
                "connect($s, sockaddr_un(\"/run/left4me/daemon/trigger\")) and exit 0; exit 1'",
            },
        )
        with self.subTest("find the secret in anything that can be read"):
            places = f"{STATE} /run/left4me /etc/left4me /tmp /var/tmp /dev/shm /var/log"
            found = self.by("mallory", f"grep -rIl --devices=skip {CANARY} {places} 2>/dev/null; ps axww | grep {CANARY} | grep -v grep").stdout
            self.assertEqual(found, "")
        self.unharmed()
        self.assert_converged()

    def test_a_local_user_who_locks_every_file_stops_nothing(self):
        # Every left4me file and directory that mallory can open, locked until the host is destroyed.
        places = f"{STATE} /run/left4me /etc/left4me"
        self.in_background(
            "mallory",
            f"find {places} -xdev \\( -type f -o -type d \\) -readable 2>/dev/null >/tmp/places; "
            "while read -r path; do flock --nonblock \"$path\" sleep 1000 & done </tmp/places; wait",
        )
        held = "test -s /tmp/places && [ $(pgrep -c -u mallory -x sleep) -ge $(wc -l </tmp/places) ]"
        self.until("mallory has locked everything", lambda: self.run_in("sh", "-c", held, expect=None).returncode == 0)
        self.assertIn(f"{STATE}/state\n", self.run_in("cat", "/tmp/places").stdout)
        for lock in ("/run/left4me/lock", "/run/left4me/source.lock", "/run/left4me/daemon/locks"):
            self.assertIn("Permission denied", self.by("mallory", f"flock --nonblock {lock} true").stderr)
        self.write("/srv/maps/left4dead2/addons/dark.vpk", "another map")
        self.write(f"{MANIFESTS}/epsilon.yaml", server("epsilon", 27019, blueprint="modded"))
        self.until("a new server runs from an overlay that was built", lambda: self.a2s(27019), 60)
        self.ctl("suspend", "epsilon", "--reason", "a lock must not stop this")
        self.ctl("resume", "epsilon")
        self.until("its events are recorded", lambda: "Started" in self.ctl("events", "epsilon").stdout)
        self.ctl("apply", "-f", "-", text_in=server("epsilon", 27019, state="Stopped"))
        self.until("it is stopped", lambda: self.properties("epsilon")["ActiveState"] == "inactive")
        self.unharmed()

    def test_lock_files_of_an_earlier_version_get_a_private_mode_and_work(self):
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("sh", "-c", "chmod 0666 /run/left4me/lock /run/left4me/source.lock")
        self.ctl("reconcile")
        self.ctl("apply", "-f", "-", text_in=server("epsilon", 27019))
        modes = self.run_in("stat", "-c", "%a %U", "/run/left4me/lock", "/run/left4me/source.lock").stdout
        self.assertEqual(modes, "600 left4me\n600 left4me\n")
        self.run_in("systemctl", "start", "left4me.service")
        self.settled()

    def test_sudo_l4d2ctl_shows_nobody_a_file_that_they_may_not_read(self):
        shadow = self.run_in("grep", "^root:", "/etc/shadow").stdout.strip()
        self.run_in("sh", "-c", "install -m 0600 /dev/null /root/private.yaml; echo 'rootsword: 1' >/root/private.yaml; mkdir -m 0700 /root/set; "
                    "cp /root/private.yaml /root/set/")  # fmt: skip
        self.by("carol", "ln -s /etc/shadow link.yaml; ln -s /root/set dir; mkdir set; ln -s /etc/shadow set/a.yaml; mkfifo fifo; "
                "printf 'source: {directory: /etc}\\n' >own.yaml")  # fmt: skip
        rows = {
            "the configuration": "--config /etc/shadow get servers",
            "by a link": "--config link.yaml get servers",
            "root's own file": "--config /root/private.yaml status",
            "with init-repo": "--config /etc/shadow init-repo",
            "with the hook": "--config /etc/shadow hook pre-receive </dev/null",
            "with reconcile": "--config /etc/shadow reconcile",
            "validate": "validate -f /etc/shadow",
            "validate a link": "validate -f link.yaml",
            "validate a directory": "validate -f /root/set",
            "validate a linked directory": "validate -f dir/",
            "validate a link in a directory": "validate -f set",
            "apply": "apply -f /etc/shadow",
            "apply, dry": "apply --dry-run -f /root/private.yaml",
            "diff": "diff -f /etc/shadow",
            "diff a directory": "diff -f /root/set",
            "the memory of PID 1": "validate -f /proc/1/environ",
            "a secret": "validate -f /etc/left4me/secrets/rcon",
            "the daemon's configuration": "--config /etc/left4me/secrets/rcon get servers",
        }
        for what, words in rows.items():
            with self.subTest(what):
                done = self.by("carol", f"timeout 20 sudo -n l4d2ctl {words}")
                said = done.stdout + done.stderr
                self.assertNotEqual(done.returncode, 0)
                for secret in (shadow, shadow.split(":")[1] if len(shadow.split(":")[1]) > 1 else shadow, "rootsword", CANARY, "TERM="):
                    self.assertNotIn(secret, said)
                self.assertIn("Permission denied", said)
        with self.subTest("a FIFO as configuration is refused at once"):
            self.assertIn("not a plain file", self.by("carol", "timeout 20 sudo -n l4d2ctl --config fifo get servers").stderr)
        with self.subTest("a configuration of one's own is not root's"):
            self.assertIn("must belong to root", self.by("carol", "sudo -n l4d2ctl --config own.yaml init-repo").stderr)
        with self.subTest("the daemon does not run as root"):
            done = self.by("carol", "sudo -n l4d2d --config /etc/shadow")
            self.assertNotIn(shadow, done.stderr)
            self.assertIn("does not run as root", done.stderr)
        with self.subTest("the message says whose rights count"):
            self.assertIn("with the permissions of carol, who called sudo", self.by("carol", "sudo -n l4d2ctl validate -f /root/private.yaml").stderr)
        with self.subTest("what they may read themselves works"):
            self.by("carol", "mkdir -m 0700 mine; cat >mine/epsilon.yaml", text_in=server("epsilon", 27019).lstrip("-\n"))
            done = self.by("carol", "sudo -n l4d2ctl apply -f mine/epsilon.yaml --wait")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.by("carol", "sudo -n l4d2ctl diff -f - <mine/epsilon.yaml").returncode, 0)
        self.unharmed()

    def said_when_alpha_was_stopped(self) -> str:
        """The events of a stop that the journal attributes to nobody; l4d2d starts alpha again."""
        events = lambda: self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()  # noqa: E731
        before = len(events())
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha is started again", lambda: self.a2s(27015))
        self.until("that is told", lambda: any(json.loads(line)["reason"] == "Started" for line in events()[before:]))
        self.settled()
        return "\n".join(events()[before:])

    def test_forged_lines_in_the_journal_blame_nobody(self):
        program = self.give("forge_sudo_line.sh")
        for accused in ("victim", "root"):
            with self.subTest(accused):
                said = self.by("mallory", f"sh {program} {accused} alpha")
                self.assertEqual(said.returncode, 0, said.stderr)
                # The lines are there, and look like sudo's.
                line = f"{accused} : PWD=/ ; USER=root ; COMMAND=/usr/bin/systemctl stop {unit_of('alpha')[:-8]}"
                self.until("the journal has them", lambda line=line: line in self.run_in("journalctl", "-b", "-o", "cat").stdout)
                told = self.said_when_alpha_was_stopped()
                self.assertNotIn(" ran ", told)
                self.assertNotIn(accused + " ", told)
        self.write("/etc/sudoers.d/victim", "victim ALL=(ALL) NOPASSWD: ALL\n")
        self.run_in("chmod", "0440", "/etc/sudoers.d/victim")
        with self.subTest("who only looked is not accused"):
            self.by("victim", f"sudo systemctl status {unit_of('alpha')}")
            self.assertNotIn(" ran ", self.said_when_alpha_was_stopped())
        with self.subTest("who did it is"):
            self.by("victim", f"sudo systemctl kill --signal=CONT {unit_of('alpha')}")
            self.assertIn("victim ran /usr/bin/systemctl kill", self.said_when_alpha_was_stopped())

    def test_operators_wake_the_daemon_and_nobody_else_does(self):
        seen = self.run_in("stat", "-c", "%a %U %G", "/run/left4me/daemon/trigger").stdout
        self.assertEqual(seen, "660 left4me left4me-operators\n")
        trigger = "perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, sockaddr_un(\"/run/left4me/daemon/trigger\")) or exit 1'"
        self.assertNotEqual(self.by("mallory", trigger).returncode, 0)
        self.run_in("usermod", "--append", "--groups", "left4me-operators", "victim")
        self.assertEqual(self.by("victim", trigger).returncode, 0)
        self.assertEqual(self.run_in("sh", "-c", trigger).returncode, 0)

    def test_a_secret_that_a_blueprint_does_not_list_is_not_rendered(self):
        self.write("/etc/left4me/secrets/gittoken", CANARY)
        self.run_in("chown", "left4me:", "/etc/left4me/secrets/gittoken")
        thief = COMMUNITY.replace('hostname "${name} on ${port}"', 'hostname "${secret:gittoken}"')
        done = self.ctl("apply", "-f", "-", text_in=thief, expect=3)
        self.assertRegex(done.stderr, r"<stdin>:\d+:\d+: spec.config: '\$\{secret:gittoken\}' is not among spec.secrets")
        self.assertIn("add `secrets: [gittoken]` to the spec", done.stderr)
        self.assertNotEqual(self.a2s(27016).get("name"), CANARY)
        self.unharmed()

    def test_a_git_key_among_the_secrets_works_but_no_blueprint_may_use_it_and_the_advice_moves_it(self):
        self.write("/etc/left4me/secrets/key", CANARY)
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/key && chmod 0400 /etc/left4me/secrets/key")
        self.write(
            "/etc/left4me/config.yaml",
            "source:\n  git:\n    remote: ssh://git@127.0.0.1/x.git\n    key: /etc/left4me/secrets/key\n    knownHosts: /etc/left4me/known_hosts\n",
        )
        thief = SECRET_BLUEPRINT.replace("rcon", "key")
        self.assertIn("key for its git remote", self.ctl("validate", "-f", "-", text_in=thief, expect=3).stderr)
        self.run_in("systemctl", "reload", "left4me.service")
        self.daemon_says("a git key does not belong in /etc/left4me/secrets")
        said = self.ctl("status", expect=None).stderr
        self.assertIn("/etc/left4me/config.yaml:4:10: a git key does not belong in /etc/left4me/secrets", said)
        commands = [line.strip() for line in said.splitlines() if line.startswith(("  sudo install", "  sudo mv"))]
        self.assertEqual(len(commands), 2)
        for command in commands:
            self.run_in(*shlex.split(command.removeprefix("sudo ")))
        self.run_in("sed", "-i", "s#secrets/key#git/key#", "/etc/left4me/config.yaml")
        self.assertNotIn("git key", self.ctl("status", expect=None).stderr)
        self.assertEqual(self.run_in("stat", "-c", "%a %U", "/etc/left4me/git", "/etc/left4me/git/key").stdout, "700 left4me\n400 left4me\n")
        self.unharmed()

    def test_an_upgrade_keeps_the_revision_of_a_version_without_lists_of_secrets(self):
        # As left by version 0.1: the revision in force uses a secret that no list names.
        self.run_in("systemctl", "stop", "left4me.service")
        self.write("/var/tmp/old.sh", """set -eu
            old="secrets: .rcon., "
            sed -i "s/$old//" /etc/left4me/manifests/secretive.yaml
            file=/var/lib/left4me/state/last-good
            perl -0pi -e 's{(\\d+) (\\d+)\\n([^\\n]*secretive.yaml)\\n}{$1." ".($2-17)."\\n".$3."\\n"}e; s/secrets: \\[rcon\\], //' $file
            ! grep -q "$old" $file""")
        self.run_in("sh", "/var/tmp/old.sh")
        self.run_in("systemctl", "start", "left4me.service")
        self.until("the daemon says what to do", lambda: "add `secrets: [rcon]` to the spec" in self.daemon()["StatusText"] or
                   "spec.secrets" in self.daemon()["StatusText"])  # fmt: skip
        self.run_in("systemctl", "stop", unit_of("delta"))
        self.until("delta is started again", lambda: self.a2s(27018))
        self.write(f"{MANIFESTS}/secretive.yaml", SECRET_BLUEPRINT + server("delta", 27018, blueprint="secretive"))
        self.settled()
        self.assertEqual(self.lives(*SERVERS), {name: life for name, life in self.everybody.items() if name != "delta"})
