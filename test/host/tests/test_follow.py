"""l4d2ctl with and without l4d2d: it follows the daemon, or drives the engine, and nobody waits for the slow ones."""

import json
import random
import re
import statistics
import time

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, DaemonTest, HostTest, server, unit_of

# An answer takes some 40 ms on an idle host; these tests run beside others on two cores.
PROMPT = 1.0

OVERLAY = """
---
apiVersion: left4me/v1
kind: Overlay
metadata: {name: motd}
spec: {source: {inline: {files: {left4dead2/motd.txt: "hello\\n"}}}}
"""
TWINS = server("twin1", 27021) + server("twin2", 27022)
# What a person does in an evening. Each is a command and what it reads.
EVENING = [
    (("apply", "-f", "-"), COMMUNITY),
    (("apply", "-f", "-"), COMMUNITY),
    (("stop", "beta"), None),
    (("stop", "beta"), None),
    (("start", "beta"), None),
    (("apply", "-f", "-"), server("delta", 27018)),
    (("reconcile",), None),
    (("suspend", "gamma", "--reason", "a test"), None),
    (("stop", "gamma"), None),
    (("resume", "gamma"), None),
    (("start", "gamma"), None),
    (("apply", "-f", "-"), OVERLAY),
    (("delete", "overlay", "motd"), None),
    (("delete", "delta"), None),
    (("start", "nosuch"), None),
]


def normal(said: str) -> list[str]:
    """Without what differs from run to run: ids, times, and the order in which servers end."""
    said = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", said)
    said = re.sub(r"\b\d+(\.\d+)? m?s\b", "TIME", said)
    said = re.sub(r" +", " ", re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN", said))
    return sorted(said.splitlines())


class Stubborn:
    """alpha ignores SIGTERM, so that its stop takes 15 s."""

    def make_alpha_stubborn(self) -> None:
        self.write("/var/lib/left4me/runtime/alpha/merged/left4dead2/ems/standin.cfg", "standin_ignore_stop 1\n")
        before = self.life("alpha")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", unit_of("alpha"))
        self.until("alpha answers", lambda: self.life("alpha").pid not in ("0", before.pid) and self.a2s(27015))

    def begin_to_stop_alpha(self, command: str = "stop alpha") -> None:
        self.run_in("sh", "-c", f"l4d2ctl {command} >/tmp/stop-alpha 2>&1 & echo $! >/tmp/stop-alpha.pid")
        self.until("alpha is stopping", lambda: self.properties("alpha")["ActiveState"] == "deactivating")

    def command_has_ended(self) -> None:
        self.until("its command has ended", lambda: not self.exists(f"/proc/{self.run_in('cat', '/tmp/stop-alpha.pid').stdout.strip()}"))

    def median(self, *words: str, expect: int | None = 0, times: int = 3) -> float:
        took = []
        for _ in range(times):
            began = time.monotonic()
            self.ctl(*words, expect=expect)
            took.append(time.monotonic() - began)
        return statistics.median(took)

    def others_are_answered(self) -> None:
        """While alpha is stopping."""
        took = {
            "suspend": self.median("suspend", "gamma", "--reason", "a test"),
            "get": self.median("get", "servers"),
            "diff": self.median("diff", expect=None),
            "resume": self.median("resume", "gamma", times=1),
            "stop": self.median("stop", "beta", times=1),
            "start": self.median("start", "beta", times=1),
        }
        self.run_in("flock", "--timeout", "5", "/run/left4me/lock", "true")
        self.assertEqual(self.properties("alpha")["ActiveState"], "deactivating", f"too slow: {took}")
        for command in ("suspend", "get", "diff"):
            self.assertLess(took[command], PROMPT, took)
        print({command: f"{1000 * seconds:.0f} ms" for command, seconds in took.items()}, flush=True)

    def nobody_waits_for_alpha(self) -> None:
        self.make_alpha_stubborn()
        self.begin_to_stop_alpha()
        self.others_are_answered()
        self.until("alpha was stopped", lambda: self.properties("alpha")["ActiveState"] == "inactive", seconds=40)
        self.command_has_ended()
        self.assertRegex(self.run_in("cat", "/tmp/stop-alpha").stdout, r"server/alpha +stop ")

    def nobody_waits_for_a_reset_of_alpha(self) -> None:
        self.make_alpha_stubborn()
        before = self.life("alpha")
        self.begin_to_stop_alpha("reset alpha --yes --reason stubborn")
        self.others_are_answered()
        self.until("alpha runs anew", lambda: self.life("alpha").pid not in ("0", before.pid) and self.a2s(27015), seconds=40)
        self.command_has_ended()
        said = self.run_in("cat", "/tmp/stop-alpha").stdout
        for verb in ("stop", "purge", "start"):
            self.assertRegex(said, rf"server/alpha +{verb} ")
        self.assertFalse(self.exists("/var/lib/left4me/runtime/alpha/merged/left4dead2/ems/standin.cfg"))
        self.until("it is told", lambda: '"Reset"' in self.ctl("events", "alpha", "-o", "json").stdout)
        events = [json.loads(line)["reason"] for line in self.ctl("events", "alpha", "-o", "json").stdout.splitlines()]
        self.assertEqual([events.count(reason) for reason in ("ResetRequested", "Reset")], [1, 1], events)
        after = self.life("alpha")
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), after)
        self.assertEqual(self.run_in("cat", "/var/lib/left4me/state/resets.json").stdout, "{}\n")


