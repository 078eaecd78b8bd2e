"""Overlays whose source is an index of maps: fetched over https from a server in the host, verified and mounted."""

import json

from testhosts.case import STATE, server
from testhosts.site import PORT, SITE, SiteTest

UNIT = "left4me-build@maps.service"

# name, content, and the .7z that has it.
ONE = ("one.vpk", "the first map\n",
       "N3q8ryccAANOye/HGQAAAAAAAABCAAAAAAAAAGDM1GQAOhoIznZklbisk16qyI+2XiV8///thoAAAQQGAAEJGQAHCwEAASMDAQEFXQAAgAAMDgAICgEEuehBAAAFARER"
       "AG8AbgBlAC4AdgBwAGsAAAAVBgEAIICkgQAA")  # fmt: skip
TWO = ("two.vpk", "the second map\n",
       "N3q8ryccAAPmRqJIGgAAAAAAAABCAAAAAAAAAIWn90QAOhoIznbZjffroFRbhhs36tWYaP//5JOAAAEEBgABCRoABwsBAAEjAwEBBV0AAIAADA8ACAoB4yAvFQAABQER"
       "EQB0AHcAbwAuAHYAcABrAAAAFQYBACCApIEAAA==")  # fmt: skip


class MapIndex(SiteTest):
    def publish(self, *maps: tuple[str, str, str], md5: str = "") -> None:
        """The index and the maps in it. `md5`: what the index says of all of them, instead of what is right."""
        index = "Name;Size;MD5;DownloadLink\r\n"
        for name, content, packed in maps:
            right = self.run_in("md5sum", text_in=content).stdout.split()[0]
            archive = name.replace(".vpk", ".7z")
            self.run_in("sh", "-c", f"base64 -d >{SITE}/{archive}", text_in=packed)
            index += f"{name};{len(content)};{md5 or right};https://127.0.0.1:{PORT}/{archive}\r\n"
        self.write(f"{SITE}/index.csv", index)

    def manifests(self, query: str) -> str:
        return (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: maps}\nspec:\n  source:\n    mapIndex:\n"
            f"      url: https://127.0.0.1:{PORT}/index.csv?{query}\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: mapped}\n"
            'spec: {overlays: [maps], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "mapped")
        )

    def put(self, query: str) -> None:
        """Writes the manifests without waiting for what comes of them."""
        self.write("/etc/left4me/manifests/maps.yaml", self.manifests(query))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")

    def overlay(self) -> dict:
        return json.loads(self.ctl("get", "overlay", "maps", "-o", "json").stdout)

    def is_built(self) -> bool:
        shown = self.overlay()
        return shown["build"]["state"] == "Built" and shown["built"]

    def maps(self) -> list[str]:
        """Of the overlay's last artifact."""
        return self.run_in("ls", f"{STATE}/overlays/maps/{self.overlay()['artifact']}/left4dead2/addons").stdout.split()

    def log(self) -> str:
        return self.run_in("journalctl", "-o", "cat", "-u", UNIT).stdout

    def test_a_server_runs_with_the_maps_of_an_index_and_keeps_them_when_the_index_is_wrong(self):
        self.publish(ONE)
        self.put("1")
        self.ctl("reconcile")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        addons = f"{STATE}/runtime/alpha/merged/left4dead2/addons"
        self.assertEqual(self.run_in("cat", f"{addons}/one.vpk").stdout, ONE[1])
        # The unit ends shortly after it has written its record.
        self.until("it is built", self.is_built)
        self.assertEqual(self.overlay()["source"]["mapIndex"]["url"], f"https://127.0.0.1:{PORT}/index.csv?1")
        self.assertIn("map index https://127.0.0.1", self.ctl("describe", "overlay", "maps").stdout)

        # What is published later is not looked at until the manifest asks for it.
        first = self.overlay()["artifact"]
        self.publish(ONE, TWO)
        self.converge()
        self.assertEqual(self.overlay()["artifact"], first)
        self.put("2")
        self.ctl("reconcile")
        self.until("it is built again", lambda: self.is_built() and self.overlay()["artifact"] != first, 60)
        self.assertEqual(self.maps(), ["one.vpk", "two.vpk"])
        self.assertIn("2 files: 1 fetched, 1 as before", self.log())
        self.assertEqual(self.run_in("ls", addons).stdout.count(".vpk"), 1, "a running server keeps its layers")

        # One wrong map, and nothing changes.
        second = self.overlay()["artifact"]
        self.publish(ONE, TWO, md5="0" * 32)
        self.put("3")
        self.ctl("reconcile", expect=None)
        self.until("it is refused", lambda: self.overlay()["build"]["state"] == "Failed", 60)
        self.assertIn("map 'one.vpk'", self.overlay()["build"]["failure"]["message"])
        self.assertEqual(self.overlay()["artifact"], second)
        self.assertEqual(self.properties("alpha")["ActiveState"], "active")
        self.assertEqual(self.run_in("cat", f"{addons}/one.vpk").stdout, ONE[1])
