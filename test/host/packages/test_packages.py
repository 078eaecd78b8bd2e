"""The Debian packages that ./package built, on a host that has what they depend on and nothing of left4me."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from testhosts import guide, staging
from testhosts.case import COMMUNITY, MANIFESTS, SERVERS, STATE, HostTest, server, unit_of
from testhosts.machine import STAND_IN, Host

RELEASE = os.environ.get("LEFT4ME_RELEASE", "")
# An overlay whose build runs until it is told to end.
SLOW = """---
apiVersion: left4me/v1
kind: Overlay
metadata: {name: slow}
spec: {source: {script: {run: "echo it runs; sleep 600"}}}
"""
# Where packages and left4me may leave something; without what other packages and systemd write meanwhile.
PLACES = "/etc /usr /var/lib /run/left4me /lib/systemd"
NOT_OURS = ("/var/lib/dpkg", "/var/lib/apt", "/var/lib/systemd", "/var/lib/left4me", "/etc/machine-id", "/etc/ld.so.cache")
USERS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")


def with_version(package: Path, version: str, target: Path) -> Path:
    """The same package, as if it had been built later or earlier."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
        control = tree / "DEBIAN/control"
        old = next(line.split()[1] for line in control.read_text().splitlines() if line.startswith("Version: "))
        control.write_text(control.read_text().replace(old, version))
        made = target / f"{package.name.split('_')[0]}_{version}_amd64.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, made], check=True, stdout=subprocess.DEVNULL)
        return made


