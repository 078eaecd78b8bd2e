"""Overlays whose source is a script, which runs in left4me-script@NAME.service."""

import json
import random

from testhosts.case import STATE, HostTest, server

BUILD = f"{STATE}/overlays/made/.build"
SCRIPT = """mkdir -p left4dead2/cfg left4dead2/addons 'left4dead2/a b'
echo "making it"
echo 'sv_maxrate 1' >left4dead2/cfg/made.cfg
ln -s made.cfg left4dead2/cfg/link.cfg
ln left4dead2/cfg/made.cfg 'left4dead2/a b/größer.cfg'
printf '#!/bin/sh\\n' >left4dead2/run.sh
chmod 700 left4dead2/run.sh
chmod 0 left4dead2/addons
truncate -s 900M left4dead2/sparse
test "$PWD" = /work/overlay && test -w "$TMPDIR" && test -w "$HOME"
cat <<<"here" >left4dead2/cfg/here.cfg
diff <(echo a) <(echo a)
"""


class Scripts(HostTest):
    def manifests(self, script: str = SCRIPT, more: str = "") -> str:
        return (
            f"apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: made}}\nspec: {{source: {{script: {{run: {json.dumps(script)}{more}}}}}}}\n"
            "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: scripted}\n"
            'spec: {overlays: [made], arguments: ["+map", "c1m1_hotel"]}\n' + server("alpha", 27015, "scripted")
        )

    def put(self, script: str = SCRIPT, more: str = "") -> None:
        self.write("/etc/left4me/manifests/made.yaml", self.manifests(script, more))
        self.run_in("chown", "-R", "left4me:", "/etc/left4me/manifests")

    def record(self) -> dict:
        done = self.run_in("cat", f"{BUILD}/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def overlay(self) -> dict:
        return json.loads(self.ctl("get", "overlay", "made", "-o", "json").stdout)

    def script_state(self) -> str:
        return self.run_in("systemctl", "show", "-P", "ActiveState", "left4me-script@made.service").stdout.strip()

    def script_runs(self, seconds: float = 30) -> None:
        self.until("the script runs", lambda: "script" in self.ctl("describe", "overlay", "made").stdout and self.script_state() == "active"
                   and self.overlay()["build"].get("progress", {}).get("phase") == "Running", seconds)  # fmt: skip

    def test_a_server_runs_with_what_a_script_made(self):
        self.apply(self.manifests())
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        game = f"{STATE}/runtime/alpha/merged/left4dead2"
        self.assertEqual(self.run_in("cat", f"{game}/cfg/made.cfg", f"{game}/cfg/link.cfg", f"{game}/a b/größer.cfg").stdout,
                         "sv_maxrate 1\n" * 3)  # fmt: skip
        self.assertEqual(self.run_in("cat", f"{game}/cfg/here.cfg").stdout, "here\n")
        artifact = f"{STATE}/overlays/made/{self.record()['artifact']['digest']}/left4dead2"
        modes = self.run_in("stat", "-c", "%U:%G %a", f"{artifact}/run.sh", f"{artifact}/cfg/here.cfg", f"{artifact}/cfg/made.cfg", f"{artifact}/addons").stdout.split("\n")
        self.assertEqual(modes[:4], ["left4me-server:left4me 755", "left4me-server:left4me 644", "left4me-server:left4me 644", "left4me:left4me-server 2775"])
        size, blocks = self.run_in("stat", "-c", "%s %b", f"{artifact}/sparse").stdout.split()
        self.assertEqual(int(size), 900 << 20)
        self.assertLess(int(blocks), 1000)
        log = self.ctl("logs", "overlay/made").stdout
        self.assertIn("making it", log)
        self.assertIn("running the script", log)
        self.assertIn("script,", self.ctl("describe", "overlay", "made").stdout)
        self.until("it is built", lambda: self.overlay()["build"]["state"] == "Built")
        self.assertEqual(self.overlay()["source"]["script"]["memory"], "2Gi")
        # It does not run again.
        before = self.record()
        self.converge()
        self.assertEqual(self.record(), before)
        # Another text that makes the same files runs, and changes nothing for the server.
        life = self.life("alpha")
        self.apply(self.manifests("# once more\n" + SCRIPT))
        self.until("it has run", lambda: self.record()["invocation"] != before["invocation"], 60)
        self.until("it is built", lambda: self.overlay()["build"]["state"] == "Built")
        self.assertEqual(self.record()["artifact"]["digest"], before["artifact"]["digest"])
        self.assertEqual(self.life("alpha"), life)

    def test_a_script_is_canceled_with_its_build(self):
        self.put("trap '' TERM INT HUP\nmkdir left4dead2\nwhile :; do sleep 1; done")
        self.run_in("systemctl", "start", "left4me.service")
        self.script_runs()
        self.assertRegex(self.ctl("describe", "overlay", "made").stdout, r"running its script, \d+ s")
        self.assertRegex(self.ctl("get", "overlays").stdout, r"made .*running")
        self.ctl("cancel", "overlay/made")
        self.until("it has ended", lambda: self.script_state() == "inactive", 30)
        self.until("it is canceled", lambda: self.overlay()["build"]["state"] == "Canceled")
        self.assertNotIn("failure", self.record())
        self.assertEqual(self.run_in("pgrep", "-f", "left4me-script", expect=None).stdout, "")

    def test_a_script_begins_anew_after_its_build_was_killed(self):
        self.put("sleep 15\n" + SCRIPT)
        self.run_in("systemctl", "start", "left4me.service")
        self.script_runs()
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "left4me-build@made.service")
        self.until("it is recorded", lambda: self.record().get("failure", {}).get("reason") == "Killed")
        self.until("the script has ended with it", lambda: self.script_state() == "inactive")
        self.ctl("reconcile")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 120)
        self.assertEqual(self.run_in("cat", f"{STATE}/runtime/alpha/merged/left4dead2/cfg/made.cfg").stdout, "sv_maxrate 1\n")

    def built_with(self, rate: int) -> bool:
        digest = self.record().get("artifact", {}).get("digest", "none")
        made = self.run_in("cat", f"{STATE}/overlays/made/{digest}/left4dead2/cfg/made.cfg", expect=None).stdout
        return made == f"sv_maxrate {rate}\n"

    def test_a_script_whose_build_is_killed_at_any_moment_gives_the_right_artifact_in_the_end(self):
        moments = random.Random(1)
        kills = rate = 0
        latest = 0.8  # of all moments, in seconds; soon as long as a build takes on this machine
        while kills < 25:
            rate += 1
            self.assertLess(rate, 300, "most builds had ended before, or had not begun")
            self.put(f"mkdir -p left4dead2/cfg left4dead2/addons\nfor n in $(seq 50); do head -c 20K /dev/zero >left4dead2/addons/$n.vpk; done\n"
                     f"echo 'sv_maxrate {rate}' >left4dead2/cfg/made.cfg\n")  # fmt: skip
            unit = moments.choice(("left4me-build@made.service", "left4me-build@made.service", "left4me-script@made.service"))
            # A process that has ended, but has not been waited for, has no exe.
            done = self.run_in("sh", "-c", f"l4d2ctl reconcile >/dev/null 2>&1 & sleep {moments.uniform(0.02, latest):.3f}; "
                               f"if systemctl kill --kill-whom=main -s KILL {unit} 2>/dev/null; then echo killed; "
                               "elif [ -e /proc/$!/exe ]; then echo early; else echo late; fi; wait", expect=None)  # fmt: skip
            kills += "killed" in done.stdout
            latest *= 1.1 if "early" in done.stdout else 0.8 if "late" in done.stdout else 1
            if not self.built_with(rate):
                self.ctl("reconcile", expect=None)
            self.until("it is built", lambda rate=rate: self.built_with(rate), 60)
            self.until("the unit has ended", lambda: self.overlay()["build"]["state"] == "Built")

    def test_a_script_that_is_killed_fails_its_build_and_the_last_artifact_stays_in_use(self):
        self.put()
        self.ctl("reconcile")
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        life = self.life("alpha")
        before = self.record()["artifact"]
        self.put("sleep 600")
        self.run_in("systemctl", "start", "left4me.service")
        self.script_runs()
        self.run_in("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "left4me-script@made.service")
        self.until("the build fails", lambda: "failure" in self.record(), 30)
        self.assertEqual(self.record()["failure"]["reason"], "ScriptFailed")
        self.assertIn("ended with signal", self.record()["failure"]["message"])
        self.assertEqual(self.record()["artifact"], before)
        self.assertEqual(self.life("alpha"), life)
