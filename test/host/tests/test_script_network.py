"""Scripts of overlays that may reach public addresses (`network: Public`), and what they must not reach. The internet is another
network namespace here, with addresses and names of its own."""

import json
import re
from pathlib import Path

from testhosts.case import STATE, TOOLS, HostTest

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
# The site, and this host's addresses in its network; both are public.
SITE_V4, SITE_V6, OWN_V4, OWN_V6 = "9.9.9.20", "2a09::20", "9.9.9.1", "2a09::1"
# More of this host's, and what is reached over the same wire but is private.
ALIAS_V4, ALIAS_V6, PRIVATE_V4, PRIVATE_V6 = "5.5.5.5", "2a05::5", "10.7.7.7", "fd07::7"
NAMES = {
    "site.example": f"{SITE_V4},{SITE_V6}", "four.example": SITE_V4, "six.example": SITE_V6,
    "own.example": f"{OWN_V4},{OWN_V6}", "alias.example": f"{ALIAS_V4},{ALIAS_V6}", "private.example": f"{PRIVATE_V4},{PRIVATE_V6}",
    "loopback.example": "127.0.0.1,::1", "mapped.example": "::ffff:127.0.0.1", "mixed.example": f"127.0.0.1,{SITE_V4}",
    "rebind.example": f"{SITE_V4}/127.0.0.1", "rebind-own.example": f"{SITE_V4}/{OWN_V4}", "metadata.example": "169.254.169.254",
}  # fmt: skip
FORBIDDEN_ADDRESSES = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::1]", PRIVATE_V4, f"[{PRIVATE_V6}]", f"[::ffff:{PRIVATE_V4}]", "172.16.0.1",
    "192.168.0.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[ff02::1]", "224.0.0.1", "255.255.255.255", OWN_V4, f"[{OWN_V6}]",
    f"[::ffff:{OWN_V4}]", ALIAS_V4, f"[{ALIAS_V6}]", f"[::ffff:{ALIAS_V4}]", "own.example", "alias.example", "private.example", "loopback.example",
    "mapped.example", "metadata.example",
]  # fmt: skip
FETCH = """mkdir left4dead2
curl -fsS -o left4dead2/curl https://site.example/file
wget -q -O left4dead2/wget https://site.example/file
wget -q -O left4dead2/plain http://four.example/page
curl -fsS -o left4dead2/six http://six.example/page
curl -fsS http://four.example/page http://six.example/page >left4dead2/twice
git clone -q https://site.example:8444/maps.git clone
cp clone/README left4dead2/git
rm -rf clone
"""


def perl(name: str, *arguments: str) -> str:
    text = (ATTACKS / name).read_text(encoding="utf-8")
    return f"cat >$TMPDIR/attack.pl <<'END_OF_ATTACK'\n{text}\nEND_OF_ATTACK\nperl $TMPDIR/attack.pl {' '.join(arguments)}\n"


