"""The commands in indented blocks of the pages, run one after the other on a host that has what they name. What is in blocks
`console`, test_guides.py and follow-on-bare type."""

import json
import re
import shutil
import unittest

from testhosts import documented, guide
from testhosts.case import TOOLS, unit_of
from testhosts.git import PORT, GitTest

SITE = """apiVersion: left4me/v1
kind: Overlay
metadata: {name: maps}
spec: {source: {git: {url: /srv/left4me/maps, ref: main, into: left4dead2}}}
---
apiVersion: left4me/v1
kind: Installation
metadata: {name: default}
spec: {}
---
apiVersion: left4me/v1
kind: Host
metadata: {name: this}
spec: {games: {nice: -5}}
---
apiVersion: left4me/v1
kind: Blueprint
metadata: {name: competitive}
spec:
  overlays: [maps]
  arguments: ["+map", "c1m1_hotel"]
  rcon: {secret: rcon}
---
apiVersion: left4me/v1
kind: Server
metadata: {name: comp1, labels: {pool: competitive}}
spec: {blueprint: competitive, port: 27015, rollout: {policy: WhenEmpty}}
"""
# What a page calls NAME, and other words for what there is on this host.
NAMES = {"docs/installation.md": "default"}
WORDS = {
    "coop1": "comp1",
    # On a new host, there is nothing to overwrite.
    "ssh root@new l4d2ctl restore": "l4d2ctl restore --overwrite",
    "git.example.org": f"-p {PORT} 127.0.0.1",
    "HOST": "host",
}
# Who else runs a page's commands.
ELSEWHERE = {
    "README.md": "follow-on-bare",
    "CONTRIBUTING.md": "./check",
    "docs/import.md": "test_import.py",
    "docs/rollout.md": "docs/recordings/record, which has made it",
    "docs/test-hosts.md": "./check: they make the host that this runs on",
}
# Of the other pages: the internet, architecture i386, an editor at a terminal.
NOT_HERE = re.compile(r"apt-get |dpkg |systemctl edit ")
ENDLESS = re.compile(r"--follow|--watch")
DIFFERS = re.compile(r"--check|diff ")
# After these, the daemon does not run any more.
LAST = ("docs/daemon.md", "docs/packages.md")


class Sessions(unittest.TestCase):
    def test_every_page_with_a_block_console_is_followed_by_a_test(self):
        shown = {str(page.relative_to(guide.DOCS)) for page in guide.DOCS.rglob("*.md") if "```console" in page.read_text()}
        here = documented.PROJECT / "test/host"
        sources = [here / "follow-on-bare", *here.glob("*/test_*.py")]
        followed = {name for path in sources for name in re.findall(r'\.follow\("(\S+\.md)"\)', path.read_text())}
        self.assertEqual(shown, followed)


class Documented(GitTest):
    CONFIG = "{}\n"

    def setUp(self) -> None:
        super().setUp()
        self.run_in("sh", "-c", f"mkdir -p /usr/games /srv/steam && cp {TOOLS}/steamcmd /usr/games/ && cp -R {TOOLS}/standin /srv/steam/files")
        self.write("/srv/steam/build", "16546402\n")
        self.run_in("git", "init", "-q", "-b", "main", "/srv/left4me/maps")
        # For what is set in a clone.
        self.run_in("git", "init", "-q", "/root")
        self.commit_maps("first")
        self.run_in("bash", "-c", "l4d2ctl secrets set rcon <<<password")
        self.run_in("systemctl", "enable", "--now", "left4me.service")
        self.ctl("apply", "-f", "-", text_in=SITE)
        self.settled()
        self.first = self.artifact()
        self.commit_maps("second")
        self.ctl("lock", "overlay/maps")
        self.settled()
        self.assertNotEqual(self.artifact(), self.first)
        self.write("/srv/steam/build", "16546403\n")
        self.write("/srv/steam/files/left4dead2/steam.inf", "PatchVersion=16546403\n")
        root = self.host.storage / "upper/root"
        shutil.copytree(documented.PROJECT / "manifests", root / "manifests")

    def commit_maps(self, text: str) -> None:
        self.run_in("sh", "-ec", "cd /srv/left4me/maps && mkdir -p addons && echo $0 >addons/metamod.vdf && git -c safe.directory=* add . && "
                    "git -c safe.directory=* -c user.name=A -c user.email=a@example.org commit -q -m x && chown -R left4me: .", text)  # fmt: skip

    def artifact(self) -> str:
        return json.loads(self.ctl("get", "overlay", "maps", "-o", "json").stdout)["artifact"]

    def settled(self) -> None:
        self.until("nothing differs", lambda: self.ctl("diff", expect=None).returncode == 0, 60)

    def run_line(self, line: documented.Line) -> None:
        text = re.sub(r"\bNAME\b", NAMES.get(line.page, "maps"), line.text).replace("4f1c", self.first[:8])
        for page, here in WORDS.items():
            text = text.replace(page, here)
        # No person types that fast; systemd limits how often a unit starts in a short time.
        self.run_in("systemctl", "reset-failed", unit_of("comp1"), expect=None)
        endless = ENDLESS.search(text)
        typed = f"cd /root && {f'timeout 1 {text}' if endless else text}"
        done = self.run_in("env", "HOME=/root", "EDITOR=true", "bash", "-c", typed, expect=None, text_in="x\n")
        good = {0, 124} if endless else {0, 1} if DIFFERS.search(text) else {0}
        self.assertIn(done.returncode, good, f"{line.where}: {text}\n{done.stdout}{done.stderr}")
        if re.search("l4d2ctl (drain|restore) ", text):
            self.ctl("start", "comp1")

    def test_every_command_in_a_block_of_the_docs_does_what_it_is_there_for(self):
        pages = {page: lines for page in documented.pages() if (lines := documented.in_blocks(page))}
        names = [lines[0].page for lines in pages.values()]
        self.assertEqual(set(ELSEWHERE) - set(names), set())
        ran = 0
        for lines in sorted(pages.values(), key=lambda lines: lines[0].page in LAST):
            for line in lines:
                if line.page not in ELSEWHERE and not NOT_HERE.search(line.text):
                    with self.subTest(line.where):
                        self.run_line(line)
                    ran += 1
        self.assertGreater(ran, 50)
