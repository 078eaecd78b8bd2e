"""Faults around l4d2d: no running server that is still desired is restarted, nothing is lost, status says what is
wrong, and afterwards everything is as in the manifests."""

import json
import time

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, DaemonTest, community_without, server, unit_of


class Faults(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.everybody = self.lives(*SERVERS)

    def all_live_on(self) -> None:
        self.assertEqual(self.lives(*SERVERS), self.everybody)

    def still_corrects(self, source_is_well: bool = True) -> None:
        """Drift is noticed and repaired as before."""
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))
        self.settled(source_is_well=source_is_well)
        self.bystanders_live_on()

    def source_error(self) -> str:
        return json.loads(self.run_in("cat", f"{STATE}/state/status.json").stdout)["sourceError"]

    # -- the host's own services ------------------------------------------------------------------------------------

    def test_the_daemon_reconnects_to_a_restarted_bus(self):
        self.run_in("systemctl", "restart", "dbus.service")
        self.all_live_on()
        self.still_corrects()

    def test_signals_of_a_re_executed_pid_1_are_received_again(self):
        for _ in range(3):
            self.run_in("systemctl", "daemon-reexec")
        self.all_live_on()
        self.still_corrects()

    def test_signals_of_a_reloaded_pid_1_are_received_again(self):
        for _ in range(3):
            self.run_in("systemctl", "daemon-reload")
        self.all_live_on()
        self.still_corrects()

    def test_a_killed_helper_is_restarted(self):
        self.run_in("systemctl", "kill", "--signal=SIGKILL", "left4me-helper.service")
        self.still_corrects()

    def test_a_helper_that_cannot_be_started_is_asked_less_and_less_often(self):
        self.run_in("sh", "-c", "systemctl mask --runtime left4me-helper && systemctl stop left4me-helper")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("it is told", lambda: "HelperFailed" in self.ctl("events", "alpha").stdout)
        began = self.run_in("date", "+%F %T").stdout.strip()
        time.sleep(5)
        asked = self.run_in("journalctl", "--no-pager", "--since", began, "-u", "dbus.service").stdout.count("org.left4me.Helper1")
        self.assertLess(asked, 15)
        self.run_in("systemctl", "unmask", "--runtime", "left4me-helper")
        self.until("alpha answers", lambda: self.a2s(27015), 60)
        self.still_corrects()

    # -- the clock --------------------------------------------------------------------------------------------------

    def test_setting_the_clock_back_an_hour_does_not_extend_any_wait(self):
        """The daemon's own clock: a container shares the machine's clock, which must not be changed."""
        self.set_clock("+0")
        self.write(
            "/etc/systemd/system/left4me.service.d/clock.conf",
            "[Service]\nEnvironment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1\n"
            "Environment=FAKETIME_TIMESTAMP_FILE=/srv/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1\n",
        )
        self.run_in("systemctl", "daemon-reload")
        self.run_in("systemctl", "restart", "left4me.service")
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.write(f"{STATE}/runtime/delta/merged/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("delta"))
        self.until("delta backs off", lambda: "BackOff" in self.ctl("diff", "-o", "json", expect=None).stdout, 60)
        self.set_clock("-1h")
        self.run_in("rm", f"{STATE}/runtime/delta/upper/left4dead2/ems/standin.cfg")
        self.until("delta is tried again", lambda: self.a2s(27018), 60)
        seen = lambda: json.loads(self.run_in("cat", f"{STATE}/state/status.json").stdout)["lastPass"]  # noqa: E731
        self.until("the clock was set back", lambda: seen() < self.run_in("date", "-u", "-d", "-30 min", "+%FT%TZ").stdout, 40)
        self.all_live_on()
        self.still_corrects()

    def set_clock(self, offset: str) -> None:
        """Atomically: libfaketime ends a program that finds the file empty."""
        self.write("/srv/clock.new", offset + "\n")
        self.run_in("mv", "/srv/clock.new", "/srv/clock")

    # -- the disk ---------------------------------------------------------------------------------------------------

    def test_a_full_disk_stops_no_server_and_is_reported(self):
        self.run_in("mount", "-t", "tmpfs", "-o", "size=64k,mode=0755,uid=left4me", "tmpfs", f"{STATE}/state")
        self.run_in("sh", "-c", f"head -c 1M /dev/zero >{STATE}/state/filler; true")
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.daemon_says("No space left on device")
        self.all_live_on()
        self.still_corrects()
        self.run_in("umount", "--lazy", f"{STATE}/state")
        self.settled()

    def test_an_unwritable_state_directory_stops_no_server_and_is_reported(self):
        self.run_in("mount", "-t", "tmpfs", "-o", "ro,mode=0755", "tmpfs", f"{STATE}/state")
        self.still_corrects()
        self.daemon_says("Read-only file system")
        self.run_in("umount", f"{STATE}/state")
        self.settled()

    # -- the source -------------------------------------------------------------------------------------------------

    def vanished(self) -> None:
        self.until("the trouble is told", lambda: self.source_error() != "")
        self.all_live_on()
        self.still_corrects(source_is_well=False)

    def test_an_unmounted_source_stops_no_server(self):
        self.run_in("mount", "-t", "tmpfs", "tmpfs", MANIFESTS)
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        self.settled()
        self.run_in("umount", MANIFESTS)
        # The directory beneath the mount has the same manifests. Now it is gone, too.
        self.run_in("rm", f"{MANIFESTS}/community.yaml")
        self.vanished()

    def test_a_removed_source_stops_no_server_and_is_followed_again_when_it_is_back(self):
        self.run_in("mv", MANIFESTS, "/srv/away")
        self.vanished()
        self.run_in("mv", "/srv/away", MANIFESTS)
        self.until("all is well again", lambda: self.source_error() == "")
        self.write(f"{MANIFESTS}/delta.yaml", server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))

    def test_more_than_half_of_the_servers_are_not_stopped_without_approval(self):
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY[: COMMUNITY.index("---\napiVersion: left4me/v1\nkind: Server")])
        self.until("the removal waits", lambda: "approve" in self.ctl("diff", expect=None).stdout)
        time.sleep(1)
        self.all_live_on()

    def test_commands_for_one_server_take_effect_beside_a_deletion_that_waits_for_approval(self):
        self.write(f"{MANIFESTS}/community.yaml", community_without("alpha", "beta"))
        self.check_commands_beside_a_held_deletion()

    def test_a_file_of_100_mb_is_refused_immediately(self):
        self.run_in("sh", "-c", f"head -c 100M /dev/zero | tr '\\0' 'a' >{MANIFESTS}/big.yaml")
        self.until("the trouble is told", lambda: "big.yaml" in self.source_error())
        self.all_live_on()
        resident = self.run_in("ps", "-o", "rss=", "-p", self.daemon()["MainPID"]).stdout
        self.assertLess(int(resident), 64 << 10)
        self.still_corrects(source_is_well=False)

    def test_a_yaml_bomb_is_refused_immediately(self):
        lines = ['a0: &a0 ["x","x","x","x","x","x","x","x","x"]']
        lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        self.write(f"{MANIFESTS}/bomb.yaml", "\n".join(lines) + "\n")
        self.until("the trouble is told", lambda: "bomb.yaml" in self.source_error())
        self.all_live_on()
        self.still_corrects(source_is_well=False)

    def test_ten_thousand_documents_too_many_are_refused(self):
        self.write(f"{MANIFESTS}/many.yaml", "".join(f"---\na: {n}\n" for n in range(10_001)))
        self.until("the trouble is told", lambda: self.source_error() != "")
        self.all_live_on()
        self.still_corrects(source_is_well=False)

    # -- the daemon -------------------------------------------------------------------------------------------------

    def test_killed_at_any_moment_of_a_rolling_change_it_still_converges(self):
        """200 times: a manifest changes, and a moment later, another one each time, l4d2d is killed."""
        self.run_in("mkdir", "-p", "/etc/systemd/system/left4me.service.d")
        self.write("/etc/systemd/system/left4me.service.d/fast.conf", "[Service]\nRestartSec=10ms\n")
        self.run_in("systemctl", "daemon-reload")
        self.write(f"{MANIFESTS}/rolling.yaml", server("rolling", 27020, more="rollout: {policy: Immediate}"))
        self.until("rolling answers", lambda: self.a2s(27020))
        self.settled()
        self.run_in(
            "sh",
            "-c",
            f"""for n in $(seq 200); do
                sed -i "s/port: 270[0-9]*/port: $((27020 + n % 9))/" {MANIFESTS}/rolling.yaml
                sleep 0.$((n * 37 % 30 + 10))
                systemctl kill --signal=SIGKILL left4me.service
            done""",
            timeout=400,
        )
        self.until("l4d2d is back", lambda: self.daemon()["ActiveState"] == "active", 20)
        self.settled(60)
        self.all_live_on()
