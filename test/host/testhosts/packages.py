"""The package lists in cmake/packages, shared by machines, build trees and test hosts."""

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LISTS = PROJECT / "cmake" / "packages"
README = PROJECT / "README.md"
TUTORIAL = PROJECT / "docs/tutorial.md"


def listed(name: str, release: str) -> list[str]:
    """The packages in list NAME and in its part for one release, NAME-RELEASE, without comments."""
    found = set()
    for path in (LISTS / name, LISTS / f"{name}-{release}"):
        if path.exists():
            for line in path.read_text().splitlines():
                found |= set(line.split("#")[0].split())
    if not found:
        raise SystemExit(f"no package list {LISTS / name}")
    return sorted(found)


def install_block(heading: str = "### From source") -> str:
    """The first commands after a heading of the README; "## Install" is for those who install the packages."""
    section = README.read_text().split(f"\n{heading}\n")[1]
    return re.sub(r"^    ", "", re.search(r"(?:^    .*\n)+", section, re.MULTILINE)[0], flags=re.MULTILINE)


def named_by_readme() -> list[str]:
    """What is installed before the sources are compiled."""
    return re.search(r"^apt-get install ((?:.*\\\n)*.*)", install_block(), re.MULTILINE)[1].replace("\\\n", " ").split()


def named_by_tutorial() -> list[str]:
    """What is installed with left4me's packages."""
    return re.search(r"apt-get install \./left4me\*\.deb (.*)", TUTORIAL.read_text())[1].split()


def install(*lists: str) -> None:
    """Installs the lists on this machine; quick if everything is installed."""
    subprocess.run([LISTS / "install", *lists], check=True)
