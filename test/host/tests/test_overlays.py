"""Overlays that left4me-build@ builds, as the daemon and l4d2ctl see them: from the manifest to the running server."""

import json
import statistics
import time
from collections.abc import Callable

from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, DaemonTest, HostTest, server, unit_of

SOURCE = "/srv/left4dead2/big"
BIG = (
    f"apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: big}}\nspec: {{source: {{directory: {SOURCE}}}}}\n"
    "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: large}\n"
    'spec: {overlays: [big], arguments: ["+map", "c1m1_hotel"]}\n'
)
UNIT = "left4me-build@big.service"


class Big(HostTest):
    """A directory that is large enough to stop the build of it half way."""

    def fill(self, files: int, kib: int) -> None:
        self.run_in("sh", "-c", f"mkdir -p {SOURCE}/left4dead2/addons && cd {SOURCE}/left4dead2/addons && "
                    f"for i in $(seq {files}); do head -c {kib}K /dev/urandom >$i.vpk; done")  # fmt: skip

    def look(self) -> None:
        """A directory is looked at every 30 s otherwise."""
        self.run_in("systemctl", "reload", "left4me.service")

    def hold_build(self) -> None:
        """The program is at it, and takes as long as the test likes."""
        stop = f"systemctl kill --kill-whom=main -s STOP {UNIT}"  # systemd 257 stops no unit that is frozen
        self.run_in("sh", "-c", f"until test -e {STATE}/overlays/big/.build/progress; do sleep 0.01; done; {stop}")
        self.assertTrue(self.exists(f"{STATE}/overlays/big/.build/progress"), "large enough to be stopped half way")

    def let_go(self) -> None:
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "CONT", UNIT, expect=None)  # it may have ended

    def unit(self) -> dict[str, str]:
        shown = self.run_in("systemctl", "show", UNIT).stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def builds(self) -> bool:
        return self.unit()["ActiveState"] in ("active", "activating")

    def record(self) -> dict:
        done = self.run_in("cat", f"{STATE}/overlays/big/.build/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def overlay(self) -> dict:
        return json.loads(self.ctl("get", "overlay", "big", "-o", "json").stdout)

    def events(self, *reasons: str) -> list[str]:
        told = [json.loads(line) for line in self.ctl("events", "-o", "json").stdout.splitlines()]
        return [one["reason"] for one in told if one["subject"] == "overlay/big" and one["reason"] in reasons]

    def assert_built(self, seconds: float = 60) -> str:
        self.until("it is built", lambda: self.overlay()["build"]["state"] == "Built", seconds)
        artifact = f"{STATE}/overlays/big/{self.record()['artifact']['digest']}"
        self.run_in("diff", "-r", SOURCE, artifact)
        self.assertEqual(self.run_in("ls", "-A", f"{STATE}/overlays/big/.build").stdout.split(), ["record", "request"])
        return artifact


class Ending(Big):
    """The unit of a build that was killed takes as long to end as the test likes; the next try would come minutes later."""

    GO = "/run/go"

    def fail_slowly(self, begin: Callable[[], object]) -> None:
        self.fill(400, 500)
        self.write(f"{MANIFESTS}/big.yaml", BIG)
        self.write(f"/etc/systemd/system/{UNIT}.d/slow.conf", "[Service]\nTimeoutStopSec=infinity\n"
                   f"ExecStopPost=+/bin/sh -c 'until test -e {self.GO}; do sleep 0.05; done'\n")  # fmt: skip
        self.run_in("systemctl", "daemon-reload")
        begin()
        self.hold_build()
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "KILL", UNIT)
        self.until("it has failed", lambda: "failure" in self.record())
        record = self.record()
        record["failure"]["failures"] = 6
        # In place: it stays left4me's.
        self.run_in("tee", f"{STATE}/overlays/big/.build/record", text_in=json.dumps(record))
        self.assertEqual(self.unit()["ActiveState"], "deactivating")

    def assert_retried(self) -> None:
        self.until("it is built", lambda: self.overlay()["build"]["state"] == "Built", 60)


