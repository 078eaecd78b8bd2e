"""Artifacts that stay: rolled back to, pruned, shared, and never changed beneath a running server."""

import json
import os
import time

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, DaemonTest, HostTest, server

MAPS = "/srv/left4dead2/maps/left4dead2/addons"
# docs/benchmarks.md has the result of 1000.
UPDATES = int(os.environ.get("LEFT4ME_UPDATES", "100"))


class Artifacts(HostTest):
    """The overlay `maps` of the community: a directory, which alpha and gamma have."""

    def overlay(self, name: str = "maps") -> dict:
        return json.loads(self.ctl("get", "overlay", name, "-o", "json").stdout)

    def artifact(self) -> str:
        """What the source asks for, once it is built."""
        self.until("it is built", lambda: self.overlay()["built"], 60)
        return self.overlay()["generation"]

    def on_host(self, name: str = "maps") -> list[str]:
        return [name for name in self.run_in("ls", f"{STATE}/overlays/{name}").stdout.split() if len(name) == 16]

    def mounted(self, name: str) -> str:
        """The artifact of maps that the server runs with."""
        layers = [layer for mount in self.mounts(name) for layer in mount if layer.startswith("overlays/maps/")]
        return layers[0].rpartition("/")[2] if layers else ""

    def change(self, text: str) -> str:
        self.write(f"{MAPS}/dark.vpk", text)
        self.ctl("reconcile", expect=None)
        return self.artifact()

    def events(self, subject: str) -> list[tuple[str, str]]:
        told = [json.loads(line) for line in self.ctl("events", "-o", "json").stdout.splitlines()]
        return [(one["reason"], one["actor"]) for one in told if one["subject"] == subject]

    def verdicts(self) -> tuple[dict, dict]:
        said = json.loads(self.ctl("gc", "--dry-run", "-o", "json").stdout)
        self.assertTrue(said["dryRun"])
        return {one["path"]: one for one in said["goes"]}, {one["path"]: one for one in said["stays"]}


