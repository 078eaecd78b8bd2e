"""One test host: its storage, its container, and commands in it."""

import json
import os
import secrets
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import processes, trees
from .processes import Process

RUN = Path("/run/left4me-testhosts")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TESTS = "usr/libexec/left4me-tests"
STAND_IN = f"{TESTS}/standin"

# Each container runs in separate namespaces: when the process that we start exits, for whatever reason, the kernel
# kills everything below it and drops the mount of the host's root. (The container alone survives a killed nspawn.)
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")

# The script that becomes systemd-nspawn. Each host has its own cgroup; otherwise the systemds of two hosts would manage
# the same one. Users are created before the boot, as a package's installation would have done, and the game has the
# owner that it would have if left4me had downloaded it. Landlock and pidfd_getfd work on a real host, so they must
# work here.
LAUNCHER = """
set -eu
storage=$1 tree=$2 name=$3 cgroup=$4
shift 4
if [ -n "$cgroup" ]; then mkdir -p "$cgroup"; echo $$ >"$cgroup/cgroup.procs"; fi
mount -t overlay left4me-testhost -o "lowerdir=$tree,upperdir=$storage/upper,workdir=$storage/work" "$storage/root"
chroot "$storage/root" systemd-sysusers
if [ -d "$storage/left4me/installation" ] && user=$(chroot "$storage/root" id -u left4me 2>/dev/null); then
    chown -R "$user:$(chroot "$storage/root" getent group left4me-server | cut -d: -f3)" "$storage/left4me/installation"
    chmod -R g+rwX "$storage/left4me/installation"
fi
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --register=no --keep-unit --quiet -M "$name" --private-network -D "$storage/root" --boot \\
    --console=pipe --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self pidfd_getfd" \\
    --bind="$storage/left4me:/var/lib/left4me" "$@" -- systemd.show_status=no systemd.log_target=journal
"""


class HostError(Exception):
    """An error with a host, for a person to read."""


def cgroup_of(name: str) -> Path | None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2":
            return Path(fields[4]) / f"left4me-testhost-{name}"
    return None


