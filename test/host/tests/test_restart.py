"""Restarts that a person asks for."""

import json

from testhosts.case import DaemonTest, HostTest, crowd, unit_of

# systemd's own words for "is being stopped" and "is up" (systemd.journal-catalog).
STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
STARTED = "39f53479d3a045ac8e11786248231fbf"


class Restart(HostTest):
    NAMES = [f"s{number}" for number in range(10)]

    def test_a_staggered_restart_of_ten_servers_never_has_more_than_one_of_them_down(self):
        self.apply(crowd(self.NAMES))
        before = self.lives(*self.NAMES)
        said = self.ctl("restart", "--all", "--stagger").stdout
        self.assertIn("server/s3 restart requested", said)
        after = self.lives(*self.NAMES)
        for name in self.NAMES:
            self.assertNotEqual(after[name].pid, before[name].pid)
            self.assert_running(name)
        self.assertEqual(self.most_down(), 1)
        self.assert_converged()
        # What has been done is not done again.
        self.ctl("reconcile")
        self.assertEqual(self.lives(*self.NAMES), after)
        self.assertEqual(json.loads(self.run_in("cat", "/var/lib/left4me/state/restarts.json").stdout), [])

    def most_down(self) -> int:
        lines = self.run_in("journalctl", "-o", "json", "-b", "_PID=1").stdout.splitlines()
        down, most, stops = set(), 0, 0
        for entry in map(json.loads, lines):
            unit = entry.get("UNIT", "")
            if not unit.startswith("left4me-server@"):
                continue
            if entry.get("MESSAGE_ID") == STOPPING:
                down.add(unit)
                stops += 1
            elif entry.get("MESSAGE_ID") == STARTED:
                down.discard(unit)
            most = max(most, len(down))
        self.assertEqual((stops, down), (len(self.NAMES), set()))
        return most

    def test_a_server_that_does_not_run_is_not_restarted_and_one_hears_how_to_start_it(self):
        self.apply(crowd(["up", "down"]))
        self.ctl("stop", "down")
        before = self.life("up")
        refused = self.ctl("restart", "down", expect=5)
        self.assertIn("server/down is not running: its manifest says Stopped; l4d2ctl start down", refused.stderr)
        self.assertIn("server/down is not running", self.ctl("restart", "--all").stderr)
        self.assertNotEqual(self.life("up").pid, before.pid)
        self.assert_gone("down")
        self.ctl("restart", "nobody", expect=4)


class RestartBesideTheDaemon(DaemonTest):
    def test_a_restart_when_empty_waits_for_players_that_nobody_can_count_and_says_who_asked(self):
        before = self.life("alpha")
        self.run_in("systemctl", "stop", "left4me-probe.service")
        self.ctl("restart", "alpha", "--when-empty")
        waits = self.ctl("diff", expect=1).stdout
        self.assertRegex(waits, r"server/alpha +hold +root asked for a restart at .*number of players unknown")
        self.assertIn("root asked for a restart", self.ctl("describe", "server", "alpha").stdout)
        self.assertEqual(self.life("alpha"), before)
        self.assertIn("server/alpha restart canceled", self.ctl("restart", "alpha", "--cancel").stdout)
        self.settled()
        self.assertEqual(self.life("alpha"), before)

        self.ctl("restart", "alpha")
        self.until("alpha is another process", lambda: self.life("alpha").pid not in ("0", before.pid))
        self.settled()
        self.bystanders_live_on()
        self.until("the restart is told", lambda: '"Restarted"' in self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout)
        events = map(json.loads, self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines())
        told = [(event["reason"], event["actor"]) for event in events]
        for reason in ("RestartRequested", "RestartCanceled", "Restarted"):
            self.assertIn((reason, "root"), told)
        self.assertIn("pending", self.ctl("restart", "alpha", "--cancel").stdout)

    def test_a_restart_is_made_once_although_the_daemon_is_killed_meanwhile(self):
        self.run_in("systemctl", "stop", "left4me.service")
        before = self.lives("alpha", "beta", "gamma")
        self.run_in("systemctl", "start", "left4me.service")
        self.run_in("sh", "-c", "l4d2ctl restart --all --stagger & sleep 0.05; systemctl kill -s KILL left4me.service; wait")
        self.until(
            "all are other processes",
            lambda: all(self.life(name).pid not in ("0", before[name].pid) for name in before),
            40,
        )
        self.settled()
        once = self.run_in(
            "sh", "-c", f"journalctl -b -o cat _PID=1 MESSAGE_ID={STOPPING} UNIT={unit_of('alpha')} | wc -l"
        ).stdout.strip()
        self.assertEqual(once, "1")
