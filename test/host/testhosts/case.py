"""Base classes of the host tests: a fresh host with left4me installed, and helpers to act on it and check it."""

import json
import os
import time
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .machine import Host

TOOLS = "/usr/libexec/left4me-tests"
STATE = "/var/lib/left4me"
MANIFESTS = "/etc/left4me/manifests"

# Three servers, two blueprints, overlays of both kinds: the start of most tests.
COMMUNITY = """
apiVersion: left4me/v1
kind: Overlay
metadata: {name: maps}
spec: {source: {directory: /srv/left4dead2/maps}}
---
apiVersion: left4me/v1
kind: Overlay
metadata: {name: rates}
spec:
  source:
    inline:
      files:
        left4dead2/cfg/rates.cfg: |
          sv_maxrate 100000
---
apiVersion: left4me/v1
kind: Blueprint
metadata: {name: plain}
spec:
  arguments: ["+map", "c1m1_hotel"]
  config: |
    hostname "${name} on ${port}"
---
apiVersion: left4me/v1
kind: Blueprint
metadata: {name: modded}
spec:
  overlays: [rates, maps]
  arguments: ["+map", "c5m1_waterfront", "-maxplayers", "8"]
  config: |
    hostname "${name}, modded"
    exec rates.cfg
---
apiVersion: left4me/v1
kind: Server
metadata: {name: alpha}
spec: {blueprint: modded, port: 27015}
---
apiVersion: left4me/v1
kind: Server
metadata: {name: beta}
spec: {blueprint: plain, port: 27016}
---
apiVersion: left4me/v1
kind: Server
metadata: {name: gamma}
spec: {blueprint: modded, port: 27017}
"""
SERVERS = {"alpha": 27015, "beta": 27016, "gamma": 27017}


def server(name: str, port: int, blueprint: str = "plain", state: str = "Running", more: str = "") -> str:
    """One Server manifest."""
    return (
        f"---\napiVersion: left4me/v1\nkind: Server\nmetadata: {{name: {name}}}\n"
        f"spec: {{blueprint: {blueprint}, port: {port}, state: {state}{', ' + more if more else ''}}}\n"
    )


def crowd(names: list[str], more: str = "") -> str:
    """Manifests of many servers without overlays, each with its own port."""
    blueprint = (
        "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\n"
        'spec: {arguments: ["+map", "c1m1_hotel"], config: "hostname ${name}\\n"}\n'
    )
    return blueprint + "".join(server(name, 27000 + number, more=more) for number, name in enumerate(names))


def community_without(*names: str) -> str:
    documents = COMMUNITY.split("---\n")
    return "---\n".join(text for text in documents if not any(f"{{name: {name}}}" in text for name in names))


def unit_of(name: str) -> str:
    return f"left4me-server@{name}.service"


@dataclass(frozen=True)
class Life:
    """Identifies a server's process: if it is equal before and after, nobody touched the server."""

    pid: str
    started: str
    invocation: str


