"""Attacks of a taken-over build, steamcmd and probe: the attack program runs in their own units, with the settings that these
have. What succeeds is what docs/security.md says that they can still do, and nothing else does."""

import errno

from testhosts.case import MANIFESTS, STATE, TOOLS, DaemonTest

ATTACKS = f"{TOOLS}/unit_attacks"
OVERLAY = f"{STATE}/overlays/maps"
ROOM = f"{OVERLAY}/.build"
# What the kernel says of what is not there, not visible, or not allowed.
REFUSALS = {
    str(number)
    for number in (errno.EPERM, errno.EACCES, errno.ENOENT, errno.ENOSYS, errno.EROFS, errno.ESRCH, errno.EAFNOSUPPORT)
}  # fmt: skip
KILLED_BY_THE_FILTER = "signal 31"
FILES = (
    "/etc/shadow", "/etc/left4me/config.yaml", "/etc/left4me/secrets/rcon", "/etc/left4me/deploy-keys/rates", "/etc/left4me/git/key",
    f"{MANIFESTS}/community.yaml", f"{STATE}/state/status.json", f"{STATE}/instances/alpha/current/server.env",
    f"{STATE}/runtime/beta/merged/left4dead2/cfg/server.cfg", "/run/left4me/lock", "/run/left4me/source.lock", "/root/private", "/home/somebody/private",
    "/proc/1/environ",
)  # fmt: skip
DIRECTORIES = (
    "/root", "/etc/left4me", f"{STATE}/overlays/rates", f"{STATE}/instances", f"{STATE}/runtime", f"{STATE}/state", f"{STATE}/installation",
    "/run/left4me/daemon", "/run/left4me/turns", "/var/log", "/var/spool",
)  # fmt: skip
PLACES = ("/etc", "/usr/bin", "/usr/libexec", "/var", "/var/lib", "/run", "/run/systemd/system", "/run/left4me", "/home", "/home/somebody", "/root", "/srv",
          "/opt", "/dev", "/dev/shm", "/dev/mqueue", STATE, f"{STATE}/overlays", f"{STATE}/overlays/rates", f"{STATE}/runtime/beta")  # fmt: skip
WRITABLE = ("/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/tcp_fastopen",
            "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/left4me.slice/cgroup.procs", "/sys/fs/cgroup/system.slice/cgroup.procs",
            "/etc/passwd", "/usr/bin/l4d2ctl")  # fmt: skip

NETWORK = {"socket tcp", "socket tcp6", "socket udp", "socket udp6", "tcp=127.0.0.1:27016", "send=127.0.0.1:27016", "send=198.51.100.2:53",
           "send=203.0.113.5:53"}  # fmt: skip


