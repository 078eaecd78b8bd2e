"""Files that a taken-over game leaves in its tree for its next start. docs/security.md has a row for each."""

import json
from pathlib import Path

from testhosts.case import STATE, DaemonTest, HostTest, unit_of

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
PROGRAM = "/srv/attacks/game_tree.sh"
MERGED = f"{STATE}/runtime/alpha/merged"
PORT = 27015
MODDED = f"""
apiVersion: left4me/v1
kind: Overlay
metadata: {{name: sourcemod}}
spec:
  source:
    inline:
      files:
        left4dead2/addons/sourcemod/plugins/admin.smx: the plugin
        left4dead2/addons/sourcemod/configs/admins_simple.ini: nobody
---
apiVersion: left4me/v1
kind: Blueprint
metadata: {{name: modded}}
spec:
  overlays: [sourcemod]
  arguments: ["+map", "c1m1_hotel"]
  config: |
    hostname "as rendered"
    standin_sourcemod 1
---
apiVersion: left4me/v1
kind: Server
metadata: {{name: alpha}}
spec: {{blueprint: modded, port: {PORT}}}
"""


class TakenGame(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write(PROGRAM, (ATTACKS / "game_tree.sh").read_text())
        self.run_in("chmod", "-R", "a+rX", "/srv/attacks")
        self.apply(MODDED)
        self.until("alpha answers", lambda: self.a2s(PORT))

    def by_game(self, script: str, timeout: float = 120) -> None:
        self.run_in("setpriv", "--reuid=left4me-server", "--regid=left4me-server", "--clear-groups", "sh", "-c",
                    f"cd {MERGED} && {script}", timeout=timeout)  # fmt: skip

    def restart(self) -> None:
        """Restarts it as systemd does after a crash, without left4me or a person."""
        self.run_in("systemctl", "reset-failed", unit_of("alpha"), expect=None)
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(PORT))

    def is_as_rendered(self) -> None:
        self.until("it is as rendered", lambda: self.a2s(PORT).get("hostname") == "as rendered")
        for below, path in (
            (f"{STATE}/instances/alpha/current/layer", "left4dead2/cfg/server.cfg"),
            (f"{STATE}/installation", "srcds_run"),
        ):
            self.run_in("cmp", f"{below}/{path}", f"{MERGED}/{path}")
        plugins = f"{MERGED}/left4dead2/addons/sourcemod/plugins"
        self.assertEqual(self.run_in("ls", plugins).stdout, "admin.smx\n")
        self.assertEqual(self.run_in("cat", f"{plugins}/admin.smx").stdout, "the plugin")
        self.assertEqual(self.run_in("cat", f"{plugins}/../configs/admins_simple.ini").stdout, "nobody")
        for path in ("bin/libc.so.6", "left4dead2/addons/evil.vdf", "left4dead2/scripts/vscripts/director_base.nut",
                     "left4dead2/cfg/autoexec.cfg", "deep"):  # fmt: skip
            self.assertFalse(self.exists(f"{MERGED}/{path}"), path)

    def test_whatever_a_game_wrote_into_its_tree_it_restarts_as_rendered(self):
        attacks = ("config", "config-replaced", "config-removed", "config-linked", "config-hard-linked", "config-fifo",
                   "config-directory", "cfg-removed", "cfg-anew", "cfg-anew-empty", "cfg-linked", "cfg-closed", "all-anew", "program",
                   "library", "plugin", "plugin-removed", "admins", "script", "autoexec", "deep", "names")  # fmt: skip
        for attack in attacks:
            with self.subTest(attack):
                self.by_game(f"sh {PROGRAM} {attack}")
                self.restart()
                self.is_as_rendered()
        said = self.logs("alpha")
        self.assertIn("may not keep", said)
        self.assertNotIn("\x1b", said)

    def test_a_hundred_thousand_files_do_not_keep_a_game_from_starting(self):
        self.by_game(f"sh {PROGRAM} many", timeout=300)
        self.restart()
        self.is_as_rendered()
        self.assertNotIn("junk", self.run_in("ls", f"{MERGED}/left4dead2/cfg").stdout)

    def test_a_game_with_plugins_keeps_its_logs_bans_and_databases(self):
        sourcemod = f"{STATE}/runtime/alpha/upper/left4dead2/addons/sourcemod"
        self.restart()
        self.restart()
        self.assertEqual(self.run_in("cat", f"{sourcemod}/data/sqlite/clientprefs-sqlite.sq3").stdout, "a start\n" * 3)
        self.assertEqual(self.run_in("cat", f"{sourcemod}/logs/L.log").stdout, "SourceMod log file started\n" * 3)
        bans = self.run_in("cat", f"{MERGED}/left4dead2/cfg/banned_user.cfg").stdout
        self.assertEqual(bans, "banid 0 STEAM_1:0:1\n" * 3)
        self.assertIn("[SM] Compiled plugins: 42", self.logs("alpha"))
        self.assertFalse(self.exists(f"{STATE}/runtime/alpha/removed"))
        self.assert_converged()

    def test_a_running_game_that_changes_its_files_is_reported_and_not_restarted(self):
        for attack in ("config", "plugin", "cfg-anew-empty"):
            with self.subTest(attack):
                before = self.life("alpha")
                self.by_game(f"sh {PROGRAM} {attack}")
                said = self.ctl("diff", expect=1).stdout
                self.assertIn("may not keep", said)
                self.assertIn("admin.smx" if attack == "plugin" else "server.cfg", said)
                self.ctl("reconcile")
                self.assertEqual(self.life("alpha"), before)
                stalled = next(c for c in self.status("alpha")["conditions"] if c["type"] == "Stalled")
                self.assertEqual((stalled["status"], stalled["reason"]), ("True", "Shadowed"))
                self.assertIn("Shadowed", self.ctl("events", "alpha").stdout)
                self.restart()
                self.ctl("reconcile")
                self.is_as_rendered()
                self.assert_converged()
                self.assertIn("SetAside", self.ctl("events", "alpha").stdout)
                self.assertIn("Set aside", self.ctl("describe", "server", "alpha").stdout)

    def test_reset_empties_what_a_server_wrote_and_says_who_did_it(self):
        upper = f"{STATE}/runtime/alpha/upper"
        self.by_game(f"sh {PROGRAM} config")
        self.restart()
        before = self.life("alpha")
        self.assertIn("--yes", self.ctl("reset", "alpha", expect=2).stderr)
        self.ctl("suspend", "alpha", "--reason", "a look")
        self.assertIn("suspended", self.ctl("reset", "alpha", "--yes", expect=5).stderr)
        self.ctl("resume", "alpha")
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(self.ctl("reset", "nobody", "--yes", expect=4).stdout, "")
        self.ctl("reset", "alpha", "--yes", "--reason", "it was taken")
        self.until("alpha answers", lambda: self.a2s(PORT))
        self.assertNotEqual(self.life("alpha").invocation, before.invocation)
        self.assertEqual(self.run_in("cat", f"{upper}/left4dead2/addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3").stdout,
                         "a start\n")  # fmt: skip
        self.assertFalse(self.exists(f"{STATE}/runtime/alpha/removed"))
        said = [json.loads(line) for line in self.ctl("events", "alpha", "-o", "json").stdout.splitlines()]
        reset = [event for event in said if event["reason"] == "Reset"]
        self.assertEqual(len(reset), 1, said)
        self.assertIn("it was taken", reset[0]["message"])
        self.assert_converged()
        self.apply(MODDED.replace(f"port: {PORT}", f"port: {PORT}, state: Stopped"))
        self.ctl("reset", "alpha", "--yes")
        self.assert_gone("alpha")
        self.assertFalse(self.exists(f"{STATE}/runtime/alpha"))
        self.assert_converged()

    def test_a_blueprint_lists_what_its_games_may_keep(self):
        self.apply(MODDED.replace("  config: |", "  writable: [left4dead2/cfg, left4dead2/addons/*/plugins]\n  config: |"))
        self.assertIn("may keep changed", self.ctl("diff", expect=1).stdout)
        self.ctl("stop", "alpha")
        self.ctl("start", "alpha")
        self.until("alpha answers", lambda: self.a2s(PORT))
        for attack in ("config", "autoexec", "plugin", "library"):
            self.by_game(f"sh {PROGRAM} {attack}")
        self.restart()
        self.until("it is as rendered", lambda: self.a2s(PORT).get("hostname") == "as rendered")
        self.assertTrue(self.exists(f"{MERGED}/left4dead2/cfg/autoexec.cfg"))
        self.assertTrue(self.exists(f"{MERGED}/left4dead2/addons/sourcemod/plugins/evil.smx"))
        self.assertFalse(self.exists(f"{MERGED}/left4dead2/addons/evil.vdf"))
        self.assert_converged()


class TakenGameUnderTheDaemon(DaemonTest):
    def test_the_daemon_sees_what_a_game_did_to_its_files_and_kicks_nobody(self):
        before = self.life("alpha")
        self.write(PROGRAM, (ATTACKS / "game_tree.sh").read_text())
        self.run_in("chmod", "-R", "a+rX", "/srv/attacks")
        self.run_in("setpriv", "--reuid=left4me-server", "--regid=left4me-server", "--clear-groups", "sh", "-c",
                    f"cd {MERGED} && sh {PROGRAM} config-replaced")  # fmt: skip
        self.until("the daemon tells it", lambda: "Shadowed" in self.ctl("events", "alpha").stdout, 60)
        self.assertEqual(self.life("alpha"), before)
        self.run_in("kill", "-KILL", before.pid)
        self.until("the daemon tells that a start set it aside", lambda: "SetAside" in self.ctl("events", "alpha").stdout, 60)
        self.settled()
        self.until("the game answers as it should", lambda: self.a2s(PORT).get("hostname") == "alpha, modded")
        self.bystanders_live_on()
