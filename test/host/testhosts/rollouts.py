"""Rollouts over many servers on which people come and go by themselves, through a network that loses, delays and forges
what games answer. The games themselves record whom a restart kicked."""

import re
import time
from dataclasses import dataclass, field

from .case import MANIFESTS, server
from .machine import Host
from .measure import main_process

SECRET = "c0nsole"
FIRST_PORT = 27000
# The game's own limits, and a network that is worse than any loopback device.
NETWORK = {
    "sv_max_queries_sec": 3, "sv_max_queries_sec_global": 60, "sv_max_queries_window": 30,
    "standin_loss": 16, "standin_delay": 150, "standin_hibernation": 100, "standin_noise": 1,
}  # fmt: skip
# By name of a blueprint: what is special about its games.
KINDS: "dict[str, dict[str, object]]" = {
    "usual": {},
    "connecting": {"standin_connect": 8},
    "reserved": {"standin_lobby": 8},
    "silent": {"standin_silent": "players"},
    # Somebody who is connecting is in neither number of such a game: nobody could know.
    "lying": {"standin_lie": 0, "standin_connect": 0},
}
# Who has been there for less has not got an answer to the first thing that he sent.
AT_THE_DOOR = 1000  # ms


@dataclass
class Result:
    """What the journal says of all rollouts together."""

    restarts: int = 0
    kicked: list[str] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)
    # By kind: s, from the last player leaving to the stop.
    waits_of: "dict[str, list[float]]" = field(default_factory=lambda: {kind: [] for kind in KINDS})
    queries: list[float] = field(default_factory=list)  # a second, of each game's life

    @property
    def waits(self) -> list[float]:
        return [wait for waits in self.waits_of.values() for wait in waits]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Rollouts:
    """`people`: the standin_ variables that say how they come and go."""

    def __init__(self, host: Host, servers: int, people: "dict[str, int]"):
        self.host = host
        self.people = people
        kinds = list(KINDS)
        self.names = {f"s{number:03}": kinds[number % len(kinds)] for number in range(servers)}
        self.applied: list[float] = []

    def run(self, *words: str, **more):
        return self.host.run(*words, check=True, timeout=600, **more)

    def manifests(self, revision: int) -> str:
        text = ""
        for kind, special in KINDS.items():
            variables = {"standin_script": "${port}", **NETWORK, **self.people, **special}
            words = ", ".join(f'"+{name}", "{value}"' for name, value in variables.items())
            rcon = ", rcon: {secret: rcon}" if kind == "reserved" else ""
            text += (
                f"---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {{name: {kind}}}\n"
                f'spec: {{arguments: ["+map", "c1m1_hotel", "-maxplayers", "8", {words}], config: "hostname r{revision}\\n"{rcon}}}\n'
            )
        more = "rollout: {policy: WhenEmpty}"
        return text + "".join(server(name, FIRST_PORT + i, kind, more=more) for i, (name, kind) in enumerate(self.names.items()))

    def begin(self) -> None:
        self.run("sh", "-c", f"umask 077; mkdir -p /etc/left4me/secrets; echo {SECRET} >/etc/left4me/secrets/rcon; chown left4me: /etc/left4me/secrets/rcon")
        self.run("sh", "-c", f"cat >{MANIFESTS}/rollouts.yaml", text_in=self.manifests(0))
        self.run("systemctl", "enable", "--now", "left4me.service")
        self.settle(300)
        self.probe = main_process(self.host, "left4me-probe.service")
        self.probe_began = (time.monotonic(), self.probe.cpu())

    def settle(self, seconds: float) -> float:
        """Waits until nothing differs any more; how long that took."""
        began = time.monotonic()
        while (said := self.host.run("l4d2ctl", "diff", timeout=120)).returncode != 0:
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not settled in {seconds:.0f} s:\n{said.stdout[-3000:]}{said.stderr[-1000:]}")
            time.sleep(1)
        return time.monotonic() - began

    def roll(self, revision: int, seconds: float) -> float:
        """All servers change; each is restarted when nobody is on it."""
        self.applied.append(time.time())
        self.run("sh", "-c", f"cat >{MANIFESTS}/.new && mv {MANIFESTS}/.new {MANIFESTS}/rollouts.yaml", text_in=self.manifests(revision))
        time.sleep(2)
        return self.settle(seconds)

    def probe_share(self) -> float:
        """Of one core, since begin()."""
        began, cpu = self.probe_began
        return (self.probe.cpu() - cpu) / (time.monotonic() - began)

    def revisions(self) -> set[str]:
        """Of all games that run, the `hostname` of the configuration that they have read."""
        said = self.run("sh", "-c", "cat /var/lib/left4me/runtime/*/merged/left4dead2/cfg/server.cfg | sed -n 's/^hostname //p' | sort | uniq -c").stdout
        return {" ".join(line.split()) for line in said.splitlines()}

    def result(self) -> Result:
        shown = self.run("journalctl", "--no-pager", "-a", "-o", "short-unix", "-u", "left4me-server@*",
                         f"--since=@{self.applied[0]:.6f}").stdout  # fmt: skip
        result = Result()
        emptied: "dict[str, float]" = {}
        line_of = re.compile(r"(\d+\.\d+) \S+ ([^\[: ]+)\[(\d+)\]: (.*)$")
        for line in shown.splitlines():
            found = line_of.match(line)
            if not found:
                continue
            when, game, said = float(found[1]), found[3], found[4]
            if said in ("Server is hibernating", "Server waking up from hibernation"):
                emptied.pop(game, None)
                if said.startswith("Server is"):
                    emptied[game] = when
            elif said.startswith("standin: kicked by"):
                there = re.search(r" for (\d+) ms, ", said)
                turned_away = there and int(there[1]) < AT_THE_DOOR
                (result.turned_away if turned_away else result.kicked).append(line)
            elif said == "Server shutting down":
                result.restarts += 1
                left = emptied.pop(game, None)
                changed = max((applied for applied in self.applied if applied < when), default=when)
                # Whoever has left before the change was not waited for.
                if left is not None and left > changed:
                    result.waits_of[self.names[found[2]]].append(when - left)
            elif queries := re.match(r"standin: (\d+) queries in ([\d.]+) s", said):
                if float(queries[2]) > 10:
                    result.queries.append(int(queries[1]) / float(queries[2]))
        return result