class WithoutDaemon(Artifacts):
    def setUp(self) -> None:
        super().setUp()
        more = {"alpha": "rollout: {policy: Immediate}", "gamma": "rollout: {policy: WhenEmpty}"}
        manifests = COMMUNITY
        for name, rollout in more.items():
            manifests = manifests.replace(f"port: {SERVERS[name]}}}", f"port: {SERVERS[name]}, {rollout}}}")
        self.manifests = manifests
        self.apply(manifests)
        self.assert_converged()
        self.first = self.artifact()

    def test_a_rollback_follows_the_rollout_holds_through_new_builds_and_ends_when_it_is_resumed(self):
        second = self.change("another map")
        self.assertEqual((self.mounted("alpha"), self.mounted("gamma")), (second, self.first))  # nobody knows who plays
        gamma = self.life("gamma")
        self.ctl("rollback", "overlay/maps", self.first[:6], "--reason", "it crashes")
        self.assertEqual(self.mounted("alpha"), self.first)
        self.assert_running("alpha", SERVERS["alpha"])
        self.assertEqual(self.life("gamma"), gamma, "it had the old one all the time")

        third = self.change("a third map")
        self.assertEqual(self.mounted("alpha"), self.first)
        self.assertIn(third, self.on_host())
        said = self.ctl("diff", expect=1).stdout
        self.assertIn(f"rolled back to artifact {self.first[:4]} by root: it crashes", said)
        self.assertEqual(self.overlay()["rolledBack"]["artifact"], self.first)
        self.assertEqual(self.overlay()["artifact"], self.first)
        self.assertIn("rolled back", self.ctl("get", "overlays").stdout)
        self.assertIn("it crashes", self.ctl("describe", "overlay", "maps").stdout)
        self.assertIn("overlay/maps rolled back", self.ctl("status").stdout)
        self.assertIn(("RolledBack", "root"), self.events("overlay/maps"))
        self.run_in("systemctl", "stop", "left4me-server@alpha")
        self.ctl("reconcile")
        self.assertEqual(self.mounted("alpha"), self.first)

        self.ctl("resume", "overlay/maps")
        self.assertEqual(self.mounted("alpha"), third)
        self.assertEqual(self.life("gamma"), gamma, "it waits for its players again")
        self.assertIn(("Resumed", "root"), self.events("overlay/maps"))
        self.assertIn("is not rolled back", self.ctl("resume", "overlay/maps").stdout)

    def test_without_a_digest_each_rollback_goes_one_further_back_and_mistakes_say_what_is_there(self):
        second = self.change("another map")
        third = self.change("a third map")
        self.ctl("rollback", "overlay/maps")
        self.assertEqual(self.mounted("alpha"), second)
        self.ctl("rollback", "overlay/maps")
        self.assertEqual(self.mounted("alpha"), self.first)
        refused = self.ctl("rollback", "overlay/maps", expect=4).stderr
        for digest in (self.first, second, third):
            self.assertIn(digest, refused)
        self.assertIn(third, self.ctl("rollback", "overlay/maps", "0000000000000000", expect=4).stderr)
        self.ctl("rollback", "overlay/maps", "xyz", expect=2)
        self.ctl("rollback", "overlay/nobody", expect=4)
        self.assertIn("installation/maps is not there", self.ctl("rollback", "installation/maps", expect=4).stderr)
        self.assertIn("installation/maps is not rolled back", self.ctl("resume", "installation/maps").stdout)
        self.ctl("rollback", "server/alpha", expect=2)
        self.assertEqual(self.mounted("alpha"), self.first)
        self.ctl("resume", "overlay/maps", "alpha", expect=2)

    def test_the_last_artifacts_stay_and_gc_says_why(self):
        artifacts = [self.first, *(self.change(f"map {number}") for number in range(4))]
        # gamma runs with the first; the last three stay.
        self.assertEqual(set(self.on_host()), {artifacts[0], *artifacts[2:]})
        _, stays = self.verdicts()
        keeps = {path.rpartition("/")[2]: [one["reason"] for one in verdict["keeps"]] for path, verdict in stays.items()}
        self.assertEqual(keeps[artifacts[0]], ["Mounted"])
        self.assertEqual(keeps[artifacts[2]], ["Recent"])
        self.assertIn("Source", keeps[artifacts[4]])
        self.write("/etc/left4me/config.yaml", "limits: {keepArtifacts: 1}\n")
        goes, _ = self.verdicts()
        self.assertEqual(set(goes), {f"overlays/maps/{digest}" for digest in artifacts[2:4]})
        self.assertGreater(goes[f"overlays/maps/{artifacts[2]}"]["bytes"], 0)
        said = self.ctl("gc", "--dry-run").stdout
        self.assertIn("2 of", said)
        self.assertIn("server/gamma runs with it", said)
        self.assertEqual(set(self.on_host()), {artifacts[0], *artifacts[2:]})
        removed = json.loads(self.ctl("gc", "-o", "json").stdout)
        self.assertTrue(all(one["removed"] for one in removed["goes"]))
        self.assertEqual(set(self.on_host()), {artifacts[0], artifacts[4]})
        self.assertIn("0 of", self.ctl("gc").stdout)

    def test_versions_of_an_overlay_share_what_they_have_in_common(self):
        self.run_in("sh", "-c", f"head -c 20M /dev/urandom >{MAPS}/large.vpk")
        self.change("a large map beside it")
        before = self.overlay()["artifacts"][0]
        self.assertGreater(before["bytes"], 20_000_000)
        second = self.change("another map")
        now = self.overlay()["artifacts"][0]
        self.assertEqual(now["artifact"], second)
        self.assertGreater(now["sharedBytes"], 20_000_000)
        self.run_in("diff", "-r", "/srv/left4dead2/maps", f"{STATE}/overlays/maps/{second}")
        taken = int(self.run_in("du", "-s", "--block-size=1", f"{STATE}/overlays/maps").stdout.split()[0])
        self.assertLess(taken, 30_000_000)
        self.assertRegex(self.ctl("get", "overlays", "-o", "wide").stdout, r"maps .* 20\.0 MiB +20\.0 MiB ")

    def test_an_item_that_two_overlays_have_is_stored_once_and_no_build_can_write_to_it(self):
        item = "/srv/left4dead2/more/left4dead2/addons/698857882.vpk"
        self.run_in("sh", "-c", f"head -c 20M /dev/urandom >{MAPS}/large.vpk; mkdir -p $(dirname {item}); cp {MAPS}/large.vpk {item}")
        more = "---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: more}\nspec: {source: {directory: /srv/left4dead2/more}}\n"
        both = self.manifests.replace("overlays: [rates, maps]", "overlays: [rates, maps, more]")
        self.apply(both + more)
        self.ctl("reconcile", expect=None)
        self.artifact()
        self.until("more is built", lambda: self.overlay("more")["built"], 60)
        shared = [self.overlay(name)["artifacts"][0]["sharedBytes"] for name in ("maps", "more")]
        self.assertGreater(max(shared), 20_000_000, "of whichever was built last")
        taken = int(self.run_in("du", "-s", "--block-size=1", f"{STATE}/overlays").stdout.split()[0])
        self.assertLess(taken, 30_000_000)

        self.until("alpha has both", lambda: any("overlays/more/" in layer for mount in self.mounts("alpha") for layer in mount))
        sealed = f"{STATE}/overlays/more/{self.overlay('more')['generation']}/left4dead2/addons/698857882.vpk"
        self.assertEqual(self.run_in("stat", "-c", "%U %G %a", sealed).stdout, "left4me-server left4me 644\n")
        digest = self.run_in("sha256sum", "--", sealed).stdout
        for attempt in (f"echo x >>{sealed}", f"truncate -s 0 {sealed}", f"chmod 666 {sealed}", f"ln {sealed} {STATE}/overlays/maps/.build/mine"):
            self.run_in("runuser", "-u", "left4me", "--", "sh", "-c", f"{attempt} && exit 9; exit 0")
        self.assertEqual(self.run_in("sha256sum", "--", sealed).stdout, digest)
        # The game writes to a copy of its own.
        merged = f"{STATE}/runtime/alpha/merged/left4dead2/addons"
        self.run_in("runuser", "-u", "left4me-server", "--", "sh", "-c", f"echo x >>{merged}/698857882.vpk")
        self.assertEqual(self.run_in("stat", "-c", "%s", f"{merged}/698857882.vpk", f"{merged}/large.vpk").stdout.split(), ["20971522", "20971520"])
        self.assertEqual(self.run_in("sha256sum", "--", sealed).stdout, digest)


