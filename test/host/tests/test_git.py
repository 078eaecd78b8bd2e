"""A host that people push manifests to."""

import json

from testhosts.case import COMMUNITY, SERVERS, community_without, server
from testhosts.git import REPOSITORY, GitTest


class Push(GitTest):
    def commit_100_megabytes(self) -> None:
        self.person("alice", "cd manifests && head -c 104857600 /dev/zero | tr '\\0' '#' >d.yaml && "
                    "git add . && git commit -qm big")  # fmt: skip

    def history(self) -> list[dict]:
        return json.loads(self.ctl("history", "-o", "json").stdout)["items"]

    def test_from_nothing_to_a_push_that_runs_servers(self):
        said = self.ctl("init-repo").stdout
        for word in ("pre-receive", "post-receive", "safe.directory", "left4me-operators", "git clone ssh://"):
            self.assertIn(word, said)
        self.assertIn("is as it should be", self.ctl("init-repo").stdout)
        self.assertIn("has no branch main", self.ctl("reconcile", expect=5).stderr)
        self.clone()
        commit = self.commit("servers/all.yaml", COMMUNITY)
        said = self.push().stderr
        self.assertIn(f"remote: left4me: main is at {commit} now", said)
        self.assertIn("l4d2ctl", said)
        # A running daemon may have been faster.
        self.ctl("reconcile")
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        self.assert_converged()
        self.assertEqual(json.loads(self.ctl("status", "alpha", "--json").stdout)["desired"]["revision"], commit)

    def test_an_invalid_push_shows_its_errors_and_changes_nothing(self):
        first = self.begin()
        before = self.lives(*SERVERS)
        head = "apiVersion: left4me/v1\nkind: Server\n"
        levels = zip("abcdefgh", "bcdefghi")
        bomb = "".join(f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n" for before, after in levels)
        many = "".join(f"---\n{head}metadata: {{name: s{n}}}\nspec: {{blueprint: plain, port: {n + 1024}}}\n" for n in range(10_001))
        wrong = {
            "a mistake": (f"{head}metadata: {{name: d}}\nspec: {{blueprint: plain, prot: 1}}\n", "d.yaml:4:26: "),
            "a bomb": (f"a: &a [x,x,x,x,x,x,x,x,x]\n{bomb}", "d.yaml:"),
            "documents": (many, "10000"),
        }
        for what, (text, expected) in wrong.items():
            with self.subTest(what):
                self.commit("d.yaml", text)
                took = self.timed(lambda: self.assertIn("remote: d.yaml", self.push(expect=1).stderr))
                self.assertLess(took, 10)
                said = self.push(expect=1).stderr
                self.assertIn(expected, said)
                self.assertIn("pre-receive hook declined", said)
                self.assertEqual(self.head(), first)
                self.person("alice", f"cd manifests && git reset -q --hard {first}")
        with self.subTest("100 MB"):
            self.commit_100_megabytes()
            self.assertIn("remote: d.yaml: has 104857600 bytes, more than 1048576", self.push(expect=1).stderr)
            self.assertEqual(self.head(), first)
        with self.subTest("deletion"):
            self.assertIn("is not deleted", self.push(words=":main", expect=1).stderr)
        self.ctl("reconcile")
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_commit_that_bypassed_the_hook_leaves_the_last_good_revision_in_force(self):
        first = self.begin()
        before = self.lives(*SERVERS)
        self.commit_100_megabytes()
        self.run_in("git", "config", "--system", "--add", "safe.directory", "*")
        self.run_in("git", "-C", REPOSITORY, "fetch", "-q", "/home/alice/manifests", "+HEAD:refs/heads/main")
        self.assertNotEqual(self.head(), first)
        took = self.timed(lambda: self.assertIn(":d.yaml: has 104857600 bytes", self.ctl("reconcile", expect=3).stderr))
        self.assertLess(took, 20)
        self.assertIn("d.yaml", json.loads(self.status())["sourceError"])
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_forced_push_is_held_until_a_person_approves_it(self):
        first = self.begin()
        self.commit("more.yaml", server("delta", 27018).lstrip("-\n"))
        self.push()
        self.ctl("reconcile")
        self.assert_running("delta")
        last_good = self.head()
        self.person("alice", f"cd manifests && git reset -q --hard {first}")
        self.push(expect=1)
        said = self.push(words="+HEAD:main").stderr
        self.assertIn(f"sudo l4d2ctl approve {first}", said)
        self.assertNotIn("the host is being changed", said)
        done = self.ctl("reconcile", expect=5)
        self.assertIn(f"does not descend from {last_good}", done.stderr)
        self.assertIn(f"l4d2ctl approve {first}", done.stderr)
        self.assertIn("does not descend", json.loads(self.status())["sourceError"])
        self.assert_running("delta")
        self.ctl("reconcile", expect=5)
        told = [(item["revision"], item["result"]) for item in self.history()]
        self.assertEqual(told[:2], [(first, "Held"), (last_good, "Applied")])
        # Drift is corrected all the while.
        self.run_in("systemctl", "stop", "left4me-server@beta.service")
        self.ctl("reconcile", expect=5)
        self.assert_running("beta")
        self.assertIn("delta", self.ctl("diff", "--revision", first, expect=1).stdout)
        self.ctl("approve", "deadbeef", expect=4)
        self.ctl("approve", first[:10])
        self.assert_gone("delta")
        self.assertEqual(self.history()[0]["result"], "Applied")
        self.assert_converged()

    def test_commands_for_one_server_take_effect_beside_a_pushed_deletion_that_waits_for_approval(self):
        self.begin()
        commit = self.commit("all.yaml", community_without("alpha", "beta"))
        self.push()
        self.ctl("reconcile")
        self.assertEqual(set(self.to_approve().values()), {commit})
        self.check_commands_beside_a_held_deletion()

    def test_a_push_of_a_branch_that_the_host_does_not_follow_says_so(self):
        self.begin()
        said = self.push(words="HEAD:master").stderr
        self.assertIn("this host follows main, so master changes nothing on it", said)
        self.assertIn("git push origin master:main", said)
        self.assertNotIn("this host follows", self.push(words="HEAD:refs/tags/v1").stderr)

    def test_a_clone_of_the_empty_repository_is_on_the_branch_that_the_host_follows(self):
        self.write("/etc/left4me/config.yaml", "source:\n  git: {branch: live}\n")
        self.ctl("init-repo")
        self.person("alice", f"git clone -q {REPOSITORY} manifests")
        self.assertEqual(self.person("alice", "cd manifests && git symbolic-ref HEAD").stdout, "refs/heads/live\n")
        self.commit("all.yaml", COMMUNITY)
        self.person("alice", "cd manifests && git push -q")
        self.person("bob", f"git clone -q {self.address('bob')} manifests")
        self.assertEqual(self.person("bob", "cd manifests && git symbolic-ref HEAD").stdout, "refs/heads/live\n")

    def test_a_damaged_or_deleted_repository_stops_no_server(self):
        self.begin()
        before = self.lives(*SERVERS)
        damage = {
            "deleted": f"mv {REPOSITORY} /root/kept.git",
            "empty": f"mv {REPOSITORY} /root/kept.git && mkdir {REPOSITORY}",
            "no objects": f"mkdir /root/kept.git && mv {REPOSITORY}/objects /root/kept.git/ && mkdir {REPOSITORY}/objects",
            "no branch": f"mkdir -p /root/kept.git/refs/heads && mv {REPOSITORY}/refs/heads/main /root/kept.git/refs/heads/",
            "garbage": f"cp -a {REPOSITORY} /root/kept.git && find {REPOSITORY}/objects -type f -exec truncate -s 5 {{}} +",
            "unreadable": f"cp -a {REPOSITORY} /root/kept.git && chmod 0 {REPOSITORY}",
        }
        for what, script in damage.items():
            with self.subTest(what):
                self.run_in("cp", "-a", REPOSITORY, "/root/whole.git")
                self.run_in("sh", "-c", script)
                done = self.ctl("reconcile", expect=5)
                self.assertIn("stays in force", done.stderr)
                self.assertNotEqual(json.loads(self.status())["sourceError"], "")
                self.ctl("diff", expect=5)
                self.run_in("systemctl", "disable", "left4me-server@beta.service")
                self.ctl("reconcile", expect=5)
                self.assertEqual(self.enabled("beta"), "enabled")
                self.ctl("stop", "beta", expect=5)
                self.assertEqual(self.lives(*SERVERS), before)
                self.run_in("sh", "-c", f"rm -rf {REPOSITORY} /root/kept.git && mv /root/whole.git {REPOSITORY}")
                self.ctl("reconcile")
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_push_returns_immediately_although_a_pass_is_running(self):
        self.begin()
        self.run_in("systemd-run", "-q", "--unit=holder", "flock", "/run/left4me/lock", "sleep", "60")
        taken = ("flock", "-n", "/run/left4me/lock", "true")
        self.until("the lock is taken", lambda: self.run_in(*taken, expect=None).returncode)
        self.commit("README.md", "words")
        self.assertLess(self.timed(self.push), 20)
        self.run_in("systemctl", "stop", "holder")

    def test_a_commit_that_touches_no_manifest_touches_no_server(self):
        self.begin()
        before = self.lives(*SERVERS)
        for n in range(5):
            self.commit("README.md", f"words {n}")
            self.push()
            self.assertIn("3 servers agree", self.ctl("reconcile").stdout)
        self.assertEqual(self.lives(*SERVERS), before)


class People(GitTest):
    def test_several_people_root_and_l4d2ctl_write_to_one_branch(self):
        self.begin()
        self.run_in("sh", "-c", "SUDO_UID=$(id -u bob) l4d2ctl stop beta")
        self.assert_gone("beta")
        host = self.run_in("hostname").stdout.strip()
        made = f"Bob Example <bob@{host}>, left4me: stop server/beta"
        self.assertEqual(self.git("log", "-1", "--format=%an <%ae>, %cn: %s"), made)
        self.assertEqual(self.git("diff", "--name-only", "main^", "main"), "all.yaml")
        # alice's clone is behind now.
        self.commit("alice.yaml", server("delta", 27018).lstrip("-\n"))
        self.assertIn("fetch first", self.push(expect=1).stderr)
        self.person("alice", f"cd manifests && git pull -q {self.address('alice')} main")
        self.push()
        self.clone("bob")
        self.person("bob", "cd manifests && git reset -q --hard origin/main")
        self.commit("bob.yaml", server("epsilon", 27019, more="rollout: {policy: Immediate}").lstrip("-\n"), "bob")
        self.push("bob")
        self.ctl("start", "beta")
        # And root, who has a clone of its own.
        self.run_in("sh", "-c", f"git clone -q {REPOSITORY} /root/m && cd /root/m && sed -i s/27019/27020/ bob.yaml && "
                    "git -c user.name=root -c user.email=root@here commit -qam port && "
                    "git push -q origin HEAD:main")  # fmt: skip
        self.run_in("sh", "-c", "cd /root/m && echo nonsense >x.yaml && git add . && "
                    "git -c user.name=root -c user.email=root@here commit -qm bad && "
                    "git push -q origin HEAD:main", expect=1)  # fmt: skip
        self.ctl("apply", "-f", "-", text_in=server("zeta", 27021).lstrip("-\n"))
        for name in ("beta", "delta", "epsilon", "zeta"):
            self.assert_running(name)
        self.assertIn("27020", self.ctl("get", "servers").stdout)
        self.assert_converged()
        self.git("fsck", "--strict")
        self.person("alice", f"cd manifests && git pull -q {self.address('alice')} main")

    def test_people_who_may_push_cannot_replace_what_runs_as_other_users(self):
        self.ctl("init-repo")
        for script in (
            "rm hooks/pre-receive", "ln -sf /bin/true hooks/pre-receive", "mv hooks h", "echo x >>config", "rm config",
            "mv config c", "cp config c && mv -f c config", "rm -f HEAD", "ln -sf /bin/true hooks/update",
        ):  # fmt: skip
            with self.subTest(script):
                self.person("alice", f"cd {REPOSITORY} && {script} </dev/null", expect=1)
                self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", "bash", "-c",
                            f"cd {REPOSITORY} && {script} </dev/null", expect=1)  # fmt: skip

    def test_only_members_of_the_group_can_push(self):
        self.begin()
        self.clone("carol")
        head = self.head()
        self.commit("all.yaml", COMMUNITY.replace("27017", "27018"), "carol")
        self.assertNotEqual(self.push("carol", expect=None).returncode, 0)
        self.assertEqual(self.head(), head)

    def test_init_repo_repairs_a_repository_that_was_created_differently(self):
        # As created by hand, with hooks and a configuration that root does not own.
        self.run_in("rm", "-rf", REPOSITORY)
        self.run_in("sh", "-c", f"git init -q --bare {REPOSITORY} && chown -R left4me: {REPOSITORY} && "
                    f"ln -sf /etc/shadow {REPOSITORY}/config && chmod -R go-w {REPOSITORY}/objects")  # fmt: skip
        shadow = self.run_in("stat", "-c", "%U %G %a %s", "/etc/shadow").stdout
        said = self.ctl("init-repo").stdout
        self.assertIn("config.before-left4me", said)
        self.assertEqual(self.run_in("stat", "-c", "%U %G %a %s", "/etc/shadow").stdout, shadow)
        made = self.run_in("stat", "-c", "%U %G %a", REPOSITORY).stdout
        self.assertEqual(made, "root root 755\n")
        self.clone()
        self.commit("all.yaml", COMMUNITY)
        self.push()
        self.ctl("reconcile")
        self.assert_running("alpha")
        # A directory that is not a repository is left alone.
        self.write("/etc/left4me/config.yaml", "source:\n  git:\n    repository: /srv/left4dead2/maps\n")
        self.assertIn("neither empty nor a bare repository", self.ctl("init-repo", expect=5).stderr)
        self.ctl("init-repo", "--group", "nonsense", expect=4)
        self.person("alice", "l4d2ctl init-repo", expect=5)


