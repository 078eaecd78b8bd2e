"""Many servers, and servers that misbehave."""

import time

from testhosts.case import COMMUNITY, SERVERS, HostTest, server, unit_of


class Many(HostTest):
    COUNT = 150  # the bus lets one connection have 128 calls under way

    def test_a_hundred_and_fifty_servers_start_and_stop_in_one_pass_each(self):
        names = {f"s{number:03}": 27000 + number for number in range(self.COUNT)}
        blueprint = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\nspec: {}\n"
        self.apply(blueprint + "".join(server(name, port) for name, port in names.items()))
        self.assertEqual(self.active(), self.COUNT)
        self.assert_converged()
        stopped = list(names)[:60]
        kept = [name for name in names if name not in stopped]
        before = self.lives(*kept[:5])
        self.apply("".join(server(name, names[name], state="Stopped") for name in stopped))
        self.assertEqual(self.active(), self.COUNT - len(stopped))
        self.assertEqual(self.lives(*kept[:5]), before)
        self.assert_converged()

    def active(self) -> int:
        listed = self.run_in("systemctl", "list-units", "--state=active", "--no-legend", "--plain", unit_of("*"))
        return len(listed.stdout.splitlines())


class Misbehaving(HostTest):
    def test_a_server_that_refuses_to_stop_does_not_delay_the_others(self):
        stubborn = COMMUNITY + server("stubborn", 27018).replace("blueprint: plain", "blueprint: stubborn") + (
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: stubborn}\n"
            'spec: {arguments: ["+standin_ignore_stop", "1"]}\n'
        )
        self.apply(stubborn)
        self.until("stubborn answers", lambda: self.a2s(27018))
        # It takes longer to stop than alpha to come back, however slow the machine is.
        self.write(f"/etc/systemd/system/{unit_of('stubborn')}.d/stop.conf", "[Service]\nTimeoutStopSec=45s\n")
        self.run_in("systemctl", "daemon-reload")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("sh", "-c", "l4d2ctl stop stubborn >/tmp/said 2>&1 & echo $! >/tmp/pid")
        self.until("alpha is back", lambda: self.properties("alpha")["ActiveState"] == "active", seconds=20)
        self.assertEqual(self.properties("stubborn")["ActiveState"], "deactivating")
        self.until("stubborn was killed", lambda: self.properties("stubborn")["ActiveState"] != "deactivating", 90)
        self.until("the pass is over", lambda: not self.exists(f"/proc/{self.run_in('cat', '/tmp/pid').stdout.strip()}"))
        self.converge()
        self.assert_gone("stubborn")

    def test_a_server_that_crashes_at_every_start_fails_and_says_so(self):
        broken = COMMUNITY + server("broken", 27018).replace("blueprint: plain", "blueprint: broken") + (
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: broken}\n"
            'spec: {arguments: ["+standin_crash", "1"]}\n'
        )
        self.ctl("apply", "-f", "-", text_in=broken, expect=None)
        for name, port in SERVERS.items():
            self.assert_running(name, port)
        # Between its crashes it runs, for a moment.
        began = time.monotonic()
        said = self.ctl("wait", "broken", "--timeout=5s", expect=6).stderr
        self.assertGreater(time.monotonic() - began, 4, said)
        self.until("systemd gives up", lambda: self.properties("broken")["ActiveState"] == "failed", 30)
        ready = {item["type"]: item["status"] for item in self.status("broken")["conditions"]}
        self.assertEqual(ready["Ready"], "False")

    def test_two_passes_at_once_wait_for_each_other(self):
        self.apply()
        self.until("alpha answers", lambda: self.a2s(27015))
        before = self.lives("beta", "gamma")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("sh", "-c", "for i in 1 2 3 4; do l4d2ctl reconcile >/tmp/pass$i 2>&1 & done; wait")
        self.assert_running("alpha", 27015)
        self.assertEqual(self.lives("beta", "gamma"), before)
        started = self.run_in("journalctl", "--no-pager", "-o", "cat", "-u", unit_of("alpha")).stdout
        self.assertEqual(started.count("Network: IP"), 2, "alpha was started once, and again after it was stopped")
        self.assert_converged()
