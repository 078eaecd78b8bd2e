"""The package lists in cmake/packages, shared by machines, build trees and test hosts."""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LISTS = PROJECT / "cmake" / "packages"


def listed(name: str, release: str) -> list[str]:
    """The packages in list NAME and in its part for one release, NAME-RELEASE, without comments."""
    found: set[str] = set()
    for path in (LISTS / name, LISTS / f"{name}-{release}"):
        if path.exists():
            for line in path.read_text().splitlines():
                found |= set(line.split("#")[0].split())
    if not found:
        raise SystemExit(f"no package list {LISTS / name}")
    return sorted(found)


def install(*lists: str) -> None:
    """Installs the lists on this machine; quick if everything is installed."""
    subprocess.run([LISTS / "install", *lists], check=True)
