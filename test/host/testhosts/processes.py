"""Processes identified by pid and start time, so that a reused pid is never signalled."""

import ctypes
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# A service manager's and a closed terminal's; Python raises KeyboardInterrupt on SIGINT itself.
ENDING = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Process:
    pid: int
    start: int

    @staticmethod
    def of(pid: int) -> "Process | None":
        start = start_time(pid)
        return None if start is None else Process(pid, start)

    def alive(self) -> bool:
        return start_time(self.pid) == self.start

    def send(self, number: int) -> None:
        """Signals this process and no other: re-reads the start time once the pidfd is open."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)

    def wait(self, seconds: float) -> bool:
        """True once it has exited. Also works for processes that are not our children."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if self.alive():
                poller = select.poll()
                poller.register(handle, select.POLLIN)
                if not poller.poll(seconds * 1000):
                    return False
        finally:
            os.close(handle)
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return True


def stat_fields(pid: int) -> list[str] | None:
    """The fields after the command's name: 0 is the state, 1 the parent, 19 the start time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def start_time(pid: int) -> int | None:
    fields = stat_fields(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def parent(pid: int) -> int | None:
    fields = stat_fields(pid)
    return None if fields is None else int(fields[1])


def command_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid: int) -> list[int]:
    """Of all its threads."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in thread.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descendants(pid: int) -> list[int]:
    return [one for child in children(pid) for one in (child, *descendants(child))]


def adopt_orphans() -> None:
    """What a child leaves running becomes a child of this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_children(seconds: float = 20) -> None:
    """Asks every child to end, then those that it leaves, if they are adopted; kills what still runs after that time."""
    deadline = time.monotonic() + seconds
    asked: set[Process] = set()
    while found := {one for one in map(Process.of, children(os.getpid())) if one}:
        for one in found - asked:
            one.send(signal.SIGTERM)
        asked |= found
        if time.monotonic() > deadline:
            for one in filter(None, map(Process.of, descendants(os.getpid()))):
                one.send(signal.SIGKILL)
        time.sleep(0.1)


def exit_on_signals() -> None:
    """A signal that ends this process raises SystemExit instead, so that it first ends what it has started."""
    for number in ENDING:
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def die_with_parent() -> None:
    """For a child that must not outlive the run that started it, even if that is killed with SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