class PublicScripts(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("/usr/local/lib/internet.pl", (ATTACKS / "internet.pl").read_text(encoding="utf-8"))
        self.run_in("sh", "-ec", f"""
            ip netns add internet
            ip link add inet0 type veth peer name inet1 netns internet
            ip addr add {OWN_V4}/24 dev inet0; ip -6 addr add {OWN_V6}/64 dev inet0 nodad; ip link set inet0 up
            ip addr add {ALIAS_V4}/32 dev lo; ip -6 addr add {ALIAS_V6}/128 dev lo
            inside() {{ ip netns exec internet "$@"; }}
            inside ip link set lo up
            inside ip addr add {SITE_V4}/24 dev inet1; inside ip -6 addr add {SITE_V6}/64 dev inet1 nodad; inside ip link set inet1 up
            inside ip addr add {PRIVATE_V4}/32 dev inet1; inside ip -6 addr add {PRIVATE_V6}/128 dev inet1 nodad
            ip route add {PRIVATE_V4}/32 dev inet0; ip -6 route add {PRIVATE_V6}/128 dev inet0
            rm -f /etc/resolv.conf; echo nameserver {SITE_V4} >/etc/resolv.conf
            mkdir -p /srv/www /srv/git; seq 200000 >/srv/www/file
            git init -q -b main /srv/work; cd /srv/work; echo 'maps of git' >README; git add .
            git -c user.name=n -c user.email=e commit -q -m one; git clone -q --bare /srv/work /srv/git/maps.git
        """)  # fmt: skip
        names = [f"{name}={addresses}" for name, addresses in NAMES.items()]
        inside = ["ip", "netns", "exec", "internet"]
        internet = ["perl", "/usr/local/lib/internet.pl"]
        for unit, command in {
            "dns": [*inside, *internet, "dns", SITE_V4, *names],
            "page": [*inside, *internet, "web", "80", "a-page-of-the-internet"],
            "tls": [*inside, *internet, "forward", "443", "8443"],
            "tls-git": [*inside, *internet, "forward", "8444", "8445"],
            "site": [*inside, f"{TOOLS}/https_file", "/srv/www", "8443", "/run/site.pem", "0"],
            "git": [*inside, f"{TOOLS}/https_git", "/srv/git", "8445", "/run/git.pem"],
            "canary": [*internet, "web", "80", "BREACH"],
        }.items():
            self.run_in("systemd-run", "--quiet", "--collect", f"--unit=test-{unit}", *command)
        self.until("the sites serve", lambda: self.exists("/run/site.pem") and self.exists("/run/git.pem"))
        self.run_in("sh", "-c", "cat /run/site.pem /run/git.pem >>/etc/ssl/certs/ca-certificates.crt")
        # All of it is there, so what a script does not reach is kept from it.
        for host in (SITE_V4, f"[{SITE_V6}]", "site.example", PRIVATE_V4, f"[{PRIVATE_V6}]", OWN_V4, f"[{OWN_V6}]", ALIAS_V4, "127.0.0.1"):
            self.until(f"{host} answers", lambda host=host: self.run_in("curl", "-fsS", "-m", "5", f"http://{host}/", expect=None).returncode == 0)

    def overlay(self, name: str, script: str, network: str = "Public") -> str:
        return (f"---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: {name}}}\n"
                f"spec: {{source: {{script: {{run: {json.dumps(script)}, network: {network}}}}}}}\n")  # fmt: skip

    def put(self, *overlays: str) -> None:
        names = re.findall(r"metadata: {name: ([a-z0-9-]+)}", "".join(overlays))
        self.write("/etc/left4me/manifests/scripts.yaml", "".join(overlays) + (
            f"---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {{name: all}}\nspec: {{overlays: [{', '.join(names)}]}}\n"
            "---\napiVersion: left4me/v1\nkind: Server\nmetadata: {name: alpha}\nspec: {blueprint: all, port: 27015}\n"))  # fmt: skip
        self.run_in("systemctl", "start", "left4me.service")

    def record(self, name: str) -> dict:
        done = self.run_in("cat", f"{STATE}/overlays/{name}/.build/record", expect=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def result(self, name: str, seconds: float = 240) -> dict:
        self.until(f"{name} has an end", lambda: {"artifact", "failure"} & set(self.record(name)), seconds)
        return self.record(name)

    def log(self, name: str) -> str:
        return self.ctl("logs", f"overlay/{name}", "-n", "5000").stdout

    def file(self, name: str, path: str) -> str:
        record = self.result(name)
        self.assertNotIn("failure", record, self.log(name))
        return self.run_in("cat", f"{STATE}/overlays/{name}/{record['artifact']['digest']}/left4dead2/{path}").stdout

    def test_a_script_downloads_with_curl_wget_and_git(self):
        self.put(self.overlay("fetch", FETCH))
        whole = self.run_in("cat", "/srv/www/file").stdout
        self.assertEqual(self.file("fetch", "curl"), whole)
        self.assertEqual(self.file("fetch", "wget"), whole)
        self.assertEqual(self.file("fetch", "plain") + self.file("fetch", "six"), "a-page-of-the-internet\n" * 2)
        self.assertEqual(self.file("fetch", "twice"), "a-page-of-the-internet\n" * 2)
        self.assertEqual(self.file("fetch", "git"), "maps of git\n")
        log = self.log("fetch")
        self.assertRegex(log, rf"site.example port 443 \(({re.escape(SITE_V4)}|{re.escape(SITE_V6)})\): sent \d+ bytes, received \d{{7}}")
        self.assertIn("refused: 127.0.0.1 port 9: 127.0.0.1 is not public", log)
        for unit in ("left4me-proxy@fetch.service", "left4me-proxy@fetch.socket", "left4me-script@fetch.service"):
            self.until(f"{unit} ends", lambda unit=unit: self.run_in("systemctl", "is-active", unit, expect=None).returncode != 0)
        self.assertNotIn("3128", self.run_in("ss", "-ltn").stdout)

    def test_a_script_reaches_public_addresses_and_no_others(self):
        by_proxy = [f"{host}:80" for host in FORBIDDEN_ADDRESSES] + [f"http://{host}/" for host in FORBIDDEN_ADDRESSES]
        ports = ["127.0.0.1:22", f"{OWN_V4}:22", f"[{OWN_V6}]:22", "localhost:27015"]
        direct = [host.strip("[]") for host in FORBIDDEN_ADDRESSES if re.search(r"[.:]", host) and "example" not in host and host not in ("127.1", "0177.0.0.1")]
        public = [f"{SITE_V4}:80", f"[{SITE_V6}]:80", "site.example:443", "http://site.example/", "mixed.example:80", f"[::ffff:{SITE_V4}]:80"]
        self.put(
            self.overlay("hostile", f"mkdir left4dead2; exec >left4dead2/said\n{perl('script_proxy.pl', *by_proxy, *ports)}"),
            self.overlay("direct", f"mkdir left4dead2; exec >left4dead2/said\n{perl('script_network.pl', '80', *direct, SITE_V4, SITE_V6)}"),
            self.overlay("rebind", f"mkdir left4dead2; exec >left4dead2/said\n{perl('script_proxy.pl', *['http://rebind.example/', 'rebind-own.example:80'] * 10)}"
                         "for i in $(seq 20); do curl -sS http://rebind.example/ http://rebind-own.example/ || true; done\n"),
            self.overlay("public", f"mkdir left4dead2; exec >left4dead2/said\n{perl('script_proxy.pl', *public)}"),
            # What it is not given, it does not have.
            self.overlay("none", f"mkdir left4dead2; exec >left4dead2/said\nenv\n{perl('script_proxy.pl', *public)}", network="None"),
        )  # fmt: skip
        for target, status in (line.split(" ") for line in self.file("hostile", "said").splitlines()):
            with self.subTest(target):
                # Some are not even the address of a host: 502, or 400.
                self.assertIn(status, ("403", "502", "400"))
                if target.strip("htp:/").split("/")[0].removesuffix(":80") in (OWN_V4, f"[{OWN_V6}]", ALIAS_V4, "own.example", "127.0.0.1", PRIVATE_V4, "private.example"):
                    self.assertEqual(status, "403")
        found = dict(line.rsplit(" ", 1) for line in self.file("direct", "said").splitlines())
        self.assertGreater(len(found), 40)
        self.assertNotIn("0", found.values(), found)
        said = self.file("rebind", "said")
        self.assertIn("a-page-of-the-internet", said)
        self.assertIn("rebind.example/ 200", said)
        self.assertIn("rebind.example/ 403", said)
        self.assertNotIn("BREACH", said)
        statuses = [line.rsplit(" ", 1)[1] for line in self.file("public", "said").splitlines()]
        self.assertEqual(statuses, ["200"] * len(public))
        none = self.file("none", "said")
        self.assertEqual(none.count("no proxy: Connection refused"), len(public), none)
        self.assertNotIn("proxy=", none)
        log = self.log("hostile")
        for words in ("127.0.0.1 is not public", f"{OWN_V4} is an address of this host", f"{OWN_V6} is an address of this host",
                      f"private.example port 80: {PRIVATE_V4} is not public", f"alias.example port 80: {ALIAS_V6} is an address of this host",
                      "169.254.169.254 is not public", "::ffff:127.0.0.1 is not public"):  # fmt: skip
            self.assertIn(words, log)
        self.assertIn("rebind.example port 80: 127.0.0.1 is not public", self.log("rebind"))

    def test_a_proxy_that_could_let_everything_through_serves_nobody(self):
        """A drop-in, or a container, takes the script's network away from it: neither the script nor the proxy starts."""
        for unit in ("left4me-script@open.service", "left4me-proxy@open.socket"):
            section = "Service" if unit.endswith("service") else "Socket"
            self.write(f"/etc/systemd/system/{unit}.d/hole.conf", f"[{section}]\nPrivateNetwork=no\n")
        # Its way does not work: it is not run without it.
        self.write("/etc/systemd/system/left4me-proxy@deaf.service.d/hole.conf", "[Service]\nExecStart=\nExecStart=/bin/false\n")
        self.write("/etc/systemd/system/left4me-proxy@yes.service.d/hole.conf",
                   "[Service]\nExecStart=\nExecStart=/usr/bin/perl -MSocket -e 'open(my $$l, \"+<&=\", 3); while (accept(my $$c, $$l)) "
                   '{ syswrite($$c, "HTTP/1.1 200 OK\\r\\n\\r\\n") }\'\n')  # fmt: skip
        self.run_in("systemctl", "daemon-reload")
        script = "echo BREACH; mkdir left4dead2; echo x >left4dead2/x; sleep 5"
        self.put(*(self.overlay(name, script) for name in ("open", "deaf", "yes")))
        for name, why in {"open": "it would have the host's network", "deaf": "its way to public addresses does not work",
                          "yes": "its way to public addresses could lead to this host"}.items():  # fmt: skip
            with self.subTest(name):
                record = self.result(name)
                self.assertIn(why, record.get("failure", {}).get("message", ""), self.log(name))
                self.assertNotIn("BREACH", self.log(name))
        # Such a socket is everybody's: nobody is served.
        self.run_in("systemd-run", "--quiet", "--unit=everybody", "--socket-property=ListenStream=127.0.0.1:3128",
                    self.run_in("sh", "-c", "ls /usr/libexec/left4me-proxy /usr/local/libexec/left4me-proxy", expect=None).stdout.strip())
        done = self.run_in("curl", "-sS", "-m", "10", "-x", "http://127.0.0.1:3128", "http://site.example/", expect=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("internet", done.stdout)
        self.assertIn("has no network of its own", self.run_in("journalctl", "-q", "-o", "cat", "-u", "everybody.service").stdout)