class Packages(guide.Reader, HostTest):
    """The packages are in /root/now; the same with the versions 9 and 0 in /root/later and /root/earlier."""

    def setUp(self) -> None:
        self.host = Host.create(RELEASE, owned=True)
        self.addCleanup(self.host.destroy)
        upper = self.host.storage / "upper"
        stage = Path(os.environ["LEFT4ME_STAGE"])
        shutil.copytree(stage / "usr/libexec/left4me-tests", upper / "usr/libexec/left4me-tests", symlinks=True)
        for name, version in (("now", ""), ("later", "9"), ("earlier", "0")):
            (upper / "root" / name).mkdir(parents=True)
            for package in staging.packages(RELEASE):
                if version:
                    with_version(package, version, upper / "root" / name)
                else:
                    shutil.copy(package, upper / "root" / name)
        self.host.boot()
        self.write("/srv/left4dead2/maps/left4dead2/addons/dark.vpk", "a map")

    # -- doing --------------------------------------------------------------------------------------------------

    def apt(self, *words: str) -> str:
        done = self.run_in("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--no-install-recommends", *words, expect=None)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        for word in ("Failed to", "failed", "error:", "rror: ", "not found"):
            self.assertNotIn(word, said)
        return said

    def install(self, which: str = "now", *more: str) -> str:
        names = self.run_in("sh", "-c", f"ls /root/{which}/*.deb").stdout.split()
        return self.apt("install", "--allow-downgrades", *more, *names)

    def with_servers(self) -> None:
        self.install()
        self.run_in("cp", "-r", f"/{STAND_IN}/.", f"{STATE}/installation/")
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY)
        self.servers_are_up()

    # -- seeing -------------------------------------------------------------------------------------------------

    def servers_are_up(self) -> None:
        for name, port in SERVERS.items():
            self.until(f"{name} answers", lambda port=port: self.a2s(port), 60)
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0)

    def unit(self, name: str, key: str) -> str:
        return self.run_in("systemctl", "show", "-P", key, name).stdout.strip()

    def active(self, name: str) -> bool:
        return self.unit(name, "ActiveState") in ("active", "activating")

    def files(self) -> dict[str, str]:
        """Every file of the host that a package may have changed, with its content's sum."""
        found = f"find {PLACES} -xdev -not -type d -printf '%p %l %s %T@\\n' 2>/dev/null | sort"
        lines = self.run_in("sh", "-c", found).stdout.splitlines()
        listed = dict(line.split(" ", 1) for line in lines)
        return {name: what for name, what in listed.items() if not name.startswith(NOT_OURS) and name not in USERS}

    def assert_no_unit(self) -> None:
        left = self.run_in("systemctl", "list-units", "--all", "--no-legend", "--plain", "left4me*").stdout
        left = "".join(line for line in left.splitlines(keepends=True) if "not-found" not in line and ".slice" not in line)
        self.assertEqual(left, "")
        self.assertEqual(self.run_in("find", "/etc/systemd/system", "-name", "left4me-*").stdout, "")
        self.assertEqual(self.run_in("pgrep", "-fa", "left4me|l4d2|srcds", expect=None).stdout, "")
        self.assertNotIn(STATE + "/runtime", self.run_in("cat", "/proc/1/mountinfo").stdout)

    def assert_nobody_noticed(self, change) -> None:
        """`change` replaces the packages: servers and builds go on, and what looks after them is new."""
        more = {f"more{number:02}": 28000 + number for number in range(50 - len(SERVERS))}
        self.write(f"{MANIFESTS}/more.yaml", "".join(server(name, port) for name, port in more.items()))
        self.until("fifty servers run", lambda: all(self.active(unit_of(name)) for name in more), 120)
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0, 120)
        self.write(f"{MANIFESTS}/slow.yaml", SLOW + server("waits", 27030).replace("blueprint: plain", "blueprint: slowed")
                   + "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: slowed}\nspec: {overlays: [slow]}\n")  # fmt: skip
        builds = ("left4me-build@slow.service", "left4me-script@slow.service")
        self.until("the script runs", lambda: all(self.active(name) for name in builds))
        self.ctl("diff", expect=None)
        before, running = self.lives(*SERVERS, *more), [self.unit(name, "InvocationID") for name in builds]
        daemon, probe = (self.unit(name, "MainPID") for name in ("left4me.service", "left4me-probe.service"))
        change()
        self.assertEqual(self.lives(*SERVERS, *more), before)
        self.assertEqual([self.unit(name, "InvocationID") for name in builds], running)
        self.assertNotEqual(self.unit("left4me.service", "MainPID"), daemon)
        self.assertNotEqual(self.unit("left4me-probe.service", "MainPID"), probe)
        self.run_in("systemctl", "stop", unit_of("beta"))
        self.until("the new daemon starts beta again", lambda: self.a2s(SERVERS["beta"]))
        self.assertTrue(all(self.active(name) for name in builds))
        del before["beta"]
        self.assertEqual(self.lives(*before), before)

    def version(self) -> str:
        return self.run_in("dpkg-query", "-W", "-f", "${Version}", "left4me").stdout

    # -- tests --------------------------------------------------------------------------------------------------

    def test_the_packages_are_installed_on_a_host_without_left4me(self):
        self.with_servers()
        self.assertEqual(self.run_in("systemctl", "is-enabled", "left4me.service").stdout, "enabled\n")
        self.assertEqual(self.run_in("systemctl", "--failed", "--no-legend", "--plain").stdout, "")
        # dpkg leaves pages out of test hosts.
        wrong = self.run_in("sh", "-c", "dpkg --verify left4me left4me-cli | grep -v ' /usr/share/\\(doc\\|man\\)/'", expect=None).stdout
        self.assertEqual(wrong, "")
        self.host.reboot()
        self.servers_are_up()

    def test_the_command_line_alone_checks_manifests(self):
        self.apt("install", *self.run_in("sh", "-c", "ls /root/now/left4me-cli_*.deb").stdout.split())
        self.ctl("validate", "-f", "-", text_in=COMMUNITY)
        self.assertFalse(self.exists("/usr/sbin/l4d2d"))
        self.assertEqual(self.run_in("getent", "passwd", "left4me", expect=None).stdout, "")
        self.apt("purge", "left4me-cli")

    def test_servers_and_builds_do_not_notice_an_upgrade(self):
        self.with_servers()
        self.assert_nobody_noticed(lambda: self.install("later"))
        self.assertEqual(self.version(), "9")

    def test_servers_and_builds_do_not_notice_a_downgrade(self):
        self.with_servers()
        self.assert_nobody_noticed(lambda: self.install("earlier"))
        self.assertEqual(self.version(), "0")

    def test_an_upgrade_starts_nothing_that_somebody_has_stopped(self):
        self.with_servers()
        before = self.lives(*SERVERS)
        self.run_in("systemctl", "disable", "--now", "left4me.service")
        self.run_in("systemctl", "enable", "--now", "left4me-reconcile.timer")
        self.install("later")
        self.assertEqual(self.unit("left4me.service", "ActiveState"), "inactive")
        self.assertEqual(self.unit("left4me-reconcile.timer", "ActiveState"), "active")
        self.assertEqual(self.run_in("systemctl", "is-enabled", "left4me.service", expect=None).stdout, "disabled\n")
        self.assertEqual(self.lives(*SERVERS), before)
        self.run_in("systemctl", "disable", "--now", "left4me-reconcile.timer")
        self.run_in("systemctl", "enable", "left4me.service")
        self.install("now")
        self.assertEqual(self.unit("left4me.service", "ActiveState"), "inactive")
        self.assertEqual(self.lives(*SERVERS), before)

    def test_a_removal_stops_the_servers_and_an_installation_takes_them_up_again(self):
        self.with_servers()
        self.write(f"{MANIFESTS}/slow.yaml", SLOW + server("waits", 27030).replace("blueprint: plain", "blueprint: slowed")
                   + "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: slowed}\nspec: {overlays: [slow]}\n")  # fmt: skip
        self.until("the script runs", lambda: self.active("left4me-script@slow.service"))
        stopped = "left4me-server@alpha.service: Deactivated successfully"
        self.apt("remove", "left4me")
        self.assert_no_unit()
        self.assertIn(stopped, self.run_in("journalctl", "-u", unit_of("alpha"), "--no-pager").stdout)
        self.assertTrue(self.exists(f"{MANIFESTS}/community.yaml") and self.exists(f"{STATE}/state/status.json"))
        self.run_in("rm", f"{MANIFESTS}/slow.yaml")
        self.install()
        self.servers_are_up()

    def test_a_purge_leaves_nothing_but_what_it_names(self):
        before = self.files()
        self.with_servers()
        bans = "left4dead2/cfg/banned_user.cfg"
        self.write(f"{STATE}/runtime/alpha/merged/{bans}", "banid 0 STEAM_1:0:1\n")
        said = self.apt("purge", "left4me", "left4me-cli")
        self.assert_no_unit()
        self.assertEqual(self.files(), before | {name: what for name, what in self.files().items() if name.startswith(f"{MANIFESTS}/")})
        kept = next(line for line in said.splitlines() if line.startswith("left4me: kept")).split(":")[2].split()
        self.assertEqual(kept, [MANIFESTS, f"{STATE}/installation", f"{STATE}/runtime"])
        self.assertEqual(self.run_in("sh", "-c", f"ls -d /etc/left4me/* {STATE}/*").stdout.split(), kept)
        self.assertEqual(self.run_in("sh", "-c", f"cd {STATE}/runtime && ls -d */*").stdout.split(), [f"{name}/{part}" for name in SERVERS for part in ("rendering", "upper")])
        self.assertEqual(self.run_in("cat", f"{STATE}/runtime/alpha/upper/{bans}").stdout, "banid 0 STEAM_1:0:1\n")
        # Whose files they are must stay true.
        self.assertIn("left4me-server:", self.run_in("getent", "passwd", "left4me-server").stdout)
        self.assertIn(f"rm -rf --one-file-system /etc/left4me {STATE}", said)

        self.install()
        self.servers_are_up()
        self.assertEqual(self.run_in("cat", f"{STATE}/runtime/alpha/merged/{bans}").stdout, "banid 0 STEAM_1:0:1\n")

    def test_a_purge_of_an_unused_installation_leaves_nothing(self):
        before = self.files()
        self.install()
        self.until("l4d2d runs", lambda: self.active("left4me.service"))
        self.apt("purge", "left4me")
        self.assertEqual(self.run_in("sh", "-c", f"ls -d /etc/left4me /run/left4me {STATE}/*", expect=None).stdout, "")
        self.apt("purge", "left4me-cli")
        self.assertEqual(self.files(), before)

    def test_a_purge_removes_nothing_through_an_overlay_that_is_still_in_use(self):
        self.with_servers()
        self.apt("remove", "left4me")
        merged = f"{STATE}/runtime/alpha/merged"
        self.run_in("mount", "-t", "tmpfs", "in-use", merged)
        self.run_in("sh", "-c", f"echo precious >{merged}/file")
        self.run_in("systemd-run", "--unit=user-of-it", f"--property=WorkingDirectory={merged}", "sleep", "600")
        done = self.run_in("apt-get", "-y", "purge", "left4me", expect=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{merged} is still in use", done.stdout + done.stderr)
        self.assertEqual(self.run_in("cat", f"{merged}/file").stdout, "precious\n")
        self.assertTrue(self.exists(f"{STATE}/state/status.json"))
        self.run_in("systemctl", "stop", "user-of-it")
        self.apt("purge", "left4me")
        self.assertFalse(self.exists(f"{STATE}/state"))

    def test_left4me_is_uninstalled_as_the_page_says(self):
        before = self.files()
        self.install()
        self.run_in("cp", "-r", f"/{STAND_IN}/.", f"{STATE}/installation/")
        self.write(f"{MANIFESTS}/coop.yaml", "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\nspec: {}\n" + server("coop1", 27015, "coop"))
        self.until("coop1 answers", lambda: self.a2s(27015), 60)
        self.follow("tasks/uninstall.md")
        self.assert_no_unit()
        self.assertEqual(self.files(), before)
