"""What a benchmark measures on a test host: the time, CPU and memory of commands and processes."""

import re
import time
from dataclasses import dataclass

from .machine import Host

COSTS = r"""
b=$(date +%s%N)
"$@" >/run/measured.out 2>&1
code=$?
e=$(date +%s%N)
echo $code $b $((e - b))
times
"""


@dataclass
class Cost:
    """Of one command, in seconds, without the time it takes to get into the host."""

    code: int
    began: float  # of time.monotonic(), which is systemd's clock, too
    wall: float
    cpu: float  # of the command and its children, to 10 ms

    def __str__(self) -> str:
        return f"{self.wall:8.3f} s, {self.cpu:6.2f} s CPU"


def cost_of(host: Host, *words: str, timeout: float = 600) -> Cost:
    """Its output is then in /run/measured.out."""
    said = host.run("sh", "-c", COSTS, "costs", *words, check=True, timeout=timeout).stdout.splitlines()
    code, began, nanoseconds = (int(word) for word in said[0].split())
    parts = (part.rstrip("s").split("m") for part in said[2].split())
    boot = time.time() - time.monotonic()
    return Cost(code, began / 1e9 - boot, nanoseconds / 1e9, sum(float(minutes) * 60 + float(seconds) for minutes, seconds in parts))


class Process:
    """One process of the host, read without entering it too often."""

    def __init__(self, host: Host, pid: str):
        self.host = host
        self.pid = pid

    def cpu(self) -> float:
        """Seconds, user and system, of all threads: the scheduler's nanoseconds where the kernel has them."""
        shown = self.host.run("sh", "-c", f"cat /proc/{self.pid}/task/*/schedstat", check=True).stdout
        return sum(int(line.split()[0]) for line in shown.splitlines()) / 1e9

    def wakeups(self) -> int:
        shown = self.host.run("sh", "-c", f"cat /proc/{self.pid}/task/*/status", check=True).stdout
        return sum(int(number) for number in re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", shown, re.MULTILINE))

    def pss(self) -> float:
        """MiB."""
        shown = self.host.run("cat", f"/proc/{self.pid}/smaps_rollup", check=True).stdout
        return int(re.search(r"^Pss:\s+(\d+)", shown, re.MULTILINE).group(1)) / 1024


def main_process(host: Host, unit: str) -> Process:
    pid = host.run("systemctl", "show", unit, "-pMainPID", "--value", check=True).stdout.strip()
    return Process(host, pid)