class HostTest(unittest.TestCase):
    """Each test has its own host, booted from LEFT4ME_STAGE on LEFT4ME_RELEASE."""

    host: Host

    def setUp(self) -> None:
        self.host = Host.create(os.environ["LEFT4ME_RELEASE"], install=Path(os.environ["LEFT4ME_STAGE"]), owned=True)
        self.addCleanup(self.host.destroy)
        self.lay_out(self.host.storage / "upper")
        self.host.boot()
        self.write("/srv/left4dead2/maps/left4dead2/addons/dark.vpk", "a map")

    def lay_out(self, root: Path) -> None:
        """Override it to put files on the host before it boots."""

    # -- doing --------------------------------------------------------------------------------------------------

    def run_in(self, *command: str, expect: int | None = 0, text_in: str | None = None, timeout: float = 120):
        """Runs a command in the host and checks its exit code; None accepts any."""
        done = self.host.run(*command, text_in=text_in, timeout=timeout)
        if expect is not None and done.returncode != expect:
            said = f"{done.stdout}{done.stderr}".rstrip()
            self.fail(f"{' '.join(command)}: exit {done.returncode}, expected {expect}\n{said}")
        return done

    def ctl(self, *words: str, expect: int | None = 0, text_in: str | None = None):
        return self.run_in("l4d2ctl", *words, expect=expect, text_in=text_in)

    def write(self, path: str, text: str) -> None:
        self.run_in("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "write", path, text_in=text)

    def apply(self, manifests: str = COMMUNITY) -> None:
        self.ctl("apply", "-f", "-", text_in=manifests)

    def converge(self) -> None:
        """Makes one pass, after which nothing may differ."""
        self.ctl("reconcile")
        self.assert_converged()

    # -- seeing -------------------------------------------------------------------------------------------------

    def properties(self, name: str) -> dict[str, str]:
        shown = self.run_in("systemctl", "show", unit_of(name)).stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def life(self, name: str) -> Life:
        seen = self.properties(name)
        return Life(seen["MainPID"], seen["ExecMainStartTimestampMonotonic"], seen["InvocationID"])

    def lives(self, *names: str) -> dict[str, Life]:
        return {name: self.life(name) for name in names}

    def status(self, name: str) -> dict:
        return json.loads(self.ctl("status", name, "--json").stdout)

    def enabled(self, name: str) -> str:
        return self.run_in("systemctl", "is-enabled", unit_of(name), expect=None).stdout.strip()

    def mounts(self, name: str) -> list[list[str]]:
        """The layer stacks mounted for a server, each with the uppermost layer first, relative to /var/lib/left4me."""
        found = []
        for line in self.run_in("cat", "/proc/1/mountinfo").stdout.splitlines():
            fields = line.split()
            if fields[4] == f"{STATE}/runtime/{name}/merged":
                options = fields[fields.index("-") + 3].split(",")
                layers: list[str] = []
                for option in options:
                    key, _, value = option.partition("=")
                    if key in ("lowerdir", "lowerdir+"):
                        layers += value.split(":") if key == "lowerdir" else [value]
                found.append([layer.removeprefix(f"{STATE}/") for layer in layers])
        return found

    def wanted_layers(self, name: str) -> list[str]:
        """What left4me rendered for the server: its `layers` file."""
        return self.run_in("cat", f"{STATE}/instances/{name}/current/layers").stdout.split()

    def a2s(self, port: int) -> dict[str, str]:
        """The game's answer to a query; empty if it does not answer."""
        done = self.run_in(f"{TOOLS}/a2s_query", "127.0.0.1", str(port), "2", expect=None)
        return dict(line.split(": ", 1) for line in done.stdout.splitlines()) if done.returncode == 0 else {}

    def exists(self, path: str) -> bool:
        return self.run_in("test", "-e", path, expect=None).returncode == 0

    def until(self, what: str, condition: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not within {seconds:.0f} s: {what}")
            time.sleep(0.05)

    # -- saying -------------------------------------------------------------------------------------------------

    def assert_converged(self) -> None:
        done = self.ctl("diff", expect=None)
        self.assertEqual((done.returncode, done.stdout), (0, ""), f"the host differs:\n{done.stdout}{done.stderr}")

    def assert_running(self, name: str, port: int | None = None) -> None:
        """Checks that it is enabled, active and mounted with the rendered stack and, given a port, that the game answers."""
        self.until(f"{name} is not starting any more", lambda: self.properties(name)["ActiveState"] != "activating", 40)
        self.assertEqual(self.properties(name)["ActiveState"], "active", self.logs(name))
        self.assertEqual(self.enabled(name), "enabled")
        self.assertEqual(self.mounts(name), [self.wanted_layers(name)])
        if port:
            self.until(f"{name} answers on {port}", lambda: self.a2s(port))

    def assert_gone(self, name: str) -> None:
        """Checks that it is inactive, disabled and unmounted."""
        self.assertIn(self.properties(name)["ActiveState"], ("inactive", "failed"))
        self.assertEqual(self.enabled(name), "disabled")
        self.assertEqual(self.mounts(name), [])

    def to_approve(self) -> dict[str, str]:
        """By server: the revision that a person must approve before the server is stopped or deleted."""
        actions = json.loads(self.ctl("diff", "-o", "json", expect=None).stdout)["actions"]
        return {action["subject"].removeprefix("server/"): action["approve"] for action in actions if "approve" in action}

    def held_servers(self) -> dict[str, str]:
        """The same as the last pass left it."""
        servers = json.loads(self.run_in("cat", f"{STATE}/state/status.json").stdout)["servers"]
        return {name: server["awaitsApproval"] for name, server in servers.items() if "awaitsApproval" in server}

    def check_commands_beside_a_held_deletion(self) -> None:
        """The source's revision deletes alpha and beta, two of three servers, and waits for an approval."""
        self.until("a pass has held the deletion", lambda: set(self.held_servers()) == {"alpha", "beta"})
        waits = self.to_approve()
        self.assertEqual(waits, self.held_servers())
        before = self.lives("alpha", "beta")
        for verb, is_done in (("stop", self.assert_gone), ("start", self.assert_running), ("delete", self.assert_gone)):
            self.ctl(verb, "gamma")
            is_done("gamma")
            self.assertEqual(self.to_approve(), waits)
        self.assertEqual(self.lives("alpha", "beta"), before)
        self.ctl("approve", waits["alpha"][:10])
        for name in ("alpha", "beta"):
            self.until(f"{name} is gone", lambda name=name: self.properties(name)["ActiveState"] == "inactive")
            self.assert_gone(name)
        self.until("all is done", lambda: self.ctl("diff", expect=None).returncode == 0)

    def logs(self, name: str) -> str:
        return self.run_in("journalctl", "--no-pager", "-n", "40", "-u", unit_of(name), expect=None).stdout

    def evidence(self) -> str:
        """For a failed test: a report of the host's state."""
        if not self.host.running():
            return self.host.console()
        lines = self.host.run("journalctl", "--no-pager", "-n", "60", "-o", "short-monotonic").stdout
        status = self.host.run("sh", "-c", "l4d2ctl get servers; l4d2ctl diff; findmnt -t overlay -o TARGET").stdout
        return f"{status}\n{lines}"


class DaemonTest(HostTest):
    """A host on which l4d2d follows the community manifests. Tests modify alpha; beta and gamma must not be affected."""

    def setUp(self) -> None:
        super().setUp()
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        self.settled()
        # A change is drift only if l4d2d has observed the correct state before.
        self.until("l4d2d has seen it, too", lambda: self.daemon()["StatusText"].endswith(", 0 differ"))
        self.bystanders = self.lives("beta", "gamma")

    def daemon(self) -> dict[str, str]:
        shown = self.run_in("systemctl", "show", "left4me.service").stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def settled(self, seconds: float = 20, source_is_well: bool = True) -> None:
        """Waits until nothing differs any more, without any command; perhaps only from the last good revision."""

        def agrees() -> bool:
            done = self.ctl("diff", expect=None)
            return done.stdout == "" and done.returncode in ((0,) if source_is_well else (3, 5))

        self.until("nothing differs", agrees, seconds)

    def bystanders_live_on(self) -> None:
        self.assertEqual(self.lives("beta", "gamma"), self.bystanders)

    def daemon_says(self, word: str, seconds: float = 10) -> None:
        def said() -> bool:
            return word in self.run_in("journalctl", "--no-pager", "-u", "left4me.service").stdout

        self.until(f"l4d2d says {word!r}", said, seconds)
