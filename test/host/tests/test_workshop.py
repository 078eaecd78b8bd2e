"""Overlays from the Steam workshop: a server in the host answers as Steam's web API does."""

import base64
import json
import struct

from testhosts.case import STATE, TOOLS, HostTest, server

PORT = 8443
SITE = "/srv/site"
API = f"{SITE}/ISteamRemoteStorage"


def vpk(text: str) -> bytes:
    """A VPK of version 1 with one file."""
    tree = b"txt\0scripts\0mission\0" + struct.pack("<IHHIIH", 0, 0, 0x7FFF, 0, len(text), 0xFFFF) + b"\0\0\0"
    return struct.pack("<III", 0x55AA1234, 1, len(tree)) + tree + text.encode()


class Workshop(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", "downloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.write("/etc/systemd/system/left4me-build@.service.d/api.conf",
                   f"[Service]\nEnvironment=LEFT4ME_BUILD_STEAM_API=https://127.0.0.1:{PORT}\n")  # fmt: skip
        self.run_in("systemctl", "daemon-reload")
        self.run_in("mkdir", "-p", SITE)
        self.run_in("systemd-run", "--collect", "--unit=site", f"{TOOLS}/https_file", SITE, str(PORT), "/run/site.pem", "0")
        self.until("the site serves", lambda: self.exists("/run/site.pem"))
        self.run_in("sh", "-c", "mkdir -p /etc/ssl/certs && cat /run/site.pem >>/etc/ssl/certs/ca-certificates.crt")

    def publish(self, items: dict[str, str], updated: int = 1700000000) -> None:
        """What Steam says of a collection, number 100, and of the items in it: number → text in its VPK."""
        details = []
        for number, text in items.items():
            content = vpk(text)
            self.run_in("sh", "-c", f"base64 -d >{SITE}/{number}", text_in=base64.b64encode(content).decode())
            details.append(
                {"publishedfileid": number, "result": 1, "consumer_app_id": 550, "file_size": str(len(content)), "banned": 0,
                 "file_url": f"https://127.0.0.1:{PORT}/{number}", "title": f"Item {number}", "time_updated": updated}
            )  # fmt: skip
        children = [{"publishedfileid": number, "filetype": 0} for number in items]
        collection = {"publishedfileid": "100", "result": 1, "children": children}
        self.write(f"{API}/GetCollectionDetails/v1", json.dumps({"response": {"collectiondetails": [collection]}}))
        self.write(f"{API}/GetPublishedFileDetails/v1", json.dumps({"response": {"publishedfiledetails": details}}))

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
        self.assertIn("workshop, 0 items, 1 collection", self.ctl("describe", "overlay", "workshop").stdout)

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