class EndingWithoutDaemon(Ending):
    def test_a_retry_that_is_asked_for_while_a_build_s_unit_still_ends_is_not_lost(self):
        self.apply()
        self.fail_slowly(lambda: self.run_in("systemctl", "start", "--no-block", "left4me-reconcile.service"))
        self.run_in("systemctl", "stop", "left4me-reconcile.service", unit_of("alpha"))
        self.run_in("systemd-run", "--unit=person", "-p", "Type=exec", "-p", "RemainAfterExit=yes", "l4d2ctl", "reconcile")
        self.until("its first step was made", lambda: self.properties("alpha")["ActiveState"] == "active")
        self.run_in("touch", self.GO)
        self.until("it has ended", lambda: self.run_in("systemctl", "show", "-P", "SubState", "person").stdout.strip() in ("exited", "failed"), 60)
        self.assertEqual(self.run_in("systemctl", "show", "-P", "ExecMainStatus", "person").stdout.strip(), "0",
                         self.run_in("journalctl", "-u", "person", "-o", "cat").stdout)  # fmt: skip
        self.assert_retried()


class EndingWithDaemon(DaemonTest, Ending):
    def test_a_retry_that_is_asked_for_while_a_build_s_unit_still_ends_is_not_lost(self):
        self.fail_slowly(self.look)
        self.ctl("start", "alpha")  # a retry for all, by somebody who does not wait for builds
        self.run_in("touch", self.GO)
        self.assert_retried()


class WithoutDaemon(Big):
    def test_a_build_that_fails_fails_the_command(self):
        self.write(f"{SOURCE}/left4dead2/a.cfg", "x")
        self.run_in("chmod", "600", f"{SOURCE}/left4dead2/a.cfg")
        failed = self.ctl("apply", "-f", "-", text_in=BIG, expect=5)
        self.assertIn("a.cfg: Permission denied", failed.stdout + failed.stderr)
        self.run_in("chmod", "644", f"{SOURCE}/left4dead2/a.cfg")
        self.converge()
        self.assert_built()

    def test_apply_waits_for_the_build_and_starts_the_server(self):
        self.fill(10, 100)
        self.ctl("apply", "-f", "-", text_in=BIG + server("delta", 27018, blueprint="large"))
        self.assert_running("delta", 27018)
        self.assert_converged()
        self.assert_built()
        self.assertEqual(self.events("BuildStarted", "Built", "BuildFailed"), ["BuildStarted", "Built"])
        self.assertIn("built", self.ctl("logs", "overlay/big").stdout)

    def test_a_source_that_changes_is_built_anew_and_the_server_follows_its_rollout(self):
        self.fill(3, 100)
        more = "rollout: {policy: Immediate}"
        self.ctl("apply", "-f", "-", text_in=BIG + server("delta", 27018, blueprint="large", more=more))
        first = self.assert_built()
        self.write(f"{SOURCE}/left4dead2/addons/1.vpk", "another map")
        self.ctl("reconcile")
        self.assertNotEqual(self.assert_built(), first)
        self.assert_running("delta", 27018)
        self.assert_converged()
        self.assertTrue(self.exists(first), "it can be rolled back to")

    def test_a_deleted_overlay_leaves_nothing_behind(self):
        self.fill(3, 100)
        self.ctl("apply", "-f", "-", text_in=BIG)
        self.assert_built()
        self.ctl("delete", "blueprint", "large")
        self.ctl("delete", "overlay", "big")
        self.assert_converged()
        self.assertFalse(self.exists(f"{STATE}/overlays/big"))

    def test_what_an_earlier_version_built_is_adopted_and_no_server_notices(self):
        """It left artifacts, and no record of builds."""
        self.apply()
        self.assert_converged()
        before = self.lives(*SERVERS)
        artifacts = self.run_in("ls", f"{STATE}/overlays/maps").stdout
        self.run_in("rm", "-r", f"{STATE}/overlays/maps/.build")
        self.run_in("systemctl", "stop", unit_of("beta"))
        self.ctl("reconcile")
        self.assert_converged()
        self.assert_running("beta", 27016)
        self.assertEqual(self.run_in("ls", f"{STATE}/overlays/maps").stdout, artifacts)
        after = self.lives(*SERVERS)
        self.assertEqual((after["alpha"], after["gamma"]), (before["alpha"], before["gamma"]))
        self.assertIn("nothing new", self.ctl("logs", "overlay/maps").stdout)


