"""The show behind ./demo: a real host, real units, real reboots; nothing is staged but the order of events."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from testhosts import apt, staging  # noqa: E402
from testhosts.machine import TESTS, Host, HostError  # noqa: E402
from testhosts.site import ALLOWED, PORT, Site  # noqa: E402

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = "/etc/left4me/manifests"
# The overlays of manifests/community/packs.yaml.
PACKS = ["competitive-rework", "l4dtoolz", "metamod", "sourcemod", "workshop-maps", "workshop-standard"]
TERMINAL = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
COLOUR = TERMINAL and "NO_COLOR" not in os.environ


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text: str) -> str:
    return paint("1", text)


def dim(text: str) -> str:
    return paint("2", text)


def good(text: str) -> str:
    return paint("32", text)


def erase_line() -> str:
    return "\r\033[K" if TERMINAL else ""


class Show:
    """What is said, and how long each thing took."""

    def __init__(self) -> None:
        self.steps = 0
        self.figures: list[tuple[str, float]] = []

    def step(self, title: str, why: str = "") -> None:
        self.steps += 1
        print(f"\n{paint('1;36', f'{self.steps}. {title}')}")
        if why:
            print(f"   {dim(why)}")

    def figure(self, what: str, seconds: float) -> None:
        self.figures.append((what, seconds))
        print(f"   {good('✓')} {what}: {bold(duration(seconds))}")

    def summary(self) -> None:
        print(f"\n{bold('In short')}")
        width = max(len(what) for what, _ in self.figures)
        for what, seconds in self.figures:
            print(f"   {what.ljust(width)}  {duration(seconds).rjust(8)}")


class Working:
    """A line that says what goes on, and then how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> "Working":
        self.began = time.monotonic()
        if TERMINAL:
            print(f"   {dim('…')} {self.what}", end="", flush=True)
        return self

    def __exit__(self, kind, *_: object) -> None:
        mark = good("✓") if kind is None else paint("31", "✗")
        took = dim(duration(time.monotonic() - self.began))
        print(f"{erase_line()}   {mark} {self.what}  {took}", flush=True)


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


class Stage:
    """The host, and what a person would type there."""

    def __init__(self, host: Host, show: Show) -> None:
        self.host = host
        self.show = show

    def type(self, command: str, most: int = 40) -> int:
        """Runs a command line there and shows it with its output, as a person would see it."""
        print(f"   {bold('$')} {command}")
        done = self.host.run("sh", "-c", f"{{ {command}; }} 2>&1")
        lines = done.stdout.splitlines()
        for line in lines[:most]:
            print(f"     {line}")
        if len(lines) > most:
            print(dim(f"     … {len(lines) - most} more lines"))
        return done.returncode

    def servers(self) -> list[dict]:
        done = self.host.run("l4d2ctl", "get", "servers", "-o", "json")
        return json.loads(done.stdout)["items"] if done.returncode == 0 else []

    def as_asked(self) -> tuple[int, int]:
        servers = self.servers()
        return sum(is_as_asked(server) for server in servers), len(servers)

    def watch(self, work, seconds: float = 60) -> float:
        """Runs `work` and draws how many servers are as the manifests ask until all of them are. Returns the time."""
        began = time.monotonic()
        process = work()
        while True:
            there, of = self.as_asked()
            took = time.monotonic() - began
            if TERMINAL:
                filled = round(30 * there / of) if of else 0
                bar = good("█" * filled) + dim("░" * (30 - filled))
                print(f"\r\033[K   {bar} {there}/{of} servers as asked  {duration(took)}", end="", flush=True)
            ended = process is None or process.poll() is not None
            if ended and there == of and of > 0:
                break
            if took > seconds:
                print()
                self.type("l4d2ctl get servers")
                raise HostError(f"after {seconds:.0f} s only {there} of {of} servers are as the manifests ask")
            time.sleep(0.03)
        print(f"{erase_line()}   {good('█' * 30)} {there}/{of} servers as asked  {duration(took)}")
        return took

    def until(self, what: str, *command: str, seconds: float = 30) -> float:
        """How long it takes until a command of the host succeeds."""
        began = time.monotonic()
        while self.host.run(*command).returncode != 0:
            if time.monotonic() - began > seconds:
                raise HostError(f"{what}: not within {seconds:.0f} s")
        return time.monotonic() - began

    def reconcile(self, what: str) -> None:
        """A pass, with its progress and then its own words."""
        print(f"   {bold('$')} l4d2ctl reconcile")
        words = open(os.memfd_create("words"), "w+", encoding="utf-8")
        command = [*self.host.entry(), "l4d2ctl", "reconcile"]
        took = self.watch(lambda: subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words))
        words.seek(0)
        for line in words.read().splitlines()[:24]:
            print(f"     {line}")
        self.show.figure(what, took)

    def answer(self, name: str, port: int) -> None:
        """Asks the game itself, as a player's server browser does."""
        said = self.host.run("/usr/libexec/left4me-tests/a2s_query", "127.0.0.1", str(port)).stdout.strip()
        print(f"   {good('✓')} {name} answers on port {port}: {dim(' '.join(said.split()))}")


