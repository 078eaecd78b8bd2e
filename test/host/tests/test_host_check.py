"""`l4d2ctl host check` on real hosts, healthy and broken."""

import json
from dataclasses import dataclass
from pathlib import Path

from testhosts.case import COMMUNITY, MANIFESTS, STATE, HostTest, server

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
# A container has no network, and its kernel's settings and clock are the machine's, as are its disk and its memory.
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
UNITS = "/usr/lib/systemd/system"
BUILD = "left4me-build@.service"
BUS = "/usr/share/dbus-1"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
INSTALLATION = f"{STATE}/installation"
MORE = f"{MANIFESTS}/more.yaml"
# Where a copy of the state is put, to be mounted in its place.
COPY = f"mkdir /run/copy && mount -t tmpfs -o mode=755,{{}} copy /run/copy && cp -ax {STATE} /run/copy/low && mkdir /run/copy/up /run/copy/work"
OVER = f"{COPY} && mount --bind /run/copy/low {STATE}"
BACK = f"umount {STATE} && umount /run/copy && rmdir /run/copy"
ARCHIVE = """apiVersion: left4me/v1
kind: Overlay
metadata: {name: far}
spec: {source: {archive: {url: "https://files.example.org/a.tar", sha256: %s}}}
""" % ("0" * 64)
INSTALLED = "apiVersion: left4me/v1\nkind: Installation\nmetadata: {name: stable}\nspec: {}\n"
MANY = "".join(server(f"many{number}", 30000 + number) for number in range(1000))


def put(path: str, text: str) -> str:
    return f"cat >{path} <<'END'\n{text}\nEND\n"


@dataclass(frozen=True)
class Fault:
    """How a host is broken; `mends`: what mends it, if `host init` does not. `asks`: init asks first. `asleep`: l4d2d sleeps
    meanwhile, for it would act on what is broken."""

    check: str
    words: str
    breaks: str
    mends: str = ""
    asks: bool = False
    asleep: bool = False
    after: str = ""