class Clear(Big):
    """Whatever goes wrong with a build: `describe` says what, and when it is mended, the artifact is right."""

    def start(self) -> None:
        self.write(f"{MANIFESTS}/big.yaml", BIG)
        self.run_in("systemctl", "start", "left4me.service")

    def described(self) -> str:
        return self.ctl("describe", "overlay", "big").stdout

    def fails(self, reason: str) -> None:
        """Asked until both say it: what failed for the first time may be tried again at once."""

        def said() -> bool:
            build = self.overlay()["build"]
            failed = (build["state"], build.get("failure", {}).get("reason")) == ("Failed", reason)
            return failed and f"({reason})" in self.described()

        self.until(f"it fails with {reason} and says so", said, 40)

    def test_a_killed_build_says_so_and_goes_on(self):
        self.fill(400, 500)
        self.start()
        self.hold_build()
        self.assertRegex(self.ctl("get", "overlays").stdout, r"building \d+%")
        self.assertRegex(self.described(), r"under way: \d+ of 400 files")
        self.assertEqual(self.overlay()["build"]["progress"]["totalFiles"], 400)
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "KILL", UNIT)
        self.fails("Killed")
        self.assert_built()
        self.until("it is told", lambda: self.events("BuildFailed", "Built") == ["BuildFailed", "Built"])

    def test_a_full_disk_is_said_to_be_full_and_used_when_it_is_not(self):
        self.run_in("mount", "-t", "tmpfs", "-o", "size=4m,mode=2750,uid=left4me,gid=left4me-server", "tmpfs", f"{STATE}/overlays")
        self.fill(60, 200)
        self.start()
        self.fails("NoSpace")
        self.run_in("mount", "-o", "remount,size=40m", f"{STATE}/overlays")
        self.ctl("reconcile")
        self.assert_built()

    def test_a_source_that_keeps_changing_is_said_to_do_so_and_built_when_it_rests(self):
        self.fill(200, 500)
        self.run_in("systemd-run", "--unit=writer", "sh", "-c", f"while :; do date +%N >{SOURCE}/left4dead2/addons/1.vpk; sleep 0.1; done")
        self.start()
        self.fails("SourceChanged")
        self.run_in("systemctl", "stop", "writer")
        self.ctl("reconcile")
        self.assert_built()

    def test_a_source_that_cannot_be_read_is_said_to_be_so(self):
        self.write(f"{SOURCE}/left4dead2/a.cfg", "x")
        self.start()
        self.assert_built()
        self.run_in("sh", "-c", f"umask 077; echo hunter2 >{SOURCE}/left4dead2/secret.cfg")
        self.look()
        self.fails("SourceUnavailable")
        self.assertIn("secret.cfg: Permission denied", self.described())
        self.run_in("rm", f"{SOURCE}/left4dead2/secret.cfg")
        self.look()
        self.assert_built()

    def test_a_canceled_build_waits_for_another_content_or_a_person(self):
        self.fill(400, 500)
        self.start()
        self.hold_build()
        begun = time.monotonic()
        self.assertIn("canceled", self.ctl("cancel", "overlay/big").stdout)
        self.assertLess(time.monotonic() - begun, 9)
        self.assertFalse(self.builds())
        self.until("it is said", lambda: "BuildCanceled" in self.ctl("diff", "-o", "json", expect=None).stdout)
        self.assertEqual(self.overlay()["build"]["state"], "Canceled")
        self.assertNotIn("failure", self.record())
        self.until("it is told", lambda: self.events("BuildCanceled") == ["BuildCanceled"])
        self.assertFalse(self.builds())
        self.assertIn("is not being built", self.ctl("cancel", "overlay/big").stdout)
        self.write(f"{SOURCE}/left4dead2/addons/1.vpk", "another map")
        self.look()
        self.assert_built()
        self.ctl("cancel", "overlay/none", expect=4)
        self.ctl("cancel", "installation/big", expect=4)

    def test_the_daemon_is_killed_fifty_times_and_the_build_ends_once(self):
        self.write("/etc/systemd/system/left4me.service.d/at-once.conf", "[Service]\nRestartSec=0\n")
        self.run_in("systemctl", "daemon-reload")
        self.fill(400, 500)
        self.start()
        self.hold_build()
        invocation = self.unit()["InvocationID"]
        for number in range(50):
            self.run_in("systemctl", "kill", "-s", "KILL", "left4me.service", expect=None)
            if number % 10 == 0:  # an upgrade
                self.run_in("sh", "-c", "cp -a /usr/sbin/l4d2d /usr/sbin/.new && mv /usr/sbin/.new /usr/sbin/l4d2d")
            self.until("l4d2d is back", lambda: self.run_in("systemctl", "is-active", "left4me.service", expect=None).returncode == 0)
            if number == 25:  # not all of them while it stands still
                self.let_go()
        self.assert_built()
        self.assertEqual(self.record()["invocation"], invocation)
        self.until("it is told", lambda: self.events("Built"))
        self.assertEqual(self.events("BuildStarted", "Built", "BuildFailed", "BuildCanceled"), ["BuildStarted", "Built"])


