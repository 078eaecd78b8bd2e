"""Overlays whose source is an archive: downloaded over https from a server in the host, verified, unpacked and mounted."""

import json
from pathlib import Path

from testhosts.case import STATE, TOOLS, HostTest, server

PORT = 8443
UNIT = "left4me-build@pack.service"
BUILD = f"{STATE}/overlays/pack/.build"
ATTACKS = Path(__file__).resolve().parent.parent / "attacks"


class Archives(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", "downloads: {allowPrivate: [127.0.0.0/8]}\n")

    def pack(self, kib: int = 1) -> str:
        """An archive as GitHub makes them, with a directory on top; returns its SHA-256."""
        self.run_in("sh", "-c", "mkdir -p /srv/pack/rework-1.0/cfg /srv/pack/rework-1.0/addons && cd /srv/pack/rework-1.0 && "
                    f"echo 'sv_maxrate 1' >cfg/rework.cfg && echo read >README.md && head -c {kib}K /dev/urandom >addons/big.vpk && "
                    "tar -C /srv/pack -czf /srv/pack.tar.gz rework-1.0")  # fmt: skip
        return self.run_in("sha256sum", "/srv/pack.tar.gz").stdout.split()[0]

    def mirror(self, pause: int = 0) -> None:
        """A server for the archive, whose certificate the host trusts."""
        self.run_in("systemctl", "stop", "mirror.service", expect=None)
        self.run_in("rm", "-f", "/run/mirror.pem")
        self.run_in("systemd-run", "--collect", "--unit=mirror", f"{TOOLS}/https_file", "/srv/pack.tar.gz", str(PORT), "/run/mirror.pem",
                    str(pause))  # fmt: skip
        self.until("the mirror serves", lambda: self.exists("/run/mirror.pem"))
        self.run_in("sh", "-c", "mkdir -p /etc/ssl/certs && cat /run/mirror.pem >>/etc/ssl/certs/ca-certificates.crt")

    def manifests(self, sha256: str) -> str:
        return (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: pack}\nspec:\n  source:\n    archive:\n"
            f"      url: https://127.0.0.1:{PORT}/pack.tar.gz\n      sha256: {sha256}\n      into: left4dead2\n"
            "      stripComponents: 1\n      exclude: ['*.md']\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: packed}\n"
            'spec: {overlays: [pack], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "packed")
        )

    def record(self) -> dict:
        done = self.run_in("cat", f"{BUILD}/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def log(self) -> str:
        return self.run_in("journalctl", "-o", "cat", "-u", UNIT).stdout

    def put(self, sha256: str) -> None:
        """Writes the manifests without waiting for what comes of them."""
        self.write("/etc/left4me/manifests/pack.yaml", self.manifests(sha256))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")

    def test_a_server_runs_with_an_archive_that_was_downloaded_and_verified(self):
        sha256 = self.pack()
        self.mirror()
        self.apply(self.manifests(sha256))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        game = f"{STATE}/runtime/alpha/merged/left4dead2"
        self.assertEqual(self.run_in("cat", f"{game}/cfg/rework.cfg").stdout, "sv_maxrate 1\n")
        self.run_in("cmp", f"{game}/addons/big.vpk", "/srv/pack/rework-1.0/addons/big.vpk")
        self.assertFalse(self.exists(f"{game}/README.md"), "it is excluded")

        def overlay() -> dict:
            return json.loads(self.ctl("get", "overlay", "pack", "-o", "json").stdout)

        # The unit ends shortly after it has written its record.
        self.until("it is built", lambda: overlay()["build"]["state"] == "Built")
        self.assertEqual(self.run_in("ls", "-A", BUILD).stdout.split(), ["record", "request"])
        shown = overlay()
        self.assertEqual(shown["source"]["archive"]["sha256"], sha256)
        self.assertIn("downloading https://127.0.0.1", self.ctl("logs", "overlay/pack").stdout)
        self.assertIn("archive https://127.0.0.1", self.ctl("describe", "overlay", "pack").stdout)
        # Nothing of it is fetched or built again.
        before = self.record()
        self.converge()
        self.assertEqual(self.record(), before)

    def test_a_download_that_is_killed_continues_where_it_was(self):
        sha256 = self.pack(4000)
        self.mirror(pause=100)  # half a minute in all
        self.put(sha256)
        self.run_in("systemctl", "start", "left4me.service")
        data = f"{BUILD}/download/data"
        enough = f"test $(stat -c %s {data} 2>/dev/null || echo 0) -gt 300000"
        self.until("a part is there", lambda: self.run_in("sh", "-c", enough, expect=None).returncode == 0, 60)
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "STOP", UNIT)
        self.assertRegex(self.ctl("describe", "overlay", "pack").stdout, r"downloading, \d\.\d of 3\.9 MiB")
        self.assertRegex(self.ctl("get", "overlays").stdout, r"downloading \d+%")
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "KILL", UNIT)
        self.until("the failure is recorded", lambda: self.record().get("failure", {}).get("reason") == "Killed")
        self.mirror()
        self.ctl("reconcile")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 90)
        self.run_in("cmp", f"{STATE}/runtime/alpha/merged/left4dead2/addons/big.vpk", "/srv/pack/rework-1.0/addons/big.vpk")
        self.assertRegex(self.log(), r"resuming at [3-9]\d{5} bytes|resuming at \d{7} bytes")

    def test_an_address_that_is_not_public_is_refused_unless_the_host_s_owner_allows_it(self):
        self.write("/etc/left4me/config.yaml", "")
        sha256 = self.pack()
        self.mirror()
        self.put(sha256)
        self.ctl("reconcile", expect=None)
        self.until("it is refused", lambda: "failure" in self.record(), 60)
        self.assertIn("127.0.0.1 is not a public address", self.record()["failure"]["message"])
        self.assertIn("downloads.allowPrivate", self.ctl("describe", "overlay", "pack").stdout)

    def test_another_file_than_the_manifest_names_is_never_unpacked(self):
        self.pack()
        self.mirror()
        self.put("0" * 64)
        self.ctl("reconcile", expect=None)
        self.until("it is refused", lambda: "failure" in self.record(), 60)
        self.assertIn("SHA-256", self.record()["failure"]["message"])
        self.assertNotIn("unpacking", self.log())

    def test_a_name_that_is_public_when_it_is_looked_up_and_private_when_it_is_connected_to_leads_nowhere(self):
        self.write("/etc/left4me/config.yaml", "")
        self.write("/run/changing_dns.pl", (ATTACKS / "changing_dns.pl").read_text())
        self.run_in("systemd-run", "--collect", "--unit=dns", "perl", "/run/changing_dns.pl", "1.2.3.4", "127.0.0.1")
        self.run_in("sh", "-c", "rm -f /etc/resolv.conf; echo 'nameserver 127.0.0.1' >/etc/resolv.conf; echo 'hosts: files dns' >/etc/nsswitch.conf")
        self.until("the name server answers", lambda: self.run_in("getent", "ahosts", "a.example", expect=None).returncode == 0)
        sha256 = self.pack()
        self.mirror()
        manifests = self.manifests(sha256).replace("https://127.0.0.1", "https://rebind.example")
        self.ctl("apply", "-f", "-", text_in=manifests, expect=5)
        self.until("it has failed", lambda: self.record().get("failure"), 60)
        # The first address was tried, in vain; the second one was not.
        self.assertIn("again in", self.log())
        self.assertIn("127.0.0.1 is not a public address", self.record()["failure"]["message"])
        self.assertNotIn("certificate", self.log())
