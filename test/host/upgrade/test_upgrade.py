"""An upgrade from an earlier version under running servers, and back. The host is booted with the earlier build, LEFT4ME_EARLIER,
and upgraded to what LEFT4ME_UPGRADE names as the README says."""

import json
import os
import subprocess
import time

from testhosts import packages
from testhosts.case import COMMUNITY, SERVERS, STATE, HostTest, server

MORE = {f"s{number:02}": 27100 + number for number in range(47)}
MANIFESTS = COMMUNITY + "".join(server(name, port, "plain" if port % 3 else "modded") for name, port in MORE.items())
PORTS = SERVERS | MORE


def as_known(new, old):
    """What is new, with the fields that the earlier version knows."""
    if isinstance(old, list):
        return [as_known(one, other) for one, other in zip(new, old)]
    if isinstance(old, dict):
        return {key: as_known(new.get(key), value) for key, value in old.items()}
    return new


class Upgrade(HostTest):
    """Fifty servers, some with overlays of both kinds, whose manifests are in a directory or in a repository."""

    def install(self, build: str) -> None:
        """"Pull, repeat all steps from `cmake --build` on, and end with `systemctl restart left4me`.\""""
        packed = subprocess.run(["tar", "-C", os.environ[build], "--exclude=etc/left4me", "-cf", "-", "."],
                                capture_output=True, check=True)  # fmt: skip
        # Like cmake --install, tar replaces a file by a new one.
        subprocess.run([*self.host.entry(), "tar", "-C", "/", "--no-same-owner", "--no-overwrite-dir", "-xf", "-"],
                       input=packed.stdout, cwd="/", check=True)  # fmt: skip
        install = packages.install_block()
        self.run_in("sh", "-ec", install[install.index("systemd-sysusers") :] + "systemctl restart left4me\n")

    def artifacts(self) -> str:
        """Every directory and file of the overlays' artifacts, as it lies on the disk. What is told of one in
        DIGEST.json, beside it, is newer than version 0.1."""
        listed = f"find {STATE}/overlays -mindepth 2 -not -path '*/.build*' -not -regex '.*/overlays/[^/]*/[0-9a-f]*[.]json'"
        return self.run_in("sh", "-c", f"{listed} -printf '%i %T@ %p\n' | sort").stdout

    def told(self) -> list[dict]:
        return [json.loads(line) for line in self.ctl("events", "-n", "0", "-o", "json").stdout.splitlines()]

    def history(self) -> list[dict]:
        """The oldest first."""
        return json.loads(self.ctl("history", "-o", "json").stdout)["items"][::-1]

    def state_file(self) -> dict:
        return json.loads(self.run_in("cat", f"{STATE}/state/status.json").stdout)

    def up_since(self, name: str) -> float:
        return int(self.properties(name)["ActiveEnterTimestampMonotonic"]) / 1e6

    def agree(self) -> bool:
        shown = self.run_in("systemctl", "show", "-P", "StatusText", "left4me.service").stdout
        return f"{len(PORTS)} agree, 0 differ" in shown

    def servers_do_not_notice(self) -> None:
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        self.apply(MANIFESTS)
        self.ctl("stop", "gamma")
        self.ctl("start", "gamma")
        for name, port in PORTS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port))
        self.until("the earlier l4d2d agrees", self.agree)
        self.until("gamma, the youngest, counts as Ready", lambda: time.monotonic() - self.up_since("gamma") > 6)
        lives, artifacts, told, history, state = (
            self.lives(*PORTS), self.artifacts(), self.told(), self.history(), self.state_file())  # fmt: skip
        self.assertIn(f"{STATE}/overlays/maps/", artifacts)
        self.assertTrue(told and history, "there is something to keep")

        self.install("LEFT4ME_UPGRADE")
        self.until("the new l4d2d agrees", self.agree)
        self.until("it has looked at the directory", lambda: self.told()[-1]["reason"] == "Built")
        self.until("and agrees", self.agree)
        self.assert_converged()
        self.assertEqual(self.lives(*PORTS), lives)
        self.assertEqual(self.artifacts(), artifacts)
        new = self.told()
        self.assertEqual(as_known(new[: len(told)], told), told)
        # A directory is read once, since its builds have a record now.
        done = [(one["subject"], one["reason"]) for one in new[len(told) :]]
        self.assertEqual(done, [("overlay/maps", "BuildStarted"), ("overlay/maps", "Built")])
        self.assertEqual(as_known(self.history()[: len(history)], history), history)
        self.assert_kept(state, self.state_file())
        self.assertEqual(self.lives(*PORTS), lives)

        self.ctl("stop", "alpha")
        self.assert_gone("alpha")
        self.ctl("start", "alpha")
        for name, port in PORTS.items():
            self.assert_running(name, port)
        del lives["alpha"]
        self.assertEqual(self.lives(*lives), lives)
        self.assert_converged()

        # And back: the earlier version reads what the new one wrote.
        lives, told, history = self.lives(*PORTS), self.told(), self.history()
        self.install("LEFT4ME_EARLIER")
        self.until("the earlier l4d2d agrees again", self.agree)
        self.assertEqual(self.lives(*PORTS), lives)
        self.assertEqual([one["reason"] for one in self.told()[: len(told)]], [one["reason"] for one in told])
        self.assertEqual([one["revision"] for one in self.history()[: len(history)]], [one["revision"] for one in history])
        self.assert_converged()

    def assert_kept(self, old: dict, new: dict) -> None:
        self.assertEqual(new["lastAppliedRevision"], old["lastAppliedRevision"])
        for name, before in old["servers"].items():
            after = as_known(new["servers"][name], before)
            now, then = after.pop("conditions"), before.pop("conditions")
            self.assertEqual(after, before, name)
            # Words change, and while the directory was read, its servers were Reconciling.
            self.assertEqual(*([(one["type"], one["status"], one["reason"]) for one in each] for each in (now, then)), name)
            self.assertEqual(now[0]["lastTransitionTime"], then[0]["lastTransitionTime"], f"{name} is Ready since")

    def test_fifty_servers_of_a_directory_do_not_notice_an_upgrade_nor_the_way_back(self):
        self.servers_do_not_notice()

    def test_fifty_servers_of_a_repository_do_not_notice_an_upgrade_nor_the_way_back(self):
        self.write("/etc/left4me/config.yaml", "source:\n  git: {}\n")
        self.ctl("init-repo")
        self.servers_do_not_notice()
