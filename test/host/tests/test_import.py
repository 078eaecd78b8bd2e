"""l4d2ctl import, on a host as the old Python platform left it: its unit, its mounts, its files. After CroneKorkN's
bundlewrap-repo, bundles/left4me."""

from testhosts import documented
from testhosts.case import MANIFESTS, STATE, HostTest, unit_of
from testhosts.site import ALLOWED, Site

NAMES = [f"old{number}" for number in range(1, 11)]
UNIT = "/usr/local/lib/systemd/system/left4me-server@.service"
OVERLAY = """#!/bin/sh
set -eu
runtime=/var/lib/left4me/runtime/$2
case $1 in
mount)
    mountpoint -q "$runtime/merged" && exit 0
    lower=$(sed -n 's/^L4D2_LOWERDIRS=//p' "/var/lib/left4me/instances/$2/instance.env")
    exec mount -t overlay overlay -o "lowerdir=$lower,upperdir=$runtime/upper,workdir=$runtime/work" "$runtime/merged" ;;
umount)
    mountpoint -q "$runtime/merged" && umount "$runtime/merged"
    rm -rf "$runtime/work/work" ;;
esac
"""
SERVER = """[Unit]
Description=left4me server instance %i
[Service]
Type=simple
User=left4me
Group=left4me
EnvironmentFile=/var/lib/left4me/instances/%i/instance.env
WorkingDirectory=-/var/lib/left4me/runtime/%i/merged/left4dead2
ExecStartPre=+/usr/bin/nsenter --mount=/proc/1/ns/mnt -- /usr/local/libexec/left4me/left4me-overlay mount %i
ExecStart=/var/lib/left4me/runtime/%i/merged/srcds_run -game left4dead2 +hostport ${L4D2_PORT} $L4D2_ARGS
ExecStopPost=+/usr/bin/nsenter --mount=/proc/1/ns/mnt -- /usr/local/libexec/left4me/left4me-overlay umount %i
Restart=on-failure
RestartSec=5
KillSignal=SIGINT
TimeoutStopSec=15s
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict
ReadOnlyPaths=/var/lib/left4me/installation /var/lib/left4me/overlays
ReadWritePaths=/var/lib/left4me/runtime/%i
[Install]
WantedBy=multi-user.target
"""
PLACES = f"/etc/systemd/system /usr/local/lib/systemd /etc/left4me/imported {STATE}/instances {STATE}/overlays"


