"""The pages for tasks, followed word by word on a new host. test/host/follow-on-bare follows the tutorial."""

from dataclasses import replace

from testhosts import guide
from testhosts.case import MANIFESTS, STATE, TOOLS
from testhosts.git import PORT, GitTest

# What the pages call HOST.
NAMES = {"ssh://alice@HOST/": f"ssh://alice@127.0.0.1:{PORT}/", "ssh alice@HOST ": f"ssh -p {PORT} alice@127.0.0.1 ",
         "scp -r alice@HOST:": f"scp -P {PORT} -r alice@127.0.0.1:"}  # fmt: skip
# With the port in the line and the column that docs/git.md shows.
COMP1 = """apiVersion: left4me/v1
kind: Server
metadata: {name: comp1}
spec:
  blueprint: competitive
  port: 27015
"""


def here(text: str) -> str:
    for page, host in NAMES.items():
        text = text.replace(page, host)
    return text


def on_the_page(text: str) -> str:
    for page, host in NAMES.items():
        text = text.replace(host, page)
    return text


class Guides(guide.Reader, GitTest):
    CONFIG = "{}\n"  # as an installation leaves it

    def setUp(self) -> None:
        super().setUp()
        self.person("alice", "rm -rf .cwd")
        self.run_in("gpasswd", "-d", "alice", "left4me-operators")
        self.run_in("systemctl", "enable", "--now", "left4me.service")

    def replace_host(self) -> None:
        """A host on which left4me was just installed; of the old one it has what is in /root alone."""
        self.run_in("systemctl", "stop", "left4me*")
        self.written = self.what_servers_wrote()
        self.run_in("sh", "-c", f"find {STATE} /etc/left4me -mindepth 1 -maxdepth 1 ! -name installation -exec rm -rf {{}} +")
        self.run_in("sh", "-c", "rm /etc/systemd/system/*/left4me-server@* && systemd-tmpfiles --create && systemctl daemon-reload")
        self.run_in("systemctl", "enable", "--now", "left4me.service")

    def what_servers_wrote(self) -> set[str]:
        return set(self.run_in("sh", "-c", f"find {STATE}/runtime/*/upper -printf '%P %y %m %u %g\\n'").stdout.splitlines())

    def lay_down(self, file: guide.File) -> None:
        if file.path.startswith("~/"):
            self.person("alice", f'mkdir -p "$(dirname {file.path})" && cat >{file.path}', text_in=here(file.text))
        else:
            super().lay_down(guide.File(file.path, here(file.text), file.line))

    def say(self, step: guide.Command) -> str:
        step = replace(step, text=here(step.text))
        if step.who == "alice":
            return on_the_page(self.person("alice", guide.typed(step.text), expect=None).stdout)
        return on_the_page(super().say(step))

    def test_maps_are_added_as_the_page_says(self):
        self.follow("tasks/add-maps.md")
        self.assert_converged()

    def test_a_server_that_does_not_come_up_is_mended_as_the_page_says(self):
        self.follow("tasks/server-down.md")
        self.assert_converged()

    def test_a_host_is_replaced_as_the_page_says(self):
        self.follow("tasks/move-host.md")
        self.assertGreater(len(self.written), 3)
        self.assertEqual(self.written - self.what_servers_wrote(), set())
        self.assert_converged()

    def test_a_full_disk_is_looked_at_as_the_page_says(self):
        self.follow("tasks/full-disk.md")
        self.assert_converged()

    def test_somebody_is_given_the_right_to_push_as_the_page_says(self):
        self.follow("tasks/give-access.md")
        self.assert_converged()

    def test_manifests_are_pushed_as_the_page_says(self):
        self.write(f"{MANIFESTS}/competitive.yaml", "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: competitive}\nspec: {}\n")
        self.write(f"{MANIFESTS}/servers/comp1.yaml", COMP1)
        self.until("comp1 is enabled", lambda: self.enabled("comp1") == "enabled")
        # Where the repository is cloned to.
        self.person("alice", "rm -rf manifests")
        self.follow("git.md")
        self.assert_running("comp1", 27015)
        self.assert_converged()

    def test_the_game_is_updated_as_the_page_says(self):
        self.run_in("sh", "-c", f"mkdir -p /usr/games /srv/steam && cp {TOOLS}/steamcmd /usr/games/ && cp -R {TOOLS}/standin /srv/steam/files")
        self.write("/srv/steam/build", "16546402\n")
        self.follow("tasks/update-game.md")
        self.assert_running("coop1", 27015)
        self.assert_converged()