class Churn(Artifacts, DaemonTest):
    def layers(self, name: str) -> list[str]:
        return [layer for layer in self.mounts(name)[0] if layer.startswith("overlays/")]

    def test_nothing_that_is_mounted_changes_through_many_updates_and_collections(self):
        self.write("/etc/left4me/config.yaml", "limits: {keepArtifacts: 1}\n")
        self.run_in("systemctl", "reload", "left4me.service")
        more = server("delta", 27018, blueprint="modded", more="rollout: {policy: Immediate}")
        layers = self.layers("alpha")
        self.assertEqual(len(layers), 2)
        digest = f"cd {STATE} && find {' '.join(layers)} -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum"
        before = self.run_in("sh", "-c", digest).stdout
        self.write("/srv/template.yaml", COMMUNITY + more)
        self.write(
            "/srv/update",
            f"for i in $(seq {UPDATES}); do test $((i % 10)) != 0 || echo $i >{MAPS}/$((i % 3)).vpk\nsed \"s/100000/$i/\" /srv/template.yaml >{MANIFESTS}/.next\n"
            f"mv {MANIFESTS}/.next {MANIFESTS}/community.yaml\nl4d2ctl reconcile; done; touch /srv/updated\n",
        )
        collect = "n=0; while ! test -e /srv/updated; do l4d2ctl gc >>/srv/collect.log 2>&1; n=$((n + 1)); done; echo $n\n"
        self.write("/srv/collect", collect)
        self.run_in("sh", "-c", "sh /srv/update >/srv/update.log 2>&1 & sh /srv/collect >/srv/collected 2>&1 &")
        looks = 0
        began = time.monotonic()
        while not self.exists("/srv/updated"):
            self.assertEqual(self.run_in("sh", "-c", digest).stdout, before)
            looks += 1
        self.assertGreater(looks, 10)
        self.until("the last collection has ended", lambda: self.run_in("cat", "/srv/collected").stdout.strip())
        collections = int(self.run_in("cat", "/srv/collected").stdout)
        print(f"{UPDATES} updates and {collections} collections in {time.monotonic() - began:.0f} s; hashed {looks} times meanwhile", flush=True)
        self.assertGreater(collections, 10)
        self.assertEqual(self.run_in("sh", "-c", digest).stdout, before)
        self.assertEqual(self.layers("alpha"), layers)
        self.bystanders_live_on()
        self.until("the artifact of the last update is built", lambda: self.overlay()["built"], 60)
        # It was restarted for each: systemd may have had enough of it for a while.
        self.until("delta runs", lambda: self.mounts("delta") and self.properties("delta")["ActiveState"] == "active", 180)
        for name in ("rates", "maps"):
            mounted = {layer for one in ("alpha", "gamma", "delta") for layer in self.layers(one) if f"/{name}/" in layer}
            there = {f"overlays/{name}/{digest}" for digest in self.on_host(name)}
            self.assertTrue(mounted <= there)
            self.ctl("gc", expect=None)
            self.until(f"nothing else of {name} is left", lambda: len(self.on_host(name)) <= len(mounted) + 1)
