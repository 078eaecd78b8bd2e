"""Promises that no other test is about; docs/promises.md lists them all."""

from testhosts.case import MANIFESTS, SERVERS, STATE, DaemonTest, server, unit_of


class Promises(DaemonTest):
    def test_what_is_not_left4me_s_is_not_touched(self):
        """Units and files of others stay as they are, however much is done meanwhile."""
        self.write("/etc/systemd/system/other@.service", "[Service]\nExecStart=/bin/sleep infinity\n")
        self.run_in("systemctl", "start", "other@alpha.service", "other@beta.service")
        self.run_in("systemctl", "stop", "other@beta.service")
        everything = (
            "systemctl show other@alpha.service other@beta.service -p MainPID -p ActiveState -p UnitFileState; "
            "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /var/tmp"
            f" -o -path {STATE} -o -path /etc/systemd/system -o -path /var/lib/systemd \\) -prune -o -newer /srv/mark -print;"
            "ls -R /etc/systemd/system | grep -v left4me-server@"
        )
        self.write("/srv/mark", "")
        before = self.run_in("sh", "-c", everything).stdout
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("systemctl", "mask", unit_of("beta"))
        self.ctl("apply", "-f", "-", text_in=server("delta", 27018))
        self.ctl("delete", "delta")
        self.until("alpha answers", lambda: self.a2s(27015))
        self.settled()
        after = self.run_in("sh", "-c", everything).stdout
        changed = [line for line in after.splitlines() if line not in before and MANIFESTS not in line]
        self.assertEqual(changed, [])

    def test_a_pass_by_hand_waits_for_the_daemon_s_and_says_so(self):
        self.write(f"{STATE}/runtime/alpha/merged/left4dead2/ems/standin.cfg", "standin_ignore_stop 1\n")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))
        self.settled()
        # The daemon stops alpha, which takes its 15 s to be killed; the lock is the daemon's as long.
        community = self.run_in("cat", f"{MANIFESTS}/community.yaml").stdout
        stopped = "spec: {blueprint: modded, port: 27015, state: Stopped}"
        self.write(f"{MANIFESTS}/community.yaml", community.replace("spec: {blueprint: modded, port: 27015}", stopped))
        self.until("alpha is stopping", lambda: self.properties("alpha")["ActiveState"] == "deactivating")
        done = self.ctl("reconcile")
        self.assertIn("waiting for l4d2d, pid ", done.stderr)
        self.assert_gone("alpha")
        self.assertEqual({name: self.a2s(port) != {} for name, port in SERVERS.items()},
                         {"alpha": False, "beta": True, "gamma": True})  # fmt: skip