class OldHost(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/usr/local/libexec/left4me/left4me-overlay", OVERLAY)
        self.write(UNIT, SERVER)
        self.write(f"{STATE}/overlays/3/left4dead2/cfg/rates.cfg", "sv_maxrate 100000\n")
        self.run_in("sh", "-c", f"chmod 755 /usr/local/libexec/left4me/left4me-overlay; cd {STATE}; mkdir -p workshop_cache overlays/7/left4dead2/addons; "
                    "echo map >workshop_cache/698857882.vpk; ln -s $PWD/workshop_cache/698857882.vpk overlays/7/left4dead2/addons/")  # fmt: skip
        for number, name in enumerate(NAMES):
            overlays = [3, 7] if name == "old10" else [3]
            self.write(f"{STATE}/instances/{name}/instance.env",
                       f"L4D2_PORT={27100 + number}\nL4D2_ARGS=+ip 0.0.0.0 +map c5m1_waterfront -maxplayers 8\n"
                       f"L4D2_LOWERDIRS={':'.join(f'{STATE}/overlays/{one}' for one in overlays)}:{STATE}/installation\n")  # fmt: skip
            self.write(f"{STATE}/runtime/{name}/upper/left4dead2/cfg/server.cfg", f'hostname "{name}"\n')
            self.run_in("mkdir", f"{STATE}/runtime/{name}/work", f"{STATE}/runtime/{name}/merged")
        self.run_in("sh", "-c", f"cd {STATE} && chown -hR left4me:left4me overlays/* instances/* runtime/* workshop_cache; systemctl daemon-reload")
        self.run_in("systemctl", "enable", "--now", *map(unit_of, NAMES))
        for number, name in enumerate(NAMES):
            self.until(f"{name} answers", lambda number=number: self.a2s(27100 + number))
        self.run_in("systemctl", "start", "left4me.service")

    def listing(self) -> str:
        return self.run_in("sh", "-c", f"find {PLACES} -not -name '.*' -printf '%p %y %m %u %g %l\\n' 2>/dev/null | sort; "
                           f"stat -c '%n %a %U %G' {STATE}/runtime/* {STATE}/runtime/*/upper/left4dead2/cfg/*", expect=None).stdout  # fmt: skip

    def serve_workshop(self) -> None:
        """Where old10's item of the workshop comes from."""
        site = Site(self.host)
        site.be_steam()
        site.publish({"698857882": b"map"}, {})
        self.write("/etc/left4me/config.yaml", ALLOWED)
        self.run_in("systemctl", "restart", "left4me.service")

    def test_ten_running_servers_of_the_old_platform_are_adopted_without_a_restart(self):
        self.serve_workshop()
        before = self.lives(*NAMES)
        shown = self.ctl("import", "--dry-run").stdout
        self.assertIn('items: ["698857882"]', shown)
        self.assertIn("10 servers, 10 of them running", shown)
        self.assertEqual(self.ctl("import", expect=2).stdout, shown)
        self.assertTrue(self.exists(UNIT))
        self.ctl("import", "--yes", expect=None)
        for name in NAMES:
            self.until(f"{name} is enabled", lambda name=name: self.enabled(name) == "enabled", 60)
            self.until(f"{name} has been rendered", lambda name=name: self.exists(f"{STATE}/instances/{name}/current"))
        self.assertEqual(self.lives(*NAMES), before)
        self.assertIn("waits for the next start", self.ctl("get", "servers", "-o", "wide").stdout)
        # Its next start is one of left4me.
        self.ctl("restart", "old1")
        self.assert_running("old1", 27100)
        self.until("old1 has its name", lambda: self.a2s(27100).get("hostname") == "old1")
        self.assertIn("sv_maxrate", self.run_in("cat", f"{STATE}/runtime/old1/merged/left4dead2/cfg/rates.cfg").stdout)
        self.assertEqual(self.run_in("sh", "-c", f"find {STATE}/runtime/old1/upper ! -user left4me-server").stdout, "")
        self.ctl("restart", "old10")
        self.assert_running("old10", 27109)
        self.run_in("grep", "-aq", "map", f"{STATE}/runtime/old10/merged/left4dead2/addons/698857882.vpk")
        del before["old1"], before["old10"]
        self.assertEqual(self.lives(*before), before)

    def test_an_import_is_undone_while_servers_run(self):
        self.run_in("systemctl", "stop", "left4me.service")
        before, lives = self.listing(), self.lives(*NAMES)
        self.ctl("import", "--yes", expect=None)
        self.assertFalse(self.exists(UNIT))
        self.assertEqual(self.lives(*NAMES), lives)
        self.run_in("systemctl", "start", "left4me.service")
        self.assertIn("systemctl disable --now left4me.service", self.ctl("import", "--undo", expect=5).stderr)
        self.run_in("systemctl", "stop", "left4me.service")
        self.ctl("import", "--undo")
        self.assertEqual(self.lives(*NAMES), lives)
        self.run_in("grep", "-r", "kind:", MANIFESTS, expect=1)
        self.assertEqual(self.listing(), before)
        self.run_in("systemctl", "restart", unit_of("old1"))
        self.until("old1 answers", lambda: self.a2s(27100))
        self.ctl("import", "--undo", expect=4)
        # What no manifest names any more is the old platform's again, and no pass takes it for left4me's.
        lives = self.lives(*NAMES)
        self.ctl("reconcile", expect=None)
        self.assertEqual(self.lives(*NAMES), lives)
        self.assertEqual(self.enabled("old1"), "enabled")
        self.assertTrue(self.exists(f"{STATE}/runtime/old2/upper/left4dead2/cfg/server.cfg"))

    def test_a_host_is_imported_and_given_back_as_the_page_says(self):
        self.serve_workshop()
        self.write("/etc/systemd/system/left4me-web.service", "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n")
        self.run_in("systemctl", "enable", "--now", "left4me-web.service")
        for line in documented.in_blocks(documented.PROJECT / "docs/import.md"):
            if "apt-get" in line.text:
                continue
            text = line.text.replace("NAME", "old1")
            with self.subTest(line.where):
                # With a terminal: it asks.
                self.run_in("script", "-qec", text, "/dev/null", text_in="y\n")
            if text.endswith("l4d2ctl import"):
                self.until("old1 is enabled", lambda: self.enabled("old1") == "enabled", 60)
                self.ctl("restart", "old1")
                self.assert_running("old1", 27100)
        self.until("old1 answers", lambda: self.a2s(27100))
        self.assertTrue(self.exists(UNIT))

    def test_an_import_whose_overlays_cannot_be_copied_leaves_the_old_units_in_force(self):
        secret = f"{STATE}/overlays/3/left4dead2/cfg/secret.cfg"
        self.write(secret, "rcon_password x\n")
        self.run_in("chmod", "600", secret)
        self.run_in("chown", "root:root", secret)
        lives = self.lives(*NAMES)
        said = self.ctl("import", "--yes", expect=5).stderr
        self.assertIn(f"cannot open '{secret}'", said)
        self.assertIn("sudo l4d2ctl import --undo", said)
        self.assertTrue(self.exists(UNIT))
        self.assertEqual(self.lives(*NAMES), lives)
        self.run_in("systemctl", "restart", unit_of("old1"))
        self.until("old1 answers", lambda: self.a2s(27100))
        self.run_in("rm", secret)
        self.ctl("import", "--yes", expect=None)
        self.assertFalse(self.exists(UNIT))
        self.assertEqual(self.run_in("stat", "-c", "%U", "/srv/left4me/old-3/left4dead2/cfg/rates.cfg").stdout, "left4me\n")

    def test_a_server_that_was_restarted_since_keeps_its_layers_when_the_import_is_undone(self):
        self.run_in("systemctl", "stop", "left4me.service")
        self.ctl("import", "--yes", expect=None)
        self.until("old1 has been rendered", lambda: self.exists(f"{STATE}/instances/old1/current"))
        self.ctl("restart", "old1")
        self.assert_running("old1", 27100)
        lives = self.lives(*NAMES)
        self.ctl("import", "--undo")
        self.ctl("reconcile", expect=None)
        self.assertEqual(self.lives(*NAMES), lives)
        self.assertIn("sv_maxrate", self.run_in("cat", f"{STATE}/runtime/old1/merged/left4dead2/cfg/rates.cfg").stdout)
        self.assertEqual(self.run_in("sh", "-c", f"find {STATE}/runtime/old1/upper ! -user left4me-server").stdout, "")
