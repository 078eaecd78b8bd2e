"""The pristine trees that hosts and builds start from: created once by mmdebstrap, then never booted and never written."""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import apt, packages

RELEASES = ("bookworm", "trixie")
EXCLUDED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


def cache() -> Path:
    if os.geteuid() == 0:
        return Path("/var/cache/left4me")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "left4me"


def location(kind: str, release: str) -> Path:
    if release not in RELEASES:
        raise SystemExit(f"testhost: no release {release!r}; there are {' and '.join(RELEASES)}")
    words = [release, *EXCLUDED, *packages.listed(kind, release), *(" ".join(names) for names in downloads(kind, release))]
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    return cache() / "trees" / f"{kind}-{release}-{key}"


def downloads(kind: str, release: str) -> list[list[str]]:
    """What may be installed on a host of that kind without a network: groups of packages, each with all that apt-get
    installs with them."""
    if kind != "bare":
        return []
    with_left4me = packages.listed("offered", release) + packages.listed(f"host-{release}", release)
    return [packages.named_by_readme(), with_left4me + packages.named_by_tutorial()]


@contextmanager
def locked(path: Path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"testhost: waiting for another run that holds {path}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(tree: Path) -> None:
    """Removes all content, however deep (shutil.rmtree recurses), but nothing that is mounted there."""
    subprocess.run(["rm", "-rf", "--one-file-system", "--", str(tree)], check=False, stdin=subprocess.DEVNULL)


def make(kind: str, release: str) -> Path:
    """Returns the tree, and creates it if there is none for the package list. Safe to call from several runs at once."""
    tree = location(kind, release)
    with locked(tree.with_suffix(".lock")):
        if tree.exists():
            return tree
        partial = tree.with_suffix(".partial")
        remove(partial)
        started = time.monotonic()
        print(f"testhost: making the {kind} tree for {release}", file=sys.stderr)
        command = ["mmdebstrap", "--quiet", "--variant=apt", "--mode=root" if os.geteuid() == 0 else "--mode=auto"]
        command += [f"--aptopt={option}" for option in apt.acquire_options()]
        command += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
        command += [f"--include={','.join(packages.listed(kind, release))}"]
        if downloads(kind, release):
            command += ["--skip=cleanup/apt/lists,cleanup/apt/cache"]
        for names in downloads(kind, release):
            fetch = "apt-get --yes --quiet=2 --option=APT::Install-Recommends=true --download-only install"
            command += [f'--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" {fetch} {" ".join(names)}']
        command += [release, str(partial), apt.source_line(release)]
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            partial.rename(tree)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"testhost: mmdebstrap failed with {error.returncode}") from None
        finally:
            remove(partial)
        print(f"testhost: {tree} made in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return tree
