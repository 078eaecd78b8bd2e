"""Overlays whose source is a git repository: on a server over https in the host, and on the host itself."""

import json

from testhosts.case import STATE, TOOLS, HostTest, server

PORT = 8444
UNIT = "left4me-build@pack.service"
BUILD = f"{STATE}/overlays/pack/.build"
REPOSITORY = "/srv/left4me/git/pack.git"


class GitOverlays(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", "downloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.git(f"git init -q --bare -b main {REPOSITORY}; git clone -q {REPOSITORY} /srv/work 2>/dev/null")
        self.first = self.commit("sv_maxrate 1")

    def git(self, script: str) -> str:
        identity = "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org"
        return self.run_in("sh", "-ec", f"{identity}; {script}").stdout.strip()

    def commit(self, text: str) -> str:
        return self.git(
            "mkdir -p /srv/work/cfg /srv/work/.github && cd /srv/work && "
            f"echo '{text}' >cfg/rework.cfg && echo read >README.md && echo ci >.github/ci.yml && echo x >run.sh && chmod +x run.sh && "
            "git add -A && git commit -qm x && git push -q origin HEAD:main && git rev-parse HEAD"
        )

    def serve(self) -> None:
        """git's own server, whose certificate the host trusts."""
        self.run_in("rm", "-f", "/run/git.pem")
        self.run_in("systemd-run", "--collect", "--unit=git-server", f"{TOOLS}/https_git", "/srv/left4me/git", str(PORT), "/run/git.pem")
        self.until("the server serves", lambda: self.exists("/run/git.pem"))
        self.run_in("sh", "-c", "mkdir -p /etc/ssl/certs && cat /run/git.pem >>/etc/ssl/certs/ca-certificates.crt")

    def manifests(self, url: str, ref: str) -> str:
        return (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: pack}\nspec:\n  source:\n    git:\n"
            f"      url: {url}\n      ref: {ref}\n      into: left4dead2\n      exclude: ['*.md', .github]\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: packed}\n"
            'spec: {overlays: [pack], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "packed")
        )

    def put(self, manifests: str) -> None:
        """Changes the manifests, whatever comes of it."""
        self.write("/etc/left4me/manifests/pack.yaml", manifests)
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")
        self.ctl("reconcile", expect=None)

    def record(self) -> dict:
        done = self.run_in("cat", f"{BUILD}/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def overlay(self) -> dict:
        return json.loads(self.ctl("get", "overlay", "pack", "-o", "json").stdout)

    def built_from(self, commit: str) -> bool:
        shown = self.overlay()
        return shown["build"]["state"] == "Built" and shown.get("revision") == commit

    def config(self) -> str:
        return self.run_in("cat", f"{STATE}/runtime/alpha/merged/left4dead2/cfg/rework.cfg").stdout

    def test_a_server_runs_with_a_commit_from_a_git_server(self):
        self.serve()
        url = f"https://127.0.0.1:{PORT}/pack.git"
        self.apply(self.manifests(url, "main"))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        game = f"{STATE}/runtime/alpha/merged/left4dead2"
        self.assertEqual(self.config(), "sv_maxrate 1\n")
        self.run_in("test", "-x", f"{game}/run.sh")
        for left_out in ("README.md", ".github", ".git"):
            self.assertFalse(self.exists(f"{game}/{left_out}"), left_out)
        self.until("it is built", lambda: self.built_from(self.first))
        self.assertEqual(self.overlay()["source"]["git"]["ref"], "main")
        described = self.ctl("describe", "overlay", "pack").stdout
        self.assertIn(f"git {url} main", described)
        self.assertRegex(described, f"Built from +{self.first}")
        self.assertEqual(self.run_in("ls", "-A", BUILD).stdout.split(), ["pin", "record", "request"])
        # A branch that moves is not fetched again; another ref is.
        second = self.commit("sv_maxrate 2")
        before = self.record()
        self.converge()
        self.assertEqual(self.record(), before)
        self.apply(self.manifests(url, second))
        self.until("the other commit is built", lambda: self.built_from(second), 60)
        self.ctl("restart", "alpha")
        self.until("the server runs with it", lambda: self.config() == "sv_maxrate 2\n", 60)

    def test_a_repository_of_the_host_is_read_in_one_of_the_overlay_roots_only(self):
        self.apply(self.manifests(REPOSITORY, "main"))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        self.assertEqual(self.config(), "sv_maxrate 1\n")
        self.until("it is built", lambda: self.built_from(self.first))
        self.run_in("cp", "-r", REPOSITORY, "/opt/pack.git")
        self.write("/root/outside.yaml", self.manifests("/opt/pack.git", "main"))
        refused = self.ctl("validate", "-f", "/root/outside.yaml", expect=3)
        self.assertIn("is outside the overlay roots of this host", refused.stdout + refused.stderr)

    def test_a_commit_that_may_not_become_an_overlay_is_named_and_the_server_keeps_the_last_one(self):
        self.serve()
        url = f"https://127.0.0.1:{PORT}/pack.git"
        self.put(self.manifests(url, self.first))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        hostile = self.git("cd /srv/work && ln -s /etc/shadow cfg/shadow.cfg && git add -A && git commit -qm y && "
                           "git push -q origin HEAD:main && git rev-parse HEAD")  # fmt: skip
        self.put(self.manifests(url, hostile))
        self.until("it is refused", lambda: "failure" in self.record(), 60)
        self.assertIn("cfg/shadow.cfg", self.record()["failure"]["message"])
        self.assertIn("symlink", self.ctl("describe", "overlay", "pack").stdout)
        self.assertEqual(self.config(), "sv_maxrate 1\n")
