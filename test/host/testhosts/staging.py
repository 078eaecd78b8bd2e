"""Builds of this checkout that can be installed on a test host."""

import subprocess
import sys
from pathlib import Path

from .packages import PROJECT


def place(release: str, variant: str = "") -> Path:
    """Where build-for puts its staging tree."""
    return PROJECT / "build" / f"stage-{release}{variant and f'-{variant}'}"


def packages(release: str, variant: str = "") -> list[Path]:
    """The Debian packages that build-for made, without those of debug information."""
    return sorted((PROJECT / "build" / f"packages{variant and f'-{variant}'}" / release).glob("*.deb"))


def build(release: str, variant: str = "") -> Path:
    """Builds the checkout for a release and returns the staging tree; `variant` "demo" omits the tests
    and makes packages.
    Shows the build's output if it fails."""
    name = f"{release}-{variant}" if variant else release
    command = [str(PROJECT / "test/host/build-for"), release, *([f"--{variant}"] if variant else [])]
    log = PROJECT / "build" / f"build-for-{name}.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "wb") as output:
        done = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.stderr.write(log.read_text(errors="replace"))
        raise SystemExit(f"the build for {release} failed; its output is in {log}")
    return place(release, variant)
