"""A web server in a host, which may answer as Steam's web API does."""

import base64
import json
import struct

from .case import TOOLS, HostTest
from .machine import Host

PORT = 8443
SITE = "/srv/site"
API = f"{SITE}/ISteamRemoteStorage"
ALLOWED = "downloads: {allowPrivate: [127.0.0.0/8]}\n"


def vpk(content: bytes) -> bytes:
    """A VPK of version 1 with one file."""
    tree = b"txt\0scripts\0mission\0" + struct.pack("<IHHIIH", 0, 0, 0x7FFF, 0, len(content), 0xFFFF) + b"\0\0\0"
    return struct.pack("<III", 0x55AA1234, 1, len(tree)) + tree + content


class Site:
    """What lies in SITE of a host is served over https on PORT, and trusted there."""

    def __init__(self, host: Host, pause: int = 0) -> None:
        """`pause`: milliseconds before every 16 KiB."""
        self.host = host
        host.run("mkdir", "-p", SITE, check=True)
        command = f"{TOOLS}/https_file {SITE} {PORT} /run/site.pem {pause}"
        host.run("sh", "-ec", f"systemd-run --quiet --collect --unit=site {command}; until test -e /run/site.pem; do sleep 0.05; done; "
                 "mkdir -p /etc/ssl/certs; cat /run/site.pem >>/etc/ssl/certs/ca-certificates.crt", check=True)  # fmt: skip

    def put(self, path: str, content: bytes) -> None:
        where = f"{SITE}/{path}"
        self.host.run("sh", "-ec", 'mkdir -p "$(dirname "$1")"; base64 -d >"$1"', "put", where, text_in=base64.b64encode(content).decode(), check=True)

    def be_steam(self) -> None:
        """The site is what left4me-build takes for Steam."""
        dropin = "/etc/systemd/system/left4me-build@.service.d/api.conf"
        self.host.run("sh", "-ec", 'mkdir -p "$(dirname "$1")"; cat >"$1"; systemctl daemon-reload', "be", dropin, check=True,
                      text_in=f"[Service]\nEnvironment=LEFT4ME_BUILD_STEAM_API=https://127.0.0.1:{PORT}\n")  # fmt: skip

    def publish(self, items: dict[str, bytes], collections: dict[str, list[str]], updated: int = 1700000000) -> None:
        """What Steam says of items (by number, what is in its VPK), and of collections of them."""
        details = []
        for number, content in items.items():
            packed = vpk(content)
            self.put(number, packed)
            details.append(
                {"publishedfileid": number, "result": 1, "consumer_app_id": 550, "file_size": str(len(packed)), "banned": 0,
                 "file_url": f"https://127.0.0.1:{PORT}/{number}", "title": f"Item {number}", "time_updated": updated}
            )  # fmt: skip
        known = [{"publishedfileid": collection, "result": 1, "children": [{"publishedfileid": number, "filetype": 0} for number in numbers]}
                 for collection, numbers in collections.items()]  # fmt: skip
        for name, key, listed in (("GetCollectionDetails", "collectiondetails", known), ("GetPublishedFileDetails", "publishedfiledetails", details)):
            self.put(f"ISteamRemoteStorage/{name}/v1", json.dumps({"response": {key: listed}}).encode())


class SiteTest(HostTest):
    """What lies in SITE is served over https on PORT, and builds may fetch it."""

    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", ALLOWED)
        self.site = Site(self.host)


class SteamTest(SiteTest):
    """The site is what left4me-build takes for Steam."""

    def setUp(self) -> None:
        super().setUp()
        self.site.be_steam()

    def publish(self, items: dict[str, str], updated: int = 1700000000) -> None:
        """What Steam says of a collection, number 100, and of the items in it: number → text in its VPK."""
        self.site.publish({number: text.encode() for number, text in items.items()}, {"100": list(items)}, updated)
