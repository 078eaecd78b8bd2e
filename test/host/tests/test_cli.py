"""Commands of an operator, and the tables of running servers."""

import json

from testhosts.case import MANIFESTS, HostTest


class CommandLine(HostTest):
    def code(self, words: str) -> tuple[int, str]:
        """The exit code and the whole output."""
        said = self.run_in("sh", "-c", f"l4d2ctl {words} 2>&1; echo \"=$?\"").stdout
        text, _, code = said.rpartition("=")
        return int(code), text

    def test_a_spec_of_version_1_becomes_a_server(self):
        self.apply()
        spec = 'port: 27019\noverlays: [rates]\narguments: ["+map", "c1m1_hotel"]\nconfig: [\'hostname "${name}, of old"\']\n'
        self.assertIn("kind: Server", self.ctl("initialize", "old", "-f", "-", "--dry-run", text_in=spec).stdout)
        self.assertNotIn("old", self.ctl("get", "servers").stdout)
        done = self.ctl("initialize", "old", "-f", "-", text_in=spec)
        self.assertIn("server/old created", done.stdout)
        self.assertIn("l4d2ctl start old", done.stderr)
        self.assertEqual(self.properties("old")["ActiveState"], "inactive")
        self.ctl("start", "old")
        self.assert_running("old", 27019)
        self.until("its config is read", lambda: self.a2s(27019).get("hostname") == "old, of old")
        wrong = self.ctl("initialize", "older", "-f", "-", text_in="port: 27019\narguments: ['-port 1']\n", expect=3)
        self.assertIn("(as shown above)", wrong.stderr)
        self.assertIn("already", self.ctl("initialize", "alpha", "-f", "-", text_in=spec, expect=5).stderr)
        self.assert_running("alpha")
        self.assert_converged()

    def test_several_servers_are_started_in_one_edit(self):
        self.apply()
        for name in ("server/alpha", "beta"):  # both at once would be more than half, and wait for an approval
            code, said = self.code(f"stop {name}")
            self.assertEqual(code, 0, said)
        self.assertEqual(self.code("start alpha server/beta")[0], 0)
        for name in ("alpha", "beta"):
            self.assertEqual(self.run_in("systemctl", "is-active", f"left4me-server@{name}").stdout.strip(), "active")
        self.assertEqual(self.code("wait --all --timeout 60s")[0], 0)

    def test_a_held_stop_or_start_exits_5_and_says_what_was_not_done(self):
        self.apply()
        code, said = self.code("stop alpha beta")
        self.assertEqual(code, 5, said)
        self.assertIn("server/alpha was not stopped: ", said)
        self.assertIn("l4d2ctl approve", said)
        self.assertEqual(self.run_in("systemctl", "is-active", "left4me-server@alpha").stdout.strip(), "active")
        self.assertEqual(self.code("start alpha beta")[0], 0)
        self.assertEqual(self.code("suspend gamma --reason test")[0], 0)
        code, said = self.code("stop gamma")
        self.assertEqual(code, 5, said)
        self.assertIn("server/gamma was not stopped: ", said)

    def test_a_server_that_a_person_stops_by_name_does_not_wait_for_what_else_needs_approval(self):
        self.apply()
        self.run_in("sh", "-c", f"rm {MANIFESTS}/server-alpha.yaml {MANIFESTS}/server-beta.yaml")
        self.assertIn("l4d2ctl approve", self.code("reconcile")[1])
        code, said = self.code("stop gamma")
        self.assertEqual(code, 0, said)
        self.assert_gone("gamma")
        self.assert_running("alpha", 27015)
        self.assert_running("beta", 27016)
        code, said = self.code("delete gamma")
        self.assertEqual(code, 0, said)
        self.assertIn("l4d2ctl approve", self.code("diff")[1])

    def test_an_error_with_its_remedy_is_one_error(self):
        self.apply()
        self.run_in("sh", "-c", f"chown root {MANIFESTS}/*.yaml; chmod 600 {MANIFESTS}/server-beta.yaml")
        said = self.code("get servers")[1]
        self.assertIn(f"server-beta.yaml: user left4me may not read it\n  sudo chown left4me: {MANIFESTS}/server-beta.yaml\n", said)
        self.assertNotIn("more: ", said)
        self.write(f"{MANIFESTS}/server-beta.yaml", "kind: Server\n")
        self.run_in("chmod", "644", f"{MANIFESTS}/server-beta.yaml")
        self.assertRegex(self.code("get servers")[1], r"server-beta.yaml:1:1: apiVersion is missing.*\n\d more: l4d2ctl status\n")

    def test_logs_of_a_server_that_does_not_exist_exit_4_and_those_of_a_deleted_one_are_shown(self):
        self.apply()
        self.until("alpha logs", lambda: self.code("logs alpha --since 1h")[1].strip())
        self.assertEqual(self.code("logs nosuch")[0], 4)
        self.assertEqual(self.code("delete server/alpha")[0], 0)
        self.assertIn("is not there", self.code("delete alpha")[1])
        code, said = self.code("logs alpha")
        self.assertEqual(code, 0, said)
        self.assertTrue(said.strip())

    def test_PORT_is_the_port_of_the_running_game_until_it_is_restarted(self):
        self.apply()
        self.assertEqual(json.loads(self.ctl("status", "alpha", "-o", "json").stdout)["actual"]["port"], 27015)
        port = "l4d2ctl get server alpha -o yaml | sed 's/27015/27515/' | l4d2ctl apply -f - "
        self.run_in("sh", "-c", port)
        status = json.loads(self.ctl("status", "alpha", "-o", "json").stdout)
        self.assertEqual((status["port"], status["actual"]["port"]), (27515, 27015))
        self.assertIn(" 27015 ", self.ctl("get", "servers").stdout)
        self.assertNotIn(" 27515 ", self.ctl("get", "servers").stdout)

    def test_SINCE_starts_over_with_a_restart(self):
        self.apply()
        self.until("alpha is old", lambda: self.since("alpha") >= 4)
        self.run_in("systemctl", "restart", "left4me-server@alpha.service")
        self.assertLess(self.since("alpha"), self.since("beta"))

    def since(self, name: str) -> int:
        heading, *rows = [line.split() for line in self.ctl("get", "servers").stdout.splitlines()]
        # AT BOOT is one title of two words.
        column = heading.index("SINCE") - 1
        age = next(row[column] for row in rows if row[0] == name)
        return int(age.removesuffix("s")) if age.endswith("s") else 60

    def test_status_without_a_name_compares_the_host_with_its_source(self):
        self.apply()
        status = json.loads(self.ctl("status", "-o", "json").stdout)
        self.assertEqual((status["state"], status["servers"]["agree"], status["servers"]["differ"]), ("InForce", 3, 0))
        self.run_in("systemctl", "stop", "left4me-server@alpha.service")
        self.assertEqual(json.loads(self.ctl("status", "-o", "json").stdout)["servers"]["differ"], 1)
        self.assertIn("1 differ", self.ctl("status").stdout)

    def test_a_terminal_without_UTF_8_gets_characters_that_it_can_show(self):
        self.apply()
        shown = self.run_in("sh", "-c", "LC_ALL=C script -qec 'l4d2ctl status alpha' /dev/null | od -An -tx1").stdout
        self.assertNotRegex(shown, r"\b[89a-f][0-9a-f]\b")
        self.assertIn("Ready", self.run_in("sh", "-c", "LC_ALL=C l4d2ctl status alpha").stdout)
