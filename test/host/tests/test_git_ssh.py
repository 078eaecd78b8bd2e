"""Overlays from a git repository that is reached over ssh, with a deploy key of their own."""

import json

from testhosts.case import STATE, HostTest, server
from testhosts.git import PORT, SSHD

KEYS = "/etc/left4me/deploy-keys"
REPOSITORY = "/srv/private/pack.git"
URL = f"ssh://git@127.0.0.1:{PORT}{REPOSITORY}"
IDENTITY = "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org"


class GitOverSsh(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", "downloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.write("/etc/ssh/test_config", f"{SSHD}AcceptEnv GIT_PROTOCOL\n")
        self.run_in("sh", "-ec", "mkdir -p /run/sshd; rm -f /etc/ssh/test_host_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/test_host_key; "
                    "useradd -m -p '*' -s /bin/sh git; install -d -m 700 -o git -g git /home/git/.ssh; "
                    f"git config --system safe.directory '*'; git init -q --bare -b main {REPOSITORY}; "
                    "systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /etc/ssh/test_config")  # fmt: skip
        self.until("sshd listens", lambda: f":{PORT} " in self.run_in("ss", "-Hltn").stdout)
        self.host_key = self.run_in("cut", "-d ", "-f1,2", "/etc/ssh/test_host_key.pub").stdout.strip()
        self.first = self.commit("sv_maxrate 1")

    def commit(self, text: str) -> str:
        return self.run_in("sh", "-ec",
            f"{IDENTITY}; rm -rf /srv/work; git clone -q {REPOSITORY} /srv/work 2>/dev/null; mkdir -p /srv/work/cfg; cd /srv/work; "
            f"echo '{text}' >cfg/rework.cfg; git add -A; git commit -qm x; git push -q origin HEAD:main; git rev-parse HEAD"
        ).stdout.strip()  # fmt: skip

    def make_key(self, overlay: str) -> None:
        self.run_in("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{KEYS}/{overlay}")

    def let_in(self, overlay: str) -> None:
        self.run_in("sh", "-ec", f"cp {KEYS}/{overlay}.pub /home/git/.ssh/authorized_keys; chown git: /home/git/.ssh/authorized_keys")

    def overlay_of(self, name: str, host_key: str = "") -> str:
        return (
            f"apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: {name}}}\nspec:\n  source:\n    git:\n"
            f"      url: {URL}\n      hostKeys: ['{host_key or self.host_key}']\n      ref: main\n      into: left4dead2\n"
        )

    def put(self, *overlays: str) -> None:
        self.write("/etc/left4me/manifests/pack.yaml", "---\n".join(overlays))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")
        self.ctl("reconcile", expect=None)

    def failure(self, overlay: str) -> str:
        done = self.run_in("cat", f"{STATE}/overlays/{overlay}/.build/record", expect=None)
        return json.loads(done.stdout).get("failure", {}).get("message", "") if done.returncode == 0 else ""

    def fails(self, overlay: str, *words: str) -> None:
        self.until(f"{overlay} fails with {words}", lambda: all(word in self.failure(overlay) for word in words), 60)

    def built_from(self, overlay: str, commit: str) -> bool:
        shown = json.loads(self.ctl("get", "overlay", overlay, "-o", "json").stdout)
        return shown["build"]["state"] == "Built" and shown.get("revision") == commit

    def test_a_server_runs_with_a_private_repository_and_its_pin_moves(self):
        self.make_key("pack")
        self.let_in("pack")
        blueprint = 'apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: packed}\nspec: {overlays: [pack], arguments: ["+map", "c1m1_hotel"]}\n'
        self.apply(f"{self.overlay_of('pack')}---\n{blueprint}{server('alpha', 27015, 'packed')}")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        self.assertEqual(self.run_in("cat", f"{STATE}/runtime/alpha/merged/left4dead2/cfg/rework.cfg").stdout, "sv_maxrate 1\n")
        self.until("it is built", lambda: self.built_from("pack", self.first))
        self.assertIn(self.host_key, self.ctl("get", "overlay", "pack", "-o", "json").stdout)
        self.converge()
        self.assertIn(f"commit {self.first[:12]}", self.ctl("lock").stdout)
        self.assertEqual(self.ctl("lock", "--check").stdout, "")
        second = self.commit("sv_maxrate 2")
        self.assertIn(second, self.ctl("lock", "--check", "-o", "json", expect=1).stdout)
        self.assertIn(f"commit {second[:12]}", self.ctl("lock").stdout)
        self.until("the newer commit is built", lambda: self.built_from("pack", second), 60)

    def test_who_may_not_is_told_what_to_do(self):
        self.put(self.overlay_of("pack"))
        self.fails("pack", "this overlay has none", f"ssh-keygen -t ed25519 -N '' -f {KEYS}/pack")
        self.make_key("pack")
        self.make_key("other")
        self.let_in("other")
        self.ctl("reconcile", expect=None)
        self.fails("pack", f"does not let user git in with the key of this overlay; add the line in {KEYS}/pack.pub")
        # Another one, with its own key, is let in, and does not lend it.
        self.put(self.overlay_of("pack"), self.overlay_of("other"))
        self.until("the other is built", lambda: self.built_from("other", self.first), 60)
        self.assertIn("does not let user git in", self.failure("pack"))
        self.let_in("pack")
        self.ctl("reconcile", expect=None)
        self.until("it is built", lambda: self.built_from("pack", self.first), 60)
        # Somebody in between has another host key, and what is built stays in use.
        self.run_in("sh", "-ec", "rm /etc/ssh/test_host_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/test_host_key; systemctl reload test-sshd || "
                    "kill -HUP $(systemctl show -P MainPID test-sshd)")  # fmt: skip
        shown = self.run_in("sh", "-c", "ssh-keygen -l -f /etc/ssh/test_host_key.pub | cut -d' ' -f2").stdout.strip()

        def is_told() -> bool:
            """Once sshd, which is only asked to, has read its new key."""
            checked = self.ctl("lock", "--check", expect=None)
            said = checked.stdout + checked.stderr
            return shown in said and "hostKeys" in said

        self.until("the other host key is told", is_told, 60)
        self.until("it is as it was", lambda: self.built_from("pack", self.first))

    def test_a_deploy_key_reaches_the_build_of_its_overlay_and_nobody_else(self):
        self.make_key("pack")
        self.make_key("other")
        self.let_in("pack")
        # A build that hangs: its server says nothing.
        self.write("/home/git/hang", "#!/bin/sh\nexec sleep 1000\n")
        self.run_in("sh", "-ec", f"chmod 755 /home/git/hang; sed 's,^,command=\"/home/git/hang\" ,' {KEYS}/pack.pub >/home/git/.ssh/authorized_keys")
        self.write("/etc/left4me/manifests/pack.yaml", self.overlay_of("pack"))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")
        self.run_in("systemd-run", "-q", "--unit=reconciling", "l4d2ctl", "reconcile")
        unit = "left4me-build@pack.service"
        self.until("it has logged in", lambda: self.run_in("pgrep", "-f", "sleep 1000", expect=None).returncode == 0, 60)
        pid = self.run_in("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
        inside = f"nsenter -t {pid} -m setpriv --reuid=left4me --regid=left4me --clear-groups"
        line = self.run_in("sed", "-n", "3p", f"{KEYS}/pack").stdout.strip()
        # In its namespace is this key, and no other.
        found = self.run_in("sh", "-c", f"{inside} find /run/credentials -type f").stdout.split()
        self.assertEqual(found, [f"/run/credentials/{unit}/deploy-key"])
        self.assertIn(line, self.run_in("sh", "-c", f"{inside} cat {found[0]}").stdout)
        self.assertNotEqual(self.run_in("sh", "-c", f"{inside} ls {KEYS}", expect=None).returncode, 0)
        # It sees no other overlay, neither its files nor what is known of it.
        self.run_in("install", "-d", "-o", "left4me", "-m", "755", "/var/lib/left4me/overlays/other")
        self.assertEqual(self.run_in("sh", "-c", f"{inside} ls /var/lib/left4me /var/lib/left4me/overlays").stdout.split(),
                         ["/var/lib/left4me:", "overlays", "/var/lib/left4me/overlays:", "pack"])  # fmt: skip
        for path in ("environ", "cmdline"):
            self.assertNotIn(line, self.run_in("cat", f"/proc/{pid}/{path}").stdout)
        # Nobody else sees it: not the daemon, not a script of an overlay, not the builder of another overlay.
        self.run_in("sh", "-ec", "systemctl start left4me")
        daemon = self.run_in("systemctl", "show", "-P", "MainPID", "left4me").stdout.strip()
        for who in (f"nsenter -t {daemon} -m setpriv --reuid=left4me --regid=left4me --clear-groups",
                    "setpriv --reuid=nobody --regid=nogroup --clear-groups"):  # fmt: skip
            for where in (f"{KEYS}/pack", found[0]):
                refused = self.run_in("sh", "-c", f"{who} cat {where}", expect=None)
                self.assertNotEqual(refused.returncode, 0, f"{who}: {where}")
                self.assertNotIn(line, refused.stdout)
        # It is killed, nothing of the key is left, and the next build is let in.
        self.run_in("systemctl", "kill", "-s", "KILL", unit)
        self.let_in("pack")
        self.ctl("reconcile", expect=None)
        self.until("it is built", lambda: self.built_from("pack", self.first), 60)
        left = self.run_in("sh", "-c", f"grep -rlF '{line}' /var/lib/left4me /run/left4me /run/credentials /var/log 2>/dev/null", expect=None)
        self.assertEqual(left.stdout, "")
        self.assertNotIn(line, self.run_in("journalctl", "--no-pager", "-o", "export").stdout)
