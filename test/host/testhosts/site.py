"""A web server in a host, which may answer as Steam's web API does."""

import base64
import json
import struct

from .case import TOOLS, HostTest

PORT = 8443
SITE = "/srv/site"
API = f"{SITE}/ISteamRemoteStorage"


def vpk(text: str) -> bytes:
    """A VPK of version 1 with one file."""
    tree = b"txt\0scripts\0mission\0" + struct.pack("<IHHIIH", 0, 0, 0x7FFF, 0, len(text), 0xFFFF) + b"\0\0\0"
    return struct.pack("<III", 0x55AA1234, 1, len(tree)) + tree + text.encode()


class SiteTest(HostTest):
    """What lies in SITE is served over https on PORT, and builds may fetch it."""

    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", "downloads: {allowPrivate: [127.0.0.0/8]}\n")
        self.run_in("mkdir", "-p", SITE)
        self.run_in("systemd-run", "--collect", "--unit=site", f"{TOOLS}/https_file", SITE, str(PORT), "/run/site.pem", "0")
        self.until("the site serves", lambda: self.exists("/run/site.pem"))
        self.run_in("sh", "-c", "mkdir -p /etc/ssl/certs && cat /run/site.pem >>/etc/ssl/certs/ca-certificates.crt")


class SteamTest(SiteTest):
    """The site is what left4me-build takes for Steam."""

    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/systemd/system/left4me-build@.service.d/api.conf",
                   f"[Service]\nEnvironment=LEFT4ME_BUILD_STEAM_API=https://127.0.0.1:{PORT}\n")  # fmt: skip
        self.run_in("systemctl", "daemon-reload")

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
