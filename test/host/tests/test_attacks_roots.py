"""Attacks of authors of manifests who want to read files that only left4me or root may read."""

import json

from testhosts.case import MANIFESTS, STATE, HostTest

ROOT = "/srv/left4dead2"


def overlay(directory: str) -> str:
    return f"apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: loot}}\nspec: {{source: {{directory: {directory}}}}}\n"


class Roots(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_in("sh", "-c", "umask 077; echo hunter2 >/etc/left4me/secrets/rcon; chown left4me /etc/left4me/secrets/rcon;"
                    " useradd -m alice; echo diary >/home/alice/diary; chmod 700 /home/alice; echo key >/root/key")  # fmt: skip

    def as_left4me(self, *command: str, expect: int | None = 0):
        return self.run_in("setpriv", "--reuid=left4me", "--regid=left4me", "--init-groups", *command, expect=expect)

    def test_a_manifest_cannot_name_a_directory_that_root_has_not_declared(self):
        for path in ("/etc/left4me/secrets", "/etc/left4me", "/var/log/journal", "/run/log/journal", "/proc/1", "/proc/self/root",
                     "/root", "/etc", "/home/alice", "/run/left4me", "/run", "/dev", "/sys", f"{STATE}/instances", f"{STATE}/state",
                     f"{STATE}/manifests.git", f"{STATE}/overlays/other/.build", "/srv", "/srv/left4dead2-x", "/"):  # fmt: skip
            with self.subTest(path):
                refused = self.run_in("l4d2ctl", "validate", "-f", "-", text_in=overlay(path), expect=3).stderr
                self.assertIn(path, refused)
                self.assertTrue(any(word in refused for word in ("overlayRoots", "belongs to left4me", "whole host")), refused)

    def test_nothing_beneath_a_declared_directory_leads_to_files_that_only_left4me_may_read(self):
        """Each is put into the source by somebody who may write there; bind mounts and devices by a careless root."""
        loot = f"{ROOT}/loot"
        tricks = {
            "a link to a secret": f"ln -s /etc/left4me/secrets/rcon {loot}/x",
            "a relative link out": f"ln -s ../../../etc/left4me/secrets/rcon {loot}/x",
            "a link through another link": f"mkdir {loot}/d; ln -s d/.. {loot}/up; ln -s up/../../../etc/shadow {loot}/x",
            "a link to a directory": f"ln -s {STATE}/instances {loot}/x",
            "a link to /proc": f"ln -s /proc/self/environ {loot}/x",
            "the source is a link": f"rmdir {loot}; ln -s /etc/left4me/secrets {loot}",
            "a bind mount of secrets": f"mkdir {loot}/x; mount --bind /etc/left4me/secrets {loot}/x",
            "a bind mount of a file": f"touch {loot}/x; mount --bind /etc/left4me/secrets/rcon {loot}/x",
            "the source is a mount": f"mount --bind /etc/left4me/secrets {loot}",
            "a hard link to a secret": f"ln /etc/left4me/secrets/rcon {loot}/x",
            "a hard link to /etc/shadow": f"ln /etc/shadow {loot}/x",
            "a hard link to state": f"echo s >{STATE}/state/s; chmod 600 {STATE}/state/s; ln {STATE}/state/s {loot}/x",
            "a disk": f"mknod {loot}/x b 7 0",
            "a terminal": f"mknod {loot}/x c 5 0",
            "a FIFO": f"mkfifo {loot}/x",
            "/proc mounted": f"mkdir {loot}/x; mount -t proc proc {loot}/x",
        }
        self.write(f"{MANIFESTS}/loot.yaml", overlay(loot))
        for trick, commands in tricks.items():
            with self.subTest(trick):
                self.run_in("sh", "-c", f"rm -rf {loot}; mkdir -p {loot}; echo plain >{loot}/plain; test '{trick}' != 'the source is a link'"
                            f" || rm {loot}/plain; {commands}", expect=None if "hard link" in trick else 0)  # fmt: skip
                if "hard link" in trick and self.run_in("test", "-e", f"{loot}/x", expect=None).returncode != 0:
                    continue  # another file system: the kernel refuses
                said = self.run_in("l4d2ctl", "reconcile", expect=None)
                diff = self.run_in("l4d2ctl", "diff", expect=None).stdout
                self.assertIn("overlay/loot", diff, said.stdout + said.stderr)
                self.assertIn(loot, diff)
                # No artifact; and in what a build has copied until it met the trick, nothing that is secret.
                overlays = f"{STATE}/overlays/loot"
                self.assertEqual(self.run_in("find", overlays, "-name", ".build", "-prune", "-o", "-type", "f", "-print", expect=None).stdout, "")
                self.assertEqual(self.run_in("grep", "-rlE", "hunter2|^root:|LANG=", overlays, expect=None).stdout, "")
                self.run_in("sh", "-c", f"umount {loot}/x {loot} 2>/dev/null; rm -rf {loot}", expect=None)

    def test_the_build_unit_cannot_read_files_that_it_does_not_need(self):
        """Whatever the request says: the sandbox holds even if left4me-build fails."""
        self.run_in("mkdir", "-p", f"{STATE}/overlays/other/.build/tree")
        self.write(f"{STATE}/overlays/other/.build/tree/loot", "staging")
        places = ["/etc/left4me/secrets", "/etc/left4me", f"{STATE}/overlays/other", f"{STATE}/overlays/other/.build", f"{STATE}/instances",
                  f"{STATE}/state", f"{STATE}/manifests.git", "/var/log/journal", "/var/log", "/run/log", "/run/left4me", "/root",
                  "/home/alice", "/proc/1/fd", "/run/dbus"]  # fmt: skip
        for number, place in enumerate(places):
            name = f"loot{number}"
            with self.subTest(place):
                directory = f"{STATE}/overlays/{name}/.build"
                self.as_left4me("mkdir", "-p", directory)
                self.write(f"{directory}/request", json.dumps({"directory": {"path": place, "root": place}}))
                self.as_left4me("busctl", "call", "org.left4me.Helper1", "/org/left4me/Helper1", "org.left4me.Helper1", "StartBuild", "as",
                                "1", name)  # fmt: skip
                unit = f"left4me-build@{name}.service"
                # Before it begins, it is inactive too.
                self.until("it has ended", lambda unit=unit, record=f"{directory}/record": self.exists(record) and self.run_in(
                    "systemctl", "is-active", unit, expect=None).stdout.strip() in ("failed", "inactive"))  # fmt: skip
                record = json.loads(self.run_in("cat", f"{directory}/record").stdout)
                self.assertEqual(record.get("failure", {}).get("reason"), "SourceUnavailable", record)
                self.assertNotIn("artifact", record)

    def test_the_daemon_is_closed_to_other_processes_of_its_user(self):
        """Builds run as left4me, too."""
        self.run_in("systemctl", "start", "left4me.service")
        pid = self.run_in("systemctl", "show", "-P", "MainPID", "left4me.service").stdout.strip()
        for look in (f"ls /proc/{pid}/root/etc/left4me/", f"ls /proc/{pid}/fd/", f"cat /proc/{pid}/environ", f"cat /proc/{pid}/maps"):
            with self.subTest(look):
                self.assertNotEqual(self.run_in(*look.split()).stdout, "")
                self.assertEqual(self.as_left4me(*look.split(), expect=None).stdout, "")

    def test_the_build_unit_has_no_capabilities_and_no_bus(self):
        shown = self.run_in("systemctl", "show", "left4me-build@x.service", "-p", "RestrictAddressFamilies", "-p", "CapabilityBoundingSet",
                            "-p", "NoNewPrivileges", "-p", "MemoryMax", "-p", "TasksMax").stdout  # fmt: skip
        families = "RestrictAddressFamilies=AF_INET AF_INET6"  # a directory is built without even these: build_test.cpp
        for line in (families, "CapabilityBoundingSet=", "NoNewPrivileges=yes", "MemoryMax=536870912", "TasksMax=16"):
            self.assertIn(line, shown.splitlines())
