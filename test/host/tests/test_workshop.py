"""Overlays from the Steam workshop: a server in the host answers as Steam's web API does."""

import json

from testhosts.case import STATE, server
from testhosts.site import API, SteamTest


class Workshop(SteamTest):
    def manifests(self, exclude: str) -> str:
        return (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: workshop}\n"
            f'spec: {{source: {{workshop: {{collections: ["100"], exclude: ["{exclude}"]}}}}}}\n'
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: modded}\n"
            'spec: {overlays: [workshop], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "modded")
        )

    def put(self, exclude: str) -> None:
        """Writes the manifests without waiting for what comes of them."""
        self.write("/etc/left4me/manifests/workshop.yaml", self.manifests(exclude))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")

    def overlay(self) -> dict:
        return json.loads(self.ctl("get", "overlay", "workshop", "-o", "json").stdout)

    def is_built(self) -> bool:
        shown = self.overlay()
        return shown["build"]["state"] == "Built" and shown["built"]

    def test_a_server_runs_with_the_items_of_a_collection_and_keeps_them_when_one_is_removed(self):
        self.publish({"11": "the first", "22": "the second"})
        self.put("1")
        self.ctl("reconcile")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        addons = f"{STATE}/runtime/alpha/merged/left4dead2/addons"
        self.run_in("grep", "-aq", "the first", f"{addons}/11.vpk")
        self.run_in("grep", "-aq", "the second", f"{addons}/22.vpk")
        # The unit ends shortly after it has written its record.
        self.until("it is built", self.is_built)
        self.assertEqual(self.overlay()["source"]["workshop"]["collections"], ["100"])
        self.assertEqual(self.overlay()["items"], [{"id": "11", "title": "Item 11"}, {"id": "22", "title": "Item 22"}])
        self.assertRegex(self.ctl("describe", "overlay", "workshop").stdout, r"Items\n +11 +Item 11\n +22 +Item 22\n")
        self.assertIn("workshop, 0 items, 1 collection", self.ctl("describe", "overlay", "workshop").stdout)

        explained = json.loads(self.ctl("explain-path", "alpha", "left4dead2/addons/22.vpk", "-o", "json").stdout)["provider"]
        self.assertRegex(explained["input"], r"^item 22 .Item 22., updated at 20\d\d-")
        self.assertIn(explained["input"], self.ctl("explain-path", "alpha", "left4dead2/addons/22.vpk").stdout)

        first = self.overlay()["artifact"]
        self.publish({"11": "the first", "22": "the second", "33": "the third"})
        self.put("2")
        self.ctl("reconcile")
        self.until("it is built again", lambda: self.is_built() and self.overlay()["artifact"] != first, 60)
        self.assertIn("3 files: 1 fetched, 2 as before", self.ctl("logs", "overlay/workshop").stdout)

        # Its author removes an item, and nothing changes.
        second = self.overlay()["artifact"]
        answer = json.loads(self.run_in("cat", f"{API}/GetPublishedFileDetails/v1").stdout)
        answer["response"]["publishedfiledetails"][1] = {"publishedfileid": "22", "result": 9}
        self.write(f"{API}/GetPublishedFileDetails/v1", json.dumps(answer))
        self.put("3")
        self.ctl("reconcile", expect=None)
        self.until("it is refused", lambda: self.overlay()["build"]["state"] == "Failed", 60)
        self.assertIn("item 22: Steam says FileNotFound (9)", self.overlay()["build"]["failure"]["message"])
        self.assertEqual(self.overlay()["artifact"], second)
        self.assertEqual(self.properties("alpha")["ActiveState"], "active")
        # Without it, the others are there.
        self.put("22")
        self.ctl("reconcile")
        self.until("it is built without the item", lambda: self.is_built() and self.overlay()["artifact"] != second, 60)