class TakenOver(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_in("sh", "-c", "useradd --create-home somebody; for file in /root/private /home/somebody/private /etc/left4me/secrets/rcon "
                    "/etc/left4me/git/key /etc/left4me/deploy-keys/rates; do echo canary >$file; chmod 600 $file; done; "
                    "chown left4me: /etc/left4me/secrets/rcon /etc/left4me/git/key; chown somebody: /home/somebody/private; "
                    "touch /etc/left4me/config.yaml")  # fmt: skip
        # Addresses that are not the host's have a way, as on a host with a network.
        self.run_in("sh", "-c", "ip link add out0 type veth peer name out1 && ip address add 198.51.100.1/24 dev out0 && "
                    "ip link set out0 up && ip link set out1 up && ip route add default via 198.51.100.2")  # fmt: skip
        self.run_in("systemctl", "start", "left4me-helper.service")
        self.daemon_pid = self.main_pid("left4me.service")
        # It would follow what a build leaves.
        self.run_in("kill", "-STOP", self.daemon_pid)

    def main_pid(self, unit: str) -> str:
        return self.run_in("systemctl", "show", "-P", "MainPID", unit).stdout.strip()

    def words(self) -> list[str]:
        """What everybody tries."""
        sockets = self.run_in("find", "/run", "-type", "s").stdout.split()
        self.assertLessEqual({"/run/left4me/daemon/trigger", "/run/left4me/read", "/run/dbus/system_bus_socket", "/run/systemd/private"}, set(sockets))
        # Root finds all of it, so what is not found is hidden.
        missing = "for path; do [ -e $path ] || echo $path; done"
        self.assertEqual(self.run_in("sh", "-c", missing, "sh", *FILES, *DIRECTORIES, *PLACES, *WRITABLE).stdout, "")
        processes = {"l4d2d": self.daemon_pid, "pid1": "1", "helper": self.main_pid("left4me-helper.service"),
                     "game": self.life("beta").pid, "other": self.main_pid("dbus.service")}  # fmt: skip
        self.assertNotIn("0", processes.values())
        return [
            *(f"read={path}" for path in FILES), *(f"list={path}" for path in DIRECTORIES), *(f"make={path}/evil" for path in PLACES),
            *(f"open={path}" for path in WRITABLE), *(f"connect={path}" for path in sockets),
            *(f"process={name}:{pid}" for name, pid in processes.items()),
            "tcp=127.0.0.1:27016", "send=127.0.0.1:27016", "send=198.51.100.2:53", "send=203.0.113.5:53", "send=255.255.255.255:53",
        ]  # fmt: skip

    def attack_from(self, unit: str, file: str, first: list[str], start: str = "") -> dict[str, str]:
        group = f"/sys/fs/cgroup/system.slice/{unit}"
        if "@" in unit:
            escaped = unit.partition("@")[0].replace("-", "\\x2d")
            group = f"/sys/fs/cgroup/system.slice/system-{escaped}.slice/{unit}"
        own = [f"open={group}/{name}" for name in ("cgroup.procs", "memory.max", "cgroup.kill")]
        words = " ".join([file, *first, *self.words(), *own]).replace("\\", "\\\\")
        # It ends, and what it has found out must stay.
        stays = "Restart=no\nRuntimeDirectoryPreserve=yes\n"
        self.write(f"/run/systemd/system/{unit}.d/attack.conf", f"[Service]\nExecStart=\nExecStart={ATTACKS} {words}\n{stays}")
        self.run_in("systemctl", "daemon-reload")
        self.run_in("systemctl", "restart", start or unit)
        self.until(f"{unit} has tried everything", lambda: self.exists(file), 60)
        text = self.run_in("cat", file).stdout
        said = {}
        for line in text.splitlines():
            name, _, result = line.partition(" signal ")
            said.update({name: f"signal {result}"} if result else [line.rsplit(" ", 1)])
        self.assertIn("end", said)
        del said["end"]
        self.assertGreater(len(said), 250)
        return said

    def assert_only(self, said: dict[str, str], possible: set[str]) -> None:
        """What succeeded is what may, and the rest was refused: not just tried in a wrong way."""
        self.assertEqual({name for name, result in said.items() if result == "0"}, possible)
        others = {name: result for name, result in said.items() if result not in REFUSALS and name not in possible}
        self.assertEqual({name: result for name, result in others.items() if result != KILLED_BY_THE_FILTER}, {})

    def test_a_build_that_was_taken_over_does_no_more_than_the_documentation_says(self):
        said = self.attack_from("left4me-build@maps.service", f"{ROOM}/said", [f"make={OVERLAY}/evil", f"make={ROOM}/evil"])
        signals = {f"l4d2d {call}" for call in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "pidfd_send_signal")}
        self.assert_only(said, {f"make={OVERLAY}/evil", f"make={ROOM}/evil", "execve", "socket pair"} | NETWORK | signals)

    def test_steamcmd_that_was_taken_over_does_no_more_than_the_documentation_says(self):
        self.run_in("install", "-d", "-o", "left4me", f"{ROOM}/steam")
        self.write("/run/systemd/system/left4me-build@maps.service.d/wait.conf", "[Service]\nExecStart=\nExecStart=sleep 600\n")
        said = self.attack_from("left4me-install@maps.service", f"{ROOM}/steam/said",
                                [f"make={ROOM}/steam/evil", f"make={OVERLAY}/evil", f"make={ROOM}/evil"],
                                start="left4me-build@maps.service")  # fmt: skip
        self.assertFalse(self.exists("/dev/shm/evil"))
        own = {f"make={ROOM}/steam/evil", "make=/dev/shm/evil"}
        self.assert_only(said, own | {"execve", "executable-memory", "getpid32", "socket pair", "socket netlink", "socket unix32"} | NETWORK)

    def test_a_probe_that_was_taken_over_does_no_more_than_the_documentation_says(self):
        # Whoever is not the probe may send there.
        send = "IO::Socket::INET->new(Proto => 'udp', PeerAddr => '203.0.113.5:53')->send('x') or exit 1"
        self.run_in("perl", "-MIO::Socket::INET", "-e", send)
        own = "/run/left4me/probe/answers"
        said = self.attack_from("left4me-probe.service", f"{own}/said", ["probe", "read=/etc/passwd", f"make={own}/evil"])
        # Its socket's address has no way out of the host.
        for address in ("198.51.100.2", "203.0.113.5"):
            self.assertEqual(said.pop(f"send={address}:53"), str(errno.EINVAL))
        self.assert_only(said, {"read=/etc/passwd", f"make={own}/evil", "send=127.0.0.1:27016"})