def is_as_asked(server: dict) -> bool:
    running = server["desired"]["state"] == "Running"
    actual = server["actual"]
    return actual["activeState"] == ("active" if running else "inactive") and actual["unitFileState"] == (
        "enabled" if running else "disabled"
    )


def prepare(stage: Stage) -> None:
    host = stage.host
    host.run("mkdir", "-p", "/srv/left4me/custom-maps/left4dead2/addons", check=True)
    host.run("tee", "/srv/left4me/custom-maps/left4dead2/addons/map.vpk", text_in="a campaign\n", check=True)
    for name in ("overlays", "servers", "blueprints"):
        put(host, name, re.sub(rf", ({'|'.join(PACKS)})\b|\b({'|'.join(PACKS)}), ", "", manifest(name)))


def manifest(name: str) -> str:
    return (PROJECT / f"manifests/community/{name}.yaml").read_text(encoding="utf-8")


def put(host: Host, name: str, text: str) -> None:
    host.run("tee", f"{SOURCE}/{name}.yaml", text_in=text, check=True)


def bring_up(stage: Stage) -> None:
    stage.show.step("Say what there should be", "manifests/community, at first without what others make: 7 servers, 3 blueprints, 4 overlays")
    prepare(stage)
    stage.type("l4d2ctl diff")
    stage.reconcile("from nothing to everything as asked")
    stage.type("l4d2ctl get servers")
    stage.answer("versus1", 27020)


