"""Players: how many there are is asked, shown, and waited for."""

import json
import time

from testhosts.case import COMMUNITY, SERVERS, STATE, DaemonTest, HostTest

PROBE = "left4me-probe.service"
ANSWERS = "/run/left4me/probe/answers/servers.json"
# PORT HEX SECONDS: sends the same datagram as often as it can.
FLOOD = """
my ($port, $hex, $seconds) = @ARGV;
socket(my $to, AF_INET, SOCK_DGRAM, 0) or die;
connect($to, sockaddr_in($port, inet_aton("127.0.0.1"))) or die;
my ($datagram, $sent, $end) = (pack("H*", $hex), 0, time + $seconds);
while (time < $end) { for (1 .. 1000) { send($to, $datagram, 0); $sent++ } }
print "$sent datagrams\\n";
"""
CHANGED = COMMUNITY.replace('hostname "${name}, modded"', 'hostname "${name}, changed"').replace(
    "port: 27015}", "port: 27015, rollout: {policy: WhenEmpty}}"
)


class Players(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        for name in SERVERS:
            self.until(f"{name} has answered the probe", lambda name=name: self.game(name)["state"] == "Answers")

    def game(self, name: str) -> dict:
        return json.loads(self.ctl("players", name, "-o", "json").stdout)["servers"][0]

    def orders(self, commands: str, name: str = "alpha") -> None:
        self.write(f"{STATE}/runtime/{name}/merged/left4dead2/ems/standin.cfg", commands)

    def play(self, count: int, name: str = "alpha") -> None:
        """From now on that many play there; nobody has been counted yet."""
        self.orders(f"standin_players {count}\n", name)

    def played_by(self, count: int, name: str = "alpha") -> None:
        self.play(count, name)
        self.until(f"{count} play on {name}", lambda: self.game(name)["players"] == count)

    def change(self) -> None:
        """Alpha's configuration changes; it may only be restarted when nobody plays there."""
        self.apply(CHANGED)

    def waits_for(self, text: str) -> bool:
        return f"waits until empty: {text}" in self.ctl("diff", expect=None).stdout

    def restarted(self, before, seconds: float = 40) -> None:
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", before.pid), seconds)
        self.until("alpha has the change", lambda: self.a2s(27015).get("hostname") == "alpha, changed")
        self.bystanders_live_on()

    def events(self, reason: str) -> list[dict]:
        lines = self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def test_a_change_waits_while_somebody_plays_and_is_made_when_the_last_player_has_left(self):
        before = self.life("alpha")
        self.played_by(3)
        self.change()
        self.until("the change waits for three players", lambda: self.waits_for("3 players"))
        self.assertIn("waits until empty: 3 players", self.ctl("describe", "server", "alpha").stdout)
        self.played_by(1)
        self.ctl("reconcile")
        self.assertTrue(self.waits_for("1 player"))
        self.assertEqual(self.life("alpha"), before)
        left = time.monotonic()
        self.play(0)
        # Sooner than the observation every 30 s.
        self.restarted(before, 25)
        self.assertLess(time.monotonic() - left, 25)
        self.settled_but_for_gamma()
        self.until("that is told", lambda: self.events("Restarted"))
        self.assertEqual(len(self.events("Restarted")), 1)

    def settled_but_for_gamma(self) -> None:
        """Gamma has the same blueprint, and waits for its next start."""

        def is_settled() -> bool:
            actions = json.loads(self.ctl("diff", "-o", "json", expect=None).stdout)["actions"]
            return {(action["subject"], action["verb"]) for action in actions} == {("server/gamma", "hold")}

        self.until("only gamma waits", is_settled)

    def test_who_comes_at_the_last_moment_is_not_kicked(self):
        before = self.life("alpha")
        self.played_by(2)
        self.change()
        self.until("the change waits for two players", lambda: self.waits_for("2 players"))
        # Between "under way" and the restart there is one round of the probe, less than a second.
        orders = f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg"
        self.run_in("sh", "-c", f"echo standin_players 0 >{orders}; "
                    "until systemctl show -P StatusText left4me.service | grep -q 'under way'; do :; done; "
                    f"echo standin_players 1 >{orders}")  # fmt: skip
        self.until("the restart is not made", lambda: self.events("Postponed"))
        self.assertIn("1 player has come meanwhile", self.events("Postponed")[0]["message"])
        self.until("the change waits for one player", lambda: self.waits_for("1 player"))
        self.assertEqual(self.life("alpha"), before)
        self.assertNotIn("failed", self.ctl("status", "alpha").stdout)
        self.play(0)
        self.restarted(before)

    def test_without_the_probe_nobody_is_restarted_for_a_change_and_drift_is_still_repaired(self):
        before = self.life("alpha")
        self.run_in("systemctl", "stop", PROBE)
        self.change()
        self.until("the number of players is unknown", lambda: self.waits_for("number of players unknown"))
        shown = self.ctl("players")
        self.assertRegex(shown.stdout, r"(?m)^alpha +\? +\? +no answer")
        self.assertIn("systemctl status left4me-probe", shown.stderr)
        beta = self.life("beta")
        self.run_in("systemctl", "stop", "left4me-server@beta.service")
        self.until("beta runs again", lambda: self.life("beta").pid not in ("0", beta.pid))
        self.bystanders = self.lives("beta", "gamma")
        self.assertEqual(self.life("alpha"), before)
        self.run_in("systemctl", "start", PROBE)
        self.restarted(before)

    def test_a_probe_that_hangs_says_nothing_about_who_plays_and_one_that_is_killed_comes_again(self):
        before = self.life("alpha")
        self.run_in("systemctl", "kill", "--signal=SIGSTOP", PROBE)
        self.until("its answers are too old", lambda: self.game("alpha")["state"] == "NoAnswer", 30)
        self.change()
        self.until("the number of players is unknown", lambda: self.waits_for("number of players unknown"))
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.run_in("systemctl", "kill", "--signal=SIGKILL", PROBE)
        self.restarted(before)

    def test_a_probe_whose_clock_is_wrong_says_nothing_about_who_plays(self):
        before = self.life("alpha")
        self.run_in("systemctl", "kill", "--signal=SIGSTOP", PROBE)
        now = int(float(self.run_in("cut", "-d ", "-f1", "/proc/uptime").stdout) * 1000)
        answers = json.loads(self.run_in("cat", ANSWERS).stdout)
        self.change()
        for asked in (now + 86_400_000, 0, -(2**62)):
            for one in answers["servers"]:
                one.update(asked=asked, players=0)
            self.write(ANSWERS, json.dumps(answers))
            self.ctl("reconcile")
            self.assertTrue(self.waits_for("number of players unknown"), asked)
            self.assertEqual(self.life("alpha"), before)
        self.run_in("systemctl", "kill", "--signal=SIGKILL", PROBE)
        self.restarted(before)

    def test_a_flood_to_the_probe_s_socket_restarts_nobody_and_drift_is_repaired_meanwhile(self):
        before = self.life("alpha")
        self.played_by(3)
        self.change()
        self.until("the change waits", lambda: self.waits_for("3 players"))
        user = self.run_in("id", "-u", "left4me-probe").stdout.strip()
        table = [line.split() for line in self.run_in("cat", "/proc/net/udp").stdout.splitlines()[1:]]
        port = next(int(fields[1].split(":")[1], 16) for fields in table if fields[7] == user)
        nobody = b"\xff\xff\xff\xffI\x11alpha\0map\0left4dead2\0L4D2\0\x26\x02\0\x08\0dl\0\x012\0".hex()
        flooding = self.run_in("systemd-run", "--unit=flood", "perl", "-MSocket", "-e", FLOOD, str(port), nobody, "30")
        self.assertEqual(flooding.returncode, 0)
        beta = self.life("beta")
        began = time.monotonic()
        self.run_in("systemctl", "stop", "left4me-server@beta.service")
        self.until("beta runs again", lambda: self.life("beta").pid not in ("0", beta.pid), 25)
        repaired = time.monotonic() - began
        self.bystanders = self.lives("beta", "gamma")
        while self.run_in("systemctl", "is-active", "flood", expect=None).stdout.strip() == "active":
            self.assertIn(self.game("alpha")["players"], (3, None))
            self.assertEqual(self.life("alpha"), before)
        sent = self.run_in("journalctl", "-u", "flood", "-o", "cat", "--no-pager").stdout
        print(f"flood: {sent.split('datagrams')[0].split()[-1]} datagrams in 30 s; drift was repaired after {1000 * repaired:.0f} ms")
        self.until("the probe knows again", lambda: self.game("alpha")["players"] == 3)
        self.play(0)
        self.restarted(before)

    def test_a_game_that_says_that_nobody_plays_but_lists_players_is_not_restarted(self):
        before = self.life("alpha")
        self.orders("standin_players 2\nstandin_lie 0\n")
        self.until("the probe has heard of them", lambda: self.game("alpha")["players"] == 2)
        self.change()
        self.until("the change waits", lambda: self.waits_for("2 players"))
        self.assertEqual(self.life("alpha"), before)
        self.orders("standin_players 0\nstandin_lie 0\n")
        self.restarted(before)

    def test_who_plays_is_shown_and_nothing_that_a_name_contains_reaches_the_terminal(self):
        self.orders("standin_players 5\nstandin_connecting 2\n")
        self.until("all are counted and listed", lambda: self.game("alpha")["players"] == 7 and len(self.game("alpha")["list"] or []) == 6)
        listed = self.game("alpha")["list"]
        self.assertEqual([player["name"] for player in listed],
                         ["Zoey 1", "?[31mred?[0m 2", "ñandú 3", "\u202etxet 4",
                          "players : 0 humans, 0 bots (8 max) (hibernating) (unreserved) 5", ""])  # fmt: skip
        self.assertEqual([player["score"] for player in listed], [2, 9, 16, 23, 30, 0])
        shown = self.ctl("players", "alpha").stdout
        self.assertRegex(shown, r"(?m)^alpha +7/8 ")
        self.assertRegex(shown, r"(?m)^PLAYER +SCORE +CONNECTED$")
        self.assertRegex(shown, r"(?m)^Zoey 1 +2 +\d+s$")
        self.assertRegex(shown, r"(?m)^\(no name yet\) +0 +\d+s$")
        drawn = self.run_in("script", "-qec", "l4d2ctl players alpha", "/dev/null").stdout
        self.assertNotIn("\u202e", drawn)
        self.assertNotIn("\x1b[31m", drawn)
        self.assertNotIn("Zoey", self.ctl("players").stdout)
        self.assertNotIn("Zoey", self.run_in("cat", ANSWERS).stdout)
        self.assertIsNone(self.game("beta")["list"] or None)

    def test_a_game_that_does_not_answer_counts_as_occupied(self):
        before = self.life("alpha")
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", "standin_hang 1\n")
        self.until("its last answer is too old", lambda: self.game("alpha")["state"] == "NoAnswer", 30)
        self.change()
        self.until("the number of players is unknown", lambda: self.waits_for("number of players unknown"))
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)

    def test_a_restart_that_a_person_asked_for_is_made_when_the_last_player_has_left(self):
        before = self.life("alpha")
        self.played_by(1)
        self.ctl("restart", "alpha", "--when-empty")
        self.until("the restart waits", lambda: self.waits_for("1 player"))
        self.play(0)
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", before.pid), 40)
        self.settled()
        self.bystanders_live_on()

    def test_players_and_maps_are_shown_and_an_empty_server_is_told_from_one_that_does_not_run(self):
        self.played_by(3)
        self.until("they are listed", lambda: len(self.game("alpha")["list"] or []) == 3)
        self.ctl("stop", "gamma")
        shown = self.ctl("players").stdout
        self.assertRegex(shown, r"(?m)^NAME +PLAYERS +MAP +ANSWER\n")
        self.assertRegex(shown, r"(?m)^alpha +3/8 +c5m1_waterfront +asked \d+s ago$")
        self.assertRegex(shown, r"(?m)^beta +0/4 +c1m1_hotel +asked \d+s ago$")
        self.assertRegex(shown, r"(?m)^gamma +- +- +does not run$")
        self.assertRegex(self.ctl("players", "alpha").stdout, r"\ANAME .*\nalpha .*\n\nPLAYER .*\n(?:.+\n){3}\Z")
        self.ctl("players", "nobody", expect=4)
        told = json.loads(self.ctl("players", "-o", "json").stdout)
        self.assertEqual(told["players"], 3)
        self.assertEqual([server["state"] for server in told["servers"]], ["Answers", "Answers", "NotRunning"])
        self.assertEqual(told["servers"][1]["players"], 0)
        self.assertIsNone(told["servers"][2]["players"])
        table = self.run_in("sh", "-c", "COLUMNS=200 l4d2ctl get servers").stdout
        self.assertRegex(table, r"(?m)^NAME .* PORT +PLAYERS +MAP ")
        self.assertRegex(table, r"(?m)^alpha .* 27015 +3/8 +c5m1_waterfront ")
        self.assertRegex(table, r"(?m)^gamma .* 27017 +- +- ")
        game = json.loads(self.ctl("get", "server", "alpha", "-o", "json").stdout)["game"]
        self.assertEqual((game["players"], game["maxPlayers"], game["map"]), (3, 8, "c5m1_waterfront"))
        self.assertRegex(self.ctl("describe", "server", "alpha").stdout, r"Players +3 of 8, on c5m1_waterfront, asked")

    def test_top_shows_what_each_server_uses_in_a_window_of_any_size(self):
        self.played_by(3)
        self.ctl("stop", "gamma")
        told = json.loads(self.ctl("top", "-o", "json", "-i", "1s").stdout)
        self.assertEqual([server["name"] for server in told["servers"]], ["alpha", "beta", "gamma"])
        self.assertEqual((told["players"], told["servers"][0]["players"], told["servers"][0]["map"]), (3, 3, "c5m1_waterfront"))
        self.assertIsNotNone(told["cores"])
        self.assertIsNone(told["servers"][2]["cores"])
        table = self.run_in("sh", "-c", "COLUMNS=200 l4d2ctl top -i 1s").stdout
        self.assertRegex(table, r"^3 servers, 3 players; \d\.\d\d of \d+ cores, memory ")
        self.assertRegex(table, r"(?m)^NAME +PLAYERS +CPU +MEMORY +TICK +RESTARTS +UP +MAP +WHY\n")
        self.assertRegex(table, r"(?m)^alpha +3/8 +\d\.\d\d .* c5m1_waterfront")
        self.assertRegex(table, r"(?m)^gamma +- +- +")
        drawn = "stty cols {} rows {}; l4d2ctl top -n 2 -i 1s --sort players"
        wide = self.run_in("script", "-qec", drawn.format(120, 30), "/dev/null").stdout
        self.assertEqual(wide.count("\x1b[H"), 2)
        self.assertIn("c5m1_waterfront", wide)
        narrow = self.run_in("script", "-qec", drawn.format(50, 5), "/dev/null").stdout
        self.assertNotIn("MAP", narrow)
        self.assertIn("alpha", narrow)
        self.assertNotIn("gamma", narrow)
        self.assertIn("… 2 more", narrow)
        self.ctl("top", "-i", "0s", expect=2)

    def test_the_probe_holds_no_privilege_and_sees_no_secret(self):
        self.write("/etc/left4me/secrets/rcon", "secret")
        pid = self.run_in("systemctl", "show", "-P", "MainPID", PROBE).stdout.strip()
        status = dict(line.split(":\t", 1) for line in self.run_in("cat", f"/proc/{pid}/status").stdout.splitlines() if ":\t" in line)
        self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
        self.assertEqual({status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}, {"0" * 16})
        self.assertNotIn("0", status["Uid"].split())
        for path in ("/etc/left4me/secrets/rcon", "/etc/left4me/manifests", f"{STATE}/state", f"{STATE}/instances"):
            self.run_in("nsenter", "--target", pid, "--mount", "--", "setpriv", "--reuid=left4me-probe", "--clear-groups",
                        "ls", path, expect=2)  # fmt: skip
        listed = self.run_in("sh", "-c", f"ls -l /proc/{pid}/fd | grep -c socket:").stdout.strip()
        self.assertLessEqual(int(listed), 3)  # its own, and the journal's


class WithoutTheDaemon(HostTest):
    def test_without_a_probe_the_players_are_unknown_and_one_hears_what_to_look_at(self):
        self.apply()
        self.until("alpha answers", lambda: self.a2s(27015))
        shown = self.ctl("players", "alpha")
        self.assertRegex(shown.stdout, r"(?m)^alpha +\? +\? +no answer")
        self.assertIn("systemctl status left4me-probe", shown.stderr)

    def test_the_timer_s_pass_makes_a_change_when_nobody_plays(self):
        self.apply()
        before = self.life("alpha")
        self.run_in("systemctl", "start", "left4me-probe.service")
        answers = lambda: json.loads(self.ctl("players", "-o", "json").stdout)["servers"]  # noqa: E731
        self.until("alpha has answered the probe", lambda: answers()[0]["state"] == "Answers")
        self.apply(CHANGED)

        def is_restarted() -> bool:
            """A pass needs an answer that is at most 5 s old."""
            self.ctl("reconcile")
            return self.life("alpha").pid not in ("0", before.pid)

        self.until("a pass restarts it", is_restarted, 40)
        self.until("alpha has the change", lambda: self.a2s(27015).get("hostname") == "alpha, changed")
