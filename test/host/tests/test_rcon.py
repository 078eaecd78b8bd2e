"""The game's console: what it knows is asked before somebody could be kicked, and operators use it."""

import json
import re

from testhosts.case import COMMUNITY, STATE, DaemonTest

SECRET = "tr0ub4dor"
WITH_CONSOLE = COMMUNITY.replace("  overlays: [rates, maps]\n", "  overlays: [rates, maps]\n  rcon: {secret: rcon}\n").replace(
    "blueprint: modded, port: 27015}", "blueprint: modded, port: 27015, rollout: {policy: WhenEmpty}}"
)
CHANGED = WITH_CONSOLE.replace('hostname "${name}, modded"', 'hostname "${name}, changed"')


class Rcon(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.assertIn("rcon:", WITH_CONSOLE)
        self.assertIn("WhenEmpty", WITH_CONSOLE)
        self.write("/etc/left4me/secrets/rcon", SECRET + "\n")
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.apply(WITH_CONSOLE)
        self.until("alpha has a console", lambda: self.ctl("console", "alpha", "status", expect=None).returncode == 0, 40)
        self.until("the probe has heard of alpha", lambda: self.game("alpha")["state"] == "Answers")
        self.bystanders = self.lives("beta", "gamma")

    def game(self, name: str) -> dict:
        return json.loads(self.ctl("players", name, "-o", "json").stdout)["servers"][0]

    def order(self, commands: str, name: str = "alpha") -> None:
        self.write(f"{STATE}/runtime/{name}/merged/left4dead2/ems/standin.cfg", commands)

    def ordered(self, commands: str, shown: str) -> None:
        self.order(commands)
        self.until(f"the console says {shown}", lambda: shown in self.ctl("console", "alpha", "status", expect=None).stdout)

    def waits_for(self, text: str) -> bool:
        return f"waits until empty: {text}" in self.ctl("diff", expect=None).stdout

    def events(self, reason: str) -> list[dict]:
        lines = self.ctl("events", "alpha", "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def restarted(self, before, seconds: float = 30) -> None:
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", before.pid), seconds)
        self.until("alpha has the change", lambda: self.a2s(27015).get("hostname") == "alpha, changed")
        self.bystanders_live_on()

    def wrong_passwords(self) -> int:
        return self.run_in("journalctl", "-u", "left4me-server@alpha.service", "--no-pager").stdout.count("bad rcon_password")

    def test_a_lobby_that_has_reserved_the_server_is_waited_for(self):
        before = self.life("alpha")
        self.ordered("standin_reserved 1\n", "(reserved ")
        self.until("the probe sees nobody", lambda: self.game("alpha")["players"] == 0)
        self.apply(CHANGED)
        self.until("the change waits for the lobby", lambda: self.waits_for("a lobby has reserved the server"))
        self.until("that is told", lambda: self.events("Postponed"))
        self.assertIn("a lobby has reserved the server", self.events("Postponed")[0]["message"])
        for _ in range(3):
            self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(len(self.events("Postponed")), 1)
        # Its players come, and go.
        self.ordered("standin_reserved 0\nstandin_players 4\n", "4 humans")
        self.until("the change waits for them", lambda: self.waits_for("4 players"))
        self.assertEqual(self.life("alpha"), before)
        self.order("standin_players 0\n")
        self.restarted(before)
        self.assertEqual(self.wrong_passwords(), 0)

    def test_a_lobby_that_never_comes_delays_the_change_until_the_game_lets_it_go(self):
        before = self.life("alpha")
        self.ordered("standin_reserved 1\n", "(reserved ")
        self.apply(CHANGED)
        self.until("the change waits for the lobby", lambda: self.waits_for("a lobby has reserved the server"))
        self.assertEqual(self.life("alpha"), before)
        self.order("standin_reserved 0\n")
        self.restarted(before)

    def test_a_console_that_does_not_tell_counts_as_occupied(self):
        before = self.life("alpha")
        self.order("standin_status garbled\n")
        self.apply(CHANGED)
        self.until("the change waits", lambda: self.waits_for("the game's console does not say who is there"))
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.order('standin_status ""\n')
        self.restarted(before)

    def test_a_wrong_password_is_tried_once_and_a_person_decides(self):
        before = self.life("alpha")
        self.ctl("console", "alpha", "rcon_password", "another")
        self.apply(CHANGED)
        self.until("the change waits", lambda: self.waits_for("the game's console refuses the password"))
        for _ in range(3):
            self.ctl("reconcile")
        self.assertIn("refuses the password", self.ctl("console", "alpha", "status", expect=5).stderr)
        self.run_in("systemctl", "restart", "left4me.service")
        self.until("l4d2d has come again", lambda: self.waits_for("the game's console refuses the password"))
        self.ctl("reconcile")
        self.assertEqual(self.life("alpha"), before)
        self.assertEqual(self.wrong_passwords(), 1)
        self.ctl("restart", "alpha")
        self.restarted(before)
        self.assertIn("players : 0 humans", self.ctl("console", "alpha", "status").stdout)

    def test_a_secret_is_written_rotated_and_never_shown(self):
        said = [self.ctl("secrets", "list").stdout, self.ctl("secrets", "list", "-o", "json").stdout]
        self.assertEqual([(one["name"], one["blueprints"], one["problem"]) for one in json.loads(said[1])["secrets"]], [("rcon", ["modded"], None)])
        before = self.life("alpha")
        said.append(self.ctl("secrets", "rotate", "rcon").stdout)
        self.assertIn("secret/rcon written; 2 servers get it", said[-1])
        path = "/etc/left4me/secrets/rcon"
        self.assertEqual(self.run_in("stat", "-c", "%a %U", path).stdout, "400 left4me\n")
        rotated = self.run_in("cat", path).stdout.strip()
        self.assertRegex(rotated, "^[A-Za-z0-9]{32}$")
        self.until("alpha is restarted, for nobody plays", lambda: self.life("alpha").pid not in ("0", before.pid), 30)
        self.until("its console takes the new one", lambda: self.ctl("console", "alpha", "status", expect=None).returncode == 0)
        self.assertEqual(self.wrong_passwords(), 0)
        self.assertEqual([event["message"] for event in self.events("SecretChanged")], ["the secret rcon was written"])
        self.assertIn("is used by blueprint/modded", self.ctl("secrets", "remove", "rcon", expect=3).stderr)
        self.assertIn("must be one line", self.ctl("secrets", "set", "rcon", text_in='a"b\n', expect=2).stderr)
        self.assertIn("is not the name of a secret", self.ctl("secrets", "set", "../shadow", text_in="a\n", expect=2).stderr)
        said.append(self.ctl("secrets", "set", "web", text_in="hunter2\n").stdout)
        self.assertIn("no Blueprint of a server names it yet", said[-1])
        self.assertEqual(self.run_in("cat", "/etc/left4me/secrets/web").stdout, "hunter2\n")
        self.ctl("secrets", "remove", "web")
        self.ctl("secrets", "remove", "web", expect=4)
        for secret in (SECRET, rotated, "hunter2"):
            self.assertNotIn(secret, "".join(said))

    def test_a_password_is_in_its_file_and_in_the_config_of_games_and_nowhere_else(self):
        self.write("/etc/left4me/config.yaml", "source: {git: {}}\nmetrics: {textfile: /var/lib/left4me/metrics/left4me.prom}\n")
        self.ctl("init-repo")
        self.run_in("sh", "-ec", f"git clone -q {STATE}/manifests.git /root/work 2>/dev/null; cp /etc/left4me/manifests/*.yaml /root/work; cd /root/work; "
                    "git add -A; git -c user.name=x -c user.email=x@x commit -qm x; git push -q origin HEAD:main")  # fmt: skip
        self.run_in("systemctl", "restart", "left4me")
        before = self.life("alpha")
        self.apply(CHANGED)
        self.restarted(before)
        self.until("alpha has a console", lambda: self.ctl("console", "alpha", "status", expect=None).returncode == 0, 40)
        self.ctl("console", "alpha", "there_is_no_such_command", expect=None)
        self.until("metrics are written", lambda: self.exists("/var/lib/left4me/metrics/left4me.prom"))
        # Of l4d2d, which has read it, there is no core either.
        self.run_in("systemctl", "kill", "--signal=ABRT", "left4me")
        self.until("l4d2d is back", lambda: self.run_in("systemctl", "is-active", "left4me", expect=None).stdout == "active\n")

        said = [self.run_in("journalctl", "--no-pager", "-o", "export").stdout]
        for words in (("status",), ("get", "servers"), ("get", "blueprints"), ("get", "overlays"), ("diff",), ("players",), ("top",), ("history",),
                      ("events", "-n", "0"), ("describe", "server", "alpha"), ("secrets", "list")):  # fmt: skip
            done = [self.ctl(*words, expect=None)]
            if words[0] != "describe":
                done.append(self.ctl(*words, "-o", "json", expect=None))
            said += [one.stdout + one.stderr for one in done]
        self.assertNotIn(SECRET, "".join(said))
        # Not this command itself, and what a game's process has of its own config.
        pattern = SECRET[:-1] + f"[{SECRET[-1]}]"
        processes = f"grep -al '{pattern}' /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"
        self.assertEqual(self.run_in("sh", "-c", processes, expect=1).stdout, "")
        objects = f"git -c 'safe.directory=*' -C {STATE}/manifests.git cat-file --batch-all-objects --batch | grep -ac"
        self.assertNotEqual(self.run_in("sh", "-c", f"{objects} hostname").stdout, "0\n")
        self.assertEqual(self.run_in("sh", "-c", f"{objects} '{pattern}'", expect=1).stdout, "0\n")
        files = self.run_in("sh", "-c", f"grep -rals '{pattern}' /etc /home /opt /root /run /srv /tmp /var", expect=None).stdout.splitlines()
        self.assertIn("/etc/left4me/secrets/rcon", files)
        config = re.compile(rf"{STATE}/(instances/\w+/\w+/layer|runtime/\w+/merged)/left4dead2/cfg/server\.cfg")
        self.assertEqual([name for name in files if name != "/etc/left4me/secrets/rcon" and not config.fullmatch(name)], [])

    def test_players_are_told_once_of_a_deadline_and_then_the_change_is_made(self):
        def told() -> int:
            said = self.run_in("journalctl", "-u", "left4me-server@alpha.service", "--no-pager").stdout
            return said.count('command "say This server is restarted in')

        before = self.life("alpha")
        self.ordered("standin_players 3\n", "3 humans")
        self.until("three play on alpha", lambda: self.game("alpha")["players"] == 3)
        self.apply(CHANGED.replace("{policy: WhenEmpty}", "{policy: WhenEmpty, deadline: 25s, warn: [10s, 24s]}"))
        self.assertIn("waits until empty: 3 players, at the latest", self.ctl("diff", expect=None).stdout)
        self.until("the players are told", lambda: told() == 1)
        self.until("the players are told again", lambda: told() == 2, 30)
        self.assertEqual(self.life("alpha").pid, before.pid)
        self.restarted(before)
        self.assertEqual(told(), 2)
        self.assertEqual(len(self.events("Warned")), 2)

    def test_a_schedule_gives_a_command_at_its_time_and_restarts_once_nobody_plays(self):
        def commands() -> int:
            said = self.run_in("journalctl", "-u", "left4me-server@alpha.service", "--no-pager").stdout
            return said.count('command "say it is time"')

        before = self.life("alpha")
        self.ordered("standin_players 2\n", "2 humans")
        self.until("two play on alpha", lambda: self.game("alpha")["players"] == 2)
        # A time is a minute of the clock; this one has not come when the manifests are applied.
        at = self.run_in("date", "-d", "100 seconds", "+%H:%M").stdout.strip()
        schedule = f'[{{at: "{at}", command: say it is time}}, {{at: "{at}", action: Restart}}]'
        self.apply(WITH_CONSOLE.replace("rcon: {secret: rcon}\n", f"rcon: {{secret: rcon}}\n  schedule: {schedule}\n"))
        self.assertIn(f"{at} Restart, next at {at}", self.ctl("describe", "server", "alpha").stdout)
        self.assertNotIn("scheduled", self.ctl("diff", expect=None).stdout)
        self.until("the command is given", lambda: commands() == 1, 150)
        self.until("the restart waits", lambda: self.waits_for("2 players"))
        self.until("that is told", lambda: self.events("Commanded"))
        self.assertEqual(len(self.events("Commanded")), 1)
        # Nobody plays on gamma: its restart waits neither for alpha's nor, since there is one, for its next start.
        gamma = self.bystanders["gamma"]
        self.until("gamma is restarted", lambda: self.life("gamma").pid not in ("0", gamma.pid))
        self.assertEqual(self.life("alpha"), before)
        self.order("standin_players 0\n")
        self.until("alpha is restarted", lambda: self.life("alpha").pid not in ("0", before.pid), 40)
        self.until("nothing is left to do", lambda: self.ctl("diff", expect=None).returncode == 0)
        reason = f"the restart scheduled for {at}, and nobody is playing"
        self.until("that is told", lambda: any(reason in one["message"] for one in self.events("Restarted")[-1:]))
        self.assertEqual(commands(), 1)
        self.assertEqual(self.life("beta"), self.bystanders["beta"])

    def test_the_console_is_for_operators_and_its_password_for_nobody(self):
        shown = self.ctl("console", "alpha", "status").stdout
        self.assertIn("hostname: alpha, modded\n", shown)
        self.ctl("console", "alpha", "sv_alltalk", "1")
        self.assertEqual(self.ctl("console", "alpha", "sv_alltalk").stdout, '"sv_alltalk" = "1"\n')
        self.assertIn("Console: see you soon", self.ctl("console", "alpha", "say", "see", "you", "soon").stdout)
        # A long answer comes in several packets.
        self.order("standin_bots 200\n")
        self.until("all bots are there", lambda: self.ctl("console", "alpha", "status").stdout.count("BOT active") == 200)
        talk = self.ctl("console", "alpha", text_in="echo one\n\n  echo two  \nquit\necho three\n")
        self.assertEqual(talk.stdout, "one \ntwo \n")
        self.assertIn("has no password that left4me knows", self.ctl("console", "beta", "status", expect=5).stderr)
        self.assertIn("is not there", self.ctl("console", "nobody", "status", expect=4).stderr)
        self.ctl("stop", "alpha")
        self.assertIn("does not run", self.ctl("console", "alpha", "status", expect=5).stderr)
        for what in ("journalctl --no-pager", "ps -eo args", "cat /run/left4me/daemon/consoles/* /var/lib/left4me/state/*.json* || true",
                     "l4d2ctl diff; l4d2ctl get servers -o json"):  # fmt: skip
            self.assertNotIn(SECRET, self.run_in("sh", "-c", what, expect=None).stdout, what)
        self.run_in("runuser", "-u", "nobody", "--", "l4d2ctl", "console", "alpha", "status", expect=5)
