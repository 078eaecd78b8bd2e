"""The lock file: what moves upstream is pinned, on all hosts that have the file."""

import json
import time

from testhosts.case import STATE, server
from testhosts.site import SteamTest

LOCK = "/etc/left4me/manifests/left4me.lock"
REPOSITORY = "/srv/left4me/git/pack.git"


class Lock(SteamTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_in("git", "init", "-q", "--bare", "-b", "main", REPOSITORY)
        self.first = self.commit("sv_maxrate 1")
        self.publish({"11": "the first", "22": "the second"})

    def commit(self, text: str) -> str:
        identity = "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org"
        return self.run_in("sh", "-ec",
            f"{identity}; rm -rf /srv/work; git clone -q {REPOSITORY} /srv/work 2>/dev/null; mkdir -p /srv/work/cfg; cd /srv/work; "
            f"echo '{text}' >cfg/rework.cfg; git add -A; git commit -qm x; git push -q origin HEAD:main; git rev-parse HEAD"
        ).stdout.strip()  # fmt: skip

    def manifests(self) -> str:
        return (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: items}\n"
            'spec: {source: {workshop: {collections: ["100"]}}}\n'
            "---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: pack}\n"
            f"spec: {{source: {{git: {{url: {REPOSITORY}, ref: main, into: left4dead2}}}}}}\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: modded}\n"
            'spec: {overlays: [items, pack], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "modded", more="rollout: {policy: Immediate}")
        )

    def overlay(self, name: str) -> dict:
        return json.loads(self.ctl("get", "overlay", name, "-o", "json").stdout)

    def is_built(self, name: str) -> bool:
        shown = self.overlay(name)
        return shown["build"]["state"] == "Built" and shown["built"]

    def start(self) -> None:
        self.apply(self.manifests())
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        for name in ("items", "pack"):
            self.until(f"{name} is built", lambda name=name: self.is_built(name), 60)

    def test_what_runs_is_pinned_without_building_and_what_moves_is_listed_and_taken_when_asked(self):
        self.start()
        before = {name: self.overlay(name) for name in ("items", "pack")}
        record = self.run_in("cat", f"{STATE}/overlays/items/.build/record").stdout
        self.assertIsNone(before["pack"]["pin"])
        self.assertEqual(before["items"]["builtFrom"], "2 items")
        self.assertEqual(self.ctl("lock", "--check").stdout, "")
        self.assertIn(f"commit {self.first[:12]}", self.ctl("explain-path", "alpha", "left4dead2/cfg/rework.cfg").stdout)

        # What runs, without a build or a restart; nobody is asked.
        pinned = self.ctl("lock", "--built").stdout
        self.assertIn(f"overlay/pack pinned: commit {self.first[:12]}", pinned)
        self.assertIn("overlay/items pinned: 2 items", pinned)
        self.assertIn(self.first, self.run_in("cat", LOCK).stdout)
        self.assertEqual(self.run_in("cat", f"{STATE}/overlays/items/.build/record").stdout, record)
        self.assertEqual(self.overlay("items")["artifact"], before["items"]["artifact"])
        self.assertIn("overlay/items unchanged", self.ctl("lock", "--built").stdout)
        self.converge()

        # What moves is not taken by itself.
        second = self.commit("sv_maxrate 2")
        self.publish({"11": "the first", "22": "THE SECOND", "33": "the third"}, updated=1700000001)
        self.converge()
        checked = json.loads(self.ctl("lock", "--check", "-o", "json", expect=1).stdout)["overlays"]
        self.assertEqual({one["overlay"]: one["moved"] for one in checked}, {"items": True, "pack": True})
        self.assertEqual(checked[1]["changes"], [{"input": "commit", "before": self.first, "after": second}])
        self.assertEqual([change["input"] for change in checked[0]["changes"]], ["11", "22", "33"])
        self.assertRegex(self.ctl("get", "overlays", "-o", "wide").stdout, r"pack .* moved ")
        self.assertIn("commit moved to", self.ctl("describe", "overlay", "pack").stdout)
        self.assertIn("note: overlay/pack: commit moved to", self.ctl("diff").stderr)
        self.assertEqual(self.overlay("pack")["revision"], self.first)
        self.converge()

        # Of one overlay: the other pin stays.
        taken = self.ctl("lock", "pack").stdout
        self.assertIn(second, taken)
        self.until("it is built from the newer commit", lambda: self.overlay("pack")["revision"] == second and self.is_built("pack"), 60)
        self.assertEqual(self.overlay("items")["artifact"], before["items"]["artifact"])
        self.assertIn("1700000000", self.run_in("cat", LOCK).stdout)
        self.ctl("lock")
        self.until("all items are built", lambda: self.is_built("items") and self.overlay("items")["builtFrom"] == "3 items", 60)
        self.assertEqual(self.ctl("lock", "--check").stdout, "")
        # The digests of what was fetched since, and nothing else.
        record = self.run_in("cat", f"{STATE}/overlays/items/.build/record").stdout
        self.assertNotIn("sha256", self.run_in("grep", "1700000001", LOCK).stdout)
        self.ctl("lock")
        self.assertIn("sha256", self.run_in("grep", "1700000001", LOCK).stdout)
        self.assertEqual(self.run_in("cat", f"{STATE}/overlays/items/.build/record").stdout, record)
        self.converge()

    def test_several_who_ask_at_once_are_all_answered(self):
        self.start()
        self.ctl("lock", "--built")
        second = self.commit("sv_maxrate 2")
        said = self.run_in("sh", "-c", "for n in 1 2 3 4 5 6; do (l4d2ctl lock --check overlay/pack -o json 2>&1; echo exit=$?) >/run/asked.$n & done; "
                           "wait; cat /run/asked.*").stdout  # fmt: skip
        self.assertEqual(said.count("exit=1"), 6, said)
        self.assertEqual(said.count(second), 6, said)

    def test_two_hosts_with_the_same_lock_build_equal_artifacts(self):
        self.start()
        self.ctl("lock", "--built")
        first = {name: self.overlay(name)["artifact"] for name in ("items", "pack")}
        # Another host: nothing of these overlays is there, and upstream has more by now.
        self.commit("sv_maxrate 2")
        self.publish({"33": "the third", "22": "the second", "11": "the first"})
        lock = self.run_in("cat", LOCK).stdout
        self.ctl("delete", "alpha")
        self.run_in("rm", "-rf", f"{STATE}/overlays/items", f"{STATE}/overlays/pack")
        self.write(LOCK, lock)
        self.run_in("chown", "left4me:", LOCK)
        self.start()
        self.assertEqual({name: self.overlay(name)["artifact"] for name in first}, first)
        self.assertEqual(self.run_in("ls", f"{STATE}/overlays/items/{first['items']}/left4dead2/addons").stdout.split(), ["11.vpk", "22.vpk"])

        # Where the pinned version cannot be had any more, the last artifact stays.
        self.publish({"11": "the first", "22": "THE SECOND"}, updated=1700000001)
        self.run_in("sh", "-c", f"sed -i 's/1700000000/1600000000/' {LOCK}")
        self.ctl("reconcile", expect=None)
        self.until("it is refused", lambda: self.overlay("items")["build"]["state"] == "Failed", 60)
        message = self.overlay("items")["build"]["failure"]["message"]
        self.assertIn("left4me.lock pins the one of 1600000000", message)
        self.assertIn("sudo l4d2ctl lock", message)
        self.assertEqual(self.overlay("items")["artifact"], first["items"])
        self.assertEqual(self.properties("alpha")["ActiveState"], "active")

    def test_a_lock_file_that_is_wrong_is_named_and_one_that_is_stale_is_ignored(self):
        self.start()
        self.ctl("lock", "--built")
        self.run_in("sh", "-c", f"echo 'overlay: x' >>{LOCK}")
        wrong = self.ctl("reconcile", expect=3)
        self.assertRegex(wrong.stdout + wrong.stderr, r"left4me\.lock:\d+:1: unknown field 'overlay'; did you mean 'overlays'\?")
        self.assertIn("left4me.lock", self.ctl("lock", "--check", expect=3).stderr)
        self.run_in("sed", "-i", "/^overlay: x/d", LOCK)
        self.converge()
        self.apply(self.manifests().replace("ref: main, ", ""))
        self.assertIn("the pin of overlay/pack is not used: it is of another source", self.ctl("diff", expect=None).stderr)
        self.assertIn("overlay/pack", self.ctl("validate", "-f", "/etc/left4me/manifests").stderr)
        self.assertIsNone(self.overlay("pack")["pin"])
        self.assertIn("there is no overlay or installation nothing", self.ctl("lock", "--check", "nothing", expect=4).stderr)
        self.assertIn("installation/pack is not there", self.ctl("lock", "--check", "installation/pack", expect=4).stderr)
        self.ctl("lock", "pack")
        self.assertEqual(self.overlay("pack")["pin"], f"commit {self.first[:12]}")
        # One that cannot be asked does not keep the others from being pinned.
        self.run_in("mv", REPOSITORY, f"{REPOSITORY}.away")
        failed = self.ctl("lock", expect=5)
        self.assertIn("overlay/pack: ", failed.stderr)
        self.assertIn("overlay/items", failed.stdout)

    def test_with_a_git_source_the_lock_is_a_commit_and_a_daemon_builds_it(self):
        self.write("/etc/left4me/config.yaml", "source: {git: {}}\ndownloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.ctl("init-repo")
        self.run_in("systemctl", "start", "left4me")
        self.start()
        self.ctl("lock")
        repository = f"{STATE}/manifests.git"
        show = ("git", "-c", f"safe.directory={repository}", "-C", repository)
        self.assertIn(self.first, self.run_in(*show, "show", "main:left4me.lock").stdout)
        self.assertRegex(self.run_in(*show, "log", "-1", "--format=%s", "main").stdout, "^lock overlay/items, and 1 more")
        second = self.commit("sv_maxrate 2")
        self.ctl("lock", "--check", expect=1)
        self.ctl("lock", "pack")
        self.until("the daemon builds it", lambda: self.overlay("pack")["revision"] == second and self.is_built("pack"), 60)

    # -- refresh ------------------------------------------------------------------------------------------------

    def ask_for_refresh(self, when: str) -> None:
        """Of the overlay `pack`."""
        self.apply(self.manifests().replace("into: left4dead2}}}", f'into: left4dead2}}}}, refresh: "{when}"}}'))

    def be_off_for_days(self, days: int) -> None:
        """All that left4me remembers of it is when it has refreshed last."""
        path = f"{STATE}/state/status.json"
        status = json.loads(self.run_in("cat", path).stdout)
        for refreshed in status["refreshes"].values():
            refreshed["at"] = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - days * 86400))
        self.write(path, json.dumps(status))

    def pinned(self) -> str:
        return self.overlay("pack")["pin"]

    def refreshes(self) -> list[str]:
        """What has been told of them."""
        told = [json.loads(line) for line in self.ctl("events", "-o", "json").stdout.splitlines()]
        return [one["reason"] for one in told if one["subject"] == "overlay/pack" and "efresh" in one["reason"]]

    def has_in_game(self, text: str) -> bool:
        return text in self.run_in("cat", f"{STATE}/runtime/alpha/merged/left4dead2/cfg/rework.cfg", expect=None).stdout

    def test_at_its_time_the_daemon_takes_what_upstream_has_and_after_a_time_off_it_makes_up_for_that_once(self):
        self.run_in("systemctl", "start", "left4me")
        self.start()
        self.ctl("lock")
        second = self.commit("sv_maxrate 2")
        # A minute that begins after everything is set up.
        now = int(self.run_in("date", "+%s").stdout)
        self.ask_for_refresh(self.run_in("date", "-d", f"@{now + 110}", "+%H:%M").stdout.strip())
        self.assertRegex(self.ctl("describe", "overlay", "pack").stdout, r"Refresh +\d\d:\d\d; next at \d\d:\d\d")
        self.assertEqual(self.pinned(), f"commit {self.first[:12]}")
        self.assertEqual(self.refreshes(), [])
        self.until("the pin has moved", lambda: self.pinned() == f"commit {second[:12]}", 150)
        self.until("it is built", lambda: self.overlay("pack")["revision"] == second and self.is_built("pack"), 60)
        self.until("it is told of", lambda: self.refreshes() == ["Refreshed"])
        self.until("the server has it", lambda: self.has_in_game("sv_maxrate 2"))

        # A restart is no reason to do it again; a time that was missed is.
        self.run_in("systemctl", "stop", "left4me")
        third = self.commit("sv_maxrate 3")
        self.run_in("systemctl", "start", "left4me")
        self.converge()
        self.assertEqual(self.pinned(), f"commit {second[:12]}")
        self.run_in("systemctl", "stop", "left4me")
        self.be_off_for_days(3)
        self.run_in("systemctl", "start", "left4me")
        self.until("the pin has moved", lambda: self.pinned() == f"commit {third[:12]}")
        self.until("it is told of", lambda: self.refreshes() == ["Refreshed", "Refreshed"])
        self.until("the server has it", lambda: self.has_in_game("sv_maxrate 3") and self.properties("alpha")["ActiveState"] == "active", 60)
        self.assertGreater(self.overlay("pack")["refresh"]["next"], self.overlay("pack")["refresh"]["since"])

        # What cannot be asked is asked again later, and says so; nothing else notices.
        life = self.life("alpha")
        self.run_in("systemctl", "stop", "left4me")
        self.be_off_for_days(3)
        self.run_in("mv", REPOSITORY, f"{REPOSITORY}.away")
        self.run_in("systemctl", "start", "left4me")
        self.until("it has failed", lambda: self.overlay("pack")["refresh"]["failures"] > 0)
        self.until("that is told", lambda: "RefreshFailed" in self.refreshes())
        self.until("a plan says so", lambda: "its refresh of " in self.ctl("diff", expect=None).stdout)
        self.assertIn("pack.git", self.ctl("logs", "overlay/pack").stdout)
        self.assertEqual(self.pinned(), f"commit {third[:12]}")
        self.run_in("mv", f"{REPOSITORY}.away", REPOSITORY)
        self.until("it is made up for", lambda: self.refreshes()[-1] == "Refreshed", 60)
        self.assertEqual(self.life("alpha"), life)

    def test_without_a_daemon_the_timer_refreshes_and_in_a_repository_it_is_a_commit_of_left4me(self):
        self.write("/etc/left4me/config.yaml", "source: {git: {}}\ndownloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.ctl("init-repo")
        self.start()
        self.ctl("lock")
        second = self.commit("sv_maxrate 2")
        self.ask_for_refresh("Mon..Sun 04:00")
        self.ctl("reconcile")
        self.be_off_for_days(2)
        self.run_in("systemctl", "start", "left4me-reconcile.service")
        self.assertEqual(self.pinned(), f"commit {second[:12]}")
        repository = f"{STATE}/manifests.git"
        last = self.run_in("git", "-c", f"safe.directory={repository}", "-C", repository, "log", "-1", "--format=%ae %s", "main").stdout
        self.assertRegex(last, "^left4me@.* lock overlay/pack")
        self.run_in("systemctl", "start", "left4me-reconcile.service")
        self.until("it is built", lambda: self.overlay("pack")["revision"] == second and self.is_built("pack"))
        self.assertEqual(self.refreshes(), ["Refreshed"])