@dataclass
class Host:
    """A host on disk. While it runs, `supervisor` is the process that we started, the parent of systemd-nspawn, and
    `leader` is the host's PID 1. `owner` is the run that the host must not outlive."""

    name: str
    release: str
    tree: str
    supervisor: Process | None = None
    leader: Process | None = None
    owner: Process | None = None
    binds = ()  # of systemd-nspawn, "OUTSIDE:INSIDE"; not kept on disk

    @property
    def storage(self) -> Path:
        return trees.cache() / "hosts" / self.name

    @property
    def left4me(self) -> Path:
        """The host's /var/lib/left4me, seen from outside. It is a directory of the machine's own file system: the
        host's root is an overlay, and the kernel refuses an overlay as another one's upper directory."""
        return self.storage / "left4me"

    # -- life ---------------------------------------------------------------------------------------------------

    @staticmethod
    def create(release: str, name: str | None = None, install: Path | None = None, owned: bool = False,
               kind: str = "host", binds: tuple[str, ...] = ()) -> "Host":  # fmt: skip
        """Creates a new host over a tree of `kind`. With `install`, copies the files of a staging tree into it."""
        reap()
        tree = trees.make(kind, release)
        host = Host(name or f"{release}-{secrets.token_hex(3)}", release, str(tree))
        host.binds = binds
        if not host.name.replace("-", "").isalnum() or len(host.name) > 40:
            raise HostError(f"{host.name!r} is no name for a host: letters, digits and '-', at most 40")
        try:
            host.storage.mkdir(parents=True)
        except FileExistsError:
            raise HostError(f"there is a host {host.name} already") from None
        if owned:
            host.owner = Process.of(os.getpid())
        host.save()
        for part in ("upper/etc", "work", "root", "left4me"):
            (host.storage / part).mkdir(parents=True)
        for part in ("upper", "upper/etc", "root", "left4me"):
            (host.storage / part).chmod(0o755)
        # With a machine id, systemd skips its first-boot actions: presets would enable every unit.
        (host.storage / "upper/etc/machine-id").write_text(f"{secrets.token_hex(16)}\n", encoding="ascii")
        (host.storage / "upper/etc/hostname").write_text(f"{host.name}\n", encoding="ascii")
        if install:
            host.install(install)
        return host

    def install(self, staging: Path, part: str = ".") -> None:
        """Copies a staging tree, or a part of it, onto the host, which must not be running, and the stand-in game to its place."""
        if self.running():
            raise HostError(f"{self.name} is running: files can be laid under a stopped host only")
        copy = ["cp", "-a", "--no-preserve=ownership", "--reflink=auto"]
        target = self.storage / "upper" / part
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run([*copy, f"{staging}/{part}/.", f"{target}/"], check=True)
        if (staging / STAND_IN).is_dir():
            subprocess.run([*copy, f"{staging / STAND_IN}/.", f"{self.left4me}/installation/"], check=True)

    def boot(self) -> None:
        """Boots and waits until systemd has finished. If it does not, raises an error with the console's output."""
        if self.running():
            raise HostError(f"{self.name} is running already")
        cgroup = cgroup_of(self.name)
        arguments = [str(self.storage), self.tree, self.name, str(cgroup or "")]
        arguments += [f"--bind={bind}" for bind in self.binds]
        with open(self.storage / "console", "ab") as console:
            started = subprocess.Popen(
                [*NAMESPACES, "sh", "-c", LAUNCHER, "launcher", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                preexec_fn=processes.die_with_parent if self.owner else None,
            )
        self.supervisor = Process.of(started.pid)
        self.leader = None
        self.save()
        try:
            self.wait_for_leader(started)
            self.wait_until_booted()
            self.raise_loopback()
        except BaseException:
            self.stop(hard=True)
            raise

    def wait_for_leader(self, started: subprocess.Popen, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if started.poll() is not None:
                raise HostError(f"{self.name} did not boot:\n{self.console()}")
            for nspawn in processes.children(started.pid):
                for pid in processes.children(nspawn):
                    if processes.command_name(nspawn) == "systemd-nspawn" and processes.command_name(pid) == "systemd":
                        self.leader = Process.of(pid)
                        self.save()
                        return
            time.sleep(0.01)
        raise HostError(f"{self.name} showed no PID 1 within {seconds:.0f} s:\n{self.console()}")

    def raise_loopback(self) -> None:
        """With the machine's own ip(8): a bare host has none."""
        subprocess.run(["nsenter", "-t", self.entry()[2], "-n", "ip", "link", "set", "lo", "up"], check=True)

    def wait_until_booted(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        state = ""
        while time.monotonic() < deadline:
            try:
                left = max(1, deadline - time.monotonic())
                state = self.run("systemctl", "is-system-running", "--wait", timeout=left).stdout.strip()
            except subprocess.TimeoutExpired:
                break
            if state in ("running", "degraded"):
                return
            time.sleep(0.02)
        raise HostError(f"{self.name} is {state or 'silent'} after {seconds:.0f} s:\n{self.console()}")

    def stop(self, hard: bool = False, seconds: float = 60) -> None:
        """Powers off; `hard` is a power cut: all processes are killed immediately and nothing more is written."""
        if self.supervisor and not hard:
            for nspawn in map(Process.of, processes.children(self.supervisor.pid) if self.supervisor.alive() else []):
                if nspawn:
                    nspawn.send(signal.SIGTERM)
            self.supervisor.wait(seconds)
        if self.supervisor:
            self.supervisor.send(signal.SIGKILL)
            self.supervisor.wait(10)
        if self.leader:
            self.leader.wait(10)
        remove_cgroup(cgroup_of(self.name))
        self.supervisor = self.leader = None
        if self.storage.exists():
            self.save()

    def reboot(self) -> None:
        self.stop()
        self.boot()

    def destroy(self) -> None:
        self.stop(hard=True)
        trees.remove(self.storage)
        trees.remove(Path(f"/run/systemd/nspawn/propagate/{self.name}"))
        state_file(self.name).unlink(missing_ok=True)

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    # -- use ----------------------------------------------------------------------------------------------------

    def running(self) -> bool:
        return bool(self.supervisor and self.leader and self.supervisor.alive() and self.leader.alive())

    def entry(self) -> list[str]:
        """The prefix of a command. Checks again that this is still our host's PID 1: with a wrong pid, the command
        would run on the machine itself."""
        if not self.running() or not self.leader or not self.supervisor:
            raise HostError(f"{self.name} is not running")
        leader = self.leader.pid
        nspawn = processes.parent(leader) or 0
        if processes.command_name(leader) != "systemd" or processes.parent(nspawn) != self.supervisor.pid:
            raise HostError(f"process {leader} is not the PID 1 of {self.name}")
        return ["nsenter", "-t", str(leader), "-a", "env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8",
                f"TERM={os.environ.get('TERM', 'dumb')}"]  # fmt: skip

    def run(self, *command: str, check: bool = False, text_in: str | None = None, timeout: float = 120):
        """Runs a command as root in the host and returns its output as text."""
        done = subprocess.run(
            [*self.entry(), *command],
            input=text_in if text_in is not None else "",
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd="/",
        )
        if check and done.returncode != 0:
            raise HostError(f"{self.name}: {' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def console(self) -> str:
        path = self.storage / "console"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    # -- state --------------------------------------------------------------------------------------------------

    def save(self) -> None:
        RUN.mkdir(mode=0o700, exist_ok=True)
        path = state_file(self.name)
        path.with_suffix(".new").write_text(json.dumps(asdict(self)), encoding="utf-8")
        path.with_suffix(".new").rename(path)

    @staticmethod
    def load(name: str) -> "Host":
        try:
            data = json.loads(state_file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise HostError(f"there is no host {name}") from None
        for key in ("supervisor", "leader", "owner"):
            data[key] = Process(**data[key]) if data[key] else None
        return Host(**data)


def state_file(name: str) -> Path:
    return RUN / f"{name}.json"


def hosts() -> list[Host]:
    """All hosts; one that another test destroys meanwhile is left out."""
    found = []
    for path in sorted(RUN.glob("*.json")):
        try:
            found.append(Host.load(path.stem))
        except HostError:
            continue
    return found


def reap() -> None:
    """Destroys what a killed run left behind: hosts whose owner is gone, and nothing else."""
    for host in hosts():
        if host.owner and not host.owner.alive():
            host.destroy()


def remove_cgroup(path: Path | None) -> None:
    """Removes the container's empty cgroups, innermost first."""
    if path and path.exists():
        for directory, _, _ in os.walk(path, topdown=False):
            for _ in range(50):
                try:
                    os.rmdir(directory)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
