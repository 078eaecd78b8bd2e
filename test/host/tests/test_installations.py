"""Installations: the game as steamcmd installs it, in left4me-install@NAME.service. A stand-in plays steamcmd."""

import json
import random
import re
import time

from testhosts.case import MANIFESTS, STATE, TOOLS, HostTest, server

STEAMCMD = f"{TOOLS}/steamcmd"
PLACE = f"{STATE}/overlays/stable"
HOME = f"{PLACE}/.build/steam/home"


def installation(build: str = "", more: str = "") -> str:
    spec = ", ".join(part for part in ((f'build: "{build}"' if build else ""), more) if part)
    return f"apiVersion: left4me/v1\nkind: Installation\nmetadata: {{name: stable}}\nspec: {{{spec}}}\n"


def blueprint(more: str = "") -> str:
    return (
        "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\n"
        'spec:\n  installation: stable\n  arguments: ["+map", c1m1_hotel]\n' + more
    )


class SteamTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", f"steamcmd: {STEAMCMD}\n")
        self.run_in("sh", "-c", f"mkdir -p /srv/steam && cp -R {TOOLS}/standin /srv/steam/files")
        self.run_in("sh", "-c", "head -c 3000000 /dev/urandom >/srv/steam/files/left4dead2/pak01_000.vpk")
        # Version 0.1's is not there: what runs is what Steam gave.
        self.run_in("rm", "-rf", f"{STATE}/installation")
        self.steam("100")

    def steam(self, build: str, plan: str = "", **files: str) -> None:
        """Steam has this build, with these files changed, and steamcmd ends as it is planned."""
        self.write("/srv/steam/build", f"{build}\n")
        self.write("/srv/steam/plan", plan.replace(" ", "\n"))
        self.write("/srv/steam/files/left4dead2/steam.inf", f"PatchVersion={build}\n")
        for name, text in files.items():
            self.write(f"/srv/steam/files/left4dead2/{name}", text)
        self.run_in("rm", "-f", f"{HOME}/runs", f"{HOME}/log", f"{HOME}/fetched")

    def put(self, text: str) -> None:
        self.write(f"{MANIFESTS}/site.yaml", text)
        self.run_in("chown", "-R", "left4me:", MANIFESTS)

    def record(self) -> dict:
        done = self.run_in("cat", f"{PLACE}/.build/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def failure(self) -> dict:
        return self.record().get("failure", {})

    def asked(self) -> list[str]:
        done = self.run_in("cat", f"{HOME}/log", expect=None)
        return [line.partition(" ")[2] for line in done.stdout.splitlines()]

    def object(self) -> dict:
        return json.loads(self.ctl("get", "installation", "stable", "-o", "json").stdout)

    def built(self, build: str, seconds: float = 60) -> None:
        self.until(f"build {build} is there", lambda: self.record().get("artifact", {}).get("revision") == f"build {build}"
                   and not self.failure(), seconds)  # fmt: skip

    def state(self, unit: str) -> str:
        return self.run_in("systemctl", "show", "-P", "ActiveState", f"left4me-{unit}@stable.service").stdout.strip()

    def version(self, name: str) -> str:
        return self.run_in("cat", f"{STATE}/runtime/{name}/merged/left4dead2/steam.inf", expect=None).stdout.strip()


class Installations(SteamTest):
    def test_a_server_runs_with_the_game_that_steamcmd_installed_and_follows_the_next_build(self):
        self.apply(installation() + blueprint() + server("alpha", 27015))
        self.until("the server answers", lambda: self.properties("alpha")["ActiveState"] == "active" and self.a2s(27015), 60)
        self.assertEqual(self.version("alpha"), "PatchVersion=100")
        self.assertEqual(self.asked(), ["windows validate", "linux validate"])
        first = self.record()["artifact"]
        self.assertEqual(self.wanted_layers("alpha")[-1], f"overlays/stable/{first['digest']}")
        artifact = f"{PLACE}/{first['digest']}"
        self.assertFalse(self.exists(f"{artifact}/steamapps"))
        self.assertEqual(self.run_in("cat", f"{PLACE}/.build/steam/steamapps-of").stdout, first["digest"])
        self.assertEqual(self.run_in("stat", "-c", "%U:%G %a", f"{artifact}/srcds_run").stdout, "left4me-server:left4me 755\n", "it is sealed")
        self.assertEqual(self.object()["revision"], "build 100")
        self.assertIn("build 100", self.ctl("explain-path", "alpha", "left4dead2/steam.inf").stdout)
        self.assertRegex(self.ctl("get", "installations").stdout, r"stable +yes")
        self.assertIn("steamcmd installs the files for linux", self.ctl("logs", "installation/stable").stdout)
        self.assert_converged()
        life = self.life("alpha")
        # Nobody asked for the next build: nothing happens.
        self.steam("101")
        self.converge()
        self.assertEqual(self.asked(), [])
        # Somebody looks, and somebody asks.
        self.assertIn("build", self.ctl("lock", "--check", "installation/stable", expect=1).stdout)
        self.assertRegex(self.ctl("get", "installations", "-o", "wide").stdout, "moved")
        self.assertIn("note: installation/stable: build moved to ", self.ctl("diff").stderr)
        self.assertIn("overlay/stable is not there", self.ctl("lock", "overlay/stable", expect=4).stderr)
        self.ctl("install", "overlay/stable", expect=2)
        said = self.ctl("install", "stable").stdout
        self.assertIn("installation/stable pinned", said)
        self.built("101")
        self.assertIn("101", self.run_in("cat", f"{MANIFESTS}/left4me.lock").stdout)
        # What is different was fetched, and nothing else; what servers had is as it was.
        self.assertEqual(self.run_in("cat", f"{HOME}/fetched").stdout.split(), ["left4dead2/steam.inf"])
        self.assertEqual(self.run_in("cat", f"{artifact}/left4dead2/steam.inf").stdout, "PatchVersion=100\n")
        # The policy is OnNextStart.
        self.assertEqual(self.life("alpha"), life)
        self.ctl("restart", "alpha")
        self.until("it has the new build", lambda: self.version("alpha") == "PatchVersion=101", 40)
        # And back, at once.
        self.ctl("rollback", "installation/stable", "--reason", "it crashes")
        self.assertIn("installation/stable", self.ctl("diff", expect=1).stdout)
        self.ctl("restart", "alpha")
        self.until("it has the old build", lambda: self.version("alpha") == "PatchVersion=100", 40)
        self.ctl("resume", "installation/stable")
        self.ctl("restart", "alpha")
        self.until("it has the new build", lambda: self.version("alpha") == "PatchVersion=101", 40)
        # What its `refresh` runs.
        self.steam("102")
        self.run_in("systemctl", "start", "left4me-refresh@stable.service")
        self.assertIn("102", self.run_in("cat", f"{MANIFESTS}/left4me.lock").stdout)

    def test_the_table_shows_how_far_an_installation_is(self):
        self.run_in("sh", "-c", "for n in $(seq 40); do echo $n >/srv/steam/files/left4dead2/map$n.vpk; done; echo 0.2 >/srv/steam/pause")
        self.put(installation())
        self.run_in("systemd-run", "-q", "l4d2ctl", "reconcile")
        self.until("the table says so", lambda: re.search(r"stable +downloading [1-9]\d?%", self.ctl("get", "installations").stdout), 60)
        self.run_in("sh", "-c", "echo 0 >/srv/steam/pause")
        self.built("100")

    def test_whoever_waits_at_a_terminal_sees_how_far_an_installation_is(self):
        self.run_in("sh", "-c", "for n in $(seq 40); do echo $n >/srv/steam/files/left4dead2/map$n.vpk; done; echo 0.2 >/srv/steam/pause")
        self.put(installation())
        for daemon in (False, True):
            with self.subTest(f"daemon: {daemon}"):
                said = self.run_in("script", "-qec", "l4d2ctl install", "/dev/null").stdout
                self.assertIn("waiting until installation/stable is built", said)
                told = [int(number) for number in re.findall(r"(?m)^installation/stable: downloading (\d+)%\r?$", said)]
                # A line for each tenth; then come the files for the other platform.
                rising = told[: told.index(max(told)) + 1]
                self.assertGreater(len(rising), 3, said)
                self.assertEqual(rising, sorted(rising))
                self.assertEqual(len({number // 10 for number in rising}), len(rising), said)
                self.assertEqual(self.record()["artifact"]["revision"], "build 101" if daemon else "build 100")
            self.steam("101")
            self.run_in("sh", "-c", "for n in $(seq 40); do echo new $n >/srv/steam/files/left4dead2/map$n.vpk; done")
            self.run_in("systemctl", "start", "left4me.service")
        # A file is for programs.
        self.steam("102")
        self.run_in("sh", "-c", "for n in $(seq 40); do echo newest $n >/srv/steam/files/left4dead2/map$n.vpk; done")
        quiet = self.ctl("install")
        self.assertNotIn("%", quiet.stdout + quiet.stderr)

    def test_steamcmd_that_is_not_there_is_an_error_with_a_remedy_and_keeps_nothing_down(self):
        self.write("/etc/left4me/config.yaml", "{}\n")
        self.put(installation() + blueprint() + server("alpha", 27015))
        self.ctl("reconcile", expect=None)
        self.until("it has failed", lambda: self.failure().get("reason") == "SourceUnavailable")
        self.assertIn("there is no steamcmd at /usr/games/steamcmd: install Debian's package steamcmd", self.failure()["message"])
        self.assertIn("steamcmd:", self.ctl("describe", "installation", "stable").stdout)
        self.write("/etc/left4me/config.yaml", f"steamcmd: {STEAMCMD}\n")
        self.ctl("reconcile")
        self.built("100")

    def test_valves_own_program_is_copied_before_it_is_used(self):
        self.run_in("sh", "-c", f"mkdir -p /opt/steam/linux32 && cp {STEAMCMD} /opt/steam/steamcmd.sh && echo x >/opt/steam/linux32/steamcmd")
        self.write("/etc/left4me/config.yaml", "steamcmd: /opt/steam/steamcmd.sh\n")
        self.put(installation())
        self.ctl("reconcile")
        self.built("100")
        self.assertTrue(self.exists(f"{HOME}/steamcmd/linux32/steamcmd"))
        # Another one that is configured replaces it.
        self.run_in("sh", "-c", "cp -R /opt/steam /opt/newer && echo y >/opt/newer/linux32/steamcmd")
        self.write("/etc/left4me/config.yaml", "steamcmd: /opt/newer/steamcmd.sh\n")
        self.steam("101")
        self.ctl("install", "stable")
        self.built("101")
        self.assertEqual(self.run_in("cat", f"{HOME}/steamcmd/linux32/steamcmd").stdout, "y\n")

    def test_steamcmd_is_stopped_with_its_build_when_that_is_canceled(self):
        self.steam("100", "hang")
        self.put(installation())
        self.run_in("systemctl", "start", "left4me.service")
        self.until("steamcmd runs", self.asked)
        self.ctl("cancel", "installation/stable")
        self.until("it has ended", lambda: self.state("install") == "inactive", 30)
        self.until("it is canceled", lambda: self.object()["build"]["state"] == "Canceled")
        self.assertNotIn("failure", self.record())
        self.assertEqual(self.run_in("pgrep", "-f", "left4me-steamcmd", expect=None).stdout, "")

    def test_a_build_that_the_manifest_names_is_that_one_or_none(self):
        self.put(installation("99"))
        self.ctl("reconcile", expect=None)
        self.until("it has failed", lambda: self.failure())
        self.assertIn("Steam gives build 100 and no other, but spec.build is 99", self.failure()["message"])
        self.assertEqual(self.asked(), ["info"])
        self.put(installation("100"))
        self.ctl("reconcile")
        self.built("100")
        # A new one at Steam changes nothing.
        self.steam("101")
        self.converge()
        self.assertEqual(self.asked(), [])
        self.assertIn("needs no pin", self.ctl("lock", "installation/stable", expect=None).stderr)

    def test_without_a_manifest_what_version_0_1_installed_is_used_in_place(self):
        self.run_in("cp", "-R", "/srv/steam/files", f"{STATE}/installation")
        self.apply(blueprint().replace("  installation: stable\n", "") + server("alpha", 27015))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 30)
        self.assertEqual(self.wanted_layers("alpha")[-1], "installation")
        life = self.life("alpha")
        # The one named default is for Blueprints that name none.
        self.put(installation().replace("stable", "default"))
        self.ctl("reconcile")
        self.until("it is built", lambda: json.loads(self.ctl("get", "installation", "default", "-o", "json").stdout)["built"], 60)
        self.assertEqual(self.life("alpha"), life)
        self.until("it is to have it at its next start", lambda: self.wanted_layers("alpha")[-1].startswith("overlays/default/"))


class SteamFails(SteamTest):
    def install(self, plan: str) -> None:
        """As on a host that has no such build yet."""
        self.until("the build before has ended", lambda: self.state("build") == "inactive" or self.state("build") == "failed")
        self.run_in("sh", "-c", f"rm -rf {PLACE}/[0-9a-f]* {PLACE}/.build/record {PLACE}/.build/request {PLACE}/.build/steam/game")
        self.steam("100", plan)
        self.ctl("reconcile", expect=None)

    def test_what_ends_by_itself_is_tried_again_within_the_build(self):
        self.put(installation())
        again = {
            "updated": ["windows validate", "windows validate", "linux validate"],
            "timeout": ["windows validate", "windows validate", "linux validate"],
            "0x402": ["windows validate", "windows validate", "linux validate"],
            "0x602": ["windows validate", "windows validate", "linux validate"],
            "killed": ["windows validate", "windows validate", "linux validate"],
            "silent": ["windows validate", "windows validate", "linux validate"],
            "code": ["windows validate", "windows validate", "linux validate"],
            "configuration": ["windows validate", "windows", "linux validate"],
            "stuck": ["windows validate", "windows validate", "linux validate"],
            "0x6": ["windows validate", "windows validate", "linux validate"],
            "0xE": ["windows validate", "windows validate", "linux validate"],
            "0x406": ["windows validate", "windows validate", "linux validate"],
            "ok hollow": ["windows validate", "linux validate", "linux validate"],
        }
        for plan, runs in again.items():
            with self.subTest(plan):
                self.install(plan)
                self.built("100")
                self.assertEqual(self.asked(), runs)

    def test_what_no_retry_mends_is_told_at_once(self):
        self.put(installation())
        fatal = {
            "platform": ("SourceUnavailable", "Invalid platform"),
            "ok platform": ("SourceUnavailable", "Invalid platform"),
            "subscription": ("SourceUnavailable", "No subscription"),
            "rate": ("SourceUnavailable", "Steam refuses more logins from this host for a while"),
            "rate2025": ("SourceUnavailable", "Steam refuses more logins from this host for a while"),
            "libraries": ("SourceUnavailable", "needs 32-bit libraries; sudo dpkg --add-architecture i386"),
            "0x202": ("NoSpace", "the disk is full"),
            "0x212": ("NoSpace", "the disk is full"),
            "updated updated updated updated": ("SourceUnavailable", "replaces itself again and again"),
        }
        for plan, (reason, text) in fatal.items():
            with self.subTest(plan):
                self.install(plan)
                self.until("it has failed", lambda: self.failure())
                self.assertEqual(self.failure()["reason"], reason)
                self.assertIn(text, self.failure()["message"])
                self.assertEqual(len(self.asked()), len(plan.split()))
        self.steam("100")
        self.ctl("reconcile")
        self.built("100")

    def test_a_server_keeps_its_game_while_updates_fail(self):
        self.apply(installation() + blueprint() + server("alpha", 27015))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        life = self.life("alpha")
        self.steam("101", "nothing timeout nothing silent timeout")
        said = self.ctl("install", expect=None)
        self.assertIn("installation/stable", said.stderr)
        self.steam("101", "ok ok subscription")  # which build is the newest is asked twice: for the pin, and by the build
        self.ctl("install", expect=None)
        self.until("it has failed", lambda: self.failure())
        self.assertIn("No subscription", self.ctl("describe", "installation", "stable").stdout)
        self.assertEqual(self.life("alpha"), life)
        self.ctl("restart", "alpha")
        self.until("it runs with what it had", lambda: self.version("alpha") == "PatchVersion=100" and self.a2s(27015), 40)


    def test_an_update_for_which_the_disk_has_no_room_is_refused_with_the_numbers_and_the_game_stays(self):
        mib = int(self.run_in("du", "-sm", "/srv/steam/files").stdout.split()[0])
        self.run_in("mount", "-t", "tmpfs", "-o", f"size={mib * 3 // 2 + 1}m,mode=2750,uid=left4me,gid=left4me-server",
                    "tmpfs", f"{STATE}/overlays")  # fmt: skip
        self.apply(installation() + blueprint() + server("alpha", 27015))
        self.until("the server runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        life = self.life("alpha")
        self.steam("101")
        self.ctl("install", expect=5)
        self.assertEqual(self.failure()["reason"], "NoSpace")
        self.assertRegex(self.failure()["message"], r"the new build needs \d+ MiB beside the present one, and \d+ MiB are free beneath "
                         r"/var/lib/left4me; l4d2ctl gc --dry-run shows what else is there")  # fmt: skip
        self.assertIn("the new build needs", self.ctl("describe", "installation", "stable").stdout)
        self.assertEqual(self.record()["artifact"]["revision"], "build 100")
        self.assertEqual(self.life("alpha"), life)
        self.ctl("restart", "alpha")
        self.until("it runs with what it had", lambda: self.version("alpha") == "PatchVersion=100" and self.a2s(27015), 40)
        self.run_in("mount", "-o", f"remount,size={mib * 4}m", f"{STATE}/overlays")
        self.ctl("reconcile")
        self.built("101")


# Arguments: seconds after the start of the build, and the unit that is killed then. Says whether it was still building.
KILL = """systemctl start left4me-build@stable; sleep "$1"
systemctl is-active -q left4me-build@stable || exit 1
systemctl kill -s KILL "left4me-$2@stable"
for i in $(seq 200); do systemctl is-active -q left4me-build@stable || exit 0; sleep 0.1; done"""


class SteamKilled(SteamTest):
    def test_a_build_that_is_killed_anywhere_goes_on_where_it_was(self):
        chance = random.Random(20261129)
        self.run_in("sh", "-c", "for n in $(seq 40); do echo $n >/srv/steam/files/left4dead2/map$n.vpk; done; echo 2 >/srv/steam/pause")
        self.steam("100", "subscription")
        self.put(installation())
        self.ctl("reconcile", expect=None)
        self.until("the first one has failed", lambda: self.failure() and self.state("build") == "failed")
        for number in range(20):
            unit = chance.choice(["build", "install"])
            killed = self.run_in("sh", "-c", KILL, "kill", f"{chance.uniform(0, 2.2):.2f}", unit, expect=None)
            self.assertEqual(killed.returncode, 0, f"it was complete before kill {number}")
        self.run_in("sh", "-c", "echo 0.1 >/srv/steam/pause")
        self.run_in("systemctl", "start", "left4me-build@stable.service")
        self.built("100", 120)
        # Nothing that was whole was fetched again.
        fetched = self.run_in("cat", f"{HOME}/fetched").stdout.split()
        self.assertEqual(len(fetched), len(set(fetched)))
        digest = self.record()["artifact"]["digest"]
        differs = self.run_in("diff", "-r", "-x", "srcds.exe", "/srv/steam/files", f"{PLACE}/{digest}", expect=None)
        self.assertEqual(differs.stdout, "")

    def test_an_update_that_is_killed_anywhere_leaves_the_build_in_use_as_it_is_and_is_completed(self):
        chance = random.Random(20261130)
        self.steam("100")
        self.put(installation())
        self.ctl("reconcile", expect=None)
        self.built("100")
        first = f"{PLACE}/{self.record()['artifact']['digest']}"
        listing = f"cd {first} && find . -type f -exec sha256sum {{}} + | sort"
        before = self.run_in("sh", "-c", listing).stdout
        self.run_in("sh", "-c", "for n in $(seq 20); do echo $n >/srv/steam/files/left4dead2/map$n.vpk; done; echo 0.2 >/srv/steam/pause")
        self.steam("101")
        self.run_in("sh", "-c", "l4d2ctl install stable >/dev/null 2>&1 & exec systemctl is-system-running", expect=None)
        self.until("it is under way", lambda: self.state("build") in ("active", "activating"))
        kills = 0
        while kills < 10 and self.record()["artifact"]["revision"] == "build 100":
            unit = chance.choice(["build", "install"])
            self.run_in("sh", "-c", KILL, "kill", f"{chance.uniform(0, 1.0):.2f}", unit, expect=None)
            self.assertEqual(self.run_in("sh", "-c", listing).stdout, before)
            kills += 1
        self.assertGreater(kills, 3, "it was complete too soon")
        self.run_in("sh", "-c", "echo 0 >/srv/steam/pause")
        self.until("the last one has ended", lambda: self.state("build") in ("inactive", "failed"))
        self.ctl("reconcile", expect=None)
        self.until("it is complete", lambda: self.record()["artifact"]["revision"] == "build 101", 120)
        self.assertEqual(self.run_in("sh", "-c", listing).stdout, before)
        digest = self.record()["artifact"]["digest"]
        differs = self.run_in("diff", "-r", "-x", "srcds.exe", "/srv/steam/files", f"{PLACE}/{digest}", expect=None)
        self.assertEqual(differs.stdout, "")


class GameUpdate(SteamTest):
    NAMES = [f"s{number:02}" for number in range(20)]
    BUSY = NAMES[1::4]

    def fleet(self) -> str:
        return (
            installation()
            + blueprint("  health: {startup: 30s}\n  rollout: {canary: 1, soak: 10s}\n")
            + "".join(server(name, 27015 + number, more="rollout: {policy: WhenEmpty}") for number, name in enumerate(self.NAMES))
        )

    def versions(self) -> dict[str, str]:
        return {name: self.version(name) for name in self.NAMES}

    def bytes_used(self) -> int:
        return int(self.run_in("du", "-s", "--block-size=1", PLACE).stdout.split()[0])

    def test_a_game_update_begins_with_a_canary_kicks_nobody_and_needs_no_more_than_two_builds_of_disk(self):
        self.run_in("sh", "-c", "head -c 3000000 /dev/urandom >/srv/steam/files/left4dead2/pak01_001.vpk")
        self.put(self.fleet())
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        for name in self.NAMES:
            self.until(f"{name} runs", lambda name=name: self.version(name) == "PatchVersion=100", 180)
        for name in self.BUSY:
            self.write(f"{STATE}/runtime/{name}/merged/left4dead2/ems/standin.cfg", "standin_players 3\n")
        for name in self.BUSY:
            self.until(f"people play on {name}", lambda name=name: json.loads(
                self.ctl("players", name, "-o", "json").stdout)["servers"][0]["players"] == 3)  # fmt: skip
        self.until("all have soaked", lambda: all(self.trial(name).get("healthySince") for name in self.NAMES), 120)
        before = self.lives(*self.NAMES)
        one_build = self.bytes_used()
        # Half of it is another.
        self.steam("101")
        self.run_in("sh", "-c", "head -c 3000000 /dev/urandom >/srv/steam/files/left4dead2/pak01_000.vpk")
        self.run_in("systemd-run", "--unit=sampler", "sh", "-c", f"while :; do du -s --block-size=1 {PLACE} >>/run/used; sleep 0.02; done")
        self.ctl("install", "stable")
        seen_alone = False
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            new = [name for name, version in self.versions().items() if version == "PatchVersion=101"]
            seen_alone = seen_alone or len(new) == 1
            if len(new) == len(self.NAMES) - len(self.BUSY):
                break
        self.assertTrue(seen_alone, "the canary was never the only one")
        self.assertEqual(sorted(new), sorted(set(self.NAMES) - set(self.BUSY)))
        for name in self.BUSY:
            self.assertEqual(self.life(name), before[name])
        self.run_in("systemctl", "stop", "sampler")
        used = [int(line.split()[0]) for line in self.run_in("cat", "/run/used").stdout.splitlines()]
        self.assertGreater(len(used), 20)
        self.assertLess(max(used), 2 * one_build * 1.05)
        for name in self.BUSY:
            self.write(f"{STATE}/runtime/{name}/merged/left4dead2/ems/standin.cfg", "standin_players 0\n")
        self.until("all have it", lambda: set(self.versions().values()) == {"PatchVersion=101"}, 180)
        # What both builds have in common is on the disk once.
        self.assertLess(self.bytes_used(), one_build * 1.6)

    def trial(self, name: str) -> dict:
        status = self.run_in("cat", f"{STATE}/state/status.json", expect=None)
        return json.loads(status.stdout)["servers"].get(name, {}).get("trial", {}) if status.returncode == 0 else {}