class Signed(GitTest):
    CONFIG = "source:\n  git:\n    allowedSigners: /etc/left4me/signers\n"

    def test_only_signed_commits_enter_and_only_signed_commits_are_followed(self):
        self.run_in("sh", "-c", "echo alice@example.org $(cut -d' ' -f1,2 /home/alice/.ssh/id_ed25519.pub) "
                    ">/etc/left4me/signers")  # fmt: skip
        for name in ("alice", "bob"):
            self.person(name, "git config --global gpg.format ssh && "
                        "git config --global user.signingKey ~/.ssh/id_ed25519.pub")  # fmt: skip
        self.ctl("init-repo")
        self.clone()
        first = self.commit("all.yaml", COMMUNITY, more="-S")
        self.push()
        self.ctl("reconcile")
        self.assert_running("alpha")
        unsigned = self.commit("all.yaml", COMMUNITY.replace("27016", "27026"))
        self.assertIn("is not signed", self.push(expect=1).stderr)
        self.clone("bob")
        self.person("bob", "cd manifests && git reset -q --hard origin/main")
        self.commit("all.yaml", COMMUNITY.replace("27016", "27026"), "bob", more="-S")
        self.assertIn("does not allow", self.push("bob", expect=1).stderr)
        self.assertEqual(self.head(), first)
        self.assertIn("must be signed", self.ctl("stop", "beta", expect=5).stderr)
        # Past the hook.
        self.run_in("git", "config", "--system", "--add", "safe.directory", "*")
        self.run_in("git", "-C", REPOSITORY, "fetch", "-q", "/home/alice/manifests", "+HEAD:refs/heads/main")
        self.assertIn(f"commit {unsigned} is not signed", self.ctl("reconcile", expect=5).stderr)
        self.assert_running("beta", 27016)


