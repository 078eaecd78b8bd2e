"""Attacks of an operator who may push, through the repository, on root, on other operators and on the daemon."""

import json
from pathlib import Path

from testhosts.case import STATE, server
from testhosts.git import REPOSITORY, GitTest

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
MARKER = "/var/tmp/ran-by"
# Far above what a look takes on a slow machine, far below "for ever".
PATIENCE = 60


class GitAttack(GitTest):
    """alice attacks; bob and root are the victims."""

    def setUp(self) -> None:
        super().setUp()
        for program in ATTACKS.glob("git_*.sh"):
            self.write(f"/usr/local/lib/attacks/{program.name}", program.read_text())
        self.run_in("sh", "-c", "chmod 755 /usr/local/lib/attacks/*")

    def attack(self, program: str, *words: str) -> str:
        """The successes that alice's program reports."""
        line = " ".join(["/usr/local/lib/attacks/" + program, REPOSITORY, *words])
        return self.person("alice", line, expect=None).stdout.strip()

    def clone_of_bob(self) -> None:
        self.clone("bob")
        self.person("bob", "cd manifests && git reset -q --hard origin/main")

    def bob_pushes(self, name: str, port: int, expect: int | None = 0):
        self.commit(f"{name}.yaml", server(name, port).lstrip("-\n"), "bob")
        return self.push("bob", expect=expect)

    def mend(self) -> str:
        return self.ctl("init-repo").stdout

    def restore_branch(self, commit: str) -> None:
        """Runs as root, like an administrator after init-repo has moved the planted file out of the way."""
        self.git("update-ref", "refs/heads/main", commit)


class Others(GitAttack):
    """Others neither run nor follow anything that alice leaves in the repository."""

    def test_git_runs_no_hooks_or_programs_from_a_directory_that_an_operator_names(self):
        self.begin()
        self.clone_of_bob()
        self.assertEqual(self.attack("git_commondir.sh", MARKER), "")
        self.bob_pushes("delta", 27018)
        for words in (("log", "--all"), ("-p", "log"), ("status",), ("config", "--list"), ("gc", "--auto")):
            self.run_in("env", "PAGER=cat", "script", "-qec", f"git -C {REPOSITORY} {' '.join(words)}", "/dev/null", expect=None)
        self.run_in("sh", "-c", f"git clone -q {REPOSITORY} /root/m && cd /root/m && git -c user.name=r -c user.email=r@h "
                    "commit -q --allow-empty -m empty && git push -q origin HEAD:main")  # fmt: skip
        self.ctl("reconcile")
        self.assertEqual(self.run_in("sh", "-c", f"ls {MARKER}.* 2>/dev/null || true").stdout, "")

    def test_operators_own_nothing_outside_objects_and_refs(self):
        self.begin()
        listing = ("sh", "-c", f"cd {REPOSITORY} && stat -c '%n %U %G %a' * hooks/* objects/info objects/pack refs/* && cat HEAD config")
        before = self.run_in(*listing).stdout
        self.assertEqual(self.attack("git_top_directory.sh"), "")
        self.assertEqual(self.attack("git_stores.sh"), "")
        self.assertEqual(self.run_in(*listing).stdout, before)
        self.assertEqual(self.run_in("stat", "-c", "%U %G %a", REPOSITORY).stdout, "root root 755\n")
        self.git("fsck", "--strict")
        for directory in ("objects", "objects/ab", "refs/heads"):
            with self.subTest(f"a repository within {directory}"):
                self.person("alice", f"cd {REPOSITORY}/{directory} && mkdir -p objects refs; echo 'ref: refs/heads/main' >HEAD; "
                            f"printf '[alias]\\n\\tx = !touch {MARKER}.$(id -un)\\n' >config", expect=None)  # fmt: skip
                self.run_in("sh", "-c", f"cd {REPOSITORY}/{directory} && git x", expect=None)
                self.assertFalse(self.exists(f"{MARKER}.root"))

    def test_one_operator_cannot_remove_or_replace_what_another_pushed(self):
        self.begin()
        self.clone_of_bob()
        self.bob_pushes("delta", 27018)
        head = self.head()
        path = f"objects/{head[:2]}/{head[2:]}"
        for script in (f"rm -f {path}", f"mv {path} {path}x", f"chmod u+w {path}", f"echo x >{path}", f"ln -sf /etc/passwd {path}"):
            with self.subTest(script):
                self.person("alice", f"cd {REPOSITORY} && {script} </dev/null", expect=1)
        self.assertEqual(self.run_in("stat", "-c", "%U", f"{REPOSITORY}/{path}").stdout, "bob\n")
        self.git("fsck", "--strict")

    def test_a_planted_link_does_not_redirect_the_push_of_another_operator(self):
        self.begin()
        self.clone_of_bob()
        self.run_in("sh", "-c", "mkdir /srv/bobs && chown bob /srv/bobs")
        self.person("alice", f"ln -s /srv/bobs {REPOSITORY}/refs/heads/feature", expect=None)
        said = self.push("bob", "HEAD:refs/heads/feature/one", expect=1).stderr
        self.assertIn("no '/'", said)
        self.assertEqual(self.run_in("ls", "-A", "/srv/bobs").stdout, "")
        self.assertIn("refs/heads/feature", self.mend())
        self.push("bob", "HEAD:refs/heads/feature-one")

    def test_a_planted_link_does_not_let_left4me_overwrite_its_own_files(self):
        first = self.begin()
        status = f"{STATE}/state/status.json"
        self.attack("git_reference.sh", "main", "link-to-state")
        self.ctl("stop", "beta", expect=5)
        self.assertIn("{", self.run_in("cat", status).stdout)
        self.mend()
        self.restore_branch(first)
        self.ctl("stop", "beta")
        self.assert_gone("beta")


