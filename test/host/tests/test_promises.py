"""Promises that no other test covers; docs/promises.md lists them all."""

from testhosts.case import MANIFESTS, STATE, DaemonTest, server, unit_of


class Promises(DaemonTest):
    def test_left4me_touches_nothing_of_others(self):
        """Units and files of others do not change, however much is done meanwhile."""
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

    def test_a_pass_by_hand_waits_for_the_lock_and_says_so(self):
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("sh", "-c", "flock /run/left4me/lock sleep 10 >/dev/null 2>&1 & echo")
        self.until("the lock is held", lambda: self.run_in("flock", "-n", "/run/left4me/lock", "true", expect=None).returncode != 0)
        done = self.ctl("reconcile")
        self.assertRegex(done.stderr, r"waiting for pid \d+ to finish its pass")
        self.assert_converged()
