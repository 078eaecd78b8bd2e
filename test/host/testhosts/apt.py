"""The mirror from the machine's own apt configuration: nothing in the project names one."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEYRINGS = Path("/usr/share/keyrings")


@dataclass
class Source:
    uris: list[str]
    suites: list[str]
    components: list[str]


def codename() -> str:
    """The release that this machine runs."""
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    raise SystemExit("testhost: /etc/os-release has no VERSION_CODENAME; this is made for Debian")


def one_line_sources(text: str) -> list[Source]:
    sources = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)\s+(.+)", line.split("#")[0].strip())
        if match:
            sources.append(Source([match[1]], [match[2]], match[3].split()))
    return sources


def deb822_sources(text: str) -> list[Source]:
    sources = []
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line[:1].isspace():
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
            elif ":" in line:
                key, value = line.split(":", 1)
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            lists = [fields.get(name, "").split() for name in ("uris", "suites", "components")]
            sources.append(Source(*lists))
    return sources


def machine_sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    sources = []
    listed = etc / "sources.list"
    if listed.exists():
        sources += one_line_sources(listed.read_text())
    for path in sorted((etc / "sources.list.d").glob("*")):
        if path.suffix == ".list":
            sources += one_line_sources(path.read_text())
        elif path.suffix == ".sources":
            sources += deb822_sources(path.read_text())
    return sources


def source_line(release: str) -> str:
    """The line for mmdebstrap: this machine's own mirror, with RELEASE."""
    for source in machine_sources():
        here = {codename(), "stable", "oldstable"} & set(source.suites)
        uris = [uri for uri in source.uris if not uri.startswith("cdrom:")]
        if here and uris and "main" in source.components:
            keyring = KEYRINGS / "debian-archive-keyring.gpg"
            return f"deb [signed-by={keyring}] {uris[0]} {release} main"
    raise SystemExit("testhost: no entry for this machine's release in /etc/apt/sources.list or sources.list.d")


def acquire_options() -> list[str]:
    """Proxy and date settings, so that trees can be fetched wherever the machine itself can fetch packages."""
    wanted = re.compile(r"^Acquire::(?:\S*Proxy\S*|Check-Date|Check-Valid-Until|Retries) ", re.IGNORECASE)
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return [line for line in dump.splitlines() if wanted.match(line) and not line.endswith('"";')]
