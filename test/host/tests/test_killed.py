"""A pass that is killed anywhere: the next one converges from what it finds."""

from testhosts.case import COMMUNITY, SERVERS, HostTest, server

# The calls that make effects, or that ask the helper for one.
EFFECTS = ("rename,renameat,renameat2", "mkdir,mkdirat", "symlink,symlinkat", "sendmsg,sendto", "openat,fchmodat,fsync",
           "unlink,unlinkat,rmdir,linkat,write")  # fmt: skip
STRIDE = {"openat,fchmodat,fsync": 40, "unlink,unlinkat,rmdir,linkat,write": 5}


class Killed(HostTest):
    # A pass that builds, renders, enables, starts, restarts, stops and purges: everything that a pass can do.
    CHANGED = COMMUNITY.replace("sv_maxrate 100000", "sv_maxrate {rate}").replace(
        "port: 27017}", "port: 27017, rollout: {policy: Immediate}}"
    ) + server("delta", 27018)

    def manifests(self, text: str) -> None:
        self.run_in("sh", "-c", "rm -rf /etc/left4me/manifests/*; cat >/etc/left4me/manifests/all.yaml", text_in=text)

    def killed_at(self, calls: str, number: int) -> bool:
        """Runs a pass that dies at the number-th of these calls. False: it made fewer."""
        done = self.run_in(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}",
            "-e", f"inject={calls}:signal=SIGKILL:when={number}", "l4d2ctl", "reconcile", expect=None,
        )  # fmt: skip
        return done.returncode in (-9, 137)

    def walk(self, calls: str) -> None:
        """Kills a pass at the first such call, the next at the second, and so on, until one gets through."""
        stride = STRIDE.get(calls, 1)
        number, kills = 1, 0
        while True:
            # The world changes each time, so that there is always something to be killed at.
            plus_delta = kills % 2 == 0
            text = self.CHANGED.replace("{rate}", str(number))
            self.manifests(text if plus_delta else text.removesuffix(server("delta", 27018)))
            self.run_in("systemctl", "stop", "left4me-server@alpha.service")
            self.run_in("systemctl", "disable", "left4me-server@beta.service")
            killed = self.killed_at(calls, number)
            self.ctl("reconcile")
            for name in [*SERVERS, *(["delta"] if plus_delta else [])]:
                self.assert_running(name)
            if not plus_delta:
                self.assert_gone("delta")
            self.assert_converged()
            if not killed:
                break
            number += stride
            kills += 1
        self.assertGreater(kills, 0, f"no pass was ever killed at {calls}")

    def setUp(self) -> None:
        super().setUp()
        # The walk starts the same servers more often within a minute than any host would.
        drop_in = "/etc/systemd/system/left4me-server@.service.d"
        self.run_in("sh", "-c", f"mkdir -p {drop_in} && cat >{drop_in}/walk.conf && systemctl daemon-reload",
                    text_in="[Unit]\nStartLimitIntervalSec=0\n")  # fmt: skip
        self.apply(COMMUNITY)


def walking(calls: str):
    return lambda self: self.walk(calls)


for part in EFFECTS:
    first = part.split(",", maxsplit=1)[0]
    setattr(Killed, f"test_a_pass_killed_at_any_{first}_is_finished_by_the_next_one", walking(part))