class Remote(GitTest):
    CONFIG = """
source:
  git:
    remote: ssh://alice@127.0.0.1:2222/home/alice/origin.git
    key: /etc/left4me/git/key
    knownHosts: /etc/left4me/known_hosts
"""

    def setUp(self) -> None:
        super().setUp()
        self.person("alice", "git init -q --bare -b main origin.git && git clone -q origin.git manifests && "
                    "cd manifests && git checkout -q -B main")  # fmt: skip
        self.run_in("sh", "-c", "cd /etc/left4me/git && ssh-keygen -q -t ed25519 -N '' -f key && chown left4me key && "
                    "cat key.pub >>/home/alice/.ssh/authorized_keys && "
                    "cp /home/alice/.ssh/known_hosts /etc/left4me/known_hosts")  # fmt: skip
        self.commit("all.yaml", COMMUNITY)

    def publish(self) -> None:
        self.person("alice", "cd manifests && git push -q origin +HEAD:main")

    def test_a_branch_is_fetched_over_ssh_from_a_host_whose_key_is_known(self):
        self.publish()
        self.assertIn("--fetch", self.ctl("reconcile", expect=5).stderr)
        self.ctl("reconcile", "--fetch")
        for name in SERVERS:
            self.assert_running(name)
        before = self.lives(*SERVERS)
        for n in range(3):
            self.assertIn("3 servers agree", self.ctl("reconcile", "--fetch").stdout)
        with self.subTest("editing here says where to push"):
            for words in (("stop", "beta"), ("delete", "beta")):
                said = self.ctl(*words, expect=5).stderr
                self.assertIn("git push ssh://alice@127.0.0.1:2222/home/alice/origin.git", said)
            self.assertIn("this host follows ssh://", self.ctl("init-repo", expect=5).stderr)
        with self.subTest("another host key"):
            self.run_in("sh", "-c", "ssh-keygen -q -t ed25519 -N '' -f /tmp/other && "
                        "echo '[127.0.0.1]:2222' $(cut -d' ' -f1,2 /tmp/other.pub) >/etc/left4me/known_hosts")  # fmt: skip
            self.commit("all.yaml", COMMUNITY.replace("27016", "27026"))
            self.publish()
            self.assertIn("another host key", self.ctl("reconcile", "--fetch", expect=5).stderr)
            self.write("/etc/left4me/known_hosts", "")
            self.assertIn("does not name 127.0.0.1", self.ctl("reconcile", "--fetch", expect=5).stderr)
        with self.subTest("a key that may not log in"):
            self.run_in("cp", "/home/alice/.ssh/known_hosts", "/etc/left4me/known_hosts")
            self.run_in("sed", "-i", "$d", "/home/alice/.ssh/authorized_keys")
            self.assertIn("does not accept", self.ctl("reconcile", "--fetch", expect=5).stderr)
        with self.subTest("the server is gone"):
            self.run_in("systemctl", "stop", "test-sshd")
            self.assertIn("the previously fetched revision stays in force", self.ctl("reconcile", "--fetch", expect=5).stderr)
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_remote_on_the_same_host_may_belong_to_somebody_else(self):
        self.write("/etc/left4me/config.yaml", "source:\n  git:\n    remote: file:///home/alice/origin.git\n")
        self.run_in("chmod", "a+rx", "/home/alice")
        self.publish()
        self.ctl("reconcile", "--fetch")
        self.assert_running("alpha")
        first = self.person("alice", "cd manifests && git rev-parse HEAD").stdout.strip()
        self.person("alice", "cd manifests && git commit -q --amend -m anew")
        self.publish()
        anew = self.person("alice", "cd manifests && git rev-parse HEAD").stdout.strip()
        self.assertIn(f"does not descend from {first}", self.ctl("reconcile", "--fetch", expect=5).stderr)
        self.ctl("approve", anew)
        self.assert_converged()