def release(name: str) -> bytes:
    """An archive of 4 MiB, always the same."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in {f"addons/{name}.vdf": b"Plugin", f"addons/{name}/{name}.so": hashlib.shake_256(name.encode()).digest(4 << 20)}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def stand_in(host: Host) -> str:
    """Puts what others make onto a web server of the host, as slow as a line to the internet, and returns their manifests, with the
    addresses and digests of the stand-ins."""
    host.run("sh", "-ec", f"echo '{ALLOWED}' >>/etc/left4me/config.yaml", check=True)
    site = Site(host, pause=6)
    site.be_steam()
    items = {number: hashlib.shake_256(number.encode()).digest(2 << 20) for number in ("698857882", "2524204971", "2957035482", "2973628334", "3013844371")}
    site.publish(items, {"121115793": list(items)[2:]})
    text = manifest("packs")
    for url, old in re.findall(r"url:\s+(?:- )?(https://\S+\.tar\.gz)(?:\s+- \S+.*)?\s+sha256: (\w+)", text):
        content = release(url.rpartition("/")[2].split("-")[0])
        site.put(url.rpartition("/")[2], content)
        text = text.replace(url, f"https://127.0.0.1:{PORT}/{url.rpartition('/')[2]}").replace(old, hashlib.sha256(content).hexdigest())
    made = host.run("sh", "-ec", "mkdir -p /srv/left4me/rework/cfg && cd /srv/left4me/rework && echo 'sm_cvar nb_update_frequency 0.01' >cfg/server.cfg && "
                    "git init -q -b master . && git add . && git -c user.name=SirPlease -c user.email=s@example.org commit -q -m Zonemod && "
                    "chown -R left4me: . && git -c safe.directory=* rev-parse HEAD", check=True)  # fmt: skip
    text = re.sub(r"url: https://github.com/SirPlease/\S+", "url: /srv/left4me/rework/.git", text)
    return re.sub(r"ref: \w{40}", f"ref: {made.stdout.strip()}", text)


def arrive(stage: Stage) -> None:
    stage.show.step(
        "Add what others make",
        "releases, a git commit, workshop items and a collection, from stand-ins on this host: servers run on while all of it arrives",
    )
    with Working("the stand-ins of Steam and of release pages"):
        packs = stand_in(stage.host)
    pids = "systemctl show -P MainPID left4me-server@coop1 left4me-server@comp1"
    before = stage.host.run("sh", "-c", pids).stdout
    put(stage.host, "packs", packs)
    put(stage.host, "blueprints", manifest("blueprints"))
    stage.type("l4d2ctl diff", most=12)
    began = time.monotonic()
    print(f"   {bold('$')} l4d2ctl reconcile &")
    words = open(os.memfd_create("words"), "w+", encoding="utf-8")
    process = subprocess.Popen([*stage.host.entry(), "l4d2ctl", "reconcile"], stdin=subprocess.DEVNULL, stdout=words, stderr=words)
    stage.until("something has arrived", "sh", "-c", "l4d2ctl get overlays | grep -Eq '(downloading|unpacking) [1-9]'")
    stage.type("l4d2ctl get overlays")
    stage.type("l4d2ctl describe overlay workshop-maps | head -n 12")
    if process.poll() is not None:
        print(dim("     (it was already there)"))
    process.wait(120)
    stage.show.figure("a git commit, 3 releases, 5 workshop items: fetched, checked, shared by 6 servers", time.monotonic() - began)
    if stage.host.run("sh", "-c", pids).stdout != before:
        raise HostError("a server that was to be left alone was restarted")
    print(f"   {good('✓')} coop1 and comp1 did not notice: they take it up when they start the next time, or nobody plays")
    stage.type("l4d2ctl get overlays")
    stage.type("l4d2ctl explain-path versus1 left4dead2/addons/2524204971.vpk")


def kill(stage: Stage) -> None:
    stage.show.step("Kill a server; quit another one", "kill -9 is systemd's to repair; a clean `quit` would stay down all night")
    stage.type("systemctl kill --kill-whom=main --signal=KILL left4me-server@coop2")
    stage.type("systemctl stop left4me-server@coop1")
    stage.type("l4d2ctl diff")
    stage.reconcile("both back")


def disable(stage: Stage) -> None:
    stage.show.step("Disable one by hand", "it runs, but would not survive a reboot; it is enabled without a restart")
    pid = "systemctl show --property=MainPID --value left4me-server@comp1"
    before = stage.host.run("sh", "-c", pid).stdout.strip()
    stage.type("systemctl disable left4me-server@comp1", most=2)
    stage.type("l4d2ctl diff")
    stage.reconcile("enabled again")
    after = stage.host.run("sh", "-c", pid).stdout.strip()
    print(f"   {good('✓')} its process is the same as before: {before} = {after}")
    if before != after:
        raise HostError("comp1 was restarted")


def edit(stage: Stage) -> None:
    stage.show.step(
        "Edit a shared overlay",
        "versus servers roll out Immediate; competitive ones wait until nobody plays: no match is interrupted",
    )
    for name in ("comp1", "comp2"):
        orders = f"/var/lib/left4me/runtime/{name}/merged/left4dead2/ems/standin.cfg"
        stage.host.run("tee", orders, check=True, text_in="standin_players 4\n")
    stage.type("systemctl start left4me-probe", most=1)
    for name in ("comp1", "comp2"):
        stage.until(f"four play on {name}", "sh", "-c", f"l4d2ctl players {name} | grep -q ' 4/'")
    stage.type("l4d2ctl players")
    stage.type(f"sed -i 's/sv_maxrate 100000/sv_maxrate 120000/' {SOURCE}/overlays.yaml")
    stage.type("l4d2ctl diff")
    stage.reconcile("rolled out where it may be")
    stage.type("l4d2ctl diff")


def mistake(stage: Stage) -> None:
    stage.show.step("Make a mistake", "an invalid revision changes nothing; every error is told at once")
    stage.host.run(
        "tee",
        f"{SOURCE}/oops.yaml",
        check=True,
        text_in="apiVersion: left4me/v1\nkind: Server\nmetadata: {name: coop9}\nspec: {blueprnt: coop, port: 27015}\n",
    )
    stage.type("l4d2ctl reconcile; echo exit $?")
    stage.type(f"rm {SOURCE}/oops.yaml")


def hand_over(stage: Stage) -> None:
    stage.show.step("Hand it to the daemon", "l4d2d watches units, mounts, renderings and manifests; from here on nobody types a pass")
    stage.type("systemctl enable --now left4me.service", most=2)
    time.sleep(1)
    stage.type("systemctl stop left4me-server@coop1 left4me-server@versus1 && systemctl disable left4me-server@versus2", most=1)
    stage.show.figure("two stopped and one disabled by hand: all back", stage.watch(lambda: None))
    stage.type(f"sed -i 's/port: 27021/port: 27025/' {SOURCE}/servers.yaml")
    answers = ("/usr/libexec/left4me-tests/a2s_query", "127.0.0.1", "27025", "0.1")
    stage.show.figure("a saved file became a server on another port", stage.until("versus2 answers on its new port", *answers))
    merged = "/var/lib/left4me/runtime/comp1/merged"
    stage.type(f"umount --lazy {merged}")
    stage.show.figure("its files are back, and the match goes on", stage.until("comp1 is mounted", "mountpoint", "-q", merged))
    stage.type("l4d2ctl events | tail -n 5", most=6)


def reboot(stage: Stage) -> None:
    stage.show.step("Reboot the host", "what is enabled is simply there, before anything of ours has looked")
    with Working("power off"):
        stage.host.stop()
    began = time.monotonic()
    stage.host.boot()
    stage.watch(lambda: None)
    stage.show.figure("from power-on to everything as asked", time.monotonic() - began)
    code = stage.type("l4d2ctl diff; echo exit $?")
    if code != 0:
        raise HostError("diff failed after the reboot")
    stage.answer("comp1", 27030)


def main() -> int:
    keep = "--keep" in sys.argv[1:]
    variant = "" if "--built" in sys.argv[1:] else "demo"
    release = os.environ.get("LEFT4ME_DEMO_RELEASE") or apt.codename()
    show = Show()
    print(bold("left4me") + dim(" · servers as written, whatever happens to the host"))
    show.step("Build packages, and install them on a throw-away host")
    with Working(f"left4me's packages for Debian {release}"):
        if variant:
            staging.build(release, variant)
        elif not staging.packages(release) or not (staging.place(release) / TESTS).is_dir():
            raise HostError(f"nothing is built: run test/host/build-for {release} and ./package {release}, or ./demo without --built")
    with Working("a Debian of its own (made once, then cached)"):
        host = Host.create(release, owned=True)
    with host:
        host.install(staging.place(release, variant), TESTS)
        home = host.storage / "upper/root"
        home.mkdir(mode=0o700, exist_ok=True)
        for package in staging.packages(release, variant):
            shutil.copy(package, home)
        with Working("boot"):
            host.boot()
        stage = Stage(host, show)
        with Working("apt-get install ./left4me*.deb"):
            host.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get -qq install /root/left4me*.deb 2>&1", check=True)
        print(dim("   The daemon runs already. To show what it does, it is stopped, and its work done by hand:"))
        stage.type("systemctl disable --now left4me", most=1)
        for scene in (bring_up, arrive, kill, disable, edit, mistake, hand_over, reboot):
            scene(stage)
        show.summary()
        if keep:
            print(f"\n{bold('A shell in the host')}: try l4d2ctl get servers, l4d2ctl --help. It ends with `exit`.")
            subprocess.run([*host.entry(), "bash", "-l"], check=False)
    print(f"\n   Read on: README.md, docs/architecture.md, manifests/. {dim('Nothing was left behind.')}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (HostError, subprocess.CalledProcessError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        sys.exit(1)
