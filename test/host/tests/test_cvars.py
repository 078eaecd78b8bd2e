"""`cvars` of a Blueprint: set in running games, read back, and corrected."""

import json

from testhosts.case import COMMUNITY, STATE, DaemonTest

SECRET = "tr0ub4dor"
CVARS = "sv_maxrate: 60000, sv_tags: \"${name}\""


def community(cvars: str = CVARS, more: str = "", rcon: str = "  rcon: {secret: rcon}\n") -> str:
    """The blueprint of alpha and gamma has them; gamma's drift is only reported."""
    text = COMMUNITY.replace("  overlays: [rates, maps]\n", f"  overlays: [rates, maps]\n{rcon}  cvars: {{{cvars}}}\n")
    text = text.replace("    exec rates.cfg\n", f"    exec rates.cfg\n{more}")
    return text.replace("spec: {blueprint: modded, port: 27017}", "spec: {blueprint: modded, port: 27017, drift: Report}")


class CvarsTest(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/secrets/rcon", SECRET + "\n")
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")

    def begin(self, manifests: str) -> None:
        self.apply(manifests)
        self.ctl("restart", "alpha", "gamma")
        for name in ("alpha", "gamma"):
            self.until(f"the cvars of {name} are known", lambda name=name: self.is_known(name), 40)
        self.before = self.lives("alpha", "beta", "gamma")

    def is_known(self, name: str) -> bool:
        """A game that has only just started may not answer the first time."""
        said = self.run_in("cat", f"/run/left4me/daemon/cvars/{name}.json", expect=None).stdout
        return "values" in json.loads(said or "{}")

    def in_game(self, name: str, cvar: str) -> str:
        return self.ctl("console", name, cvar).stdout.strip()

    def has(self, name: str, cvar: str, value: str) -> bool:
        return self.in_game(name, cvar) == f'"{cvar}" = "{value}"'

    def events(self, name: str, reason: str) -> list[dict]:
        lines = self.ctl("events", name, "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def stalled(self, name: str) -> dict:
        return next(one for one in self.status(name)["conditions"] if one["type"] == "Stalled")

    def read_again(self) -> None:
        """As if five minutes had passed."""
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("sh", "-c", "rm /run/left4me/daemon/cvars/*")
        self.run_in("systemctl", "start", "left4me.service")

    def test_a_changed_value_is_set_without_a_restart_and_is_there_after_the_next_start(self):
        self.begin(community())
        # They win over what `config` runs.
        self.assertTrue(self.has("alpha", "sv_maxrate", "60000"), self.in_game("alpha", "sv_maxrate"))
        self.assertTrue(self.has("gamma", "sv_tags", "gamma"))
        self.apply(community(CVARS.replace("60000", "80000")))
        for name in ("alpha", "gamma"):
            self.until(f"{name} has it", lambda name=name: self.has(name, "sv_maxrate", "80000"), 40)
            self.until(f"{name} has nothing left", lambda name=name: self.events(name, "Set"))
            self.assertEqual(self.events(name, "Set")[0]["message"], 'sv_maxrate "60000" → "80000"')
            self.assertFalse(self.events(name, "Set")[0]["drift"])
            # A change of the map runs the file that the game sees.
            seen = self.run_in("cat", f"{STATE}/runtime/{name}/merged/left4dead2/cfg/left4me_cvars.cfg").stdout
            self.assertIn('sv_maxrate "80000"', seen)
        self.settled()
        self.assertEqual(self.lives("alpha", "beta", "gamma"), self.before)
        self.ctl("restart", "alpha")
        self.until("alpha is another", lambda: self.life("alpha").pid not in ("0", self.before["alpha"].pid))
        self.until("alpha has it from its start", lambda: self.ctl("console", "alpha", "sv_maxrate", expect=None).stdout == '"sv_maxrate" = "80000"\n')

    def test_what_is_changed_in_the_game_is_corrected_or_reported(self):
        self.begin(community())
        self.settled()
        for name in ("alpha", "gamma"):
            self.ctl("console", name, "sv_tags", "other")
        self.read_again()
        self.until("alpha is corrected", lambda: self.has("alpha", "sv_tags", "alpha"), 40)
        self.until("that is an event", lambda: self.events("alpha", "Set"))
        self.assertTrue(self.events("alpha", "Set")[0]["drift"])
        self.until("gamma is reported", lambda: self.stalled("gamma")["reason"] == "Drift", 40)
        self.assertIn('sv_tags "other" → "gamma"', self.stalled("gamma")["message"])
        self.assertTrue(self.has("gamma", "sv_tags", "other"))
        self.assertEqual(self.lives("alpha", "beta", "gamma"), self.before)

    def test_what_the_game_does_not_take_is_tried_once_and_told(self):
        self.begin(
            community(
                CVARS + ", sv_consistency: 1, sv_nosuch: 1",
                "    sv_consistency 0\n    standin_fixed sv_consistency\n    standin_unknown sv_nosuch\n",
            )
        )
        self.until("alpha needs help", lambda: self.stalled("alpha")["reason"] == "CvarsRefused", 60)
        for part in ('sv_consistency stays "0" although it was set to "1"', "the game has no cvar sv_nosuch", "spec.cvars of blueprint/modded"):
            self.until(part, lambda part=part: part in self.stalled("alpha")["message"], 60)
        self.until("it was set", lambda: self.events("alpha", "Set"))
        for _ in range(3):
            self.ctl("reconcile", expect=None)
        self.read_again()
        self.until("they are read again", lambda: self.is_known("alpha"))
        self.assertEqual(len(self.events("alpha", "Set")), 1)
        self.assertEqual(self.lives("alpha", "beta", "gamma"), self.before)
        # A remedy.
        self.apply(community(CVARS + ", sv_consistency: 0"))
        self.until("alpha needs none any more", lambda: self.stalled("alpha")["status"] == "False", 40)

    def test_without_a_console_a_changed_value_waits_for_the_next_start(self):
        self.apply(community(rcon=""))
        self.ctl("restart", "alpha", "gamma")
        self.settled()
        before = self.lives("alpha", "gamma")
        self.apply(community(CVARS.replace("60000", "80000"), rcon=""))
        self.until("it waits", lambda: "server.cfg or cvars changed; rollout OnNextStart" in self.ctl("diff", expect=None).stdout)
        self.assertEqual(self.lives("alpha", "gamma"), before)

    def test_without_a_daemon_a_pass_sets_them(self):
        self.begin(community())
        self.run_in("systemctl", "stop", "left4me.service")
        self.ctl("console", "alpha", "sv_tags", "other")
        # As if fifteen minutes had passed.
        self.run_in("sh", "-c", "rm /run/left4me/daemon/cvars/*")

        def corrects() -> bool:
            self.ctl("reconcile")
            return self.has("alpha", "sv_tags", "alpha")

        self.until("a pass corrects it, once the probe has heard the game", corrects, 40)
        self.assertEqual(self.lives("alpha", "beta", "gamma"), self.before)