class Daemon(GitTest):
    """l4d2d runs: no commands on the host."""

    def setUp(self) -> None:
        super().setUp()
        self.ctl("init-repo")
        self.run_in("systemctl", "start", "left4me.service")
        self.clone()

    def active(self, name: str) -> bool:
        return self.properties(name)["ActiveState"] == "active"

    def test_a_push_alone_brings_servers_up_and_changes_them(self):
        self.commit("all.yaml", COMMUNITY)
        said = self.push().stderr
        self.assertIn("l4d2ctl get servers --watch", said)
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        before = self.lives(*SERVERS)
        with self.subTest("one more"):
            self.commit("delta.yaml", server("delta", 27018).lstrip("-\n"))
            self.push()
            self.until("delta is active", lambda: self.active("delta"))
        with self.subTest("a push that is rejected"):
            self.commit("delta.yaml", "nonsense\n")
            self.push(expect=1)
            self.person("alice", "cd manifests && git reset -q --hard HEAD~1")
        with self.subTest("a forced push is held"):
            self.person("alice", "cd manifests && git reset -q --hard HEAD~1")
            self.push(words="+HEAD:main")
            self.until("the status says so", lambda: "does not descend" in self.status())
            self.assertTrue(self.active("delta"))
            self.ctl("approve", self.head())
            self.until("delta is gone", lambda: not self.active("delta"))
        with self.subTest("the repository is deleted, and comes back"):
            self.run_in("mv", REPOSITORY, "/root/kept.git")
            self.run_in("systemctl", "stop", "left4me-server@beta.service")
            self.until("beta is active", lambda: self.active("beta"))
            self.until("the status says so", lambda: json.loads(self.status()).get("sourceError"), 40)
            self.run_in("mv", "/root/kept.git", REPOSITORY)
            self.until("it is in order again", lambda: not json.loads(self.status()).get("sourceError"), 40)
        for name in ("alpha", "gamma"):
            self.assertEqual(self.life(name), before[name])

    def test_after_many_pushes_in_a_row_the_host_follows_the_last_one(self):
        self.commit("all.yaml", COMMUNITY)
        self.push()
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        before = self.lives(*SERVERS)
        for n in range(12):
            self.commit("delta.yaml", server("delta", 27018 + n, more="rollout: {policy: Immediate}").lstrip("-\n"))
            self.push()
        self.until("the last one is followed", lambda: self.a2s(27029), 60)
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0)
        self.assertEqual(self.lives(*SERVERS), before)