FAULTS = (
    Fault("Users", "left4me is not in group systemd-journal", "gpasswd -d left4me systemd-journal"),
    Fault("Users", "left4me is not in group left4me-operators", "gpasswd -d left4me left4me-operators"),
    Fault("Users", "there is no group left4me-operators", "groupdel left4me-operators", after="systemd-tmpfiles --create left4me.conf"),
    Fault("Users", "there is no user left4me-probe", "systemctl stop left4me-probe && userdel left4me-probe", after="systemctl start left4me-probe"),
    Fault("Directories", f"{STATE}/overlays has mode 2777", f"chmod 0777 {STATE}/overlays"),
    Fault("Directories", f"{STATE}/instances does not belong to left4me", f"chown nobody {STATE}/instances"),
    Fault("Directories", f"{STATE}/runtime does not belong to root", f"chown left4me {STATE}/runtime"),
    Fault("Directories", "/run/left4me/daemon has mode 2777 instead of 2755", "chmod 2777 /run/left4me/daemon"),
    Fault("Directories", "/run/left4me/turns is not there", "rm -r /run/left4me/turns"),
    Fault("Directories", "/run/left4me/turns does not belong to left4me-server", "chown root /run/left4me/turns"),
    Fault("Directories", "/run/left4me/turns has mode 0755 instead of 0700", "chmod 0755 /run/left4me/turns"),
    Fault("Secrets", "rcon can be read by others", "install -m 644 -o left4me /dev/null /etc/left4me/secrets/rcon", "chmod 0400 /etc/left4me/secrets/rcon"),
    Fault("Units", f"{BUILD} is masked", f"ln -s /dev/null /etc/systemd/system/{BUILD}"),
    Fault("Units", f"{BUILD} is masked until the next boot", f"systemctl mask --runtime {BUILD}"),
    Fault("Units", f"the unit {BUILD} is not installed", f"mv {UNITS}/{BUILD} /root", f"mv /root/{BUILD} {UNITS}"),
    Fault("Units", "changes the sandbox of left4me-build@.service: ProtectSystem=",
          f"mkdir /run/systemd/system/{BUILD}.d && echo ' ProtectSystem = no' >/run/systemd/system/{BUILD}.d/mine.conf",
          f"rm /run/systemd/system/{BUILD}.d/mine.conf && systemctl daemon-reload"),
    Fault("BusPolicy", "no policy", f"mv {BUS}/system.d/org.left4me.Helper1.conf /root", f"mv /root/org.left4me.Helper1.conf {BUS}/system.d/"),
    Fault("BusPolicy", "cannot start left4me-helper", f"mv {BUS}/system-services/org.left4me.Helper1.service /root",
          f"mv /root/org.left4me.Helper1.service {BUS}/system-services/"),
    Fault("FastOpen", "tcp_fastopen is not 0", "echo 1 >/proc/sys/net/ipv4/tcp_fastopen", asks=True),
    Fault("Daemon", "l4d2d does not run", "systemctl stop left4me", "systemctl start left4me"),
    Fault("Enablement", "nothing looks after the servers", "systemctl disable --now left4me"),
    Fault("Game", "the game is not installed", f"mv {INSTALLATION}/srcds_run /root", f"mv /root/srcds_run {INSTALLATION}/", asleep=True),
    Fault("Game", "is not executable", f"chmod a-x {INSTALLATION}/srcds_run", f"chmod +x {INSTALLATION}/srcds_run", asleep=True),
    Fault("Game", "there is no steamcmd at /usr/games/steamcmd", put(MORE, INSTALLED), f"rm {MORE}", asleep=True),
    Fault("Game", "is run by /nowhere/sh, which is not there",
          put(MORE, INSTALLED) + "mkdir -p /usr/games; install -m 755 /dev/null /usr/games/steamcmd; echo '#!/nowhere/sh' >/usr/games/steamcmd",
          f"rm {MORE} /usr/games/steamcmd", asleep=True),
    Fault("Game", "is not a program that user left4me may run",
          put(MORE, INSTALLED) + "mkdir -p /usr/games; install -m 700 /dev/null /usr/games/steamcmd", f"rm {MORE} /usr/games/steamcmd", asleep=True),
    Fault("Libraries", "there is no 32-bit libz.so.1", "mv /usr/lib32/libz.so.1 /root", "mv /root/libz.so.1 /usr/lib32/"),
    Fault("Certificates", "there are no certificates", f"rm {CERTIFICATES}", asks=True),
    Fault("NameServers", "names no server", "sed -i s/^nameserver/#nameserver/ /etc/resolv.conf", "sed -i s/^#nameserver/nameserver/ /etc/resolv.conf"),
    Fault("NameServers", "DNS does not know files.example.org", put(MORE, ARCHIVE) + "systemctl stop dns", "systemctl start dns", asleep=True, after=f"rm {MORE}"),
    Fault("NameServers", "DNS does not know files.example.org",
          put(MORE, ARCHIVE) + "systemctl kill -s STOP dns", "systemctl kill -s CONT dns", asleep=True, after=f"rm {MORE}"),
    Fault("Git", "git is not installed", put("/etc/left4me/config.yaml", "source: {git: {branch: main}}") + "mv /usr/bin/git /root",
          "mv /root/git /usr/bin/", after="rm /etc/left4me/config.yaml"),
    Fault("Ports", "port 27015 of server/alpha",
          "systemd-run --unit=other perl -MIO::Socket::INET -e "
          "'for (IO::Socket::INET->new(Proto => q(udp), LocalPort => 27015)) { sleep 600 }'", "systemctl stop other"),
    Fault("Firewall", "UDP ports 27016-27017 (chain input of table inet filter)", NFT.format("{ 27015 }"),
          "nft insert rule inet filter input udp dport { 27016-27017 } accept", after="nft flush ruleset"),
    Fault("FileSystem", "is mounted noexec", f"mount --bind {STATE} {STATE} && mount -o remount,bind,noexec {STATE}", f"umount {STATE}", asleep=True),
    Fault("FileSystem", "is on an overlay", f"{COPY.format('size=8G')} && "
          f"mount -t overlay over -o lowerdir=/run/copy/low,upperdir=/run/copy/up,workdir=/run/copy/work {STATE}", BACK, asleep=True),
    Fault("DiskSpace", "MiB left", OVER.format("size=1000M"), BACK, asleep=True),
    Fault("Inodes", "more files", OVER.format("size=8G,nr_inodes=60000"), BACK, asleep=True),
    Fault("Memory", "MiB of memory are too little", put(MORE, MANY), f"rm {MORE}", asleep=True),
)  # fmt: skip


