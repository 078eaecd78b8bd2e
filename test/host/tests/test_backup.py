"""l4d2ctl backup and restore: what comes back, what is refused, and what is never in clear."""

from testhosts.case import MANIFESTS, STATE, DaemonTest
from testhosts.git import REPOSITORY, GitTest

UPPER = f"{STATE}/runtime/alpha/upper"
LISTING = "-printf '%P %y %m %u %g %s %l\\n'"

OVER_A_SOCKET = """socketpair(my $here, my $there, AF_UNIX, SOCK_STREAM, 0) or die;
if (!fork) { close $there; open STDOUT, ">&", $here; exec "cat", "/root/sealed" }
close $here; open STDIN, "<&", $there; exec qw(l4d2ctl restore - --identity /root/key --overwrite)"""


class Backups(DaemonTest):
    def listing(self, directory: str) -> list[str]:
        return sorted(self.run_in("sh", "-c", f"find {directory} {LISTING}").stdout.splitlines())

    def write_as_a_game(self) -> None:
        """What overlayfs makes of a removed file, and names as plugins give them."""
        self.until("alpha answers", lambda: self.a2s(27015))
        self.ctl("stop", "alpha")
        logs = f"{UPPER}/left4dead2/logs"
        self.run_in("sh", "-c", f"mkdir -p {logs} && mknod {logs}/gone.log c 0 0 && ln -s gone.log '{logs}/a link' && "
                    f"echo text >'{logs}/中.log' && chown -hR left4me-server:left4me {logs} && chmod 2770 {logs}")  # fmt: skip

    def test_what_one_server_wrote_is_restored_while_others_run(self):
        self.write_as_a_game()
        before = self.listing(UPPER)
        self.assertIn("left4dead2/logs/gone.log c", "\n".join(before))
        self.ctl("backup", "/root/alpha", "--server", "alpha")
        self.assertEqual(self.run_in("stat", "-c", "%a %U", "/root/alpha").stdout, "600 root\n")
        self.run_in("sh", "-c", f"rm -rf {UPPER}/* && echo other >{UPPER}/other")
        refused = self.ctl("restore", "/root/alpha", "--server", "alpha", expect=5)
        self.assertIn(f"what alpha wrote in {UPPER}", refused.stderr)
        self.assertTrue(self.exists(f"{UPPER}/other"))
        done = self.ctl("restore", "/root/alpha", "--server", "alpha", "--overwrite")
        self.assertEqual(done.stdout, f"restored what alpha wrote in {UPPER}\n")
        self.assertEqual(self.listing(UPPER), before)
        self.assertEqual(self.run_in("sh", "-c", f"ls -A {STATE} {STATE}/runtime /etc/left4me | grep restoring", expect=1).stdout, "")
        self.assertIn("Restored", self.ctl("events", "alpha").stdout)
        self.ctl("start", "alpha")
        self.assert_running("alpha", 27015)
        self.bystanders_live_on()

    def test_a_server_that_runs_is_not_restored_and_a_daemon_that_runs_is_in_the_way(self):
        self.until("alpha answers", lambda: self.a2s(27015))
        said = self.ctl("backup", "/root/all").stderr
        self.assertIn("alpha, beta, gamma ran meanwhile", said)
        before = self.lives("alpha", "beta", "gamma")
        refused = self.ctl("restore", "/root/all", "--server", "alpha", "--overwrite", expect=5)
        self.assertIn("alpha runs", refused.stderr)
        self.assertIn("l4d2ctl stop alpha", refused.stderr)
        self.assertIn("systemctl stop left4me.service", self.ctl("restore", "/root/all", "--overwrite", expect=5).stderr)
        self.assertIn("is there already", self.ctl("backup", "/root/all", expect=5).stderr)
        self.assertIn("has written nothing", self.ctl("backup", "/root/none", "--server", "nobody", expect=4).stderr)
        self.assertFalse(self.exists("/root/none"))
        for verb in ("backup", "restore"):
            told = self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", "l4d2ctl", verb, "/root/all", expect=5)
            self.assertIn(f"sudo l4d2ctl {verb}", told.stderr)
        self.assertEqual(self.lives("alpha", "beta", "gamma"), before)

    def test_a_damaged_backup_changes_nothing(self):
        self.write_as_a_game()
        self.ctl("backup", "/root/alpha", "--server", "alpha")
        self.run_in("sh", "-c", "head -c $(($(stat -c %s /root/alpha) / 2)) /root/alpha >/root/half; "
                    "cp /root/alpha /root/bent; printf x | dd of=/root/bent bs=1 seek=300 conv=notrunc status=none; "
                    "tar -cf /root/tar /etc/hostname")  # fmt: skip
        before = self.listing(UPPER)
        for name in ("half", "bent", "tar"):
            refused = self.ctl("restore", f"/root/{name}", "--server", "alpha", "--overwrite", expect=3)
            self.assertIn("nothing was changed", refused.stderr)
        self.assertEqual(self.listing(UPPER), before)
        self.assertEqual(self.run_in("sh", "-c", f"ls -A {STATE} {STATE}/runtime | grep restoring", expect=1).stdout, "")

    def test_a_restore_onto_a_mount_point_is_refused_and_changes_nothing(self):
        self.write_as_a_game()
        self.ctl("backup", "/root/alpha", "--server", "alpha")
        self.run_in("sh", "-c", f"rm -rf {UPPER}/* && echo other >{UPPER}/other && mount -t tmpfs tmpfs {UPPER} && echo mounted >{UPPER}/mounted")
        refused = self.ctl("restore", "/root/alpha", "--server", "alpha", "--overwrite", expect=5)
        self.assertIn(f"{UPPER} is a file system of its own", refused.stderr)
        self.assertTrue(self.exists(f"{UPPER}/mounted"))
        self.run_in("umount", UPPER)
        self.assertTrue(self.exists(f"{UPPER}/other"))
        self.assertEqual(self.run_in("sh", "-c", f"ls -A {STATE} {STATE}/runtime | grep restoring", expect=1).stdout, "")

    def test_manifests_behind_links_are_in_a_backup_or_it_is_not_made(self):
        self.run_in("sh", "-c", f"mv {MANIFESTS} /etc/left4me/real && ln -s real {MANIFESTS}")
        self.ctl("backup", "/root/all")
        self.run_in("sh", "-c", "cd /root && mkdir about manifests && /usr/libexec/left4me-backup unpack about=/root/about manifests=/root/manifests <all && "
                    "ls manifests/manifests/*.yaml")  # fmt: skip
        self.run_in("ln", "-s", "/root/none.yaml", f"{MANIFESTS}/linked.yaml")
        self.assertIn("linked.yaml is a link", self.ctl("backup", "/root/other", expect=5).stderr)
        self.assertFalse(self.exists("/root/other"))

    def test_secrets_are_in_a_backup_only_on_request_and_never_in_clear(self):
        self.ctl("secrets", "set", "rcon", text_in="canary-of-a-secret\n")
        self.run_in("sh", "-c", "echo canary-of-a-key >/etc/left4me/deploy-keys/pack; cd /root; age-keygen -o key 2>/dev/null")
        refused = self.ctl("backup", "/root/clear", "--secrets", expect=2)
        self.assertIn("--recipient", refused.stderr)
        self.assertFalse(self.exists("/root/clear"))
        self.ctl("backup", "/root/clear")
        sections = ("about", "config", "manifests", "state", "secrets", "git", "deploy-keys", "servers")
        self.run_in("sh", "-c", f"mkdir /root/clear.d && cd /root/clear.d && mkdir {' '.join(sections)} && "
                    f"/usr/libexec/left4me-backup unpack {' '.join(f'{name}=/root/clear.d/{name}' for name in sections)} </root/clear")  # fmt: skip
        self.assertTrue(self.exists("/root/clear.d/manifests/manifests"))
        self.assertFalse(self.exists("/root/clear.d/state/key"))
        self.run_in("grep", "-r", "canary", "/root/clear.d", expect=1)
        recipient = self.run_in("age-keygen", "-y", "/root/key").stdout.strip()
        self.ctl("backup", "/root/sealed", "--secrets", "--recipient", recipient)
        self.run_in("grep", "-q", "canary", "/root/sealed", expect=1)
        self.run_in("systemctl", "stop", "left4me.service", "left4me-server@*.service")
        self.run_in("sh", "-c", "rm -r /etc/left4me/secrets/* /etc/left4me/deploy-keys/* && age-keygen -o /root/other 2>/dev/null")
        self.ctl("restore", "/root/sealed", "--identity", "/root/other", "--overwrite", expect=5)
        self.assertFalse(self.exists("/etc/left4me/secrets/rcon"))
        self.ctl("restore", "/root/sealed", "--identity", "/root/key", "--overwrite")
        self.assertEqual(self.run_in("stat", "-c", "%a %U", "/etc/left4me/secrets", "/etc/left4me/secrets/rcon",
                                     "/etc/left4me/deploy-keys/pack").stdout, "750 left4me\n400 left4me\n644 root\n")  # fmt: skip
        self.assertIn("canary-of-a-secret", self.run_in("cat", "/etc/left4me/secrets/rcon").stdout)
        self.run_in("systemctl", "start", "left4me.service")
        self.until("everything runs", lambda: self.ctl("diff", expect=None).returncode == 0, 60)
        self.assertNotIn("canary", self.run_in("sh", "-c", f"journalctl --no-pager; cat {STATE}/state/*").stdout)


    def at_a_terminal(self, command: str, *answers: str, expect: int = 0) -> str:
        """age asks for passphrases there, and nowhere else."""
        typed = "".join(f"{answer}\n" for answer in answers)
        return self.run_in("script", "-qec", f"l4d2ctl {command}", "/dev/null", text_in=typed, expect=expect).stdout

    def test_a_backup_that_a_passphrase_encrypts_is_restored_with_that_and_no_other(self):
        self.ctl("secrets", "set", "rcon", text_in="canary-of-a-secret\n")
        passphrase = "correct horse battery"
        self.assertIn("age", self.ctl("backup", "/root/none", "--secrets", "--passphrase", expect=5).stderr)
        self.assertFalse(self.exists("/root/none"))
        self.assertIn("secrets, encrypted", self.at_a_terminal("backup /root/sealed --secrets --passphrase", passphrase, passphrase))
        self.assertEqual(self.run_in("stat", "-c", "%a %U", "/root/sealed").stdout, "600 root\n")
        self.run_in("grep", "-q", "canary", "/root/sealed", expect=1)
        self.at_a_terminal("backup /root/mistyped --secrets --passphrase", passphrase, "correct horse", expect=5)
        self.assertFalse(self.exists("/root/mistyped"))
        self.run_in("systemctl", "stop", "left4me.service", "left4me-server@*.service")
        self.run_in("sh", "-c", "rm -r /etc/left4me/secrets/*")
        self.assertIn("could not decrypt", self.at_a_terminal("restore /root/sealed --overwrite", "wrong horse", expect=5))
        self.assertFalse(self.exists("/etc/left4me/secrets/rcon"))
        # What nobody can be asked for is not waited for.
        self.assertIn("could not decrypt", self.ctl("restore", "/root/sealed", "--overwrite", expect=5).stderr)
        self.assertIn("restored the secrets", self.at_a_terminal("restore /root/sealed --overwrite", passphrase))
        self.assertEqual(self.run_in("stat", "-c", "%a %U", "/etc/left4me/secrets/rcon").stdout, "400 left4me\n")
        self.assertIn("canary-of-a-secret", self.run_in("cat", "/etc/left4me/secrets/rcon").stdout)
        said = self.run_in("sh", "-c", f"journalctl --no-pager; cat {STATE}/state/*").stdout
        self.assertNotIn("horse", said)

    def test_a_backup_that_goes_through_a_pipe_is_restored_at_its_end(self):
        self.write_as_a_game()
        before = self.listing(UPPER)
        self.assertIn("is not for a terminal", self.at_a_terminal("backup - --server alpha", expect=2))
        through = "set -o pipefail; l4d2ctl backup - --server alpha | cat | l4d2ctl restore - --server alpha"
        refused = self.run_in("bash", "-c", through, expect=5)
        self.assertIn("say --overwrite", refused.stderr)
        self.assertEqual(self.listing(UPPER), before)
        done = self.run_in("bash", "-c", f"{through} --overwrite")
        self.assertEqual(done.stdout, f"restored what alpha wrote in {UPPER}\n")
        self.assertEqual(self.listing(UPPER), before)
        # From one that is killed half-way, nothing is.
        self.run_in("sh", "-c", f"head -c 8000000 /dev/urandom >{UPPER}/large")
        with_large = self.listing(UPPER)
        cut = self.run_in("bash", "-c", "l4d2ctl backup - --server alpha | head -c 100000 | l4d2ctl restore - --server alpha --overwrite", expect=3)
        self.assertIn("nothing was changed", cut.stderr)
        self.assertEqual(self.listing(UPPER), with_large)
        # All of it, onto what is there no more.
        self.run_in("systemctl", "stop", "left4me.service", "left4me-server@*.service")
        self.ctl("backup", "/root/all")
        self.run_in("sh", "-c", f"rm -r {MANIFESTS}/* {STATE}/state/* {STATE}/runtime/*/upper/*")
        self.assertIn("restored the manifests", self.run_in("bash", "-c", "cat /root/all | l4d2ctl restore -").stdout)
        self.assertEqual(self.listing(UPPER), with_large)
        # Encrypted ones as well.
        self.run_in("sh", "-c", "age-keygen -o /root/key 2>/dev/null")
        key = self.run_in("age-keygen", "-y", "/root/key").stdout.strip()
        sealed = f"set -o pipefail; l4d2ctl backup - --secrets --recipient {key}"
        self.ctl("secrets", "set", "rcon", text_in="canary-of-a-secret\n")
        self.run_in("bash", "-c", f"{sealed} | l4d2ctl restore - --identity /root/key", expect=5)
        done = self.run_in("bash", "-c", f"{sealed} | l4d2ctl restore - --identity /root/key --overwrite")
        self.assertIn("restored the secrets", done.stdout)
        # A command over ssh gets a socket.
        self.run_in("bash", "-c", f"{sealed} >/root/sealed")
        self.run_in("perl", "-MSocket", "-e", OVER_A_SOCKET)
        self.run_in("systemctl", "start", "left4me.service")
        self.until("everything runs", lambda: self.ctl("diff", expect=None).returncode == 0, 60)


