"""kind: Host, from the manifest to what systemd has set of units."""

import json

from testhosts.case import SERVERS, HostTest, unit_of

FILE = "50-left4me.conf"
HOST = """\
apiVersion: left4me/v1
kind: Host
metadata: {name: this}
spec:
"""


def host(*lines: str) -> str:
    return HOST + "".join(f"  {line}\n" for line in lines)


class Tuning(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.apply()
        for port in SERVERS.values():
            self.until(f"{port} answers", lambda port=port: self.a2s(port))
        self.before = self.lives(*SERVERS)

    def tearDown(self) -> None:
        self.assertEqual(self.lives(*SERVERS), self.before, "a server was restarted")
        super().tearDown()

    def prop(self, unit: str, name: str) -> str:
        return self.run_in("systemctl", "show", "-P", name, unit).stdout.strip()

    def files(self) -> "list[str]":
        found = self.run_in("find", "/etc/systemd/system", "-name", FILE, "-printf", "%P\n").stdout.split()
        return sorted(name.split("/")[0] for name in found)

    def test_what_a_Host_says_reaches_systemd_without_a_restart_and_goes_with_it(self):
        cpus = self.run_in("cat", "/sys/devices/system/cpu/online").stdout.strip()
        usual = self.prop(unit_of("alpha"), "MemoryMax")
        self.apply(host(f'cpus: {{games: "{cpus}"}}', "games: {nice: -5, cpuWeight: 200, memoryHigh: 3Gi, memoryMax: 4Gi}"))
        self.assertEqual(self.files(), ["left4me-server@.service.d", "left4me.slice.d"])
        self.assertEqual(self.prop("left4me.slice", "AllowedCPUs"), cpus)
        for name in SERVERS:
            self.assertEqual(self.prop(unit_of(name), "CPUWeight"), "200")
            self.assertEqual(self.prop(unit_of(name), "MemoryHigh"), str(3 << 30))
            self.assertEqual(self.prop(unit_of(name), "MemoryMax"), str(4 << 30))
            self.assertEqual(self.prop(unit_of(name), "Nice"), "-5")
        self.assert_converged()
        said = self.ctl("describe", "host", "this").stdout
        self.assertIn("Nice: 0 until its next start", said)
        self.assertIn("as its manifest says", said)
        self.assertIn("CPUWeight=200", self.ctl("get", "hosts").stdout)
        units = {unit["unit"]: unit for unit in json.loads(self.ctl("get", "host/this", "-o", "json").stdout)["units"]}
        self.assertEqual(units[unit_of("alpha")]["systemd"]["MemoryMax"], str(4 << 30))
        self.assertEqual(units[unit_of("alpha")]["runningNice"], 0)
        self.assertIn("Tuned", self.ctl("events").stdout)
        self.assertEqual(self.run_in("stat", "-c", "%a %U", f"/etc/systemd/system/left4me.slice.d/{FILE}").stdout, "644 root\n")

        self.ctl("delete", "host/this")
        self.assertEqual(self.files(), [])
        self.assertEqual(self.prop("left4me.slice", "AllowedCPUs"), "")
        self.assertEqual(self.prop(unit_of("alpha"), "MemoryMax"), usual)
        self.assertFalse(self.exists("/etc/systemd/system/left4me.slice.d"))
        self.assert_converged()

    def test_the_system_has_processors_of_its_own(self):
        cpus = self.run_in("cat", "/sys/devices/system/cpu/online").stdout.strip()
        self.apply(host(f'cpus: {{system: "{cpus}"}}'))
        for unit in ("init.scope", "system.slice", "user.slice"):
            self.assertEqual(self.prop(unit, "AllowedCPUs"), cpus)
        self.assert_converged()

    def test_drift_of_a_drop_in_is_corrected_and_what_others_have_set_stays(self):
        self.apply(host("games: {cpuWeight: 200}"))
        path = f"/etc/systemd/system/left4me-server@.service.d/{FILE}"
        written = self.run_in("cat", path).stdout
        other = "/etc/systemd/system/left4me-server@.service.d/10-mine.conf"
        self.write(other, "[Service]\nTasksMax=200\n")
        for damage in (f"echo CPUWeight=7 >>{path}", f"rm {path}", f"echo >{path}", f"chmod 600 {path}", f"rm {path}; ln -s /etc/shadow {path}"):
            with self.subTest(damage):
                self.run_in("sh", "-c", f"{damage}; systemctl daemon-reload")
                said = self.ctl("diff", expect=1).stdout
                self.assertIn("left4me-server@.service is to have CPUWeight=200", said)
                self.ctl("reconcile")
                self.assertEqual(self.run_in("cat", path).stdout, written)
                self.assertEqual(self.prop(unit_of("beta"), "CPUWeight"), "200")
                self.assert_converged()
        self.write("/etc/systemd/system/left4me-server@beta.service.d/50-left4me.conf", "[Service]\nCPUWeight=3\n")
        self.assertIn("no manifest asks for", self.ctl("diff", expect=1).stdout)
        self.ctl("reconcile")
        self.assertFalse(self.exists("/etc/systemd/system/left4me-server@beta.service.d"))
        # Written, and then not read: systemd has the earlier text still.
        self.run_in("sh", "-c", f"cp {path} /tmp/text; echo >{path}; systemctl daemon-reload; sleep 0.1; cp /tmp/text {path}")
        self.assertIn("systemd has not read", self.ctl("diff", expect=1).stdout)
        self.ctl("reconcile")
        self.assertEqual(self.prop(unit_of("beta"), "CPUWeight"), "200")
        self.ctl("delete", "host/this")
        self.assertEqual(self.prop(unit_of("beta"), "TasksMax"), "200")
        self.assertTrue(self.exists(other))

    def test_a_directory_that_l4d2d_cannot_read_is_reported_and_not_written_in_every_pass(self):
        directory = "/etc/systemd/system/left4me-server@.service.d"
        self.run_in("sh", "-c", f"mkdir -p {directory}; chmod 0700 {directory}")
        self.ctl("apply", "-f", "-", expect=None, text_in=host("games: {cpuWeight: 200}"))
        remedy = f"sudo chmod 0755 {directory}"
        self.until("it backs off", lambda: remedy in self.ctl("diff", expect=None).stdout)
        self.assertEqual(self.files(), [])
        self.run_in("chmod", "0755", directory)
        self.ctl("reconcile")
        self.assertEqual(self.prop(unit_of("alpha"), "CPUWeight"), "200")
        self.assert_converged()

    def test_a_label_gives_a_server_settings_of_its_own(self):
        labelled = "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: beta, labels: {pool: big}}\nspec: {blueprint: plain, port: 27016}\n"
        self.apply(labelled)
        self.apply(host("games: {memoryMax: 3Gi, cpuWeight: 50}", "labeled:", "  - {labels: {pool: big}, memoryMax: 5Gi}"))
        self.assertEqual(self.prop(unit_of("beta"), "MemoryMax"), str(5 << 30))
        self.assertEqual(self.prop(unit_of("beta"), "CPUWeight"), "50")
        self.assertEqual(self.prop(unit_of("alpha"), "MemoryMax"), str(3 << 30))
        self.assertEqual(self.files(), ["left4me-server@.service.d", "left4me-server@beta.service.d"])
        self.apply(labelled.replace("big", "small"))
        self.until("the host is as asked", lambda: self.ctl("diff", expect=None).returncode == 0)
        self.assertEqual(self.prop(unit_of("beta"), "MemoryMax"), str(3 << 30))
        self.assertEqual(self.files(), ["left4me-server@.service.d"])
        self.assert_converged()

    def test_processors_that_the_host_does_not_have_are_refused_and_change_nothing(self):
        self.apply(host("games: {cpuWeight: 200}"))
        before = self.files()
        self.ctl("apply", "-f", "-", expect=None, text_in=host('cpus: {games: "8000"}', "games: {cpuWeight: 300}"))
        said = self.ctl("diff", expect=1).stdout
        self.assertIn("this host has no processor 8000", said)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.prop(unit_of("alpha"), "CPUWeight"), "200")

    def test_what_starts_has_its_priority(self):
        self.ctl("stop", "alpha")
        self.apply(host("games: {nice: -7}"))
        self.ctl("start", "alpha")
        nice = self.run_in("sh", "-c", "cut -d' ' -f19 /proc/%s/stat" % self.properties("alpha")["MainPID"]).stdout.strip()
        self.assertEqual(nice, "-7")
        self.before["alpha"] = self.life("alpha")

    def count_marks(self) -> None:
        """From now on, nftables counts the packets of each game by their DSCP."""
        names = [(port, dscp) for port in SERVERS.values() for dscp in ("cs0", "cs1", "cs4", "ef")]
        counters = "".join(f"counter {dscp}-{port} {{ }}\n" for port, dscp in names)
        rules = "".join(f'udp sport {port} ip dscp {dscp} counter name "{dscp}-{port}"\n' for port, dscp in names)
        table = f"table inet marks {{\n{counters}chain out {{\ntype filter hook output priority 0;\n{rules}}}\n}}\n"
        self.run_in("nft", "-f", "-", text_in=table)

    def marks(self, server: str) -> "list[str]":
        """The DSCP of the packets with which the game answers a query."""
        port = SERVERS[server]
        self.until(f"{server} answers", lambda: self.a2s(port))
        self.run_in("nft", "reset", "counters", "table", "inet", "marks")
        self.assertTrue(self.a2s(port))
        listed = json.loads(self.run_in("nft", "-j", "list", "counters", "table", "inet", "marks").stdout)["nftables"]
        counters = [one["counter"] for one in listed if "counter" in one]
        return [one["name"].split("-")[0] for one in counters if one["name"].endswith(f"-{port}") and one["packets"] > 0]

    def restart(self, *servers: str) -> None:
        for name in servers:
            self.run_in("systemctl", "restart", unit_of(name))
            self.before[name] = self.life(name)

    def test_the_packets_of_games_have_the_mark_that_the_Host_says(self):
        self.count_marks()
        self.assertEqual(self.marks("alpha"), ["cs0"])
        self.apply("apiVersion: left4me/v1\nkind: Server\nmetadata: {name: beta, labels: {pool: big}}\nspec: {blueprint: plain, port: 27016}\n")
        self.apply(host("games: {dscp: EF}", "labeled:", "  - {labels: {pool: big}, dscp: 32}"))
        self.assertIn("LEFT4ME_DSCP=46", self.prop(unit_of("alpha"), "Environment"))
        self.assertIn("LEFT4ME_DSCP=32", self.prop(unit_of("beta"), "Environment"))
        self.assert_converged()
        # Not until its next start.
        self.assertEqual(self.marks("alpha"), ["cs0"])
        self.restart("alpha", "beta")
        self.assertEqual(self.marks("alpha"), ["ef"])
        self.assertEqual(self.marks("beta"), ["cs4"])
        self.assertEqual(self.marks("gamma"), ["cs0"])
        self.assertIn("DSCP=EF", self.ctl("get", "hosts").stdout)
        said = self.ctl("describe", "host", "this").stdout
        self.assertIn("DSCP=CS4", said)
        self.assertNotIn("DSCP:", said)
        units = {unit["unit"]: unit for unit in json.loads(self.ctl("get", "host/this", "-o", "json").stdout)["units"]}
        self.assertEqual(units[unit_of("beta")]["systemd"]["LEFT4ME_DSCP"], "32")

        # What root sets elsewhere wins, and shows.
        other = f"/etc/systemd/system/{unit_of('alpha')}.d/60-mine.conf"
        self.write(other, "[Service]\nEnvironment=LEFT4ME_DSCP=8\n")
        self.run_in("systemctl", "daemon-reload")
        self.assertIn("DSCP: systemd has CS1", self.ctl("describe", "host", "this").stdout)
        self.restart("alpha")
        self.assertEqual(self.marks("alpha"), ["cs1"])
        self.run_in("sh", "-c", f"rm {other}; systemctl daemon-reload")

        self.ctl("delete", "host/this")
        self.assertEqual(self.files(), [])
        self.assertNotIn("LEFT4ME_DSCP", self.prop(unit_of("beta"), "Environment"))
        self.restart("alpha", "beta")
        self.assertEqual((self.marks("alpha"), self.marks("beta")), (["cs0"], ["cs0"]))
        self.assert_converged()

    def test_the_helper_takes_settings_of_a_closed_grammar_and_nothing_else(self):
        self.apply(host("games: {cpuWeight: 200}"))
        everything = "find /etc/systemd /run/systemd/system /run/systemd/generator -type f -exec sha256sum {} + | sort"
        before = self.run_in("sh", "-c", everything).stdout
        tune = ("busctl", "--", "call", "org.left4me.Helper1", "/org/left4me/Helper1", "org.left4me.Helper1", "Tune", "a(sa(ss))")
        servers = "left4me-server@.service"
        refused = [
            (unit, "Nice", "1")
            for unit in ("ssh.service", "-.slice", "left4me.service", "left4me-server@../x.service", "left4me-server@a/b.service", "", "x.service.d/../..")
        ] + [
            (servers, name, value)
            for name, value in {
                "Nice": "-16", "CPUWeight": "0", "MemoryMax": "infinity", "AllowedCPUs": "x", "ExecStart": "/bin/sh", "User": "root",
                "MemoryHigh": "67108864\nExecStartPre=+/bin/sh", "Nice=1\n[Service]\nUser": "1",
            }.items()
        ] + [(servers, "LEFT4ME_DSCP", value) for value in ("64", "-1", "", "ef", "46 x", "46\nLD_PRELOAD=/x")] + [
            (servers, "LEFT4ME_LOOPBACK_PORTS", "22"), ("left4me.slice", "LEFT4ME_DSCP", "46"), ("system.slice", "CPUWeight", "1"),
            ("left4me.slice", "MemoryMax", "67108864"),
        ]  # fmt: skip
        for unit, name, value in refused:
            with self.subTest(f"{unit} {name}={value}"):
                # The valid one before it is refused with it.
                words = (*tune, "2", servers, "1", "Nice", "3", unit, "1", name, value)
                done = self.run_in("runuser", "-u", "left4me", "--", *words, expect=None)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, "no unit that left4me tunes|nothing that left4me sets")
        for user in ("nobody", "left4me-server"):
            done = self.run_in("runuser", "-u", user, "--", *tune, "0", expect=None)
            self.assertRegex(done.stderr, "Access denied|not allowed")
        self.assertEqual(self.run_in("sh", "-c", everything).stdout, before)