class Pushed(GitAttack):
    """What an operator can send with git's own protocol."""

    def test_only_branches_and_tags_with_plain_names_are_accepted_and_none_is_deleted(self):
        self.begin()
        head = self.head()
        for reference in (f"refs/replace/{head}", "refs/notes/commits", "refs/stash", "refs/heads/a/b", "refs/tags/a/b",
                          "refs/heads/x/../../../hooks/update", "refs/followed"):  # fmt: skip
            with self.subTest(reference):
                self.assertNotEqual(self.push(words=f"HEAD:{reference}", expect=None).returncode, 0)
        self.assertIn("branches and tags", self.push(words="HEAD:refs/notes/commits", expect=1).stderr)
        self.push(words="HEAD:refs/heads/side")
        self.push(words="HEAD:refs/tags/v1")
        said = self.push(words=":side", expect=1).stderr
        self.assertIn(f"git -C {REPOSITORY} update-ref -d refs/heads/side", said)
        self.run_in("git", "-C", REPOSITORY, "update-ref", "-d", "refs/heads/side")
        self.assertNotIn("side", self.git("for-each-ref"))
        self.assertIn("is not deleted", self.push(words=":main", expect=1).stderr)
        self.assertEqual(self.head(), head)

    def test_a_reference_name_cannot_carry_control_characters_to_a_terminal(self):
        self.begin()
        self.person("alice", f"touch $'{REPOSITORY}/refs/heads/\\e[31mred' && echo {self.head()} >$'{REPOSITORY}/refs/heads/\\e[31mred'")
        self.assertNotIn("\x1b", self.mend())
        self.ctl("reconcile")
        self.assertNotIn("\x1b", self.ctl("diff", "--revision", "\x1b[31mred", expect=None).stderr)

    def test_a_push_that_is_too_large_is_refused_and_leaves_nothing_behind(self):
        self.begin()
        head = self.head()
        with self.subTest("a pack of 70 MiB"):
            self.person("alice", "cd manifests && head -c 73400320 /dev/urandom >big.bin && git add . && git commit -qm big")
            self.push(expect=1)
        with self.subTest("12,000 references in one push"):
            self.person("alice", f"cd manifests && git reset -q --hard {head} && "
                        f"for i in $(seq 12000); do echo \"create refs/heads/n$i {head}\"; done | git update-ref --stdin")  # fmt: skip
            self.push(words="'refs/heads/n*'", expect=1)
        self.assertEqual(self.run_in("sh", "-c", f"ls {REPOSITORY}/objects | grep incoming | wc -l").stdout.strip(), "0")
        self.assertEqual(self.run_in("sh", "-c", f"ls {REPOSITORY}/refs/heads | wc -l").stdout.strip(), "1")
        with self.subTest("1,000 objects become no pack"):
            self.person("alice", "cd manifests && for i in $(seq 1000); do echo $i >f$i; done; git add . && git commit -qm many")
            self.push()
            self.assertEqual(self.run_in("ls", f"{REPOSITORY}/objects/pack").stdout, "")

    def test_links_submodules_and_attributes_in_a_tree_have_no_effect(self):
        first = self.begin()
        for what, script, said in (
            ("a link", "ln -s /etc/shadow x.yaml && git add -A .", "is a symlink"),
            ("a directory that is a link", "ln -s /etc d && git add -A .", "is a symlink"),
            ("a submodule", f"git update-index --add --cacheinfo 160000,{first},sub", "is a submodule"),
            (".gitmodules", "printf '[submodule \"x\"]\\n\\tpath = x\\n\\turl = -u./payload\\n' >.gitmodules && git add -A .", "gitmodules"),
        ):
            with self.subTest(what):
                self.person("alice", f"cd manifests && {script} && git commit -qm x")
                self.assertIn(said, self.push(expect=1).stderr)
                self.person("alice", f"cd manifests && git reset -q --hard {first} && git clean -qfdx")
        self.person("alice", "cd manifests && printf '* filter=x diff=x merge=x ident\\n' >.gitattributes && "
                    "printf 'Root <root@host> <alice@example.org>\\n' >.mailmap && git add -A . && git commit -qm attributes")  # fmt: skip
        self.push()
        self.ctl("reconcile")
        self.assertIn("alice@example.org", self.ctl("history", "-o", "json").stdout)

    def test_push_options_and_certificates_are_not_accepted(self):
        self.begin()
        address = self.address("alice")
        self.person("alice", f"cd manifests && git push -o exec=x {address} HEAD:main", expect=128)
        self.person("alice", f"cd manifests && git push --signed=true {address} HEAD:main", expect=128)
        self.person("alice", f"cd manifests && git push --receive-pack='git -c core.hooksPath=/tmp receive-pack' {address} HEAD:main")
        self.ctl("reconcile")

    def test_git_refuses_a_push_from_a_shallow_clone(self):
        self.begin()
        self.person("bob", f"git clone -q --depth 1 {self.address('bob')} manifests")
        head = self.head()
        self.commit("README.md", "words", "bob")
        self.assertIn("shallow", self.push("bob", expect=None).stderr)
        self.assertEqual(self.head(), head)
        self.person("bob", f"cd manifests && git fetch -q --unshallow {self.address('bob')}")
        self.push("bob")

    def test_the_environment_of_the_caller_does_not_affect_l4d2ctl(self):
        self.begin()
        self.person("alice", "git init -q --bare evil.git && chmod -R a+rX ~")
        evil = "/home/alice/evil.git"
        names = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_GLOBAL",
                 "GIT_CONFIG_SYSTEM", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_SSH_COMMAND", "GIT_EXEC_PATH")  # fmt: skip
        before = self.head()
        self.run_in("env", *(f"{name}={evil}" for name in names), "l4d2ctl", "stop", "beta")
        self.assertNotEqual(self.head(), before)
        self.assert_gone("beta")
        self.assertEqual(self.run_in("sh", "-c", f"find {evil}/objects -type f").stdout, "")

    def test_a_push_past_the_hook_is_checked_again(self):
        """alice may write references, so the hook that runs as alice is a convenience and not a boundary."""
        first = self.begin()
        self.commit("d.yaml", "nonsense\n")
        self.person("alice", f"cd manifests && git push -q --receive-pack='git -c core.hooksPath=/nonexistent receive-pack' "
                    f"{REPOSITORY} HEAD:side; cd {REPOSITORY} && echo {first[:-1]} >refs/heads/main.x && "
                    "mv refs/heads/main.x refs/heads/main")  # fmt: skip
        self.assertIn("stays in force", self.ctl("reconcile", expect=5).stderr)
        self.assert_running("alpha")


