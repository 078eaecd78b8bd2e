"""Attacks over the network: requests to the metrics port, and git remotes with bad answers. docs/security.md has a row for each."""

from pathlib import Path

from testhosts.case import DaemonTest, unit_of

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
PORT = 9727
GOOD = f"GET /metrics HTTP/1.1\\r\\nHost: localhost:{PORT}\\r\\n\\r\\n"


def get(headers: str, target: str = "/metrics", method: str = "GET") -> str:
    return f"{method} {target} HTTP/1.1\\r\\n{headers}\\r\\n"


HOST = f"Host: localhost:{PORT}\\r\\n"
# Each is refused, or let go of without an answer; none may learn a metric.
REFUSED = {
    "a name of the attacker's (DNS rebinding)": get(f"Host: evil.example:{PORT}\\r\\n"),
    "a name that begins like ours": get(f"Host: localhost.evil.example:{PORT}\\r\\n"),
    "a name that ends like ours": get(f"Host: evil-localhost:{PORT}\\r\\n"),
    "a user before our name": get(f"Host: evil@localhost:{PORT}\\r\\n"),
    "our name as a user": get(f"Host: localhost:{PORT}@evil.example\\r\\n"),
    "our name without the port": get("Host: localhost\\r\\n"),
    "another port": get("Host: localhost:80\\r\\n"),
    "no name": get(""),
    "two names, ours first": get(HOST + f"Host: evil.example:{PORT}\\r\\n"),
    "two names, ours last": get(f"Host: evil.example:{PORT}\\r\\n" + HOST),
    "two names in one": get(f"Host: localhost:{PORT}, evil.example\\r\\n"),
    "blanks within the name": get(f"Host: localhost :{PORT}\\r\\n"),
    "an address of another loopback": get(f"Host: 127.1:{PORT}\\r\\n"),
    "a POST": get(HOST + "Content-Length: 0\\r\\n", method="POST"),
    "a DELETE": get(HOST, method="DELETE"),
    "a TRACE": get(HOST, method="TRACE"),
    "a CONNECT": get(HOST, method="CONNECT", target="evil.example:443"),
    "OPTIONS, as before a request across origins": get(HOST + "Origin: http://evil.example\\r\\n", method="OPTIONS"),
    "another path": get(HOST, target="/../../etc/passwd"),
    "a path that is ours when decoded": get(HOST, target="/%6detrics"),
    "an absolute target": get(f"Host: evil.example:{PORT}\\r\\n", target=f"http://localhost:{PORT}/metrics"),
    "a header of 1 MiB": get(HOST + "X: " + "a" * (1 << 20) + "\\r\\n"),
    "ten thousand headers": get(HOST + "X: a\\r\\n" * 10_000),
    "a target of 100 KiB": get(HOST, target="/metrics?" + "a" * 100_000),
    "zeros": "\\x00" * 4096,
    "a TLS hello": "\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03" + "\\x41" * 500,
    "HTTP/2": "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n",
    "HTTP/0.9": "GET /metrics\\r\\n",
    "lines without an end": "GET /metrics HTTP/1.1",
    "a zero in the name": get(f"Host: localhost\\x00.evil:{PORT}\\r\\n"),
    "a line feed in the target": f"GET /metrics\\n HTTP/1.1\\r\\n{HOST}\\r\\n",
}


