"""Health: a game that hangs is told from one that only does not answer."""

import json

from testhosts.case import COMMUNITY, SERVERS, DaemonTest

PROBE = "left4me-probe.service"
HEALTH = "  health: {startup: 10s, unresponsive: 1m}\n"
WATCHED = COMMUNITY.replace("spec:\n  arguments", f"spec:\n{HEALTH}  arguments").replace(
    "spec:\n  overlays: [rates, maps]", f"spec:\n{HEALTH}  overlays: [rates, maps]"
)


class Health(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.apply(WATCHED)
        for name in SERVERS:
            self.until(f"{name} is Ready", lambda name=name: self.ready(name)["status"] == "True", 60)

    def ready(self, name: str) -> dict:
        return next(one for one in self.status(name)["conditions"] if one["type"] == "Ready")

    def is_not_responding(self, name: str, text: str) -> bool:
        ready = self.ready(name)
        return ready["reason"] == "NotResponding" and text in ready["message"]

    def signal(self, name: str, word: str) -> None:
        """To the game's own processes, wherever they are in its sandbox."""
        port = SERVERS[name]
        self.run_in("sh", "-c", f"kill -{word} $(pgrep -u left4me-server -f -- '-port {port}')")

    def seconds_unread(self, name: str) -> float:
        """For how long the probe has seen that the game does not read."""
        told = json.loads(self.run_in("cat", "/run/left4me/probe/answers/servers.json").stdout)
        socket = next(one for one in told["sockets"] if one["port"] == SERVERS[name])
        return (told["looked"] - socket.get("unread", told["looked"])) / 1000

    def events(self, name: str, reason: str) -> list[dict]:
        lines = self.ctl("events", name, "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def test_a_game_that_hangs_is_restarted_and_the_others_live_on(self):
        before = self.life("alpha")
        self.signal("alpha", "STOP")
        self.until("alpha does not respond", lambda: self.is_not_responding("alpha", "nor reads them"), 120)
        self.assertEqual(self.life("alpha"), before)
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", before.pid), 180)
        self.until("alpha is Ready", lambda: self.ready("alpha")["status"] == "True", 60)
        [restarted] = self.events("alpha", "Restarted")
        self.assertEqual(
            restarted["message"], "the game neither answers queries nor reads them, for at least 1m"
        )
        hung = [event for event in self.events("alpha", "NotReady") if "nor reads them" in event["message"]]
        self.assertEqual(len(hung), 1)
        self.bystanders_live_on()

    def test_when_all_games_fall_silent_at_once_none_is_restarted(self):
        before = self.lives(*SERVERS)
        for name in SERVERS:
            self.signal(name, "STOP")
        for name in SERVERS:
            self.until(
                f"{name} does not respond",
                lambda name=name: self.is_not_responding(name, "all 3 games fell silent at once"),
                120,
            )
        self.until("that lasts", lambda: self.seconds_unread("alpha") > 75, 60)
        self.ctl("reconcile")
        self.assertEqual(self.lives(*SERVERS), before)
        for name in SERVERS:
            self.signal(name, "CONT")
        for name in SERVERS:
            self.until(f"{name} is Ready", lambda name=name: self.ready(name)["status"] == "True", 60)
        self.assertEqual(self.lives(*SERVERS), before)

    def test_what_the_probe_did_not_see_is_no_reason_to_restart(self):
        before = self.life("alpha")
        self.signal("alpha", "STOP")
        self.until("the probe sees that it hangs", lambda: self.seconds_unread("alpha") > 40, 120)
        self.run_in("systemctl", "kill", "--signal=SIGSTOP", PROBE)
        stopped = float(self.run_in("cut", "-d ", "-f1", "/proc/uptime").stdout)
        uptime = lambda: float(self.run_in("cut", "-d ", "-f1", "/proc/uptime").stdout)  # noqa: E731
        self.until("nobody has looked for a while", lambda: uptime() > stopped + 30, 60)
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(self.ready("alpha")["status"], "True")
        self.run_in("systemctl", "kill", "--signal=SIGCONT", PROBE)
        self.until("it looks again", lambda: 1 < self.seconds_unread("alpha") < 20, 20)
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.bystanders_live_on()