class Beside(DaemonTest, Big):
    """A build takes nobody's time but its own."""

    def milliseconds(self, script: str) -> float:
        """What a script takes, or until the time that it writes itself, in nanoseconds; the median of seven."""
        timed = f"begun=$(date +%s%N); ended=$({script}); echo $(((${{ended:-$(date +%s%N)}} - begun) / 1000))"
        return statistics.median(int(self.run_in("bash", "-c", timed).stdout) / 1000 for _ in range(7))

    def answers(self) -> dict[str, float]:
        """Until a command has ended, or has said its first line if it goes on until all has settled."""
        revision = json.loads(self.ctl("status", "-o", "json").stdout)["revision"]
        whole = ["diff", "get servers", "get overlays", "describe server alpha", "status",
                 "suspend gamma --reason test", "resume gamma"]  # fmt: skip
        first = "coproc {{ exec {}; }}; read -r line <&${{COPROC[0]}} && date +%s%N; kill $COPROC_PID; wait".format
        return {words: self.milliseconds(f"l4d2ctl {words} >/dev/null 2>&1") for words in whole} | {
            "approve, first line": self.milliseconds(first(f"l4d2ctl approve {revision}")),
            "reconcile, first line": self.milliseconds(first("script -qec 'l4d2ctl reconcile' /dev/null")),
        }

    def repairs(self) -> dict[str, float]:
        """Until beta is as it should be after somebody has changed it."""
        beta = unit_of("beta")
        until = "until systemctl -q {} {}; do sleep 0.005; done".format
        return {
            "disable": self.milliseconds(f"systemctl disable -q {beta}; {until('is-enabled', beta)}"),
            "stop": self.milliseconds(f"systemctl stop {beta}; {until('is-active', beta)}"),
        }

    def test_a_large_overlay_for_a_running_server_delays_nobody(self):
        """While it is built, a second server stops slowly and a third crashes again and again."""
        slow = server("slow", 27018) + server("crash", 27019)
        self.write(f"{MANIFESTS}/more.yaml", slow)
        for port in (27018, 27019):
            self.until(f"{port} answers", lambda port=port: self.a2s(port))
        self.write(f"{STATE}/runtime/slow/merged/left4dead2/ems/standin.cfg", "standin_ignore_stop 1\n")
        self.write(f"{STATE}/runtime/crash/merged/left4dead2/ems/standin.cfg", "standin_crash 1\n")
        self.run_in("sh", "-c", f"mkdir -p {SOURCE}/left4dead2 && cd {SOURCE}/left4dead2 && head -c 300M /dev/urandom >data.vpk &&"
                    " head -c 1M /dev/urandom >sparse.vpk && truncate -s 2G sparse.vpk")  # fmt: skip
        # It takes longer to stop than the test, however slow the machine is.
        self.write(f"/etc/systemd/system/{unit_of('slow')}.d/stop.conf", "[Service]\nTimeoutStopSec=1h\n")
        self.run_in("systemctl", "daemon-reload")
        self.settled()
        before = self.life("alpha")
        usual = self.repairs()
        with_big = COMMUNITY.replace("overlays: [rates, maps]", "overlays: [rates, maps, big]")
        self.write(f"{MANIFESTS}/community.yaml", with_big + "---\n" + BIG)
        self.hold_build()
        self.run_in("systemctl", "kill", "-s", "KILL", unit_of("crash"))
        self.write(f"{MANIFESTS}/more.yaml", slow.replace("port: 27018, state: Running", "port: 27018, state: Stopped"))
        self.until("it stops", lambda: self.properties("slow")["ActiveState"] == "deactivating")

        # A command that waits for the build takes seconds. It may take longer where what asks nobody takes longer, too.
        fed = self.daemon()["WatchdogTimestampMonotonic"]
        answers = self.answers()
        idle = self.milliseconds("l4d2ctl version >/dev/null")
        repairs = self.repairs()
        took = {"version": idle} | answers | repairs
        print({words: f"{milliseconds:.0f} ms" for words, milliseconds in took.items()}, flush=True)
        for words in answers:
            self.assertLess(took[words], max(300, 12 * idle), words)
        for act in repairs:
            self.assertLess(took[act], max(500, 5 * usual[act]), act)
        self.assertEqual(self.properties("slow")["ActiveState"], "deactivating")
        self.until("the watchdog is fed", lambda: self.daemon()["WatchdogTimestampMonotonic"] != fed, 60)
        self.assertTrue(self.builds())
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(self.daemon()["NRestarts"], "0")
        self.let_go()
        self.assert_built(120)
        self.assertEqual(self.life("alpha"), before, "WhenEmpty or OnNextStart: nobody asked for a restart")
        self.assertIn("big", json.dumps(self.status("alpha")))