class NetworkTest(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        for name in ("raw_client.pl", "slow_clients.pl", "bad_server.pl"):
            self.write(f"/srv/attacks/{name}", (ATTACKS / name).read_text())

    def listen(self) -> None:
        self.write("/etc/left4me/config.yaml", f"metrics: {{port: {PORT}}}\n")
        self.run_in("systemctl", "reload", "left4me.service")
        self.until("the metrics are served", lambda: "left4me_" in self.ask(GOOD))
        self.pid = self.daemon()["MainPID"]

    def ask(self, request: str, address: str = "127.0.0.1") -> str:
        return self.run_in("perl", "/srv/attacks/raw_client.pl", address, str(PORT), text_in=request, expect=None).stdout

    def files(self) -> int:
        return len(self.run_in("ls", f"/proc/{self.pid}/fd").stdout.split())

    def kib_of(self, pid: str) -> int:
        """The peak memory of the process."""
        return int(self.run_in("sh", "-c", f"grep VmHWM /proc/{pid}/status").stdout.split()[1])

    def background(self, *command: str) -> None:
        self.run_in("systemd-run", "--quiet", "--collect", *command)

    def lives_on(self) -> None:
        """The daemon is the same process, small, and works."""
        daemon = self.daemon()
        self.assertEqual((daemon["MainPID"], daemon["NRestarts"]), (self.pid, "0"))
        self.assertLess(self.kib_of(self.pid), 100 << 10)
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha is started again", lambda: self.a2s(27015), 40)
        self.settled()
        self.bystanders_live_on()


class MetricsPort(NetworkTest):
    def test_only_a_plain_request_from_this_host_can_read_metrics(self):
        self.listen()
        for name in (f"localhost:{PORT}", f"127.0.0.1:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"):
            self.assertIn("left4me_", self.ask(get(f"Host: {name}\\r\\n")))
        before = self.files()
        for what, request in REFUSED.items():
            with self.subTest(what):
                said = self.ask(request)
                self.assertNotIn("left4me_", said)
                self.assertNotIn("200 OK", said)
                self.assertNotIn("Access-Control", said)
        self.assertEqual(self.ask(GOOD + GOOD).count("HTTP/1.1 200"), 1)
        self.until("every client is let go of", lambda: self.files() <= before)
        self.lives_on()

    def test_the_port_is_only_on_loopback_and_nothing_else_listens(self):
        sockets = ("ss", "-H", "-lntup")
        self.assertNotIn("l4d2d", self.run_in(*sockets).stdout)
        self.listen()
        ours = [line.split()[4] for line in self.run_in(*sockets).stdout.splitlines() if "l4d2d" in line]
        self.assertEqual(ours, [f"127.0.0.1:{PORT}"])
        probe = [line.split()[4] for line in self.run_in(*sockets).stdout.splitlines() if "left4me-probe" in line]
        self.assertRegex(" ".join(probe), r"^127\.0\.0\.1:\d+$")
        self.run_in("ip", "address", "add", "10.99.0.1/32", "dev", "lo")
        self.assertEqual(self.ask(GOOD, "10.99.0.1"), "(no answer)\n")

    def test_slow_silent_and_resetting_clients_do_not_lock_others_out(self):
        self.listen()
        before = self.files()
        self.background("perl", "/srv/attacks/slow_clients.pl", str(PORT), "200", "60")
        self.until("they are connected", lambda: self.run_in("ss", "-Hnt", "state", "established", f"dport = :{PORT}").stdout != "")
        self.run_in("systemctl", "stop", unit_of("alpha"))
        self.until("alpha is started again meanwhile", lambda: self.a2s(27015), 40)
        self.until("somebody else is answered", lambda: "left4me_" in self.ask(GOOD), 60)
        self.assertLess(self.files(), before + 40)
        self.run_in("perl", "/srv/attacks/raw_client.pl", "127.0.0.1", str(PORT), "3000")
        self.until("who asks plainly is answered", lambda: "left4me_" in self.ask(GOOD), 60)
        self.until("every client is let go of", lambda: self.files() <= before + 2, 120)
        self.lives_on()


class Remote(NetworkTest):
    def test_a_remote_that_answers_badly_stops_neither_the_daemon_nor_a_repair(self):
        self.run_in("l4d2ctl", "get", "servers")
        for port, way in enumerate(("silence", "garbage", "zeros", "drip", "closes"), 8441):
            with self.subTest(way):
                self.background("perl", "/srv/attacks/bad_server.pl", str(port), way)
                self.until("it listens", lambda port=port: f":{port}" in self.run_in("ss", "-Hlnt").stdout)
                self.write("/etc/left4me/config.yaml", f"source: {{git: {{remote: 'https://127.0.0.1:{port}/m.git', interval: 10s}}}}\n")
                # A fetch in progress ends with the daemon; the next remote would wait for it.
                self.run_in("systemctl", "restart", "left4me.service")
                self.pid = self.daemon()["MainPID"]
                self.until("it is fetched from", lambda port=port: self.run_in("ss", "-Hnt", f"dport = :{port}").stdout != "" or
                           f":{port}" in self.run_in("journalctl", "-b", "-o", "cat", "-u", "left4me").stdout, 60)  # fmt: skip
                self.run_in("systemctl", "stop", unit_of("alpha"))
                self.until("alpha is started again", lambda: self.a2s(27015), 40)
                daemon = self.daemon()
                self.assertEqual((daemon["MainPID"], daemon["NRestarts"]), (self.pid, "0"))
                self.assertLess(self.kib_of(self.pid), 100 << 10)
        self.bystanders_live_on()