class Pace(HostTest):
    def test_a_mass_start_brings_up_as_many_as_the_Host_says(self):
        self.apply(host("startParallel: 1"))
        self.run_in("systemctl", "start", "left4me.service")
        self.apply()
        said = self.ctl("diff", expect=1).stdout
        self.assertIn("waits until others have come up: startParallel is 1", said)
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port), seconds=90)
        up = sorted(int(self.properties(name)["ActiveEnterTimestampMonotonic"]) for name in SERVERS)
        for earlier, later in zip(up, up[1:]):
            self.assertGreater(later - earlier, 1_000_000, "two came up at the same time")
        self.until("nothing is left to do", lambda: self.ctl("diff", expect=None).returncode == 0, seconds=60)

    def test_a_boot_brings_up_as_many_as_the_Host_says_even_without_left4me(self):
        self.apply()
        self.apply(host("startParallel: 1"))
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port), seconds=90)
        self.run_in("systemctl", "disable", "left4me.service", "left4me-reconcile.timer", expect=None)
        self.host.reboot()
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port), seconds=90)
        up = sorted((int(self.properties(name)["ActiveEnterTimestampMonotonic"]), name) for name in SERVERS)
        first, *others = (name for _, name in up)
        self.assertNotIn("waits until", self.logs(first))
        for earlier, later in zip((first, *others), others):
            self.assertIn(f"waits until others have come up: {earlier}; startParallel is 1", self.logs(later))
        # Nobody waits again who has come up once.
        self.run_in("systemctl", "restart", *map(unit_of, SERVERS))
        for name, port in SERVERS.items():
            self.until(f"{name} answers again", lambda port=port: self.a2s(port), seconds=90)
            self.assertLess(self.logs(name).count("waits until"), 2)
        self.apply(host("games: {nice: 0}"))
        self.assertNotIn("left4me-turn", self.run_in("systemctl", "cat", unit_of("alpha")).stdout)

    def test_a_server_that_never_answers_holds_up_a_boot_for_a_minute_at_most(self):
        self.apply()
        self.apply(host("startParallel: 1"))
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port), seconds=90)
        # It runs, and never answers: its turn is over when its time is.
        self.run_in("sh", "-c", "mkdir -p /etc/systemd/system/left4me-server@alpha.service.d && "
                    "printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\nCPUWeight=10000\\n' "
                    "> /etc/systemd/system/left4me-server@alpha.service.d/99-mute.conf")
        self.host.reboot()
        for name in ("beta", "gamma"):
            self.until(f"{name} answers", lambda name=name: self.a2s(SERVERS[name]), seconds=120)
        self.assertEqual(self.properties("alpha")["ActiveState"], "active")
        up = sorted(int(self.properties(name)["ActiveEnterTimestampMonotonic"]) for name in SERVERS)
        longest = max(later - earlier for earlier, later in zip(up, up[1:])) / 1_000_000
        self.assertTrue(55 < longest < 90, f"it was waited for {longest} s")
