"""What members of left4me-operators see without sudo, and that they see no more than l4d2ctl shows."""

import array
import os
import socket

from testhosts.case import MANIFESTS, DaemonTest, server

SECRET = "4-secret-that-nobody-may-see"
BLUEPRINT = (
    "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: secretive}\n"
    "spec: {secrets: [rcon], config: \"rcon_password ${secret:rcon}\\n\"}\n"
)


class Operators(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/secrets/rcon", SECRET)
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.write(f"{MANIFESTS}/secretive.yaml", BLUEPRINT + server("delta", 27018, blueprint="secretive"))
        self.run_in("useradd", "--create-home", "--groups", "left4me-operators", "olga")
        self.run_in("useradd", "--create-home", "mallory")
        self.settled()

    def by(self, user: str, *command: str):
        return self.run_in("runuser", "-u", user, "--", *command, expect=None)

    def ask(self, *words: str) -> tuple[int, str]:
        """The exit code and all output of a request that l4d2ctl would not send."""
        output = os.memfd_create("output")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
            asked.connect(f"/proc/{self.host.leader.pid}/root/run/left4me/read")
            texts = "".join(f"{text}\0" for text in ["", *words]).encode()
            streams = array.array("i", [output, output])
            asked.sendmsg([texts], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
            code = asked.recv(1)
        said = os.pread(output, 1 << 20, 0).decode(errors="replace")
        os.close(output)
        return code[0] if code else -1, said

    def test_operators_see_without_sudo_what_root_sees_and_no_secret(self):
        for words in (
            "get servers", "get all", "get all -o json", "get servers -o wide", "get server delta -o yaml",
            "describe server delta", "diff", "diff -o json", "status", "status delta -o json",
            "events delta", "history", "wait delta --timeout 30s",
            "explain-path delta left4dead2/cfg/server.cfg", "tree delta left4dead2/cfg -o json",
            "players", "players delta -o json", "describe blueprint secretive",
        ):  # fmt: skip
            with self.subTest(words):
                olga, root = self.by("olga", "l4d2ctl", *words.split()), self.ctl(*words.split(), expect=None)
                self.assertEqual(olga.returncode, 0, olga.stderr)
                self.assertEqual(olga.stdout.splitlines()[:1], root.stdout.splitlines()[:1])
                self.assertNotIn(SECRET, olga.stdout + olga.stderr)
        self.assertEqual(self.by("olga", "l4d2ctl", "get", "server", "nobody").returncode, 4)
        self.run_in("systemctl", "stop", "left4me.service")
        self.run_in("systemctl", "disable", "left4me-server@delta")
        self.assertEqual(self.by("olga", "l4d2ctl", "diff").returncode, 1)

    def test_others_are_told_to_ask_root(self):
        refused = self.by("mallory", "l4d2ctl", "get", "servers")
        self.assertEqual(refused.returncode, 5)
        self.assertIn("sudo", refused.stderr)

    def test_the_service_that_shows_the_host_does_nothing_else(self):
        for words in (["stop", "delta"], ["apply", "-f", "/etc/shadow"], ["reset", "delta"], ["suspend", "--all"],
                      ["explain", "server"], ["__complete", "get", ""], ["hook", "pre-receive"], ["version"], ["--help"],
                      ["diff", "-f", "/etc/left4me/secrets/rcon"], ["diff", "-f", "-"],
                      ["get", "servers", "--config", "/etc/left4me/secrets/rcon"],
                      ["--config=/etc/left4me/secrets/rcon", "get", "servers"], [""], []):  # fmt: skip
            with self.subTest(words):
                code, said = self.ask(*words)
                self.assertTrue(code != 0 or words == ["--help"], said)
                self.assertNotIn(SECRET, said)
        self.assertEqual(self.ask("get", "servers")[0], 0)
        modes = self.run_in("stat", "-c", "%a %U %G", "/run/left4me/read").stdout
        self.assertEqual(modes, "660 root left4me-operators\n")
        self.assertEqual(self.properties("delta")["ActiveState"], "active")

    def test_a_watch_ends_with_the_person_who_watches(self):
        self.run_in("sh", "-c", "runuser -u olga -- timeout 10 l4d2ctl get servers --watch >/tmp/seen", expect=124)
        self.assertIn("delta", self.run_in("cat", "/tmp/seen").stdout)
        running = ("sh", "-c", "systemctl list-units --no-legend --plain 'left4me-read@*.service' | grep running")
        self.until("its service has ended", lambda: self.run_in(*running, expect=None).returncode != 0)
