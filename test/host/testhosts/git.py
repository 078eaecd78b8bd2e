"""A host whose source is a repository, and people who push to it over SSH under their own user names."""

import time

from .case import COMMUNITY, HostTest

REPOSITORY = "/var/lib/left4me/manifests.git"
PORT = 2222
SSHD = f"""
Port {PORT}
ListenAddress 127.0.0.1
HostKey /etc/ssh/test_host_key
PidFile none
PasswordAuthentication no
UsePAM no
Subsystem sftp internal-sftp
"""


class GitTest(HostTest):
    """alice and bob may log in and push; carol may only log in. Each has a clone in ~/manifests."""

    CONFIG = "source:\n  git: {}\n"

    def setUp(self) -> None:
        super().setUp()
        self.write("/etc/left4me/config.yaml", self.CONFIG)
        self.write("/etc/ssh/test_config", SSHD)
        self.run_in("sh", "-c", "mkdir -p /run/sshd && rm -f /etc/ssh/test_host_key* && "
                    "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/test_host_key && "
                    "systemd-run -q --unit=test-sshd /usr/sbin/sshd -D -f /etc/ssh/test_config")  # fmt: skip
        for name in ("alice", "bob", "carol"):
            self.add_user(name)
        visit = f"ssh -p {PORT} alice@127.0.0.1 true"
        self.until("sshd answers", lambda: self.person("alice", visit, expect=None).returncode == 0)

    def add_user(self, name: str) -> None:
        more = "" if name == "carol" else "-G left4me-operators"
        # '*' matches no password; without it, the account would count as locked.
        self.run_in("useradd", "-m", "-p", "*", "-s", "/bin/bash", "-c", f"{name.title()} Example,,,",
                    *more.split(), name)  # fmt: skip
        self.person(name, "mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 && "
                    "cp .ssh/id_ed25519.pub .ssh/authorized_keys && "
                    f"(echo '[127.0.0.1]:{PORT}' $(cut -d' ' -f1,2 /etc/ssh/test_host_key.pub)) >.ssh/known_hosts && "
                    f"git config --global user.name '{name.title()} Example' && "
                    f"git config --global user.email {name}@example.org && "
                    "git config --global pull.rebase true")  # fmt: skip

    # -- doing --------------------------------------------------------------------------------------------------

    def person(self, name: str, script: str, expect: int | None = 0, text_in: str | None = None):
        """Runs a script as that person, in the home directory."""
        return self.run_in("setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", "env", f"HOME=/home/{name}",
                           "bash", "-c", f"cd ~ && {script}",
                           expect=expect, text_in=text_in)  # fmt: skip

    def address(self, name: str, path: str = REPOSITORY) -> str:
        return f"ssh://{name}@127.0.0.1:{PORT}{path}"

    def clone(self, name: str = "alice") -> None:
        self.person(name, f"git clone -q {self.address(name)} manifests && cd manifests && git checkout -q -B main")

    def commit(self, path: str, text: str | None, name: str = "alice", more: str = "") -> str:
        """Commits a change of one file (None: removes it); returns the commit."""
        change = f"rm {path}" if text is None else f'mkdir -p "$(dirname {path})" && cat >{path}'
        commit = f"git add -A . && git commit -q {more} -m 'change {path}'"
        self.person(name, f"cd manifests && {change} && {commit}", text_in=text)
        return self.person(name, "cd manifests && git rev-parse HEAD").stdout.strip()

    def push(self, name: str = "alice", words: str = "HEAD:main", expect: int | None = 0):
        return self.person(name, f"cd manifests && git push {self.address(name)} {words}", expect=expect)

    def begin(self) -> str:
        """Runs init-repo, pushes the community manifests and waits until the servers run."""
        self.ctl("init-repo")
        self.clone()
        commit = self.commit("all.yaml", COMMUNITY)
        self.push()
        self.ctl("reconcile")
        return commit

    # -- seeing -------------------------------------------------------------------------------------------------

    def git(self, *words: str, expect: int | None = 0) -> str:
        return self.run_in("git", "-C", REPOSITORY, *words, expect=expect).stdout.strip()

    def head(self) -> str:
        return self.git("rev-parse", "main")

    def status(self) -> str:
        return self.run_in("cat", "/var/lib/left4me/state/status.json").stdout

    def timed(self, what) -> float:
        started = time.monotonic()
        what()
        return time.monotonic() - started
