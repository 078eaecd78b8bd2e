"""From a manifest to a running server and back."""

from testhosts.case import COMMUNITY, SERVERS, STATE, HostTest, server


class Lifecycle(HostTest):
    def test_a_server_applied_Running_is_enabled_active_and_mounted_with_the_right_stack(self):
        self.apply()
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        layers = self.mounts("alpha")[0]
        self.assertRegex(layers[0], r"^instances/alpha/[0-9a-f]{16}/layer$")
        self.assertRegex(layers[1], r"^overlays/rates/[0-9a-f]{16}$")
        self.assertRegex(layers[2], r"^overlays/maps/[0-9a-f]{16}$")
        self.assertEqual(layers[3:], ["installation"])
        self.assertEqual(self.mounts("gamma")[0][1:], layers[1:])
        self.assertEqual(len(self.mounts("beta")[0]), 2)
        self.assert_converged()

    def test_the_game_sees_the_server_cfg_that_was_rendered_for_it(self):
        self.apply()
        for name, hostname in {"alpha": "alpha, modded", "beta": "beta on 27016", "gamma": "gamma, modded"}.items():
            self.until(f"{name} has its name", lambda port=SERVERS[name], wanted=hostname: self.a2s(port).get("hostname") == wanted)
            rendered = self.run_in("cat", f"{STATE}/instances/{name}/current/layer/left4dead2/cfg/server.cfg").stdout
            self.assertIn(f'hostname "{hostname}"', rendered)
            merged = self.run_in("cat", f"{STATE}/runtime/{name}/merged/left4dead2/cfg/server.cfg").stdout
            self.assertEqual(merged, rendered)
        wanted = ("c5m1_waterfront", "8")
        self.until("alpha has its arguments", lambda: (self.a2s(27015).get("map"), self.a2s(27015).get("maxplayers")) == wanted)

    def test_files_that_a_server_writes_stay_in_its_own_upper_directory(self):
        self.apply()
        self.until("alpha answers", lambda: self.a2s(27015))
        for written in ("left4dead2/logs/console.log", "left4dead2/cfg/banned_user.cfg"):
            self.assertTrue(self.exists(f"{STATE}/runtime/alpha/upper/{written}"), self.logs("alpha"))
            self.assertFalse(self.exists(f"{STATE}/installation/{written}"))
            self.assertFalse(self.exists(f"{STATE}/instances/alpha/current/layer/{written}"))

    def test_servers_are_active_after_a_reboot_before_any_pass(self):
        self.apply()
        before = {name: self.mounts(name) for name in SERVERS}
        self.host.reboot()
        for name, port in SERVERS.items():
            self.assert_running(name, port)
            self.assertEqual(self.mounts(name), before[name])
        passes = self.run_in("journalctl", "--no-pager", "-b", "-u", "left4me-reconcile.service", "-o", "cat").stdout
        self.assertEqual(passes, "", "a pass ran before the servers were up")
        self.assert_converged()

    def test_servers_are_active_after_the_power_was_cut(self):
        self.apply()
        self.host.stop(hard=True)
        self.host.boot()
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        self.assert_converged()

    def test_logs_show_so_many_lines_those_that_match_new_ones_and_those_before_a_restart(self):
        self.apply()
        self.until("alpha answers", lambda: self.a2s(27015))
        self.assertEqual(len(self.ctl("logs", "alpha", "--lines", "2").stdout.splitlines()), 2)
        for pattern in ("network: ip", "^Network: IP [0-9.]+,"):
            found = self.ctl("logs", "alpha", "--no-follow", "--grep", pattern).stdout.splitlines()
            self.assertEqual([" Network: IP " in line for line in found], [True])
        follower = self.run_in("sh", "-c", "l4d2ctl logs alpha --follow --grep 'Network: IP' >/root/followed 2>&1 & echo $!").stdout.strip()
        self.ctl("restart", "alpha")
        self.until("what is new is shown", lambda: self.run_in("grep", "-c", "Network: IP", "/root/followed", expect=None).stdout == "2\n")
        self.run_in("kill", follower)
        self.assertEqual(self.ctl("logs", "alpha").stdout.count("Network: IP"), 2)
        self.assertEqual(self.ctl("logs", "alpha", "--since", "1h", "-g", "nobody says this", expect=None).stdout.count("Network"), 0)

    def test_a_Stopped_server_is_inactive_disabled_and_unmounted(self):
        self.apply()
        others = self.lives("beta", "gamma")
        self.until("alpha answers", lambda: self.a2s(27015))
        self.apply(server("alpha", 27015, "modded", "Stopped"))
        self.assert_gone("alpha")
        self.assertEqual(self.a2s(27015), {})
        self.assertEqual(self.lives("beta", "gamma"), others)
        self.assertTrue(self.exists(f"{STATE}/runtime/alpha/upper/left4dead2/logs"), "what it wrote is kept")
        self.assert_converged()

    def test_stop_and_start_change_the_manifest_and_the_server(self):
        self.apply()
        others = self.lives("alpha", "gamma")
        self.ctl("stop", "beta")
        self.assert_gone("beta")
        self.assertEqual(self.status("beta")["desired"]["state"], "Stopped")
        self.converge()
        self.ctl("start", "beta")
        self.assert_running("beta", 27016)
        self.assertEqual(self.status("beta")["desired"]["state"], "Running")
        self.assertEqual(self.lives("alpha", "gamma"), others)
        self.assert_converged()

    def test_a_deleted_server_leaves_nothing_behind(self):
        self.apply()
        others = self.lives("alpha", "gamma")
        self.ctl("delete", "beta")
        self.assert_gone("beta")
        for part in ("runtime", "instances"):
            self.assertFalse(self.exists(f"{STATE}/{part}/beta"))
        self.assertEqual(self.lives("alpha", "gamma"), others)
        self.assert_converged()

    def test_deleting_a_server_that_does_not_exist_succeeds(self):
        self.apply()
        before = self.lives(*SERVERS)
        self.ctl("delete", "nobody")
        self.assertEqual(self.lives(*SERVERS), before)

    def test_apply_prints_its_effect_on_each_manifest(self):
        first = self.ctl("apply", "-f", "-", text_in=COMMUNITY).stdout
        self.assertIn("server/alpha created", first)
        self.assertIn("blueprint/plain created", first)
        second = self.ctl("apply", "-f", "-", text_in=COMMUNITY).stdout
        self.assertIn("server/alpha unchanged", second)
        third = self.ctl("apply", "-f", "-", text_in=server("beta", 27036)).stdout
        self.assertIn("server/beta configured", third)

    def test_a_changed_blueprint_waits_for_the_next_start_unless_it_says_Immediate(self):
        self.apply(COMMUNITY + server("delta", 27018, "plain", more="rollout: {policy: Immediate}"))
        before = self.lives(*SERVERS)
        self.until("delta answers", lambda: self.a2s(27018))
        self.apply(
            "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\n"
            "spec:\n  config: |\n    hostname \"renamed ${name}\"\n"
        )
        self.until("delta has its new name", lambda: self.a2s(27018).get("hostname") == "renamed delta")
        self.assertEqual(self.lives(*SERVERS), before)
        self.until("beta has its old name", lambda: self.a2s(27016).get("hostname") == "beta on 27016")
        waits = self.ctl("diff", expect=1).stdout
        self.assertRegex(waits, r"(?m)^ *server/beta +hold ")
        self.run_in("systemctl", "restart", "left4me-server@beta.service")
        self.until("beta has its new name", lambda: self.a2s(27016).get("hostname") == "renamed beta")
        before |= self.lives("beta")
        self.converge()
        self.assertEqual(self.lives(*SERVERS), before)
