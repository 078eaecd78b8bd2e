"""What a host downloads from the internet, served inside it. The server is a process of the machine in the host's network:
it needs nothing of the host."""

import subprocess
import sys
from pathlib import Path

from . import processes

DEBIAN = "debian.mirror"
SERVER = Path(__file__).with_name("mirror_server.py")


class Mirror:
    """What is in `site(NAME)` is NAME's, over http and https. Make it before the host boots, and start it afterwards."""

    def __init__(self, host, names: tuple[str, ...]):
        """`names`: of the sites, and whatever else is to be this host."""
        self.host = host
        self.server: subprocess.Popen | None = None
        self.directory = host.storage / "mirror"
        self.directory.mkdir()
        upper = host.storage / "upper"
        (upper / "etc/hosts").write_text(f"127.0.0.1 localhost {DEBIAN} {' '.join(names)}\n")
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mirror",
             "-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in names)}", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        # What ca-certificates takes into its bundle when it is installed.
        trusted = upper / "usr/local/share/ca-certificates/mirror.crt"
        trusted.parent.mkdir(parents=True)
        trusted.write_bytes(certificate.read_bytes())

    def site(self, name: str) -> Path:
        place = self.directory / name
        place.mkdir(exist_ok=True)
        return place

    def start(self) -> None:
        """Debian's packages are those of which the host's tree has the archives; apt has nothing but their mirror."""
        debian = self.site(DEBIAN)
        (debian / "archives").symlink_to(Path(self.host.tree) / "var/cache/apt/archives")
        index = subprocess.run(["dpkg-scanpackages", "archives"], cwd=debian, check=True, capture_output=True)
        (debian / "Packages").write_bytes(index.stdout)
        self.host.run("sh", "-ec", "rm -rf /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/*mmdebstrap /var/lib/apt/lists/*; apt-get clean; "
                      f"echo 'deb [trusted=yes] http://{DEBIAN}/ ./' >/etc/apt/sources.list", check=True)  # fmt: skip
        inside = ["nsenter", "-t", self.host.entry()[2], "-n"]
        self.server = subprocess.Popen([*inside, sys.executable, "-B", SERVER, self.directory], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, preexec_fn=processes.die_with_parent)  # fmt: skip
        if self.server.stdout.readline() != b"ready\n":
            raise OSError("the mirror does not start")

    def end(self) -> None:
        if self.server:
            self.server.kill()
            self.server.wait()
