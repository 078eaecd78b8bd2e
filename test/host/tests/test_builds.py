"""left4me-build@NAME.service: builds that are started and stopped by the helper and outlive the daemon."""

import json

from testhosts.case import STATE, HostTest

SOURCE = "/srv/left4dead2/big"


class Builds(HostTest):
    def request(self, name: str, path: str = SOURCE, root: str = "/srv/left4dead2") -> None:
        """Requests a build like left4me."""
        directory = f"{STATE}/overlays/{name}/.build"
        self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", "mkdir", "-p", "-m", "0750", directory)
        text = json.dumps({"directory": {"path": path, "root": root, "maxBytes": 1 << 40, "maxEntries": 300000}})
        self.write(f"{directory}/request", text)

    def helper(self, method: str, name: str):
        return self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", "busctl", "call",
                           "org.left4me.Helper1", "/org/left4me/Helper1", "org.left4me.Helper1", method, "as", "1", name)  # fmt: skip

    def start(self, name: str) -> None:
        """The helper replies when the job is queued; the build may not have begun yet."""
        before = self.record(name).get("invocation")
        self.helper("StartBuild", name)
        self.until("the build has begun", lambda: not self.ended(name) or self.record(name).get("invocation") != before)

    def unit(self, name: str) -> dict[str, str]:
        shown = self.run_in("systemctl", "show", f"left4me-build@{name}.service").stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def record(self, name: str) -> dict:
        done = self.run_in("cat", f"{STATE}/overlays/{name}/.build/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def ended(self, name: str) -> bool:
        return self.unit(name)["ActiveState"] in ("inactive", "failed")

    def fill(self, files: int, kib: int) -> None:
        self.run_in("sh", "-c", f"mkdir -p {SOURCE}/left4dead2/addons && cd {SOURCE}/left4dead2/addons && "
                    f"for i in $(seq {files}); do head -c {kib}K /dev/urandom >$i.vpk; done")  # fmt: skip

    def assert_built(self, name: str) -> str:
        self.until("the build has ended", lambda: self.ended(name), 120)
        record = self.record(name)
        self.assertNotIn("failure", record, self.run_in("journalctl", "-u", f"left4me-build@{name}.service").stdout)
        artifact = f"{STATE}/overlays/{name}/{record['artifact']['digest']}"
        self.run_in("diff", "-r", SOURCE, artifact)
        self.assertEqual(self.run_in("ls", "-A", f"{STATE}/overlays/{name}/.build").stdout.split(), ["record", "request"])
        return artifact

    def test_a_build_is_started_by_the_helper_and_ends_in_an_artifact_that_only_the_game_may_change(self):
        self.fill(20, 100)
        self.request("big")
        self.start("big")
        artifact = self.assert_built("big")
        owned = self.run_in("stat", "-c", "%U:%G %a", artifact, f"{artifact}/left4dead2/addons/1.vpk").stdout.split("\n")
        self.assertEqual(owned[:2], ["left4me:left4me-server 2775", "left4me-server:left4me 644"])
        self.assertIn("built", self.run_in("journalctl", "-u", "left4me-build@big.service").stdout)
        self.run_in("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "ls", artifact, expect=2)

    def test_a_stopped_build_is_not_a_failure_and_continues_where_it_was(self):
        self.fill(600, 400)
        self.request("big")
        self.start("big")
        journal = f"{STATE}/overlays/big/.build/journal"
        self.until("something is copied", lambda: self.run_in("sh", "-c", f"test $(stat -c %s {journal}) -gt 200", expect=None).returncode == 0)
        self.helper("StopBuild", "big")
        self.until("the build has stopped", lambda: self.ended("big"))
        self.assertEqual(self.unit("big")["ActiveState"], "inactive")
        self.assertNotIn("failure", self.record("big"))
        if not self.record("big").get("artifact"):
            kept = self.run_in("ls", f"{STATE}/overlays/big/.build/tree/left4dead2/addons").stdout.split()
            inode = self.run_in("stat", "-c", "%i", f"{STATE}/overlays/big/.build/tree/left4dead2/addons/{kept[0]}").stdout
            self.start("big")
            artifact = self.assert_built("big")
            self.assertEqual(self.run_in("stat", "-c", "%i", f"{artifact}/left4dead2/addons/{kept[0]}").stdout, inode)

    def test_a_build_that_is_killed_repeatedly_reports_it_and_ends_in_the_right_artifact(self):
        self.fill(300, 200)
        self.request("big")
        for kill in range(20):
            self.start("big")
            # Only the build, not ExecStopPost=, which records that it was killed.
            self.run_in("sh", "-c", f"sleep 0.{kill * 7 % 40:02}; systemctl kill --kill-whom=main -s KILL left4me-build@big.service",
                        expect=None)  # fmt: skip
            self.until("the build has ended", lambda: self.ended("big"))
            record = self.record("big")
            if self.unit("big")["ActiveState"] == "failed":
                self.assertEqual(record["failure"]["reason"], "Killed")
                self.assertGreaterEqual(record["failure"]["failures"], 1)
        self.start("big")
        self.assert_built("big")

    def test_a_full_disk_fails_the_build_and_the_space_is_freed(self):
        self.fill(60, 200)
        self.run_in("mount", "-t", "tmpfs", "-o", "size=4m,mode=2750,uid=left4me,gid=left4me-server", "tmpfs", f"{STATE}/overlays")
        self.request("big")
        self.start("big")
        self.until("the build has failed", lambda: self.unit("big")["ActiveState"] == "failed")
        self.assertEqual(self.record("big")["failure"]["reason"], "NoSpace")
        self.assertIn("No space left", self.run_in("journalctl", "-u", "left4me-build@big.service").stdout)
        self.assertFalse(self.exists(f"{STATE}/overlays/big/.build/tree"))
        self.run_in("mount", "-o", "remount,size=40m", f"{STATE}/overlays")
        self.start("big")
        self.assert_built("big")
