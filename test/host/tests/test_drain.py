"""Drains: a server is stopped when its last player has left."""

import json
import time

from test_rcon import SECRET, WITH_CONSOLE
from testhosts.case import STATE, DaemonTest

REQUESTS = "/var/lib/left4me/state/stops.json"


class Drain(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/secrets/rcon", SECRET + "\n")
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.apply(WITH_CONSOLE)
        self.until("alpha has a console", lambda: self.ctl("console", "alpha", "status", expect=None).returncode == 0, 40)
        self.until("the probe has heard of alpha", lambda: self.game()["state"] == "Answers")
        self.bystanders = self.lives("beta", "gamma")

    def game(self) -> dict:
        return json.loads(self.ctl("players", "alpha", "-o", "json").stdout)["servers"][0]

    def play(self, count: int) -> None:
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", f"standin_players {count}\n")

    def played_by(self, count: int) -> None:
        self.play(count)
        self.until(f"{count} play on alpha", lambda: self.game()["players"] == count)

    def events(self, *reasons: str) -> list[tuple[str, str]]:
        lines = self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()
        return [(event["reason"], event["message"]) for event in map(json.loads, lines) if event["reason"] in reasons]

    def log(self) -> str:
        return self.run_in("journalctl", "-u", "left4me-server@alpha.service", "--no-pager", "-o", "cat").stdout

    def stopped(self, seconds: float) -> None:
        self.until("alpha is stopped", lambda: self.properties("alpha")["MainPID"] == "0", seconds)
        self.agrees()
        self.assert_gone("alpha")
        self.bystanders_live_on()
        self.until("the request is done", lambda: json.loads(self.run_in("cat", REQUESTS).stdout) == [])

    def agrees(self) -> None:
        """Gamma has the same blueprint, and waits for its next start."""
        self.until("alpha agrees", lambda: "server/alpha" not in self.ctl("diff", expect=1).stdout)

    def test_a_drained_server_stops_when_its_last_player_has_left_although_l4d2d_is_killed(self):
        before = self.life("alpha")
        self.played_by(3)
        self.run_in("sh", "-c", "l4d2ctl drain alpha & sleep 0.1; systemctl kill -s KILL left4me.service; wait")
        self.until("it waits", lambda: "waits until empty: 3 players" in self.ctl("diff", expect=1).stdout)
        self.until("it says for whom", lambda: "stop alpha: 3 players, waits until empty" in self.ctl("diff", expect=1).stdout)
        self.assertIn("the drain that root asked for", self.ctl("describe", "server", "alpha").stdout)
        self.assertIn("l4d2ctl start alpha", self.ctl("describe", "server", "alpha").stdout)

        def interrupted() -> list[tuple]:
            said = json.loads(self.ctl("diff", "-o", "json", expect=1).stdout)["interruptions"]
            return [(one["server"], one["takes"], one["players"], one["waitsFor"]) for one in said if one["server"] == "alpha"]

        self.until("a program can read it", lambda: interrupted() == [("alpha", "Stop", 3, "Empty")])
        self.assertEqual(self.status("alpha")["conditions"][1]["reason"], "Draining")
        self.played_by(1)
        self.run_in("systemctl", "kill", "-s", "KILL", "left4me.service")
        self.run_in("systemctl", "stop", "left4me-probe.service")
        self.until("nobody knows who plays", lambda: "number of players unknown" in self.ctl("diff", expect=1).stdout, 40)
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.run_in("systemctl", "start", "left4me-probe.service")
        self.played_by(1)
        self.play(0)
        self.stopped(30)
        self.assertNotIn("kicked by", self.log())
        self.until("the stop is told", lambda: self.events("Stopped"))
        told = dict.fromkeys(reason for reason, _ in self.events("DrainRequested", "Draining", "Stopped"))
        # A daemon that is killed may not have told yet what it has noted.
        self.assertIn(list(told), (["DrainRequested", "Draining", "Stopped"], ["DrainRequested", "Stopped"]))
        self.ctl("start", "alpha")
        self.assert_running("alpha")

    def test_players_are_told_of_a_drain_s_deadline_and_then_it_stops(self):
        self.played_by(2)
        self.assertIn("--message", self.ctl("drain", "alpha", "--message", "New maps.", expect=2).stderr)
        self.ctl("drain", "alpha", "--deadline", "25s", "--message", "New maps; see you.")
        began = time.monotonic()
        told = 'seconds. New maps; see you.'
        self.until("the players are told", lambda: told in self.log(), 10)
        self.run_in("systemctl", "kill", "-s", "KILL", "left4me.service")
        self.assertIn("at the latest", self.ctl("diff", expect=1).stdout)
        self.assertNotEqual(self.life("alpha").pid, "0")
        self.stopped(40)
        self.assertGreater(time.monotonic() - began, 20)
        self.assertEqual(self.log().count(told), 1)
        reason = "has waited 25 s, its deadline"
        self.until("that is told", lambda: any(reason in message for _, message in self.events("Stopped")[-1:]))

    def test_a_start_ends_a_drain_without_a_restart_and_a_stop_ends_it_at_once(self):
        before = self.life("alpha")
        self.played_by(2)
        self.ctl("drain", "alpha")
        self.until("it waits", lambda: "waits until empty: 2 players" in self.ctl("diff", expect=1).stdout)
        self.ctl("start", "alpha")
        self.agrees()
        self.play(0)
        self.until("nobody plays", lambda: self.game()["players"] == 0)
        self.agrees()
        self.assertEqual(self.life("alpha"), before)
        self.played_by(2)
        self.ctl("drain", "alpha", "--deadline", "06:00")
        self.ctl("drain", "alpha")
        self.assertNotIn("at the latest", self.ctl("diff", expect=1).stdout)
        self.assertEqual(self.life("alpha"), before)
        self.ctl("stop", "alpha")
        self.stopped(1)
