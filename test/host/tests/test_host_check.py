"""`l4d2ctl host check` on real hosts, healthy and broken."""

import json

from testhosts.case import COMMUNITY, MANIFESTS, STATE, HostTest

# A container has no network, and its kernel's settings and clock are the machine's.
OF_THE_CONTAINER = {"Cgroups", "NameServers", "FastOpen", "Clock", "DiskSpace", "Inodes", "Memory"}
# A host with an /etc/nftables.conf as in its manual.
NFT = """nft -f - <<'END'
table inet filter {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state vmap {{ established : accept, related : accept, invalid : drop }}
        iifname lo accept
        tcp dport 22 accept
        udp dport {} accept
    }}
}}
END
"""


class HostCheck(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY.replace("name: alpha}\nspec: {", "name: alpha}\nspec: {state: Stopped, "))
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0)

    def findings(self) -> list[tuple[str, str]]:
        done = self.ctl("host", "check", "-o", "json", expect=None)
        found = json.loads(done.stdout)["findings"]
        self.assertEqual(done.returncode, 1 if found else 0)
        self.assertTrue(all(one["problem"] and one["remedy"] for one in found))
        return [(one["check"], one["problem"]) for one in found if one["check"] not in OF_THE_CONTAINER]

    def test_nothing_is_wrong_with_a_host_on_which_left4me_was_just_installed(self):
        self.assertEqual(self.findings(), [])
        self.assert_converged()

    def test_what_was_broken_by_hand_is_found_and_its_remedy_mends_it(self):
        unit = "/etc/systemd/system/left4me-build@.service"
        for check, words, breaks, mends in (
            ("Users", "left4me is not in group systemd-journal", "gpasswd -d left4me systemd-journal", "systemd-sysusers"),
            ("Directories", f"{STATE}/overlays has mode 2777", f"chmod 0777 {STATE}/overlays", "systemd-tmpfiles --create"),
            ("Directories", f"{STATE}/instances does not belong", f"chown nobody {STATE}/instances", "systemd-tmpfiles --create"),
            ("Secrets", "rcon can be read by others", "install -m 644 -o left4me /dev/null /etc/left4me/secrets/rcon",
             "chmod 0400 /etc/left4me/secrets/rcon"),
            ("Units", "left4me-build@.service is masked", f"ln -s /dev/null {unit}", f"rm {unit}"),
            ("BusPolicy", "no policy", "mv /usr/share/dbus-1/system.d/org.left4me.Helper1.conf /root", "mv /root/org.left4me.* /usr/share/dbus-1/system.d/"),
            ("Daemon", "l4d2d does not run", "systemctl stop left4me", "systemctl start left4me"),
            ("Enablement", "neither", "systemctl disable left4me", "systemctl enable left4me"),
            ("Game", "not executable", f"chmod a-x {STATE}/installation/srcds_run", f"chmod +x {STATE}/installation/srcds_run"),
            ("Certificates", "no certificates", "mv /etc/ssl/certs/ca-certificates.crt /root", "mv /root/ca-certificates.crt /etc/ssl/certs/"),
            ("Ports", "port 27015 of server/alpha",
             "systemd-run --unit=other perl -MIO::Socket::INET -e "
             "'for (IO::Socket::INET->new(Proto => q(udp), LocalPort => 27015)) { sleep 600 }'", "systemctl stop other"),
            ("Firewall", "UDP ports 27016-27017 (chain input of table inet filter)", NFT.format("{ 27015 }"),
             "nft insert rule inet filter input udp dport { 27016-27017 } accept"),
        ):  # fmt: skip
            with self.subTest(words):
                self.run_in("sh", "-c", breaks)
                self.until(words, lambda: [(check, True)] == [(one, words in said) for one, said in self.findings()], 20)
                self.run_in("sh", "-c", mends)
                self.until("it is mended", lambda: self.findings() == [], 20)

    def test_host_init_mends_what_a_command_can_and_asks_before_it_changes_the_host_itself(self):
        before = self.lives("beta", "gamma")
        for breaks in (
            "gpasswd -d left4me left4me-operators", f"chmod 0777 {STATE}/overlays", f"chown nobody {STATE}/instances",
            "ln -s /dev/null /etc/systemd/system/left4me-build@.service", "systemctl disable --now left4me.service",
        ):  # fmt: skip
            self.run_in("sh", "-c", breaks)
        self.assertEqual(len(self.findings()), 5)
        said = self.ctl("host", "init", expect=None).stdout
        for mended in ("+ adduser left4me left4me-operators", "+ systemd-tmpfiles --create left4me.conf", "+ systemctl unmask", "+ systemctl enable --now"):
            self.assertIn(mended, said)
        self.until("nothing is left", lambda: self.findings() == [], 20)
        self.assertEqual(self.lives("beta", "gamma"), before)
        # Nobody is there to be asked, so the host itself stays as it is.
        self.run_in("mv", "/etc/ssl/certs/ca-certificates.crt", "/root")
        # Whether it is used, only the manifests say.
        self.run_in("chmod", "a-x", f"{STATE}/installation/srcds_run")
        asked = self.ctl("host", "init", expect=1)
        self.run_in("chmod", "a+x", f"{STATE}/installation/srcds_run")
        self.assertNotIn("Game:", asked.stdout)
        self.assertIn("Certificates: no", asked.stdout.replace("there are no certificates", "no"))
        self.assertNotIn("+ apt-get", asked.stdout)
        self.run_in("mv", "/root/ca-certificates.crt", "/etc/ssl/certs/")
        self.assertIn("only root can do that", self.run_in("runuser", "-u", "nobody", "--", "l4d2ctl", "host", "init", expect=5).stderr)

    def test_people_read_the_finding_and_its_remedy(self):
        self.run_in("chmod", "0777", f"{STATE}/overlays")
        done = self.ctl("host", "check", expect=1)
        self.assertIn(f"Directories: {STATE}/overlays has mode 2777 instead of 2750\n  systemd-tmpfiles --create left4me.conf\n", done.stdout)
