"""Builds of this checkout that can be laid under a test host."""

import subprocess
import sys
from pathlib import Path

from .packages import PROJECT


def place(release: str) -> Path:
    return PROJECT / "build" / f"stage-{release}"


def build(release: str, quiet: bool = False, tests: bool = False) -> Path:
    """Builds the checkout for a release and returns the staging tree. When it fails, what it printed is shown."""
    command = [str(PROJECT / "test/host/build-for"), release, *(["--test"] if tests else [])]
    if not quiet:
        subprocess.run(command, check=True)
        return place(release)
    log = PROJECT / "build" / f"build-for-{release}.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "wb") as output:
        done = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.stderr.write(log.read_text(errors="replace"))
        raise SystemExit(f"the build for {release} failed; its output is in {log}")
    return place(release)