class RepositoryBackups(GitTest):
    def test_a_repository_comes_back_with_its_layout_and_takes_pushes(self):
        self.ctl("init-repo")
        self.clone()
        push = "cd manifests && printf '%s\\n' \"$0\" >a.yaml && git add . && git commit -qm first && git push -q origin HEAD:main"
        text = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\nspec: {}\n"
        self.run_in("setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "env", "HOME=/home/alice", "bash", "-c", f"cd ~ && {push}", text)
        self.ctl("backup", "/root/all")
        layout = self.run_in("sh", "-c", f"cd {REPOSITORY} && find . -maxdepth 2 ! -path './objects/??' -printf '%P %y %m %u %g\\n' | sort").stdout
        head = self.run_in("git", "--git-dir", REPOSITORY, "-c", f"safe.directory={REPOSITORY}", "rev-parse", "main").stdout
        self.run_in("sh", "-c", f"rm -rf {REPOSITORY} /etc/left4me/config.yaml {STATE}/state/*")
        done = self.ctl("restore", "/root/all")
        self.assertIn("restored the repository of manifests", done.stdout)
        self.assertEqual(self.run_in("cat", "/etc/left4me/config.yaml").stdout, self.CONFIG)
        self.assertEqual(self.run_in("sh", "-c", f"cd {REPOSITORY} && find . -maxdepth 2 ! -path './objects/??' -printf '%P %y %m %u %g\\n' | sort").stdout, layout)
        self.assertEqual(self.run_in("git", "--git-dir", REPOSITORY, "-c", f"safe.directory={REPOSITORY}", "rev-parse", "main").stdout, head)
        self.person("alice", "cd manifests && git commit -q --allow-empty -m second && git push -q origin HEAD:main")
        self.assertIn("plain", self.ctl("get", "blueprints").stdout)
        self.assertFalse(self.exists(MANIFESTS + "/a.yaml"))
