"""A change goes through the servers of a Blueprint: one first, the others when it has proven itself."""

import json

from testhosts.case import MANIFESTS, HostTest, server

NAMES = ["one", "two", "three", "four"]


def site(config: str, rollout: str, arguments: str = "", startup: str = "30s", deadline: str = "") -> str:
    return (
        "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\nspec:\n"
        f'  arguments: ["+map", c1m1_hotel{arguments}]\n'
        f"  config: |\n    hostname {config}\n"
        f"  health: {{startup: {startup}}}\n"
        f"  rollout: {rollout}\n"
    ) + "".join(
        server(name, 27015 + number, more=f"rollout: {{policy: WhenEmpty{deadline}}}")
        for number, name in enumerate(NAMES)
    )


class Fleet(HostTest):
    ROLLOUT = "{canary: 1, soak: 20s, maxUnavailable: 2}"

    def setUp(self) -> None:
        super().setUp()
        self.follow("first", self.ROLLOUT)
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        for name in NAMES:
            self.until(f"{name} has soaked", lambda name=name: self.trial(name).get("healthySince"), 60)
        self.before = self.lives(*NAMES)

    def follow(self, config: str, rollout: str, **more: str) -> None:
        self.write(f"{MANIFESTS}/site.yaml", site(config, rollout, **more))

    def trial(self, name: str) -> dict:
        status = self.run_in("cat", "/var/lib/left4me/state/status.json", expect=None)
        if status.returncode != 0:
            return {}  # no pass has ended yet
        return json.loads(status.stdout)["servers"].get(name, {}).get("trial", {})

    def changed(self, text: str) -> list[str]:
        """The servers whose games run with it."""
        return [
            name for number, name in enumerate(NAMES) if self.a2s(27015 + number).get("hostname") == text
        ]

    def restarted(self) -> list[str]:
        return [name for name, life in self.lives(*NAMES).items() if life != self.before[name]]

    def differences(self) -> str:
        return self.ctl("diff", expect=None).stdout

    def events(self, name: str, reason: str) -> list[dict]:
        lines = self.ctl("events", name, "-n", "0", "-o", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["reason"] == reason]

    def kill(self) -> None:
        self.run_in("systemctl", "kill", "--signal=SIGKILL", "left4me.service")


class Canary(Fleet):
    def test_a_change_waits_for_its_canary_and_reaches_all_though_l4d2d_is_killed_again_and_again(self):
        self.follow("second", "{canary: 1, soak: 20s, maxUnavailable: 2}")
        self.until("a canary is chosen", lambda: self.restarted(), 30)
        [canary] = self.restarted()
        self.kill()
        self.until("the canary answers", lambda: self.changed("second") == [canary], 30)
        self.kill()
        self.until("the others wait for it", lambda: f"waits for {canary}, which soaks for another" in self.differences(), 30)
        self.assertEqual(self.restarted(), [canary])
        other = next(name for name in NAMES if name != canary)
        shown = self.ctl("describe", "server", other).stdout
        self.assertIn(f"waits for {canary}", shown)
        self.kill()
        self.until("all have the change", lambda: self.changed("second") == NAMES, 90)
        self.until("nothing differs", lambda: self.differences() == "", 30)

    def test_a_canary_that_crashes_leaves_the_others_untouched_and_the_next_change_mends_it(self):
        self.follow("second", "{canary: 1, soak: 20s, maxUnavailable: 2}", arguments=", +standin_crash, 1")
        self.until("the rollout has stopped", lambda: [name for name in NAMES if self.trial(name).get("failure")], 60)
        [canary] = [name for name in NAMES if self.trial(name).get("failure")]
        self.assertIn("the rollout has stopped", self.differences())
        other = next(name for name in NAMES if name != canary)
        # Killed before, it might never tell it.
        self.until("that is told", lambda: self.events(canary, "CanaryFailed") and self.events(other, "CanaryPending"))
        self.kill()
        self.until(
            "it still says so",
            lambda: f"because {canary}, the canary," in self.differences(),
            30,
        )
        self.assertEqual(self.restarted(), [canary])
        self.assertEqual(len(self.events(canary, "CanaryFailed")), 1)
        # What ends meanwhile comes up with what it had.
        self.run_in("systemctl", "kill", "--signal=SIGKILL", f"left4me-server@{other}.service")
        number = NAMES.index(other)
        self.until(f"{other} is up", lambda: self.a2s(27015 + number).get("hostname") == "first", 40)
        self.follow("third", "{canary: 1, soak: 5s, maxUnavailable: 2}")
        self.until("the canary is mended first", lambda: self.changed("third") == [canary], 60)
        self.until("all have the change", lambda: self.changed("third") == NAMES, 90)

    def test_a_canary_that_never_answers_stops_the_change(self):
        self.follow("second", "{canary: 1, soak: 20s}", arguments=", +standin_hang, 1", startup="10s")
        # What l4d2ctl sees, l4d2d may remember only a moment later.
        self.until("the rollout has stopped", lambda: [name for name in NAMES if self.trial(name).get("failure")], 120)
        [canary] = [name for name in NAMES if self.trial(name).get("failure")]
        self.assertIn("the rollout has stopped", self.differences())
        self.assertEqual(self.trial(canary)["failure"], "does not answer")
        self.assertEqual(self.restarted(), [canary])


