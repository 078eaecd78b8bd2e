"""Every change to the host is an event that says what, why, when, from which revision and, if known, who."""

import json
import shlex
import time

from testhosts.case import COMMUNITY, MANIFESTS, STATE, DaemonTest, HostTest, unit_of


class Events(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.apply()
        self.assert_converged()
        self.seen = len(self.events())

    def events(self, *words: str) -> list[dict]:
        return [json.loads(line) for line in self.ctl("events", "-n", "0", "-o", "json", *words).stdout.splitlines()]

    def news(self) -> list[dict]:
        """The events since the last call."""
        events = self.events()
        fresh, self.seen = events[self.seen :], len(events)
        return fresh

    def journal(self, *fields: str) -> list[dict]:
        said = self.run_in("journalctl", "--no-pager", "-o", "json", *fields).stdout
        return [json.loads(line) for line in said.splitlines()]

    def by_sudo(self, user: str, command: str) -> None:
        self.run_in("useradd", "--create-home", user)
        self.write(f"/etc/sudoers.d/{user}", f"{user} ALL=(ALL) NOPASSWD: ALL\n")
        self.run_in("chmod", "0440", f"/etc/sudoers.d/{user}")
        self.run_in("runuser", "-u", user, "--", "sudo", "sh", "-c", "true")
        self.run_in("runuser", "-u", user, "--", "sudo", *shlex.split(command))

    def test_an_action_is_recorded_for_l4d2ctl_and_in_the_journal(self):
        started = [event for event in self.events("alpha") if event["reason"] == "Started"]
        self.assertEqual(len(started), 1)
        event = started[0]
        self.assertEqual(
            (event["subject"], event["type"], event["actor"], event["drift"]), ("server/alpha", "Normal", "root", False)
        )
        self.assertEqual(event["message"], "the unit is inactive, the manifest says Running")
        entries = self.journal("SERVER=alpha", "REASON=Started")
        self.assertEqual(len(entries), 1)
        self.assertEqual(entries[0]["REVISION"], event["revision"])
        self.assertEqual(entries[0]["MESSAGE"], f"server/alpha: Started: {event['message']}")
        self.assertEqual(entries[0]["SYSLOG_IDENTIFIER"], "left4me")
        self.assertEqual(entries[0]["PRIORITY"], "6")

    def test_passes_over_a_converged_host_record_no_events(self):
        self.ctl("wait", "alpha", "beta", "gamma")  # that they have stayed up is an event of the next pass
        self.ctl("reconcile")
        self.news()
        for _ in range(5):
            self.ctl("reconcile")
        self.assertEqual(self.news(), [])

    def test_a_person_who_stopped_a_server_with_sudo_is_named(self):
        self.by_sudo("alice", f"systemctl stop {unit_of('alpha')}")
        self.converge()
        drift = [event for event in self.news() if event["drift"]]
        self.assertEqual([(event["reason"], event["actor"]) for event in drift], [("Started", "alice")])
        self.assertIn(f"alice ran /usr/bin/systemctl stop {unit_of('alpha')}", drift[0]["message"])
        self.until("the journal has it", lambda: len(self.journal("SERVER=alpha", "DRIFT=1", "ACTOR=alice")) == 1)

    def test_a_person_who_unmounted_a_server_with_sudo_is_named(self):
        # journald looks up a line's sender while it runs; on a busy machine an umount is faster than that.
        self.by_sudo("bob", f"sh -c 'umount {STATE}/runtime/alpha/merged; sleep 1'")
        self.ctl("reconcile")
        drift = [event for event in self.news() if event["drift"]]
        self.assertEqual([(event["reason"], event["actor"]) for event in drift], [("Attached", "bob")])

    def test_a_change_in_a_root_shell_has_no_actor_and_a_forged_line_blames_nobody(self):
        forged = "mallory : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/systemctl stop left4me-server@alpha"
        self.run_in("logger", "-t", "sudo", forged)
        self.run_in("systemctl", "disable", "--now", unit_of("alpha"))
        self.converge()
        drift = [event for event in self.news() if event["drift"]]
        self.assertEqual({event["reason"] for event in drift}, {"Enabled", "Started"})
        self.assertEqual({event["actor"] for event in drift}, {None})
        self.assertIn("by: unknown", self.ctl("events", "alpha").stdout)

    def test_a_command_about_another_server_blames_nobody(self):
        self.by_sudo("alice", f"systemctl restart {unit_of('beta')}")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.converge()
        self.assertEqual([event["actor"] for event in self.news() if event["drift"]], [None])

    def test_a_suspended_server_is_left_alone_until_it_is_resumed(self):
        before = self.lives("beta", "gamma")
        self.ctl("suspend", "alpha", "--reason", "trying a map", "--for", "1h")
        self.run_in("systemctl", "disable", "--now", unit_of("alpha"))
        self.write("/srv/left4dead2/maps/left4dead2/addons/dark.vpk", "another map")
        self.ctl("reconcile")
        self.assert_gone("alpha")
        said = self.ctl("diff", expect=1).stdout
        self.assertIn("suspended by root until ", said)
        self.assertIn("trying a map", self.ctl("get", "servers").stdout)
        self.assertEqual(self.status("alpha")["suspended"]["reason"], "trying a map")
        self.ctl("resume", "alpha")
        self.assert_running("alpha", 27015)
        self.assertEqual(self.lives("beta", "gamma"), before)
        told = [event["reason"] for event in self.events("alpha") if event["reason"] in ("Suspended", "Resumed")]
        self.assertEqual(told, ["Suspended", "Resumed"])

    def test_everything_suspended_is_left_alone_and_the_suspension_ends_by_itself(self):
        self.ctl("suspend", "--all", "--reason", "moving house", "--for", "20s")
        self.run_in("systemctl", "stop", unit_of("alpha"), unit_of("beta"))
        self.ctl("reconcile")
        self.assertEqual(self.properties("alpha")["ActiveState"], "inactive")
        self.until("the suspension is over", lambda: "suspended" not in self.ctl("diff", expect=None).stdout, 60)
        self.ctl("reconcile")
        self.assert_running("alpha", 27015)
        self.assert_running("beta", 27016)

    def test_history_lists_the_result_of_each_revision(self):
        self.write(f"{MANIFESTS}/wrong.yaml", "apiVersion: left4me/v1\nkind: Servr\n")
        self.ctl("reconcile", expect=3)
        self.run_in("rm", f"{MANIFESTS}/wrong.yaml")
        self.apply(COMMUNITY.replace("100000", "60000"))
        items = json.loads(self.ctl("history", "-o", "json").stdout)["items"]
        self.assertEqual(items[0]["result"], "Held")  # OnNextStart
        self.assertIn("rollout OnNextStart", items[0]["message"])
        self.assertEqual(items[-1]["result"], "Applied")
        self.assertIsNotNone(items[-1]["settledAt"])
        self.assertIn("SourceRejected", [event["reason"] for event in self.news()])

    def test_every_pass_writes_the_file_for_node_exporter(self):
        self.run_in("install", "-d", "-o", "left4me", "/srv/metrics")
        self.write("/etc/left4me/config.yaml", "metrics: {textfile: /srv/metrics/left4me.prom}\n")
        self.ctl("wait", "alpha")
        self.ctl("stop", "beta")
        text = self.run_in("cat", "/srv/metrics/left4me.prom").stdout
        self.assertIn('left4me_server_ready{server="alpha"} 1\n', text)
        self.assertIn('left4me_server_desired_running{server="beta"} 0\n', text)
        self.assertIn("left4me_source_ok 1\n", text)

    def test_waiting_for_a_suspended_server_ends_immediately_and_says_why(self):
        self.ctl("suspend", "alpha", "--reason", "trying a map")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        begin = time.monotonic()
        said = self.ctl("wait", "alpha", "--timeout=60s", expect=6).stderr
        self.assertLess(time.monotonic() - begin, 20)
        self.assertIn("suspended by root: trying a map", said)
        self.ctl("reconcile", "--wait=60s", expect=6)
        self.assertLess(time.monotonic() - begin, 30)

    def test_watching_shows_each_server_once_and_then_what_changes(self):
        self.ctl("wait", "alpha", "beta", "gamma")  # that they have stayed up is a change, too
        watch = ("timeout 60 l4d2ctl get servers --watch -o json >/tmp/seen & pid=$!; "
                 "until [ $(wc -l </tmp/seen) -ge 3 ]; do sleep 0.1; done; l4d2ctl stop beta >/dev/null; "
                 "until tail -n +4 /tmp/seen | grep -q Stopped; do sleep 0.1; done; sleep 2; kill $pid; wait; cat /tmp/seen")  # fmt: skip
        lines = self.run_in("sh", "-c", watch, expect=None).stdout.splitlines()
        seen = [(item["name"], item["desired"]["state"]) for item in map(json.loads, lines)]
        self.assertEqual(seen[:3], [("alpha", "Running"), ("beta", "Running"), ("gamma", "Running")])
        self.assertIn(("beta", "Stopped"), seen[3:])
        self.assertEqual({name for name, _ in seen[3:]}, {"beta"})

    def test_following_events_shows_what_happens_meanwhile(self):
        follow = "timeout 20 l4d2ctl events beta --lines 1 --follow & sleep 6; l4d2ctl stop beta >/dev/null; wait"
        said = self.run_in("sh", "-c", follow, expect=None).stdout
        self.assertRegex(said, r"server/beta +Stopped +the unit is active, the manifest says Stopped; requested by root")


class DaemonEvents(DaemonTest):
    """The same, recorded by the daemon."""

    def drift(self) -> list[dict]:
        lines = self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["drift"]]

    def test_the_daemon_names_a_person_who_stopped_a_server_with_sudo(self):
        self.run_in("useradd", "--create-home", "alice")
        self.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n")
        self.run_in("chmod", "0440", "/etc/sudoers.d/alice")
        self.run_in("runuser", "-u", "alice", "--", "sudo", "systemctl", "stop", unit_of("alpha"))
        self.until("the correction is told", lambda: [one for one in self.drift() if one["reason"] == "Started"])
        self.assertEqual({event["actor"] for event in self.drift()}, {"alice"}, self.drift())
        self.bystanders_live_on()

    def test_a_server_is_suspended_and_resumed_under_the_daemon(self):
        self.ctl("suspend", "alpha", "--reason", "trying a map")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        time.sleep(3)
        self.assertEqual(self.properties("alpha")["ActiveState"], "inactive")
        self.ctl("resume", "alpha")
        self.settled()
        self.assert_running("alpha", 27015)
        self.bystanders_live_on()

    def test_the_daemon_answers_prometheus_on_its_loopback_port(self):
        self.write("/etc/left4me/config.yaml", "metrics: {port: 9727}\n")
        self.run_in("systemctl", "reload", "left4me.service")
        ask = 'exec 3<>/dev/tcp/127.0.0.1/9727; printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'
        self.until("the port is open", lambda: self.run_in("bash", "-c", ask, expect=None).returncode == 0)
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.settled()

        def answers() -> str:
            return self.run_in("bash", "-c", ask, expect=None).stdout

        self.until("the correction is counted", lambda: 'left4me_drift_corrections_total{reason="Started"} 1' in answers())
        self.until("alpha has stayed up", lambda: 'left4me_server_ready{server="alpha"} 1\n' in answers())
        text = answers()
        self.assertTrue(text.startswith("HTTP/1.0 200 OK"), text[:100])
        self.assertIn('controller_runtime_reconcile_total{controller="server",result="success"}', text)


class FirstEvents(HostTest):
    """On a host where no pass was ever made."""

    def test_a_host_without_manifests_is_reported_with_its_time(self):
        self.run_in("systemctl", "start", "left4me.service")
        events: list[dict] = []

        def told() -> list[dict]:
            lines = self.ctl("events", "-n", "0", "-o", "json").stdout.splitlines()
            events[:] = [json.loads(line) for line in lines]
            return events

        self.until("the source is refused", told)
        self.assertEqual([event["reason"] for event in events], ["SourceRejected"])
        today = self.run_in("date", "--utc", "+%Y").stdout.strip()
        self.assertTrue(events[0]["at"].startswith(today), events)