class Left4me(GitAttack):
    """l4d2d and l4d2ctl never block or fail on what an operator puts into objects/ and refs/."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.begin()
        self.run_in("systemctl", "start", "left4me.service")
        self.until("the daemon runs", lambda: self.status_word() != "")

    def status_word(self) -> str:
        return self.run_in("systemctl", "show", "-P", "StatusText", "left4me.service").stdout.strip()

    def daemon_life(self) -> str:
        return self.run_in("systemctl", "show", "-P", "MainPID,NRestarts", "left4me.service").stdout

    def assert_daemon_repairs(self) -> None:
        self.run_in("systemctl", "disable", "left4me-server@beta.service")
        self.until("beta is repaired", lambda: self.enabled("beta") == "enabled", PATIENCE)

    def assert_refused_in_time(self) -> None:
        # 3: an object of another kind than the tree says counts as an invalid revision.
        took = self.timed(lambda: self.assertIn(self.ctl("reconcile", expect=None).returncode, (3, 5)))
        self.assertLess(took, PATIENCE)
        self.assertNotEqual(json.loads(self.status())["sourceError"], "")

    def test_whatever_is_in_place_of_the_branch_the_daemon_continues(self):
        life = self.daemon_life()
        for kind in ("fifo", "link-to-fifo", "link-to-shadow", "link-to-tty", "directory", "huge", "socket", "unreadable",
                     "symbolic", "loop", "outside", "garbage", "missing-commit"):  # fmt: skip
            with self.subTest(kind):
                self.attack("git_reference.sh", "main", kind)
                self.assert_refused_in_time()
                self.assert_daemon_repairs()
                self.assertLess(self.timed(lambda: self.ctl("stop", "beta", expect=5)), PATIENCE)
                self.assertLess(self.timed(lambda: self.ctl("diff", "--revision", "main", expect=4)), PATIENCE)
                said = self.mend()
                if kind not in ("unreadable", "symbolic", "loop", "outside", "garbage", "missing-commit"):
                    self.assertIn("refs/heads/main", said)
                self.run_in("rm", "-rf", f"{REPOSITORY}/refs/heads/main", f"{REPOSITORY}/refs/heads/pipe")
                self.restore_branch(self.first)
                self.ctl("reconcile")
                self.assertIn("is as it should be", self.mend())
        self.assertEqual(self.daemon_life(), life)
        self.clone_of_bob()
        self.bob_pushes("delta", 27018)
        self.until("delta answers", lambda: self.a2s(27018), PATIENCE)

    def test_an_object_that_its_owner_rewrites_after_the_push_is_not_read(self):
        life = self.daemon_life()
        blob = self.git("rev-parse", "main:all.yaml")
        for kind in ("short", "empty", "fifo", "link-to-fifo", "link-to-shadow", "link-to-zero", "unreadable", "huge", "other",
                     "bomb", "directory"):  # fmt: skip
            for what, name in (("commit", self.first), ("blob", blob)):
                with self.subTest(f"{kind} {what}"):
                    self.attack("git_object.sh", name, kind)
                    self.assert_refused_in_time()
                    self.assert_daemon_repairs()
                    path = f"{REPOSITORY}/objects/{name[:2]}/{name[2:]}"
                    self.person("alice", f"rm -rf {path} && cp --no-preserve=all ~/kept-object {path} && chmod 444 {path}")
                    self.ctl("reconcile")
        self.assertEqual(self.daemon_life(), life)
        pid = self.run_in("systemctl", "show", "-P", "MainPID", "left4me.service").stdout.strip()
        peak = self.run_in("sed", "-n", r"s/^VmHWM:\s*\([0-9]*\) kB/\1/p", f"/proc/{pid}/status").stdout
        self.assertLess(int(peak), 256 << 10)

    def test_many_references_and_directories_cost_the_daemon_nothing(self):
        self.person("alice", f"cd {REPOSITORY}/refs/heads && for i in $(seq 3000); do mkdir -p d/$i/x; echo {self.first} >n$i; done")
        self.run_in("systemctl", "restart", "left4me.service")
        self.clone_of_bob()
        self.bob_pushes("delta", 27018)
        self.until("delta answers", lambda: self.a2s(27018), PATIENCE)
        pid = self.run_in("systemctl", "show", "-P", "MainPID", "left4me.service").stdout.strip()
        watches = self.run_in("sh", "-c", f"cat /proc/{pid}/fdinfo/* 2>/dev/null | grep -c '^inotify'").stdout
        self.assertLess(int(watches), 500)


class Upgrade(GitAttack):
    """A repository of the layout in which operators could write into the top directory."""

    def make_old_layout(self) -> str:
        first = self.begin()
        self.clone_of_bob()
        self.person("alice", "cd manifests && for i in $(seq 150); do echo $i >f$i; done; git add . && git commit -qm many")
        self.run_in("sh", "-c", f"""
            cd {REPOSITORY}
            chgrp left4me-operators . && chmod 03775 .
            chown -R left4me:left4me-operators objects refs && find objects refs -type d -exec chmod 02775 {{}} +
            rm -f objects/HEAD refs/followed; rmdir objects/?? 2>/dev/null
            echo 'ref: refs/heads/main' >HEAD
            printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfilemode = true\\n\\tbare = true\\n\\tsharedRepository = group\\n[receive]\\n\\tfsckObjects = true\\n\\tmaxInputSize = 64m\\n\\tautogc = false\\n[gc]\\n\\tauto = 0\\n\\tpackRefs = false\\n' >config
        """)  # fmt: skip
        # More than 100 objects become a pack there, owned by the user who pushed; past the hook, which refuses by now.
        self.person("alice", f"cd manifests && git push -q --receive-pack='git -c core.hooksPath=/nonexistent receive-pack' {REPOSITORY} HEAD:main")
        self.assertIn("pack-", self.run_in("ls", f"{REPOSITORY}/objects/pack").stdout)
        self.person("bob", f"cd manifests && git pull -q {self.address('bob')} main")
        return first

    def test_a_push_to_the_old_layout_is_refused_until_init_repo_has_repaired_it(self):
        self.make_old_layout()
        said = self.bob_pushes("delta", 27018, expect=1).stderr
        self.assertIn("sudo l4d2ctl init-repo", said)

    def test_init_repo_lists_what_an_operator_left_and_keeps_every_commit(self):
        first = self.make_old_layout()
        head = self.head()
        self.person("alice", f"""
            cd {REPOSITORY}
            mkdir -p evil/hooks && echo {REPOSITORY}/evil >commondir
            printf '#!/bin/sh\\ntouch {MARKER}.$(id -un)\\n' >evil/hooks/post-receive && chmod 755 evil/hooks/post-receive
            mkdir commondir.before-left4me && touch commondir.before-left4me/full
            echo /home/alice/x >objects/info/alternates
            mkdir -p refs/replace info logs && echo {first} >refs/replace/{head}
            echo '* filter=x' >info/attributes
            mkfifo refs/heads/pipe objects/pack/multi-pack-index && ln -s /etc/shadow refs/heads/link
            printf '%s refs/heads/packed\\n%s refs/heads/../../x\\n' {first} {first} >packed-refs
            mkfifo shallow
        """)  # fmt: skip
        said = self.mend()
        for name in ("commondir", "evil", "objects/info/alternates", "refs/replace", "info", "logs", "refs/heads/pipe",
                     "refs/heads/link", "objects/pack", "shallow", "packed-refs"):  # fmt: skip
            self.assertIn(f"{name}", said)
        self.assertIn("is as it should be", self.mend())
        self.assertEqual(self.head(), head)
        self.assertEqual(self.git("rev-parse", "refs/heads/packed"), first)
        self.assertEqual(self.run_in("ls", f"{REPOSITORY}/objects/pack").stdout, "")
        self.git("fsck", "--strict", "--no-dangling")
        self.assertEqual(self.attack("git_top_directory.sh"), "")
        self.assertEqual(self.attack("git_stores.sh"), "")
        self.bob_pushes("delta", 27018)
        self.ctl("reconcile")
        self.assert_running("delta")
        self.assertFalse(self.exists(f"{MARKER}.bob"))
        self.assertFalse(self.exists(f"{MARKER}.root"))
