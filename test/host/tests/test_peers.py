"""Bugs of other programs, each named after its effect on users. docs/promises.md says which programs."""

import json
import time

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, DaemonTest, HostTest, server, unit_of

DELTA = server("delta", 27018)
IMMEDIATE = "rollout: {policy: Immediate}"


class Ankaios(DaemonTest):
    def test_restarting_the_manager_restarted_every_workload(self):
        before = self.lives(*SERVERS)
        for _ in range(3):
            self.run_in("systemctl", "restart", "left4me.service")
            self.settled()
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_deletion_while_the_agent_was_away_was_lost(self):
        self.write(f"{MANIFESTS}/delta.yaml", DELTA)
        self.until("delta answers", lambda: self.a2s(27018))
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("rm", f"{MANIFESTS}/delta.yaml")
        self.run_in("systemctl", "start", "left4me.service")
        self.until("delta is gone", lambda: not self.exists(f"{STATE}/instances/delta"))
        self.assert_gone("delta")

    def test_an_update_was_dropped_while_a_deletion_was_under_way(self):
        self.write(f"{MANIFESTS}/delta.yaml", DELTA)
        self.until("delta answers", lambda: self.a2s(27018))
        self.write(f"{STATE}/runtime/delta/merged/left4dead2/ems/standin.cfg", "standin_ignore_stop 1\n")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("delta"))
        self.until("delta answers", lambda: self.a2s(27018))
        self.settled()
        self.run_in("rm", f"{MANIFESTS}/delta.yaml")
        self.until("delta is stopping", lambda: self.properties("delta")["ActiveState"] == "deactivating")
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27019))
        self.until("delta answers on its new port", lambda: self.a2s(27019), 40)
        self.settled()
        self.bystanders_live_on()

    def test_waiting_hung_for_ever_on_what_never_became_ready(self):
        self.ctl("suspend", "--all", "--reason", "a test")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        began = time.monotonic()
        done = self.ctl("wait", "alpha", "--for=ready", "--timeout", "5s", expect=None)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("suspended", done.stderr)

    def test_what_was_gone_went_on_being_listed(self):
        self.write(f"{MANIFESTS}/delta.yaml", DELTA)
        self.until("delta answers", lambda: self.a2s(27018))
        self.run_in("rm", f"{MANIFESTS}/delta.yaml")
        self.until("delta is gone", lambda: not self.exists(f"{STATE}/instances/delta"))
        self.settled()
        self.assertNotIn("delta", self.ctl("get", "servers", "-o", "name").stdout)
        status = lambda: json.loads(self.run_in("cat", f"{STATE}/state/status.json").stdout)  # noqa: E731
        self.until("the status forgets delta", lambda: "delta" not in status()["servers"])

    def test_after_a_reboot_what_had_ended_was_said_to_run(self):
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        self.host.reboot()
        self.until("the others answer", lambda: self.a2s(27016) and self.a2s(27017))
        self.until("alpha is not ready", lambda: self.conditions("alpha")["Ready"]["status"] == "False", 30)
        self.assertFalse(self.a2s(27015))

    def conditions(self, name: str) -> dict:
        return {one["type"]: one for one in self.status(name)["conditions"]}


class Fleet(DaemonTest):
    def test_hundreds_of_units_of_others_cost_the_manager_its_cpu(self):
        """PID 1 signals every unit that changes; most are not ours."""
        used = lambda: int(self.run_in("sh", "-c", f"cut -d' ' -f1 /proc/{self.daemon()['MainPID']}/schedstat").stdout) / 1e6  # noqa: E731
        before = used()
        self.run_in("sh", "-c", "for n in $(seq 200); do systemd-run -q --unit=other-$n true; done; sleep 2", timeout=200)
        self.assertLess(used() - before, 1000, "milliseconds of CPU for 200 foreign units")
        self.bystanders_live_on()


class Ansible(HostTest):
    def test_unchanged_was_told_as_changed(self):
        self.apply()
        said = self.ctl("apply", "-f", "-", text_in=COMMUNITY).stdout
        self.assertNotIn("configured", said)
        self.assertNotIn("created", said)
        self.assertIn("server/alpha unchanged", said)

    def test_a_template_s_instance_was_enabled_and_told_as_disabled(self):
        self.apply()
        self.assertEqual(self.enabled("alpha"), "enabled")
        self.assertEqual(self.status("alpha")["actual"]["unitFileState"], "enabled")
        self.run_in("systemctl", "disable", unit_of("alpha"))
        self.assertEqual(self.status("alpha")["actual"]["unitFileState"], "disabled")

    def test_a_dry_run_failed_because_the_unit_was_not_there_yet(self):
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        said = self.ctl("diff", expect=1).stdout
        self.assertIn("server/alpha", said)
        self.assertFalse(self.exists(f"{STATE}/instances/alpha"))
        self.ctl("apply", "--dry-run", "-f", "-", text_in=DELTA)
        self.assertFalse(self.exists(f"{STATE}/instances/delta"))


class DocoCd(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.ctl("wait", *SERVERS)  # which is an event
        self.events_end()

    def events(self) -> int:
        return len(self.ctl("events", "-o", "json").stdout.splitlines())

    def events_end(self) -> int:
        """The number of events once no more arrive: they are written in the background, after the attribution."""
        count = -1
        while count != (count := self.events()):
            time.sleep(2)
        return count

    def test_every_reconciliation_was_a_notification(self):
        before = self.events()
        for _ in range(5):
            self.ctl("reconcile")
        self.assertEqual(self.events_end(), before)

    def test_a_restart_by_hand_led_to_a_loop_of_redeployments(self):
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))
        self.settled()
        self.ctl("wait", "alpha", "beta", "gamma")  # which is an event
        before = self.life("alpha")
        count = self.events_end()
        time.sleep(5)
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(self.events(), count)

    def test_a_change_was_seen_only_at_the_next_interval(self):
        began = time.monotonic()
        self.write(f"{MANIFESTS}/delta.yaml", DELTA)
        self.until("delta answers", lambda: self.a2s(27018), 25)
        self.assertLess(time.monotonic() - began, 25, "the interval is 30 s")

    def test_one_server_was_restarted_by_hand_only_through_a_commit(self):
        before = self.life("alpha")
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.assertNotEqual(self.life("alpha"), before)
        self.settled()
        self.bystanders_live_on()