class HostCheck(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write(f"{MANIFESTS}/community.yaml", COMMUNITY.replace("name: alpha}\nspec: {", "name: alpha}\nspec: {state: Stopped, "))
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0)

    def told(self, kind: str = "findings") -> list[dict[str, str]]:
        done = self.ctl("host", "check", "-o", "json", expect=None)
        found = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if found["findings"] else 0)
        self.assertTrue(all(one["problem"] and one["remedy"] for one in found[kind]))
        return found[kind]

    def findings(self) -> list[tuple[str, str]]:
        return [(one["check"], one["problem"]) for one in self.told() if one["check"] not in OF_THE_CONTAINER]

    def answer(self, word: str) -> str:
        """What host init prints to somebody who answers its questions so."""
        return self.run_in("script", "-qec", "l4d2ctl host init", "/dev/null", text_in=f"{word}\n" * 4, expect=None).stdout

    def test_nothing_is_wrong_with_a_host_on_which_left4me_was_just_installed(self):
        self.assertEqual(self.findings(), [])
        self.assert_converged()

    def test_each_of_many_faults_of_a_host_is_named_alone_and_mended_by_its_remedy(self):
        # A host that is fit for all that is asked of it: with a name server, and for a game of 32 bits.
        self.write("/srv/dns.pl", (ATTACKS / "changing_dns.pl").read_text(encoding="utf-8"))
        self.write("/run/systemd/system/dns.service", "[Service]\nExecStart=perl /srv/dns.pl 203.0.113.5 203.0.113.5\n")
        self.run_in("sh", "-c", "systemctl daemon-reload && systemctl start dns && echo 'nameserver 127.0.0.1' >/etc/resolv.conf && "
                    "echo 0 >/proc/sys/net/ipv4/tcp_fastopen && mkdir -p /usr/lib32 && "
                    "touch /usr/lib/ld-linux.so.2 /usr/lib32/libgcc_s.so.1 /usr/lib32/libstdc++.so.6 /usr/lib32/libz.so.1 && "
                    f"printf '\\177ELF\\001' >{INSTALLATION}/srcds_linux && chown left4me: {INSTALLATION}/srcds_linux")  # fmt: skip
        before = self.lives("beta", "gamma")
        usual = {one["check"] for one in self.told()}
        self.assertLessEqual(usual, OF_THE_CONTAINER)
        tried = [fault for fault in FAULTS if fault.check not in usual]
        self.assertGreaterEqual(len(tried), 30)
        for fault in tried:
            with self.subTest(fault.words):
                self.try_fault(fault, usual)
        self.assertEqual(self.lives("beta", "gamma"), before)
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0)

    def try_fault(self, fault: Fault, usual: set[str]) -> None:
        def unusual() -> list[tuple[str, str]]:
            return [(one["check"], one["problem"]) for one in self.told() if one["check"] not in usual]

        daemon = self.run_in("systemctl", "show", "-P", "MainPID", "left4me.service").stdout.strip()
        if fault.asleep:
            self.run_in("kill", "-STOP", daemon)
        self.run_in("sh", "-c", fault.breaks)
        alone = [(fault.check, True)]
        self.until(f"{fault.words} is named, and nothing else",
                   lambda: [(check, fault.words in said) for check, said in unusual()] == alone, 20)  # fmt: skip
        if fault.mends:
            self.run_in("sh", "-c", fault.mends)
        elif fault.asks:
            self.assertIn("This changes the host outside of left4me", self.answer("n"))
            self.assertEqual([check for check, _ in unusual()], [fault.check])
            self.assertIn("+ ", self.answer("yes"))
        else:
            self.assertIn("+ ", self.ctl("host", "init", "--yes", expect=None).stdout)
        self.until(f"it is mended: {fault.words}", lambda: unusual() == [], 20)
        if fault.after:
            self.run_in("sh", "-c", fault.after)
        if fault.asleep:
            self.run_in("kill", "-CONT", daemon)
        self.until("all is well", lambda: unusual() == [], 20)

    def test_a_host_whose_kernel_permits_no_bpf_gets_a_note_and_nothing_is_wrong(self):
        notes = self.told("notes")
        self.assertEqual([one["check"] for one in notes], ["AddressFilter"])
        self.assertRegex(self.ctl("host", "check", expect=None).stdout, r"(?m)^note: AddressFilter: IPAddressDeny= .* is not in force")

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