class ReturningCanary(Fleet):
    ROLLOUT = "{canary: 1, soak: 20s, maxUnavailable: 2, rollbackOnFailure: true}"
    WAYS = {
        "crashes at its start": ", +standin_crash, 1",
        "crashes a little later": ", +standin_crash_after, 7",
        "exits": ", +standin_exit_after, 3",
        "hangs": ", +standin_hang, 1",
        "reads but does not answer": ", +standin_loss, 100",
    }

    def test_a_canary_that_fails_in_any_way_returns_though_l4d2d_is_killed_at_every_event(self):
        for number, (way, arguments) in enumerate(self.WAYS.items()):
            with self.subTest(way):
                self.before = self.lives(*NAMES)
                # Whenever l4d2d has told of something new, it is killed: "server/one: CanaryFailed: …".
                self.run_in(
                    "systemd-run", "--unit=killer", "bash", "-c",
                    "journalctl -t left4me -n 0 -f -o cat | while IFS=: read -r subject reason rest; do "
                    'case "$seen" in *"|$subject:$reason|"*) continue; esac; seen+="|$subject:$reason|"; '
                    "systemctl kill --signal=SIGKILL left4me.service; done",
                )  # fmt: skip
                # Whether people play on the one that does not answer is not known: it waits for its deadline.
                self.follow(way, self.ROLLOUT, arguments=arguments, startup="10s", deadline=", deadline: 20s")
                self.until("the canary has failed", lambda: any(self.trial(name).get("failure") for name in NAMES), 180)
                if number == 0:  # what it knows is lost, too
                    self.run_in("rm", "/var/lib/left4me/state/status.json")
                self.until("it says why", lambda: "the rollout has stopped, because" in self.differences(), 180)
                self.until("all run as before", lambda: self.changed("first") == NAMES, 180)
                self.run_in("systemctl", "stop", "killer.service")
                tried = self.restarted()
                if number > 0:  # without its memory, l4d2d may try another one
                    self.assertEqual(len(tried), 1, tried)
                for canary in tried:
                    # Killed between what it did and the event of that, it tells the other one.
                    told = self.events(canary, "CanaryFailed") + self.events(canary, "Reverted")
                    self.assertTrue(told, canary)
        self.follow("last", self.ROLLOUT)
        self.until("one has the change first", lambda: len(self.changed("last")) == 1, 60)
        self.until("all have the change", lambda: self.changed("last") == NAMES, 120)
