"""Tick health: a game that runs too slowly is shown, and restarted once nobody plays if its Blueprint asks for that."""

import json

from testhosts.case import COMMUNITY, STATE, DaemonTest

SLOW = "12.00"


def community(degraded: str) -> str:
    """alpha and gamma have a console."""
    return COMMUNITY.replace(
        "  overlays: [rates, maps]\n",
        f"  overlays: [rates, maps]\n  rcon: {{secret: rcon}}\n  health: {{degraded: {{for: 1m{degraded}}}}}\n",
    )


class Ticks(DaemonTest):
    def begin(self, degraded: str) -> None:
        self.write("/etc/left4me/secrets/rcon", "tr0ub4dor\n")
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.apply(community(degraded))
        self.ctl("restart", "alpha", "gamma")
        for name in ("alpha", "gamma"):
            self.until(f"{name} has a console", lambda name=name: self.ctl("console", name, "status", expect=None).returncode == 0, 40)
        self.until("all are Ready", lambda: all(self.condition(name, "Ready")["status"] == "True" for name in ("alpha", "gamma")), 60)
        self.bystanders = self.lives("beta", "gamma")
        self.before = self.life("alpha")

    def condition(self, name: str, kind: str) -> dict:
        return next(one for one in self.status(name)["conditions"] if one["type"] == kind)

    def order(self, players: int, rate: str) -> None:
        orders = f"standin_players {players}\nstandin_fps {rate}\n"
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", orders)

    def is_degraded(self) -> bool:
        return self.condition("alpha", "TickHealthy")["reason"] == "Degraded"

    def events(self, reason: str) -> list[dict]:
        lines = self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def becomes_degraded(self) -> None:
        self.assertEqual(self.condition("alpha", "TickHealthy")["reason"], "NotMeasured")
        self.order(3, "30.00")
        self.until("alpha keeps up", lambda: self.condition("alpha", "TickHealthy")["reason"] == "KeepsUp", 90)
        game = self.status("alpha")["game"]
        self.assertEqual((game["framesPerSecond"], game["tickrate"]), (30.0, 30))
        self.order(3, SLOW)
        # l4d2ctl sees it for itself, perhaps before l4d2d has told of it.
        self.until("alpha is degraded", lambda: self.is_degraded() and self.events("Degraded"), 200)
        message = "the game runs with less than 80% of its 30 frames per second"
        self.assertEqual(self.condition("alpha", "TickHealthy")["message"], message)
        self.assertEqual(self.condition("alpha", "Ready")["status"], "True")
        [event] = self.events("Degraded")
        self.assertEqual((event["type"], event["message"]), ("Warning", message))
        self.assertIn("12/30", self.ctl("top", "-n", "1").stdout)
        self.assertIn("12.0 of 30 frames per second", self.ctl("describe", "server", "alpha").stdout)

    def test_a_game_that_is_too_slow_is_restarted_when_the_last_player_has_left(self):
        self.begin(", action: RestartWhenEmpty")
        self.becomes_degraded()
        self.assertIn("waits until empty: 3 players", self.ctl("diff", expect=None).stdout)
        for _ in range(3):
            self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), self.before)
        self.order(0, "30.00")
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", self.before.pid), 60)
        self.until("that is told", lambda: [one for one in self.events("Restarted") if "frames per second" in one["message"]])
        restarts = [event["message"] for event in self.events("Restarted") if "frames per second" in event["message"]]
        self.assertEqual(restarts, ["the game runs with less than 80% of its 30 frames per second, and nobody is playing"])
        self.until("nothing is known of the new game", lambda: self.condition("alpha", "TickHealthy")["reason"] == "NotMeasured", 60)
        journal = self.run_in("journalctl", "-u", "left4me-server@alpha.service", "--no-pager").stdout
        self.assertNotIn("kicked by a stop", journal)
        self.settled(60)
        self.bystanders_live_on()

    def test_by_default_it_is_only_reported(self):
        self.begin("")
        self.becomes_degraded()
        self.order(0, SLOW)
        self.until("nobody plays", lambda: self.status("alpha")["game"]["players"] == 0, 30)
        for _ in range(3):
            self.ctl("reconcile")
        self.assertTrue(self.is_degraded(), "a game that hibernates says nothing")
        self.assertIn("the game runs with less than", self.ctl("get", "servers", "-o", "wide").stdout)
        self.assertEqual(self.ctl("diff").stdout, "")
        self.assertEqual(self.life("alpha"), self.before)
        self.order(3, "30.00")
        self.until("alpha keeps up again", lambda: self.events("KeepsUp"), 200)
        self.assertEqual(self.life("alpha"), self.before)
        self.bystanders_live_on()
