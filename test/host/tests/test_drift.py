"""Changes made without left4me are reported, and repaired without touching other servers."""

import time

from testhosts.case import COMMUNITY, SERVERS, STATE, HostTest, server, unit_of


class Drift(HostTest):
    """Each test modifies alpha; beta and gamma must not be affected."""

    def setUp(self) -> None:
        super().setUp()
        self.apply()
        self.until("alpha answers", lambda: self.a2s(27015))
        self.assert_converged()
        self.bystanders = self.lives("beta", "gamma")

    def named(self, *words: str) -> str:
        """The diff names alpha with one of the words, exits 1, and does not mention the others."""
        said = self.ctl("diff", expect=1).stdout
        about = [line for line in said.splitlines() if line.strip().startswith("server/alpha ")]
        self.assertTrue(any(word in line for word in words for line in about), f"none of {words} in:\n{said}")
        self.assertNotIn("server/beta ", said)
        self.assertNotIn("server/gamma ", said)
        return said

    def repaired(self) -> None:
        self.ctl("reconcile")
        self.assert_running("alpha", 27015)
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.assert_converged()

    def test_a_stopped_server_is_started(self):
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.named("start")
        self.repaired()

    def test_systemd_restarts_a_killed_server(self):
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("alpha"))
        self.until("alpha runs again", lambda: self.a2s(27015))
        self.assert_running("alpha", 27015)
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.assert_converged()

    def test_a_failed_server_is_reset_and_started(self):
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        for _ in range(6):
            self.run_in("systemctl", "restart", unit_of("alpha"), expect=None)
        self.until("alpha failed", lambda: self.properties("alpha")["ActiveState"] == "failed")
        self.assertEqual(self.enabled("alpha"), "enabled")
        self.named("start", "reset-failed")
        self.run_in("rm", f"{STATE}/runtime/alpha/upper/left4dead2/ems/standin.cfg")
        self.repaired()

    def test_a_disabled_server_is_enabled_without_a_restart(self):
        before = self.life("alpha")
        self.run_in("systemctl", "disable", unit_of("alpha"))
        said = self.named("enable")
        self.assertIn("reboot", said)
        self.repaired()
        self.assertEqual(self.life("alpha"), before)

    def test_a_masked_server_is_unmasked_without_a_restart(self):
        before = self.life("alpha")
        self.run_in("systemctl", "mask", unit_of("alpha"))
        self.named("enable")
        self.repaired()
        self.assertEqual(self.life("alpha"), before)

    def test_a_masked_and_stopped_server_is_started(self):
        self.run_in("systemctl", "mask", "--now", unit_of("alpha"))
        self.named("enable", "start")
        self.repaired()

    def restart_at_once(self) -> None:
        """From now on alpha does not wait for its players."""
        self.apply(server("alpha", 27015, "modded", more="rollout: {policy: Immediate}"))
        self.assert_converged()

    def unmount(self, *how: str) -> None:
        """Unmounts by hand; the game keeps running with the mount in its own namespace."""
        self.run_in("umount", *how, f"{STATE}/runtime/alpha/merged")

    def mount_something_else(self) -> None:
        self.unmount()
        self.run_in("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={STATE}/installation:/srv/left4dead2/maps",
                    f"{STATE}/runtime/alpha/merged")  # fmt: skip

    def gets_its_overlay_back(self) -> None:
        before, mounted = self.life("alpha"), self.mounts("alpha")
        for how in ([], ["--lazy"]):
            self.unmount(*how)
            self.assertEqual(self.mounts("alpha"), [])
            self.assertIn("the game still has it", self.named("attach"))
            self.repaired()
            self.assertEqual(self.life("alpha"), before)
            self.assertEqual(self.mounts("alpha"), mounted)
        # It is the overlay that the game writes to, not a second one over the same directories.
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/seen", "by the host")
        inside = f"/proc/{before.pid}/root{STATE}/runtime/alpha/merged/left4dead2/seen"
        self.assertEqual(self.run_in("cat", inside).stdout, "by the host")

    def test_an_unmounted_server_gets_its_overlay_back_and_its_players_notice_nothing(self):
        self.gets_its_overlay_back()
        self.restart_at_once()
        self.gets_its_overlay_back()

    def test_a_server_that_got_its_overlay_back_is_unmounted_by_its_stop(self):
        self.unmount("--lazy")
        self.ctl("reconcile")
        self.assertEqual(len(self.mounts("alpha")), 1)
        begun = time.monotonic()
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.assertLess(time.monotonic() - begun, 12)
        self.assertNotIn(f"{STATE}/runtime/alpha", self.run_in("cat", "/proc/1/mountinfo").stdout)
        self.assertEqual(self.properties("alpha")["Result"], "success")
        self.assertNotIn("in use", self.logs("alpha"))
        self.repaired()

    def test_an_unmounted_server_that_only_reports_drift_is_left_unmounted(self):
        self.apply(server("alpha", 27015, "modded", more="drift: Report"))
        self.converge()
        before = self.life("alpha")
        self.unmount()
        self.named("report")
        self.ctl("reconcile")
        self.assertEqual(self.mounts("alpha"), [])
        self.assertEqual(self.life("alpha"), before)
        # Its own restart mounts what it needs.
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.assert_running("alpha", 27015)

    def test_a_change_waits_for_its_rollout_although_the_overlay_was_unmounted(self):
        before, mounted = self.life("alpha"), self.mounts("alpha")
        changed = COMMUNITY.replace('hostname "${name}, modded"', 'hostname "${name}, changed"')
        self.apply(changed)
        self.unmount()
        self.ctl("reconcile")
        self.assertEqual(self.mounts("alpha"), mounted)
        self.assertEqual(self.life("alpha"), before)
        self.assertRegex(self.ctl("diff", expect=1).stdout, r"server/alpha +hold .*waits for the next start")

    def test_a_running_server_with_the_wrong_stack_is_restarted(self):
        self.restart_at_once()
        self.mount_something_else()
        self.assertIn("layers differ", self.named("restart"))
        self.repaired()

    def test_a_running_server_with_the_wrong_stack_keeps_its_players_until_its_next_start(self):
        before = self.life("alpha")
        self.mount_something_else()
        self.assertIn("waits for the next start", self.named("hold"))
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.repaired()

    def test_the_leftover_mount_of_a_stopped_server_is_unmounted(self):
        self.ctl("stop", "alpha")
        self.run_in("/usr/libexec/left4me-overlay", "mount", "alpha")
        self.assertEqual(len(self.mounts("alpha")), 1)
        self.named("stop")
        self.ctl("reconcile")
        self.assert_gone("alpha")
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.assert_converged()

    def test_an_edited_rendered_file_is_restored(self):
        config = f"{STATE}/instances/alpha/current/layer/left4dead2/cfg/server.cfg"
        self.run_in("sed", "-i", "s/modded/hacked/", config)
        self.named("render")
        self.ctl("reconcile")
        self.assertIn("alpha, modded", self.run_in("cat", config).stdout)
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.until("alpha has its name", lambda: self.a2s(27015).get("hostname") == "alpha, modded")
        self.converge()

    def test_a_server_that_is_no_longer_in_the_manifests_is_removed(self):
        self.run_in("sh", "-c", "cp -a /etc/left4me/manifests /root/before")
        self.apply(server("delta", 27018))
        self.until("delta answers", lambda: self.a2s(27018))
        self.run_in("sh", "-c", "rm -r /etc/left4me/manifests/* && cp -a /root/before/. /etc/left4me/manifests/")
        said = self.ctl("diff", expect=1).stdout
        self.assertRegex(said, r"(?m)^ *server/delta +(stop|disable)")
        self.ctl("reconcile")
        self.assert_gone("delta")
        for part in ("runtime", "instances"):
            self.assertFalse(self.exists(f"{STATE}/{part}/delta"))
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.assert_converged()

    def test_a_unit_enabled_by_hand_without_a_manifest_is_reported_and_left_alone(self):
        self.run_in("systemctl", "enable", unit_of("stranger"))
        said = self.ctl("diff", expect=1).stdout
        self.assertRegex(said, r"(?m)^ *server/stranger +report")
        self.ctl("reconcile")
        self.assertEqual(self.enabled("stranger"), "enabled")
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)

    def test_drift_that_is_only_to_be_reported_is_not_corrected(self):
        self.apply(server("beta", 27016, more="drift: Report"))
        self.run_in("systemctl", "stop", unit_of("beta"))
        said = self.ctl("diff", expect=1).stdout
        self.assertRegex(said, r"(?m)^ *server/beta +report")
        self.ctl("reconcile")
        self.assertEqual(self.properties("beta")["ActiveState"], "inactive")

    def test_every_server_is_repaired_when_all_drift_together(self):
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("systemctl", "disable", unit_of("beta"))
        self.run_in("systemctl", "mask", unit_of("gamma"))
        self.ctl("reconcile")
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)
        self.assert_converged()

    def test_a_broken_server_does_not_keep_the_others_from_being_repaired(self):
        self.apply(server("delta", 27018, "plain"))
        self.run_in("systemctl", "stop", unit_of("alpha"), unit_of("delta"))
        self.write(f"{STATE}/runtime/delta/upper/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        self.ctl("reconcile", expect=None)
        self.assert_running("alpha", 27015)
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)


class Adoption(HostTest):
    def test_a_server_that_runs_but_is_not_enabled_is_adopted_without_a_restart(self):
        self.apply()
        self.run_in("systemctl", "disable", *map(unit_of, SERVERS))
        before = self.lives(*SERVERS)
        self.converge()
        self.assertEqual(self.lives(*SERVERS), before)
        self.host.reboot()
        for name, port in SERVERS.items():
            self.assert_running(name, port)

    def test_a_pass_over_a_converged_host_changes_nothing(self):
        self.apply()
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        before = self.lives(*SERVERS)
        tree = ["find", STATE, "/etc/systemd/system", "-not", "-path", f"{STATE}/state*", "-not", "-path", "*/merged/*",
                "-printf", "%p %i %T@ %C@\\n"]  # fmt: skip
        files = self.run_in(*tree).stdout
        for _ in range(3):
            self.converge()
        self.assertEqual(self.lives(*SERVERS), before)
        self.assertEqual(self.run_in(*tree).stdout, files)
