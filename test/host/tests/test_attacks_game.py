"""Attacks of a hostile game on other games and the host: everything here runs inside the sandbox of alpha, as its
game does. docs/security.md has a row for each."""

import errno
import shlex

from testhosts.case import STATE, TOOLS, DaemonTest, unit_of

ATTACKS = f"{TOOLS}/game_attacks"
REFUSED = {str(errno.EPERM), str(errno.ENOSYS)}
NO_SUCH_SOCKET = {str(errno.EAFNOSUPPORT), str(errno.EPROTONOSUPPORT)}


class HostileGame(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_in("systemctl", "stop", "left4me.service")  # tests modify alpha; the daemon would repair it

    def in_game(self, name: str, script: str, then: str = "", seconds: float = 60) -> str:
        """Restarts the server so that it runs `script` first, and returns its output; then runs `then`, or the game."""
        env, merged = f"{STATE}/instances/{name}/current/server.env", f"{STATE}/runtime/{name}/merged"
        if not self.exists(f"{env}.kept"):
            self.run_in("cp", "-a", env, f"{env}.kept")
        self.run_in("systemctl", "stop", unit_of(name))
        self.run_in("rm", "-f", f"{STATE}/runtime/{name}/upper/said")
        lines = f"cd {merged}\n( set +eu\n{script}\n) >said.tmp 2>&1 || true\nmv said.tmp said\n{then}\n"
        self.run_in("sh", "-c", f'cp -a {env}.kept {env}.new; cat >>{env}.new; mv {env}.new {env}', text_in=lines)
        self.run_in("systemctl", "reset-failed", unit_of(name), expect=None)
        self.run_in("systemctl", "start", unit_of(name))
        # In the upper directory, because the mount goes with the game.
        said = f"{STATE}/runtime/{name}/upper/said"
        self.until(f"{name} has said something", lambda: self.exists(said), seconds)
        return self.run_in("cat", said).stdout

    def results(self, said: str) -> dict[str, str]:
        lines = [line.rsplit(" ", 2 if " signal " in line else 1) for line in said.splitlines()]
        return {words[0]: " ".join(words[1:]) for words in lines}

    def attack(self, *words: str, name: str = "alpha") -> dict[str, str]:
        said = self.in_game(name, shlex.join([ATTACKS, *words]))
        found = self.results(said)
        self.assertTrue(found, said)
        return found

    def pids(self, name: str) -> list[str]:
        group = self.properties(name)["ControlGroup"]
        return self.run_in("cat", f"/sys/fs/cgroup{group}/cgroup.procs").stdout.split()

    def game_pid(self, name: str) -> str:
        """The process that the launcher became."""
        script = 'for p in "$@"; do [ "$(cat /proc/$p/comm)" = srcds_run ] && echo $p; done; true'
        return self.run_in("sh", "-c", script, "pids", *self.pids(name)).stdout.strip()

    # -- other games --------------------------------------------------------------------------------------------

    def test_a_game_reaches_no_process_of_another(self):
        # Pids that no process in alpha's namespace has.
        self.run_in("sh", "-c", "i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i + 1)); done")
        self.run_in("systemctl", "restart", unit_of("beta"))
        self.until("beta answers", lambda: self.a2s(27016))
        before = self.life("beta")
        limits = self.run_in("cat", f"/proc/{self.game_pid('beta')}/limits").stdout
        said = self.attack("others", *self.pids("beta"))
        self.assertGreater(len(said), 20)
        self.assertEqual(set(said.values()), {str(errno.ESRCH)}, said)
        self.assertEqual(self.life("beta"), before)
        self.assertEqual(self.run_in("cat", f"/proc/{self.game_pid('beta')}/limits").stdout, limits)
        self.until("beta answers", lambda: self.a2s(27016))

    def test_a_game_sees_only_its_own_processes_and_cannot_kill_their_init(self):
        said = self.in_game("alpha", "echo /proc/[0-9]*; echo --; kill -KILL 1; kill -STOP 1; kill -INT 1; ls /proc/1; "
                            "head -c 1 /proc/1/mem; echo $$ $PPID")  # fmt: skip
        listed, _, rest = said.partition("--")
        self.assertNotIn("/proc/1", listed.split())
        self.assertLess(len(listed.split()), 6, listed)
        self.assertIn("/proc/1", rest)
        held = self.run_in("sh", "-c", f"ls -l /proc/{self.game_pid('beta')}/fd").stdout
        for what in ("seccomp", " /proc", "pidfd"):
            self.assertNotIn(what, held)
        self.until("alpha answers", lambda: self.a2s(27015))

    def test_what_the_kernel_counts_per_user_is_divided_among_games(self):
        """All games run as one user: alpha takes all that it gets, and beta has its own share."""
        script = f"{ATTACKS} shares >taken & sleep 1; until grep -q queue taken; do sleep 0.1; done; cat taken"
        alpha = self.results(self.in_game("alpha", script))
        beta = self.results(self.in_game("beta", script))
        self.assertEqual(alpha, beta)
        self.assertLessEqual(int(alpha["inotify"]), 16)
        self.assertLessEqual(int(alpha["timers"]), 1024)
        self.assertGreaterEqual(int(beta["timers"]), 900)
        self.assertNotEqual(alpha["queue"], "0")
        self.assertEqual((alpha["more-signals"], alpha["more-cores"]), ("1", "1"))
        self.run_in("systemctl", "restart", unit_of("gamma"))
        self.until("gamma answers", lambda: self.a2s(27017))

    def test_a_game_connects_to_nothing_on_the_host_s_loopback(self):
        closed = ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::ffff:127.0.0.1", "::"]
        if self.run_in("sh", "-c", "ip address add 192.0.2.7/32 dev lo", expect=None).returncode == 0:
            closed += ["192.0.2.7", "::ffff:192.0.2.7"]
        said = self.attack("loopback", "27016", *closed)
        self.assertEqual(len(said), 7 * len(closed), said)
        slow = str(errno.EOPNOTSUPP)
        wanted = {"fastopen": slow, "fastopen-by-socketcall32": slow, "udp": "0"}
        for attempt, result in said.items():
            with self.subTest(attempt):
                how = attempt.rpartition(" ")[2]
                self.assertEqual(result, wanted.get(how, str(errno.EPERM)))
        # Changing the address during the check has no effect either; nobody listens on 53.
        self.assertEqual(self.attack("race", "27016", "53"), {"race": "0"})
        # Alpha's own answers to queries on loopback are not restricted.
        self.until("alpha answers", lambda: self.a2s(27015))
        drop_in = f"/etc/systemd/system/{unit_of('alpha')}.d/ports.conf"
        self.write(drop_in, "[Service]\nEnvironment='LEFT4ME_LOOPBACK_PORTS=3306 27016'\n")
        self.run_in("systemctl", "daemon-reload")
        said = self.attack("loopback", "27016", "127.0.0.1")
        self.assertEqual((said["127.0.0.1 connect"], said["127.0.0.1 connect32"], said["127.0.0.1 from-a-thread"]), ("0", "0", "0"))
        self.assertIn(said["127.0.0.1 nonblocking"], ("0", str(errno.EINPROGRESS)))
        # If the host sets it back to the kernel's default, the log says so.
        self.assertNotIn("tcp_fastopen", self.logs("alpha"))
        self.run_in("sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_fastopen")
        self.run_in("systemctl", "restart", unit_of("alpha"))
        self.until("alpha warns", lambda: "net.ipv4.tcp_fastopen allows it to clients" in self.logs("alpha"))
        self.write(drop_in, "[Service]\nEnvironment='LEFT4ME_LOOPBACK_PORTS=mysql'\n")
        self.run_in("systemctl", "daemon-reload")
        self.run_in("systemctl", "restart", unit_of("alpha"), expect=None)
        self.until("alpha says what is wrong", lambda: "LEFT4ME_LOOPBACK_PORTS must be" in self.logs("alpha"))

    def test_where_a_container_forbids_taking_sockets_addresses_are_still_checked(self):
        drop_in = f"/etc/systemd/system/{unit_of('alpha')}.d/container.conf"
        self.write(drop_in, "[Service]\nSystemCallFilter=~pidfd_getfd\nSystemCallErrorNumber=EPERM\n")
        self.run_in("systemctl", "daemon-reload")
        said = self.attack("loopback", "27016", "127.0.0.1", "::ffff:127.0.0.1")
        refused = [attempt for attempt in said if attempt.rpartition(" ")[2] in ("connect", "connect32", "nonblocking", "from-a-thread")]
        self.assertEqual({said[attempt] for attempt in refused}, {str(errno.EPERM)}, said)
        self.until("alpha says so", lambda: "this host forbids pidfd_getfd(2)" in self.logs("alpha"))
        self.until("alpha answers", lambda: self.a2s(27015))

    # -- the host -----------------------------------------------------------------------------------------------

    def test_calls_that_no_game_needs_are_refused_to_32_bit_programs_too(self):
        said = self.attack("calls")
        self.assertEqual(said.pop("x32"), "signal 31")
        self.assertGreater(len(said), 60)
        for call, result in said.items():
            with self.subTest(call):
                self.assertIn(result, REFUSED)

    def check_sockets(self) -> None:
        said = self.attack("sockets")
        self.assertEqual((said.pop("race"), said.pop("a-pair-carries")), ("0", "0"))
        needed = {"tcp", "udp6", "unix", "netlink"}
        for attempt, result in said.items():
            with self.subTest(attempt):
                kind, how = attempt.split()
                pair = "pair" in how
                if kind == "unix" or (kind in needed and not pair):
                    self.assertEqual(result, "0")
                else:
                    self.assertIn(result, NO_SUCH_SOCKET)

    def test_a_game_gets_only_network_sockets_whichever_call_it_uses(self):
        self.check_sockets()

    def test_the_sockets_of_a_game_are_marked_whichever_call_makes_them(self):
        rules = "".join(f'udp dport 27099 ip dscp {dscp} counter name "{name}"\n' for name, dscp in {"marked": "ef", "others": "!= ef"}.items())
        chain = f"chain out {{\ntype filter hook output priority 0;\n{rules}}}\n"
        self.run_in("nft", "-f", "-", text_in=f"table inet marks {{\ncounter marked {{ }}\ncounter others {{ }}\n{chain}}}\n")
        counted = "nft list counter inet marks %s | sed -n 's/.*packets \\([0-9]*\\).*/\\1/p'"
        ways = ("socket", "socket32", "socketcall32")
        plain = self.attack("marks", "27099")
        for way in ways:
            self.assertEqual(plain[f"udp6 {way}"], "0/0/")
            self.assertEqual(plain[f"udp-flags {way}"], "0/-1/nc")
        drop_in = f"/etc/systemd/system/{unit_of('alpha')}.d/dscp.conf"
        self.write(drop_in, "[Service]\nEnvironment=LEFT4ME_DSCP=46\n")
        self.run_in("systemctl", "daemon-reload")
        said = self.attack("marks", "27099")
        for way in ways:
            with self.subTest(way):
                self.assertEqual(said[f"udp {way}"], "184/-1/")
                self.assertEqual(said[f"udp-flags {way}"], "184/-1/nc")
                self.assertEqual(said[f"udp6 {way}"], "184/184/")
                self.assertEqual(said[f"tcp {way}"], "0/-1/")
                self.assertEqual(said[f"tcp6-flags {way}"], "0/0/nc")
        for name in ("marked", "others"):
            self.assertEqual(self.run_in("sh", "-c", counted % name).stdout.strip(), "9")
        # Marking does not allow any other socket.
        self.check_sockets()
        self.assertEqual(set(self.attack("loopback", "27016", "127.0.0.1").values()), {"0", str(errno.EPERM), str(errno.EOPNOTSUPP)})
        for wrong in ("64", "-1", "ef", "46 x"):
            done = self.run_in("env", f"LEFT4ME_DSCP={wrong}", "/usr/libexec/left4me-sandbox", "alpha", expect=2)
            self.assertIn("LEFT4ME_DSCP must be a number from 0 to 63", done.stderr)

    def test_a_game_has_one_filter_and_may_compile_plugins(self):
        count = "sed -n 's/^Seccomp_filters:.//p' /proc/%s/status"
        ours = int(self.run_in("sh", "-c", count % self.game_pid("beta")).stdout)
        around = int(self.run_in("sh", "-c", count % "1").stdout)  # those of the test host itself
        self.assertEqual(ours - around, 1)
        self.assertEqual(self.attack("executable"), {"executable": "0"})

    def test_a_log_line_of_a_game_is_not_written_to_terminals(self):
        self.in_game("alpha", "exit", then="printf '<0>to everybody\\n<2>and this\\n'")
        self.until("the line is in the journal", lambda: "<0>to everybody" in self.logs("alpha"))
        urgent = self.run_in("journalctl", "-b", "-q", "-p", "0..4", "-o", "cat", "-u", unit_of("alpha")).stdout
        self.assertNotIn("everybody", urgent)
        self.assertNotIn("and this", urgent)

    def test_the_resources_of_one_server_are_limited(self):
        seen = self.properties("alpha")
        wanted = {"LimitCORE": "0", "MemorySwapMax": "0", "TasksMax": "256", "MemoryMax": str(2 << 30), "Nice": "0", "CPUWeight": "100",
                  "IOWeight": "100", "SyslogLevelPrefix": "no", "LimitNOFILE": "4096", "LogRateLimitBurst": "10000"}  # fmt: skip
        self.assertEqual({name: seen[name] for name in wanted}, wanted)
        slices = self.run_in("systemctl", "show", "-P", "CPUWeight", "left4me.slice").stdout.strip()
        self.assertEqual(slices, "300")
        forks = "perl -e 'while ($n < 1000) { $p = fork; last unless defined $p; if (!$p) { sleep 600; exit } $n++ } print $n'"
        if "pids" in self.run_in("cat", "/sys/fs/cgroup/left4me.slice/cgroup.controllers").stdout:
            self.assertLess(int(self.in_game("alpha", forks).split()[0]), 256)
            self.until("beta answers", lambda: self.a2s(27016))
        dumped = self.in_game("alpha", "ulimit -c unlimited; ulimit -H -c")
        self.assertEqual(dumped.split()[-1], "0")

    # -- its end ------------------------------------------------------------------------------------------------

    def test_processes_that_a_game_leaves_behind_end_with_it(self):
        script = "setsid sh -c \"trap '' INT TERM HUP; while :; do sleep 1; done\" >/dev/null 2>&1 &"
        self.in_game("alpha", script)
        self.until("alpha answers", lambda: self.a2s(27015))
        pids = self.pids("alpha")
        self.assertGreater(len(pids), 3)
        self.run_in("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", unit_of("alpha"))
        self.until("all of them have ended", lambda: not set(pids) & set(self.run_in("sh", "-c", "cd /proc; echo [0-9]*").stdout.split()))
        self.until("alpha is back", lambda: self.a2s(27015))
        self.bystanders_live_on()

    def test_systemd_sees_how_the_game_ended(self):
        for end, code, status in (("exit 0", "1", "0"), ("exit 7", "1", "7"), ("kill -SEGV $$", "2", "11"), ("kill -ABRT $$", "2", "6"), ("kill -KILL $$", "2", "9")):
            with self.subTest(end):
                self.in_game("alpha", "true", then=end)
                self.until("it gives up", lambda: self.properties("alpha")["Result"] == "start-limit-hit"
                           or self.properties("alpha")["ActiveState"] == "failed", 40)  # fmt: skip
                seen = self.properties("alpha")
                self.assertEqual((seen["ExecMainCode"], seen["ExecMainStatus"]), (code, status))
                self.assertEqual(seen["ActiveState"], "failed")

    def saving_game(self, signal: str) -> str:
        """Like the game's own srcds_run: a shell that exits immediately when told, and a child that saves first. Once: what
        systemd starts again does nothing."""
        kept = "left4dead2/logs/got"
        got = f"{STATE}/runtime/alpha/upper/{kept}"
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.run_in("rm", "-f", got)
        child = (f"perl -e '$| = 1; $SIG{{{signal}}} = sub {{ print \"told\\n\"; sleep 1; print \"saved\\n\"; exit }}; "
                 f"print \"ready\\n\"; sleep 1 while 1' >{kept}")  # fmt: skip
        self.in_game("alpha", "true", then=f"cd {STATE}/runtime/alpha/merged; [ ! -e {kept} ] || exec sleep 600; "
                     f"mkdir -p left4dead2/logs; {child} & trap 'exit 0' {signal}; wait; exit 0")  # fmt: skip
        self.until("the child is ready", lambda: self.exists(got) and self.run_in("cat", got).stdout == "ready\n")
        return got

    def test_signals_to_the_main_process_reach_the_game_and_its_children_once(self):
        for signal in ("INT", "TERM"):
            with self.subTest(signal):
                got = self.saving_game(signal)
                before = self.life("alpha")
                self.run_in("kill", f"-{signal}", before.pid)
                self.until("it has ended and is back", lambda: self.life("alpha").pid not in (before.pid, "0"), 40)
                self.assertEqual(self.run_in("cat", got).stdout, "ready\ntold\nsaved\n")
                ended = self.run_in("journalctl", "--no-pager", f"INVOCATION_ID={before.invocation}").stdout
                self.assertIn("Deactivated successfully", ended)

    def test_a_stop_lets_the_game_save_once(self):
        got = self.saving_game("INT")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.assertEqual(self.run_in("cat", got).stdout, "ready\ntold\nsaved\n")
        self.assertEqual(self.properties("alpha")["Result"], "success")