class Following(Stubborn, DaemonTest):
    def test_nobody_waits_while_another_server_takes_its_time_to_stop(self):
        self.nobody_waits_for_alpha()

    def test_nobody_waits_while_a_server_that_takes_its_time_to_stop_is_reset(self):
        self.nobody_waits_for_a_reset_of_alpha()

    def test_a_reset_whose_daemon_is_killed_is_made_once(self):
        self.make_alpha_stubborn()
        self.begin_to_stop_alpha("reset alpha --yes")
        self.run_in("sh", "-c", "kill -9 $(cat /tmp/stop-alpha.pid)")
        self.run_in("systemctl", "kill", "--signal=SIGKILL", "left4me.service")
        purged = lambda: [json.loads(line) for line in self.ctl("events", "alpha", "-o", "json").stdout.splitlines()  # noqa: E731
                          if '"Reset"' in line]  # fmt: skip
        self.until("it is reset", purged, seconds=40)
        self.until("alpha answers", lambda: self.a2s(27015))
        self.assertEqual(len(purged()), 1)
        self.bystanders_live_on()

    def test_a_start_while_the_server_stops_does_not_cancel_the_stop(self):
        self.make_alpha_stubborn()
        self.begin_to_stop_alpha()
        self.ctl("start", "alpha")
        self.assert_running("alpha", 27015)
        self.assertNotIn("Canceled", self.run_in("cat", "/tmp/stop-alpha").stdout)
        self.bystanders_live_on()

    def test_a_stubborn_game_that_is_stopped_by_hand_has_not_crashed(self):
        self.make_alpha_stubborn()
        self.ctl("reconcile")

        def crashes() -> int:
            lines = self.ctl("events", "alpha", "-o", "json").stdout.splitlines()
            return sum(json.loads(line).get("count", 1) for line in lines if json.loads(line)["reason"] == "Crashed")

        self.until("its crash is told", crashes)
        killed_by_this_test = crashes()
        before = self.life("alpha")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha runs again", lambda: self.life("alpha").pid not in ("0", before.pid) and self.a2s(27015))
        self.ctl("reconcile")
        self.assertEqual(crashes(), killed_by_this_test)
        self.assertNotIn("backoff", self.status("alpha"))
        self.bystanders_live_on()

    def test_l4d2ctl_makes_no_pass_of_its_own(self):
        pid = self.daemon()["MainPID"]
        self.run_in("kill", "-STOP", pid)
        self.run_in("sh", "-c", "l4d2ctl stop beta >/tmp/said 2>&1 & echo $! >/tmp/pid")
        self.until("the edit is committed", lambda: "configured" in self.run_in("cat", "/tmp/said").stdout)
        time.sleep(1)
        self.assertEqual(self.properties("beta")["ActiveState"], "active")
        self.run_in("kill", "-CONT", pid)
        self.until("beta was stopped", lambda: self.properties("beta")["ActiveState"] == "inactive")
        self.until("the command has ended", lambda: not self.exists(f"/proc/{self.run_in('cat', '/tmp/pid').stdout.strip()}"))

    def test_a_daemon_that_ends_meanwhile_is_reached_again_or_done_without(self):
        self.make_alpha_stubborn()
        with self.subTest("it comes back"):
            self.begin_to_stop_alpha()
            self.run_in("systemctl", "kill", "--signal=SIGKILL", "left4me.service")
            self.until("alpha was stopped", lambda: self.properties("alpha")["ActiveState"] == "inactive", seconds=40)
            self.until("the command says so", lambda: "reach it again" in self.run_in("cat", "/tmp/stop-alpha").stdout)
            self.until("alpha is disabled", lambda: self.enabled("alpha") == "disabled")
            self.assert_gone("alpha")
        with self.subTest("it does not"):
            self.ctl("start", "alpha")
            self.make_alpha_stubborn()
            self.begin_to_stop_alpha()
            self.run_in("systemctl", "stop", "left4me.service")
            said = lambda: self.run_in("cat", "/tmp/stop-alpha").stdout  # noqa: E731
            self.until("the command goes on by itself", lambda: "going on without it" in said(), seconds=40)
            self.until("alpha was stopped", lambda: self.properties("alpha")["ActiveState"] == "inactive", seconds=40)

    def test_ctrl_c_cancels_nothing(self):
        chance = random.Random(1)
        codes = set()
        for round_ in range(20):
            state = ("stop", "start")[round_ % 2]
            pause = f"{chance.uniform(0, 0.4):.3f}"
            done = self.run_in(
                "sh", "-c", f"timeout --signal=INT {pause} l4d2ctl {state} beta >/tmp/said 2>&1; echo $? >/tmp/code"
            )
            code, said = self.run_in("cat", "/tmp/code").stdout.strip(), self.run_in("cat", "/tmp/said").stdout
            codes.add(code)
            if "the host goes on" in said:
                self.assertIn("l4d2ctl get servers --watch shows it", said)
            self.assertEqual(done.returncode, 0)
            # What was committed is done, whole; what was not is not.
            self.settled()
            wanted = "Stopped" in self.ctl("get", "server", "beta", "-o", "yaml").stdout
            # Nothing differs from the moment the unit is activating, too.
            state = "inactive" if wanted else "active"
            self.until(f"beta is {state}", lambda state=state: self.properties("beta")["ActiveState"] == state)
        self.assertIn("124", codes)
        self.bystanders = {"gamma": self.life("gamma")}
        self.ctl("start", "beta")
        self.assert_running("beta", SERVERS["beta"])

    def test_ctrl_c_while_following_says_that_the_host_goes_on(self):
        self.make_alpha_stubborn()
        said = self.run_in(
            "sh", "-c", "l4d2ctl stop alpha >/tmp/said 2>&1 & pid=$!; "
            f"until systemctl show -P ActiveState {unit_of('alpha')} | grep -q deactivating; do sleep 0.1; done; "
            "kill -INT $pid; wait $pid; echo $?; cat /tmp/said",
        ).stdout  # fmt: skip
        self.assertEqual(said.splitlines()[0], "130", said)
        self.assertIn("the host goes on; l4d2ctl get servers --watch shows it", said)
        self.until("alpha was stopped", lambda: self.properties("alpha")["ActiveState"] == "inactive", seconds=40)

    def test_events_name_who_triggered(self):
        self.run_in("useradd", "--create-home", "alice")
        self.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n")
        self.run_in("chmod", "0440", "/etc/sudoers.d/alice")
        self.run_in("runuser", "-u", "alice", "--", "sudo", "l4d2ctl", "stop", "beta")

        def actors() -> list[str]:
            lines = self.ctl("events", "beta", "-o", "json").stdout.splitlines()
            events = [json.loads(line) for line in lines]
            return [event["actor"] for event in events if event["reason"] == "Stopped"]

        self.until("it is told", actors)
        self.assertEqual(actors(), ["alice"])

    def test_what_is_held_of_a_direct_command_is_said_once_and_exits_5(self):
        self.ctl("suspend", "gamma", "--reason", "a test")
        for command in ("stop", "start", "stop"):
            done = self.ctl(command, "gamma", expect=5 if command == "stop" else 0)
            said = done.stdout + done.stderr
            self.assertEqual(said.count("a test"), 1 if command == "stop" else 0, said)
        self.assertEqual(self.properties("gamma")["ActiveState"], "active")
        self.ctl("suspend", "beta", "--reason", "another test")
        done = self.ctl("start", "alpha")
        self.assertNotIn("another test", done.stdout + done.stderr)


class Driving(Stubborn, HostTest):
    def test_nobody_waits_without_a_daemon_either(self):
        self.apply()
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        self.nobody_waits_for_a_reset_of_alpha()
        self.nobody_waits_for_alpha()

    def test_the_same_is_said_with_and_without_the_daemon(self):
        def evening() -> list:
            said = []
            for words, text in EVENING:
                done = self.ctl(*words, text_in=text, expect=None)
                said.append((" ".join(words), done.returncode, normal(done.stdout), normal(done.stderr)))
            return said

        self.write(f"{MANIFESTS}/empty.yaml", "# nothing yet\n")
        alone = evening()
        for name in SERVERS:  # one by one: more than half at once would wait for approval
            self.ctl("delete", name)
        for kind, name in (("blueprint", "plain"), ("blueprint", "modded"), ("overlay", "maps"), ("overlay", "rates")):
            self.ctl("delete", kind, name)
        self.assert_converged()
        self.run_in("systemctl", "start", "left4me.service")
        followed = evening()
        self.maxDiff = None
        for one, other in zip(alone, followed, strict=True):
            self.assertEqual(one, other)
        # Nothing of it was done by l4d2ctl.
        self.assertIn(("start nosuch", 4), [one[:2] for one in followed])
