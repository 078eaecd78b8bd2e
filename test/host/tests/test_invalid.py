"""Invalid sets: errors have file, line and column, and the host does not change."""

import shutil
from pathlib import Path

from testhosts.case import MANIFESTS, SERVERS, STATE, HostTest
from testhosts.packages import PROJECT

CORPUS = PROJECT / "test/cases/invalid"


class Invalid(HostTest):
    def lay_out(self, root: Path) -> None:
        shutil.copytree(CORPUS, root / "srv/invalid")
        (root / "etc/left4me").mkdir(parents=True, exist_ok=True)
        (root / "etc/left4me/config.yaml").write_text("overlayRoots: [/srv, /o]\n", encoding="utf-8")

    def host_now(self) -> str:
        """Everything that a pass could have changed."""
        listed = self.run_in(
            "find", STATE, MANIFESTS, "/etc/systemd/system", "-not", "-path", f"{STATE}/state*", "-not", "-path",
            "*/merged/*", "-printf", "%p %i %s %T@\\n",
        ).stdout  # fmt: skip
        return f"{self.lives(*SERVERS)}\n{listed}"

    def test_every_invalid_set_is_refused_with_its_message_and_leaves_the_host_untouched(self):
        self.apply()
        for server, port in SERVERS.items():
            self.until(f"{server} answers", lambda port=port: self.a2s(port))
        before = self.host_now()
        golden = sorted(CORPUS.glob("*.expected"))
        self.assertGreaterEqual(len(golden), 60)
        for expected in golden:
            name = expected.stem if (CORPUS / expected.stem).is_dir() else f"{expected.stem}.yaml"
            with self.subTest(name):
                said = self.run_in("sh", "-c", f"cd /srv/invalid && l4d2ctl validate -f {name}", expect=3).stderr
                self.assertEqual(said.replace(f"{expected.stem}/", ""), expected.read_text(encoding="utf-8"))
                self.run_in("sh", "-c", f"cd /srv/invalid && l4d2ctl apply -f {name}", expect=3)
        self.assertEqual(self.host_now(), before)
        self.assert_converged()

    def test_an_invalid_file_in_the_source_stops_the_pass_and_nothing_else(self):
        self.apply()
        before = self.lives(*SERVERS)
        bad = "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: alpha}\nspec: {blueprint: plain, prot: 1}\n"
        self.write(f"{MANIFESTS}/bad.yaml", bad)
        done = self.ctl("reconcile", expect=3)
        self.assertIn("bad.yaml:4:26", done.stderr)
        self.assertIn("port", done.stderr)
        self.ctl("diff", expect=3)
        self.assertEqual(self.lives(*SERVERS), before)
        self.run_in("systemctl", "stop", "left4me-server@beta.service")
        self.ctl("reconcile", expect=3)
        self.run_in("rm", f"{MANIFESTS}/bad.yaml")
        self.converge()
        self.assert_running("beta", 27016)

    def test_a_vanished_source_stops_no_server(self):
        self.apply()
        before = self.lives(*SERVERS)
        self.run_in("mv", MANIFESTS, "/root/manifests")
        done = self.ctl("reconcile", expect=None)
        self.assertGreater(done.returncode, 1, done.stdout)
        self.assertEqual(self.lives(*SERVERS), before)
        self.run_in("mkdir", MANIFESTS)
        done = self.ctl("reconcile", expect=None)
        self.assertGreater(done.returncode, 1, done.stdout)
        self.assertEqual(self.lives(*SERVERS), before)
        self.run_in("sh", "-c", f"rmdir {MANIFESTS} && mv /root/manifests {MANIFESTS}")
        self.converge()
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_set_without_most_of_the_running_servers_waits_for_approval(self):
        self.apply()
        before = self.lives(*SERVERS)
        self.run_in("sh", "-c", f"mkdir /root/kept && mv {MANIFESTS}/* /root/kept/")
        only_blueprint = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\nspec: {}\n"
        self.write(f"{MANIFESTS}/all.yaml", only_blueprint)
        self.ctl("reconcile", expect=None)
        self.assertEqual(self.lives(*SERVERS), before)
        self.assertIn("hold", self.ctl("diff", expect=1).stdout)


class Secrets(HostTest):
    def test_a_secret_reaches_the_game_and_nobody_else(self):
        self.write("/etc/left4me/secrets/rcon", "tr0ub4dor\n")
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.apply(
            "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: locked}\n"
            'spec: {secrets: [rcon], config: "hostname locked\\nrcon_password ${secret:rcon}\\n"}\n'
            "---\napiVersion: left4me/v1\nkind: Server\nmetadata: {name: alpha}\nspec: {blueprint: locked, port: 27015}\n"
        )
        self.assert_running("alpha", 27015)
        config = f"{STATE}/instances/alpha/current/layer/left4dead2/cfg/server.cfg"
        self.assertIn("rcon_password tr0ub4dor", self.run_in("cat", config).stdout)
        self.run_in("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", config, expect=1)
        found = self.run_in("sh", "-c", "grep -l tr0ub4do[r] /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null", expect=1)
        self.assertEqual(found.stdout, "")
        journal = self.run_in("journalctl", "--no-pager", "-o", "cat").stdout
        self.assertNotIn("tr0ub4dor", journal)
        self.assertNotIn("tr0ub4dor", self.ctl("describe", "server", "alpha").stdout)


class Refusals(HostTest):
    VERBS = ("Enable", "Disable", "Start", "Stop", "Restart", "Attach", "ResetFailed", "Purge")
    NAMES = ("", "a/b", "..", "../alpha", "a@b", "a" * 33, "ä", "alpha.service", "-alpha", "ALPHA", "alpha beta")

    def test_the_root_programs_refuse_every_invalid_name(self):
        self.apply()
        before = self.lives(*SERVERS)
        mounted = self.run_in("cat", "/proc/1/mountinfo").stdout
        for name in self.NAMES:
            with self.subTest(name):
                for verb in ("mount", "umount", "attach"):
                    done = self.run_in("/usr/libexec/left4me-overlay", verb, name, expect=None)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertNotEqual(done.stderr, "")
                for verb in self.VERBS:
                    self.assertNotIn("/job/", self.helper(verb, name).stdout)
        self.assertEqual(self.run_in("cat", "/proc/1/mountinfo").stdout, mounted)
        self.assertEqual(self.lives(*SERVERS), before)

    def test_the_helper_refuses_callers_other_than_left4me_and_root(self):
        self.apply()
        before = self.lives(*SERVERS)
        for verb in self.VERBS:
            for user in ("nobody", "left4me-server"):
                done = self.helper(verb, "alpha", "setpriv", f"--reuid={user}", "--clear-groups")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("Access denied", done.stderr + done.stdout)
        self.assertEqual(self.lives(*SERVERS), before)
        answered = self.helper("Enable", "alpha", "setpriv", "--reuid=left4me", "--clear-groups")
        self.assertEqual(answered.returncode, 0, answered.stderr)

    def helper(self, verb: str, name: str, *before: str):
        where = ("org.left4me.Helper1", "/org/left4me/Helper1", "org.left4me.Helper1")
        return self.run_in(*before, "busctl", "--system", "call", *where, verb, "as", "1", name, expect=None)
