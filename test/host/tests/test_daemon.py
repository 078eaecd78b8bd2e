"""l4d2d keeps a host in line with the manifests, without any command."""

import json
import time

from testhosts.case import MANIFESTS, SERVERS, STATE, COMMUNITY, DaemonTest, HostTest, server, unit_of


class Continuous(DaemonTest):
    def corrected(self) -> None:
        self.until("alpha answers", lambda: self.a2s(27015))
        self.settled()
        self.assert_running("alpha", 27015)
        self.bystanders_live_on()

    def restart_alpha_at_once(self) -> None:
        """From now on alpha does not wait for its players."""
        immediate = "spec: {blueprint: modded, port: 27015, rollout: {policy: Immediate}}"
        self.write(
            f"{MANIFESTS}/community.yaml", COMMUNITY.replace("spec: {blueprint: modded, port: 27015}", immediate)
        )
        self.until("alpha is Immediate", lambda: "Immediate" in self.ctl("get", "server", "alpha", "-o", "yaml").stdout)
        self.settled()

    # -- drift ------------------------------------------------------------------------------------------------------

    def test_a_server_stopped_by_hand_runs_again(self):
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.corrected()

    def test_a_server_that_a_person_stops_40_times_comes_back_40_times(self):
        for _ in range(40):
            before = self.life("alpha")
            self.run_in("systemctl", "stop", unit_of("alpha"))
            self.until(
                "alpha runs again",
                lambda before=before: self.properties("alpha")["ActiveState"] == "active" and self.life("alpha") != before,
            )
        self.corrected()

    def test_a_server_disabled_by_hand_is_enabled_without_a_restart(self):
        before = self.life("alpha")
        self.run_in("systemctl", "disable", unit_of("alpha"))
        self.until("alpha is enabled", lambda: self.enabled("alpha") == "enabled")
        self.assertEqual(self.life("alpha"), before)
        self.corrected()

    def test_a_server_masked_and_stopped_by_hand_runs_again(self):
        self.run_in("systemctl", "mask", "--now", unit_of("alpha"))
        self.corrected()

    def test_a_killed_server_runs_again(self):
        before = self.life("alpha")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("alpha"))
        self.until("alpha has a new process", lambda: self.life("alpha") != before)
        self.corrected()

    def unmounted_and_mounted_again(self) -> None:
        before, mounted = self.life("alpha"), self.mounts("alpha")
        for how in ([], ["--lazy"]):
            self.run_in("umount", *how, f"{STATE}/runtime/alpha/merged")
            # Sooner than the observation every 30 s.
            self.until("alpha is mounted", lambda: self.mounts("alpha") == mounted, seconds=20)
            self.corrected()
            self.assertEqual(self.life("alpha"), before)

    def test_an_unmounted_server_is_mounted_again_and_nobody_is_kicked(self):
        self.unmounted_and_mounted_again()
        self.restart_alpha_at_once()
        self.unmounted_and_mounted_again()

    def test_an_unmounted_server_that_only_reports_drift_stays_unmounted(self):
        self.only_report_alpha()
        before = self.life("alpha")
        self.run_in("umount", f"{STATE}/runtime/alpha/merged")
        self.until("the drift is told", lambda: "report" in self.ctl("diff", expect=None).stdout)
        time.sleep(1)
        self.assertEqual(self.mounts("alpha"), [])
        self.assertEqual(self.life("alpha"), before)
        self.bystanders_live_on()

    def test_a_removed_rendered_file_is_restored(self):
        self.run_in("rm", f"{STATE}/instances/alpha/current/server.env")
        self.until("it is back", lambda: self.exists(f"{STATE}/instances/alpha/current/server.env"))
        self.corrected()

    def only_report_alpha(self) -> None:
        manifests = COMMUNITY.replace("spec: {blueprint: modded, port: 27015}",
                                      "spec: {blueprint: modded, port: 27015, drift: Report}")  # fmt: skip
        self.write(f"{MANIFESTS}/community.yaml", manifests)
        self.until("alpha only reports", lambda: "Report" in self.ctl("get", "server", "alpha", "-o", "yaml").stdout)
        self.run_in("l4d2ctl", "reconcile")
        # A change before the daemon has read it is corrected according to the previous revision.
        revision = json.loads(self.ctl("diff", "-o", "json").stdout)["revision"]
        self.daemon_says(f"following revision {revision}")

    def test_a_server_that_only_reports_drift_stays_as_it_was_left(self):
        self.only_report_alpha()
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("the drift is told", lambda: "report" in self.ctl("diff", expect=None).stdout)
        self.assertEqual(self.properties("alpha")["ActiveState"], "inactive")
        self.bystanders_live_on()

    # -- manifests --------------------------------------------------------------------------------------------------

    def test_a_new_manifest_starts_a_new_server(self):
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.settled()
        self.bystanders_live_on()

    def test_removing_a_manifest_removes_the_server(self):
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.run_in("rm", f"{MANIFESTS}/delta.yaml")
        self.until("delta is gone", lambda: not self.exists(f"{STATE}/instances/delta"))
        self.assert_gone("delta")
        self.bystanders_live_on()

    def test_an_apply_by_l4d2ctl_is_not_repeated_by_the_daemon(self):
        self.ctl("apply", "-f", "-", text_in=server("delta", 27018))
        self.assert_running("delta", 27018)
        before = self.life("delta")
        self.settled()
        self.assertEqual(self.life("delta"), before)
        self.bystanders_live_on()

    def test_an_invalid_manifest_changes_nothing_and_is_reported(self):
        self.write(f"{MANIFESTS}/delta.yaml", "apiVersion: left4me/v1\nkind: Sever\n")
        self.daemon_says("did you mean")
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        self.bystanders_live_on()
        self.run_in("rm", f"{MANIFESTS}/delta.yaml")
        self.daemon_says("can be used again")

    def test_a_directory_that_takes_long_to_build_delays_no_repair(self):
        self.run_in("sh", "-c", "mkdir -p /srv/left4dead2/big && head -c 1G /dev/urandom >/srv/left4dead2/big/map.vpk")
        big = (
            "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: big}\nspec: {source: {directory: /srv/left4dead2/big}}\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: large}\n"
            'spec: {overlays: [big], arguments: ["+map", "c1m1_hotel"]}\n'
        )
        self.write(f"{MANIFESTS}/big.yaml", big + server("delta", 27018, blueprint="large"))
        status = f"{STATE}/state/status.json"
        self.until("delta waits for it", lambda: '"Building"' in self.run_in("cat", status).stdout)
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))
        self.until("delta answers", lambda: self.a2s(27018), seconds=120)
        self.settled()
        self.bystanders_live_on()

    def test_a_server_that_crashes_immediately_ends_in_a_crash_loop_and_slows_nobody(self):
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.write(f"{STATE}/runtime/delta/merged/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("delta"))

        def stalled() -> str:
            conditions = {one["type"]: one for one in self.status("delta")["conditions"]}
            return conditions["Stalled"]["reason"] if conditions["Stalled"]["status"] == "True" else ""

        self.until("delta is in a crash loop", lambda: stalled() == "CrashLoop", 60)
        self.ctl("wait", "delta", "--timeout=1s", expect=6)

        def told(reason: str) -> list[dict]:
            lines = self.ctl("events", "delta", "-n", "0", "-o", "json").stdout.splitlines()
            return [event for event in map(json.loads, lines) if event["reason"] == reason]

        self.until("the crashes are told as one event", lambda: sum(event["count"] for event in told("Crashed")) > 5)
        crashes = told("Crashed")
        self.assertEqual(len(crashes), 1, crashes)
        self.assertEqual((len(told("CrashLoop")), told("Recovered"), told("UnitFailed")), (1, [], []))
        self.assertLessEqual(len(told("Ready")), 1, "perhaps before its first crash")
        # How long it ran is told where a pass saw that start; a game that ends at once may start and end between two.
        self.assertRegex(crashes[0]["message"], r"^(signal|exit status) \d+( after \d+ s)?$")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))
        self.bystanders_live_on()

    # -- the daemon's own life --------------------------------------------------------------------------------------

    def test_servers_are_not_affected_when_the_daemon_is_stopped_and_upgraded(self):
        before = self.lives(*SERVERS)
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("sh", "-c", "cp -a /usr/sbin/l4d2d /usr/sbin/.new && mv /usr/sbin/.new /usr/sbin/l4d2d")
        self.run_in("systemctl", "start", "left4me.service")
        self.settled()
        self.run_in("systemctl", "kill", "--signal=SIGKILL", "left4me.service")
        self.until("l4d2d is back", lambda: self.daemon()["ActiveState"] == "active")
        self.settled()
        self.assertEqual(self.lives(*SERVERS), before)

    def test_drift_while_the_daemon_was_stopped_is_corrected_when_it_is_back(self):
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("systemctl", "mask", "--now", unit_of("alpha"))
        self.run_in("systemctl", "start", "left4me.service")
        self.corrected()

    def test_servers_and_daemon_are_back_after_a_reboot(self):
        self.host.reboot()
        for port in SERVERS.values():
            self.until(f"{port} answers", lambda port=port: self.a2s(port))
        self.until("l4d2d runs", lambda: self.daemon()["ActiveState"] == "active")
        self.settled()

    def test_sighup_reloads_the_configuration(self):
        self.write("/srv/other/one.yaml", COMMUNITY + server("delta", 27018))
        self.write("/etc/left4me/config.yaml", "source: {directory: /srv/other}\n")
        self.run_in("systemctl", "reload", "left4me.service")
        self.until("delta answers", lambda: self.a2s(27018))
        self.write("/etc/left4me/config.yaml", "sauce: {}\n")
        self.run_in("systemctl", "reload", "left4me.service")
        self.daemon_says("unknown field")
        self.assertEqual(self.daemon()["ActiveState"], "active")
        self.bystanders_live_on()

    def test_an_invalid_configuration_at_start_is_reported_and_not_retried(self):
        self.run_in("systemctl", "stop", "left4me.service")
        self.write("/etc/left4me/config.yaml", "sauce: {}\n")
        self.run_in("systemctl", "start", "left4me.service", expect=1)
        self.daemon_says("unknown field")
        self.assertEqual(self.daemon()["NRestarts"], "0")
        self.bystanders_live_on()


class Timer(HostTest):
    """For hosts without a daemon: the same pass, periodically."""

    def test_the_timer_makes_the_host_follow_the_manifests(self):
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        self.run_in("systemctl", "enable", "--now", "left4me-reconcile.timer")
        for port in SERVERS.values():
            self.until(f"{port} answers", lambda port=port: self.a2s(port))
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("systemctl", "start", "left4me-reconcile.service")
        self.assert_running("alpha", 27015)
        self.assert_converged()

    def test_the_daemon_takes_the_timer_s_place(self):
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        self.run_in("systemctl", "start", "left4me-reconcile.timer")
        self.run_in("systemctl", "start", "left4me.service")
        self.until("the timer has stopped", lambda: "inactive" in self.run_in(
            "systemctl", "is-active", "left4me-reconcile.timer", expect=None).stdout)  # fmt: skip
