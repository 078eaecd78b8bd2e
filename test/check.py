"""The steps of ./check: what each one runs, what it waits for, and how many cores it keeps busy."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable
from urllib.parse import urlparse

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "test/host"))

from testhosts import apt, documented, processes, staging, trees  # noqa: E402

LOGS = PROJECT / "build/check"
CORES = os.cpu_count() or 1
HERE = apt.codename()
OTHER = next(release for release in trees.RELEASES if release != HERE)
SILENCE_SECONDS = 15 * 60
EARLIER = "8e174bd"  # version 0.1.0
# What keeps all cores busy waits for what does not: tests of hosts mostly wait, and how long they take decides how long
# all of it does.
GIVES_WAY = ("nice", "-n", "10")
# Another checkout's objects are as good, as in test/host/build-for.
CACHE = {"CCACHE_BASEDIR": str(PROJECT), "CCACHE_NOHASHDIR": "1"}


ENDED = threading.Event()


def go_on() -> None:
    """Returns, unless a signal is ending all: then no thread may start more, or take what is killed for a failure."""
    if ENDED.is_set():
        threading.Event().wait()


@dataclass
class Result:
    """What a step found. A step that counts no tests of its own is one check."""

    passed: int = 0
    failed: int = 0
    note: str = ""


class Failed(Exception):
    """A step found something wrong; its words are for the person who runs ./check."""


@dataclass
class Step:
    name: str
    title: str
    run: "Callable[[Log], Result | None]"
    after: list[str] = field(default_factory=list)
    cores: int = 1
    fast: bool = False


class Log:
    """A step's output: a file under build/check, and the commands that write into it."""

    def __init__(self, name: str, prefix: tuple[str, ...] = ()):
        self.path = LOGS / f"{name}.log"
        self.path.unlink(missing_ok=True)
        self.prefix = prefix

    def command(self, *words: str | Path, **settings: str) -> str:
        """Runs a command; all that it prints goes to the log and comes back. Raises Failed when it does, and when it
        prints nothing for a quarter of an hour: how long the whole takes depends on the machine, its silence does not."""
        go_on()
        with open(self.path, "ab") as output:
            start = output.tell()
            child = subprocess.Popen(
                [*self.prefix, *(str(word) for word in words)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **settings},
            )
            code = self.end_of(child)
        said = self.path.read_bytes()[start:].decode(errors="replace")
        if code != 0:
            spoken = " ".join(map(str, words))
            spoken = spoken if len(spoken) < 200 else spoken[:200] + " …"
            failures = [line for line in said.splitlines() if re.match(r"FAIL |.*\*\*\*(Failed|Timeout)|FAILED: |.*: error: ", line)]
            raise Failed("\n".join([f"{spoken}: {code}", *failures[:40], *tail(said).splitlines()]))
        return said

    def end_of(self, child: subprocess.Popen) -> int | str:
        """Its exit code, or the words for why it was ended."""
        size, grown = 0, time.monotonic()
        while True:
            try:
                return child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                now = self.path.stat().st_size
                if now != size:
                    size, grown = now, time.monotonic()
                elif time.monotonic() - grown > SILENCE_SECONDS:
                    child.kill()
                    child.wait()
                    return f"it printed nothing for {SILENCE_SECONDS} s"


def tail(text: str, lines: int = 60) -> str:
    return "\n".join(text.splitlines()[-lines:])


def tracked(*patterns: str) -> list[str]:
    """The files of the project that git knows or would add, which still exist."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return sorted({name for name in listed if (PROJECT / name).is_file()})


# -- the steps ------------------------------------------------------------------------------------------------------


def formatting(log: Log) -> None:
    log.command("clang-format-19", "--dry-run", "--Werror", *tracked("*.cpp", "*.hpp"))


def spelling(log: Log) -> Result:
    """What people read: pages, manual pages, and the words and comments of programs."""
    # Names of enumerators, a macro of mdoc, a field of /proc, a key of nft.
    ours = "inforce,inflight,nd,inh,iif"
    read = tracked("*.md", "docs/*", "src/*", "deploy/*", "debian/*", "manifests/*", "test/host/*", "check", "demo", "package")
    log.command("codespell", "--ignore-words-list", ours, *(name for name in read if not name.endswith(".svg")))
    return Result(passed=1, note=f"{len(read)} files")


def scripts(log: Log) -> None:
    shell = [name for name in tracked() if re.match(rb"#! ?/bin/(ba)?sh|#!/usr/bin/env bash", first_line(name))]
    log.command("shellcheck", *shell)
    python = [name for name in tracked() if name.endswith(".py") or b"python3" in first_line(name)]
    log.command("pyflakes3", *python)


def first_line(name: str) -> bytes:
    with open(PROJECT / name, "rb") as opened:
        return opened.readline(100) if opened.read(2) == b"#!" and not opened.seek(0) else b""


def words(_: Log) -> None:
    """No file names a package mirror, and the pure core includes nothing that touches the world."""
    hosts = {urlparse(uri).hostname for source in apt.machine_sources() for uri in source.uris}
    mirrors = re.compile("|".join([r"\b(deb|ftp|security|snapshot)[.]debian[.]org", *(re.escape(h) for h in hosts if h)]))
    outside = re.compile(r"#include <(sys/|unistd|fstream|filesystem|iostream|sdbus|systemd|thread)")
    found = []
    for name in tracked():
        for number, line in enumerate((PROJECT / name).read_text(errors="replace").splitlines(), 1):
            if mirrors.search(line):
                found.append(f"{name}:{number}: names a package mirror: {line.strip()}")
            if name.startswith(("src/specs/", "src/reconciler/")) and outside.search(line):
                found.append(f"{name}:{number}: the core does no I/O: {line.strip()}")
    if found:
        raise Failed("\n".join(found))


def rooms(log: Log) -> Result:
    """The rooms keep to their table, and the check that says so finds what it is there to find."""
    said = log.command("python3", "-B", "test/house/test_rooms.py")
    log.command("python3", "-B", "test/house/rooms.py")
    return Result(passed=1 + int(re.search(r"^Ran (\d+) tests", said, re.MULTILINE)[1]))


def release(log: Log) -> None:
    """What users and packagers configure treats no warning as an error, but the one that Debian does (-Werror=…)."""
    log.command("cmake", "--preset", "release", "--fresh", "-B", "build/check/release")
    all_errors = re.compile(r"-Werror(?!=)")
    strict = [name for name in tracked("CMakeLists.txt", "*/CMakeLists.txt", "*.cmake") if all_errors.search((PROJECT / name).read_text())]
    if all_errors.search((PROJECT / "build/check/release/build.ninja").read_text()) or strict != ["cmake/warnings.cmake"]:
        raise Failed(f"a release build has -Werror; it is named in {', '.join(strict)}")


def dead_links(root: Path, pages: list[Path]) -> list[str]:
    """The relative links of Markdown pages that lead to no file beneath `root`."""
    dead = []
    for page in pages:
        for target in re.findall(r"\]\(([^)\s#:]+)[)#]", page.read_text()):
            place = (page.parent / target).resolve()
            if not place.exists() or not place.is_relative_to(root):
                dead.append(f"{page.relative_to(root)}: {target} is not there")
    return dead


def links(_: Log) -> Result:
    pages = [PROJECT / name for name in tracked("*.md")]
    if dead := dead_links(PROJECT, pages):
        raise Failed("\n".join(dead))
    return Result(passed=1, note=f"{len(pages)} pages")


def programs(_: Log) -> Result:
    """The programs of the checkout that pages tell to run are there, and have these options; ./check has these steps."""
    steps = {step.name for step in STEPS}
    ran, wrong = 0, []
    for page in documented.pages():
        for line in documented.lines(page):
            for words in documented.parsed(line.text):
                program, options = words[0], {word.split("=")[0] for word in words if re.match("--[a-z]", word)}
                # Within a sentence, it may be any file.
                is_there = os.access(PROJECT / program, os.X_OK) and (PROJECT / program).is_file()
                if not re.match(r"(\./|test/|bench/|cmake/packages/)[\w/-]+$", program) or (line.shown == "sentence" and not is_there):
                    continue
                ran += 1
                texts = "".join((PROJECT / name).read_text() for name in tracked(program, f"{program}.py", "test/host/demo.py", "bench/*.py", "test/check.py"))
                unknown = {option for option in options if option not in texts}
                if program == "./check":
                    unknown |= {word for word in words[1:] if word.islower() and not word.startswith("-")} - steps
                if not is_there:
                    wrong.append(f"{line.where}: {program} is not there")
                elif unknown:
                    wrong.append(f"{line.where}: {program} has no {', '.join(sorted(unknown))}")
    if wrong or ran < 20:
        raise Failed("\n".join(wrong) or "the pages name hardly any program")
    return Result(passed=1, note=f"{ran} commands")


def promises(_: Log) -> Result:
    """Every test that docs/promises.md names exists in the file that stands beside it."""
    named = re.findall(r'"([^"]+)" \(`([^`:]+)[`:]', (PROJECT / "docs/promises.md").read_text())
    missing = []
    for title, name in named:
        text = (PROJECT / name).read_text() if (PROJECT / name).is_file() else ""
        function = "def test_" + re.sub(r"\W", "_", title)
        joined = re.sub(r'"\s*\n\s*"', "", text)
        if title not in joined and function not in text:
            missing.append(f"docs/promises.md: no test {title!r} in {name}")
    if missing or len(named) < 20:
        raise Failed("\n".join(missing) or "docs/promises.md names hardly any test")
    return Result(passed=len(named), note=f"{len(named)} tests named")


def manuals(log: Log) -> Result:
    pages = tracked("docs/man/*")
    log.command("mandoc", "-T", "lint", "-W", "warning,stop", *pages)
    return Result(passed=len(pages))


def npm(log: Log, place: Path, modules: Path) -> Path:
    """The packages of npm's registry that package-lock.json pins by their hashes; none may run a script."""
    modules.mkdir(parents=True, exist_ok=True)
    lock = place / "package-lock.json"
    installed = modules / "installed.json"
    if not installed.is_file() or installed.read_bytes() != lock.read_bytes():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(place / name, modules)
        log.command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", modules)
        shutil.copy(lock, installed)
    return modules


def schema(log: Log) -> Result:
    """The JSON Schema against two validators that others wrote."""
    return counted(log.command("test/schema/differential", npm(log, PROJECT / "test/schema", PROJECT / "build/ajv")))


def clients(log: Log) -> Result:
    """The stand-in game against clients of A2S and RCON that others wrote."""
    modules = npm(log, PROJECT / "test/standin/clients", PROJECT / "build/clients")
    return counted(log.command("test/standin/clients/read", f"build/{HERE}/test/standin/srcds_run", modules))


def shells(log: Log) -> Result:
    return counted(log.command("test/l4d2ctl/shells", f"build/{HERE}/src/l4d2ctl/l4d2ctl"))


def commands(place: str) -> "Callable[[Log], Result]":
    return lambda log: counted(log.command("test/l4d2ctl/commands", f"build/{place}/src/l4d2ctl/l4d2ctl"))


def counted(said: str) -> Result:
    """The sum of what unit tests and host tests say at their end."""
    result = Result()
    for passed, failed in re.findall(r"^(\d+) passed, (\d+) failed$", said, re.MULTILINE):
        result.passed += int(passed)
        result.failed += int(failed)
    # The lines of the reason are indented; the first one says what was expected.
    unsteady = re.findall(r"^UNSTEADY: (\S.*)(?:\nUNSTEADY:  +(.*))?$", said, re.MULTILINE)
    if unsteady:
        told = "; ".join(f"{name} ({reason[:200]})" if reason else name for name, reason in unsteady)
        result.note = f"{result.passed} tests, of which these passed only when run alone: {told}"
    if result.passed + result.failed == 0:
        raise Failed("no test ran\n" + tail(said))
    return result


def package(release: str) -> "Callable[[Log], None]":
    """The Debian packages, of the objects that the release's build has compiled."""

    def run(log: Log) -> None:
        log.command("./package", release)

    return run


def packaged(log: Log) -> Result:
    """What Debian's own tools say of them: of all packages, and of how every object and program was made."""
    made = sorted(str(path) for path in (PROJECT / "build/packages").glob("*/**/*.deb"))
    log.command("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", *made)
    commands = LOGS / "commands"
    # blhc reads what comes after such a line of a log. Programs are position independent by default: lintian looks.
    commands.write_text("dpkg-buildpackage: \n" + log.command("ninja", "-C", f"build/{HERE}", "-t", "commands", "src/all"))
    # It knows -g, but not -g1.
    log.command("blhc", "--bindnow", "--ignore-flag", "-g", commands)
    for release in trees.RELEASES:
        installed_links(log, release)
    return Result(passed=len(made), note=f"{len(made)} packages")


def installed_links(log: Log, release: str) -> None:
    """The links between the pages that the packages install."""
    root = LOGS / "installed" / release
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for package in staging.packages(release):
        log.command("dpkg-deb", "--extract", package, root)
    pages = sorted(root.glob("usr/share/doc/left4me/**/*.md"))
    dead = dead_links(root, pages) if pages else ["they install no page"]
    if dead:
        raise Failed("\n".join([f"the packages for {release}:", *dead]))


def piuparts(release: str) -> "Callable[[Log], Result]":
    """Debian's tester of installing, removing and purging, in a copy of the bare tree."""

    def run(log: Log) -> Result:
        repository = LOGS / "piuparts" / release
        shutil.rmtree(repository, ignore_errors=True)
        repository.mkdir(parents=True)
        made = [shutil.copy(path, repository) for path in staging.packages(release)]
        index = subprocess.run(["dpkg-scanpackages", "."], cwd=repository, capture_output=True, text=True, check=True)
        (repository / "Packages").write_text(index.stdout)
        proxies = [line.split('"')[1] for line in apt.acquire_options() if line.lower().startswith("acquire::http::proxy ")]
        for package in made:
            log.command(
                "piuparts", "--existing-chroot", trees.location("bare", release), "--keep-sources-list", "--no-eatmydata",
                # What dependencies leave is theirs.
                "--warn-on-others", "--distribution", release, "--bindmount", repository, "--testdebs-repo", repository,
                *(f"--proxy={proxy}" for proxy in proxies), package,
            )  # fmt: skip
        return Result(passed=len(made), note=f"{len(made)} packages")

    return run


def package_tests(release: str) -> "Callable[[Log], Result]":
    return lambda log: counted(log.command("test/host/run-tests", release, "--packages", "--jobs", "2", "--again"))


def build(release: str) -> "Callable[[Log], None]":
    def run(log: Log) -> None:
        log.command("test/host/build-for", release, JOBS=str(CORES))

    return run


def build_and_test(release: str) -> "Callable[[Log], Result]":
    return lambda log: counted(log.command("test/host/build-for", release, "--test", JOBS=str(CORES)))


def preset(name: str) -> "Callable[[Log], Result]":
    """Builds a preset with its unit tests, and runs them."""

    def run(log: Log) -> Result:
        log.command("cmake", "--preset", name, "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", **CACHE)
        log.command("ninja", "-C", f"build/{name}", "-j", str(CORES), **CACHE)
        settings = {"UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
        return counted(log.command("test/unit-tests", f"build/{name}", str(CORES), **settings))

    return run


def fuzzers(log: Log) -> Result:
    """Parsers of bytes from outside, a minute each, on inputs that nobody thought of."""
    log.command("cmake", "--preset", "fuzz", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", **CACHE)
    log.command("ninja", "-C", "build/fuzz", "-j", str(CORES), "fuzzers", **CACHE)
    return counted(log.command("test/fuzz/run"))


def tree(kind: str, release: str) -> "Callable[[Log], None]":
    def run(log: Log) -> None:
        log.command("test/host/testhost", "make", release, "--kind", kind)

    return run


def first_steps(release: str) -> "Callable[[Log], Result]":
    """Somebody follows the README and the tutorial on hosts with nothing but what they are told to install."""
    return lambda log: counted(log.command("test/host/follow-on-bare", release))


def demo(log: Log) -> None:
    """The show, with what has been built already: it ends with an error when the host does not do what it shows."""
    log.command("./demo", "--built")


def upgrade(release: str) -> "Callable[[Log], Result]":
    """Servers that an earlier version started do not notice the upgrade to this one."""

    def run(log: Log) -> Result:
        log.command("test/host/build-for", release, "--commit", EARLIER, JOBS=str(CORES))
        return counted(log.command("test/host/run-tests", release, "--upgrade-from", EARLIER, "--again"))

    return run


def host_tests(release: str) -> "Callable[[Log], Result]":
    return lambda log: counted(log.command("test/host/run-tests", release, "--jobs", str(2 * CORES), "--again"))


class TidyCache:
    """Remembers what clang-tidy found nothing in: a file with all that it includes of the project, the command that
    compiles it, the checks and clang-tidy itself. In the user's cache, so that a fresh clone knows it, too."""

    def __init__(self):
        self.directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "left4me/tidy"
        self.directory.mkdir(parents=True, exist_ok=True)
        version = subprocess.run(["clang-tidy-19", "--version"], capture_output=True, check=True).stdout
        self.common = version + (PROJECT / ".clang-tidy").read_bytes()
        database = json.loads((PROJECT / "build/tidy/compile_commands.json").read_text())
        self.commands = {entry["file"]: entry["command"] for entry in database}

    def key(self, name: str) -> Path:
        command = self.commands[str(PROJECT / name)]
        listed = subprocess.run(
            [*re.sub(r" -o \S+ -c ", " -MM -MT x ", command).split()], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout
        digest = hashlib.sha256(self.common + command.replace(str(PROJECT), "").encode())
        for used in listed.replace("\\\n", " ").removeprefix("x:").split():
            digest.update(Path(used).read_bytes())
        return self.directory / digest.hexdigest()

    def forget_old(self) -> None:
        month = time.time() - 30 * 24 * 3600
        for known in self.directory.iterdir():
            if known.stat().st_mtime < month:
                known.unlink(missing_ok=True)


def tidy_of(names: "Callable[[], list[str]]") -> "Callable[[Log], Result]":
    def run(log: Log) -> Result:
        log.command("cmake", "--preset", "tidy")
        cache = TidyCache()
        wanted = names()

        def look(name: str) -> str:
            known = cache.key(name)
            if known.exists():
                known.touch()
                return ""
            go_on()
            done = subprocess.run(
                [*GIVES_WAY, "clang-tidy-19", "--quiet", "-p", "build/tidy", "--extra-arg=-Wno-unknown-warning-option",
                 # The compilers' own warnings are g++'s to make errors.
                 "--extra-arg=-Wno-error", name],
                cwd=PROJECT, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode == 0:
                known.touch()
                return ""
            return done.stdout + done.stderr

        with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
            looked = dict(zip(wanted, pool.map(look, wanted)))
        cache.forget_old()
        complaints = [said for said in looked.values() if said]
        log.path.write_text("\n".join(complaints), encoding="utf-8")
        if complaints:
            raise Failed("\n".join(tail(said, 25) for said in complaints[:8]))
        return Result(passed=1 if wanted else 0, note=f"{len(wanted)} files")

    return run


def every_source() -> list[str]:
    return tracked("src/*.cpp")


def changed_sources() -> list[str]:
    git = ["git", "-c", "safe.directory=*"]
    base = subprocess.run([*git, "merge-base", "HEAD", "main"], cwd=PROJECT, capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "diff", "--name-only", base or "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    untracked = subprocess.run([*git, "ls-files", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True)
    names = set(changed.stdout.splitlines()) | set(untracked.stdout.splitlines())
    return [name for name in tracked("src/*.cpp") if name in names]


STEPS = [
    Step("format", "formatting (clang-format)", formatting, fast=True),
    Step("scripts", "scripts (shellcheck, pyflakes)", scripts, fast=True),
    Step("spelling", "spelling (codespell)", spelling, fast=True),
    Step("words", "no mirror is named, the core does no I/O", words, fast=True),
    Step("rooms", "rooms keep to the table in docs/architecture.md, nothing is decided by text", rooms, fast=True),
    Step("release", "a release build treats no warning as an error", release, fast=True),
    Step("links", "links between pages", links, fast=True),
    Step("programs", "the checkout's programs that pages tell to run", programs, fast=True),
    Step("promises", "docs/promises.md names tests that exist", promises, fast=True),
    Step("man", "manual pages (mandoc -T lint)", manuals, fast=True),
    Step("schema", "the JSON Schema against ajv and python3-jsonschema", schema),
    Step(f"tree-{HERE}", f"test host tree for {HERE}", tree("host", HERE), cores=0),
    Step(HERE, f"build on {HERE}", build(HERE), cores=2),
    Step(f"tree-{OTHER}", f"build tree for {OTHER}", tree("build", OTHER), [f"tree-{HERE}"], cores=0),
    Step(f"host-tree-{OTHER}", f"test host tree for {OTHER}", tree("host", OTHER), [f"tree-{OTHER}"], cores=0),
    Step("clients", "others' clients of A2S and RCON read the stand-in", clients, [HERE]),
    Step("shells", "completion in bash, zsh and fish", shells, [HERE]),
    Step("commands", "l4d2ctl parses the commands that the pages show", commands(HERE), [HERE]),
    Step(f"hosts-{HERE}", f"host tests on {HERE}", host_tests(HERE), [HERE, f"tree-{HERE}"], cores=1),
    Step(OTHER, f"build and unit tests on {OTHER}", build_and_test(OTHER), [HERE, f"tree-{OTHER}"], cores=2),
    Step(f"hosts-{OTHER}", f"host tests on {OTHER}", host_tests(OTHER),
         [OTHER, f"host-tree-{OTHER}", f"hosts-{HERE}"], cores=1),
    Step(f"package-{HERE}", f"the packages for {HERE}", package(HERE), [HERE], cores=1),
    Step(f"package-{OTHER}", f"the packages for {OTHER}", package(OTHER), [OTHER, f"package-{HERE}"], cores=1),
    Step("packaged", "the packages and their compilation (lintian, blhc)", packaged, [f"package-{HERE}", f"package-{OTHER}"]),
    Step(f"package-tests-{HERE}", f"tests of the packages on {HERE}", package_tests(HERE),
         [f"package-{HERE}", f"hosts-{OTHER}", f"tree-{HERE}"], cores=1),
    Step(f"package-tests-{OTHER}", f"tests of the packages on {OTHER}", package_tests(OTHER),
         [f"package-{OTHER}", f"package-tests-{HERE}", f"host-tree-{OTHER}"], cores=1),
    Step("asan", f"unit tests on {HERE}, with sanitizers", preset("asan"), [OTHER], cores=2),
    Step("fuzz", "fuzzers, a minute each", fuzzers, ["asan"], cores=2),
    Step("tidy", "clang-tidy over what is installed", tidy_of(every_source), ["fuzz"], cores=2),
    Step(f"bare-tree-{HERE}", f"bare tree for {HERE}", tree("bare", HERE), [f"host-tree-{OTHER}"], cores=0),
    Step(f"bare-tree-{OTHER}", f"bare tree for {OTHER}", tree("bare", OTHER), [f"bare-tree-{HERE}"], cores=0),
    Step(f"piuparts-{HERE}", f"installing and purging on {HERE} (piuparts)", piuparts(HERE), [f"package-{HERE}", f"bare-tree-{HERE}"]),
    Step(f"piuparts-{OTHER}", f"installing and purging on {OTHER} (piuparts)", piuparts(OTHER),
         [f"package-{OTHER}", f"bare-tree-{OTHER}"]),
    Step("demo", f"./demo, with the packages for {HERE}", demo, [f"package-{HERE}", f"tree-{HERE}", f"hosts-{OTHER}"]),
    Step(f"first-steps-{HERE}", f"the README and the tutorial, followed on a bare {HERE}", first_steps(HERE),
         ["tidy", f"bare-tree-{HERE}", f"package-{HERE}"], cores=1),
    Step(f"first-steps-{OTHER}", f"the README and the tutorial, followed on a bare {OTHER}", first_steps(OTHER),
         [f"first-steps-{HERE}", f"bare-tree-{OTHER}", f"package-{OTHER}"], cores=1),
    Step(f"upgrade-{HERE}", f"an upgrade from {EARLIER} on {HERE}", upgrade(HERE),
         ["tidy", HERE, f"tree-{HERE}"], cores=2),
    Step(f"upgrade-{OTHER}", f"an upgrade from {EARLIER} on {OTHER}", upgrade(OTHER),
         [f"upgrade-{HERE}", OTHER, f"host-tree-{OTHER}"], cores=2),
]  # fmt: skip
FAST = [
    *(step for step in STEPS if step.fast),
    Step("dev", "build and unit tests", preset("dev"), cores=2),
    Step("commands", "l4d2ctl parses the commands that the pages show", commands("dev"), ["dev"]),
    Step("tidy", "clang-tidy over what changed", tidy_of(changed_sources), ["dev"], cores=2),
]


# -- running them ---------------------------------------------------------------------------------------------------


class Run:
    """Runs steps as soon as what they wait for is done and there are cores for them; one more than there are, since
    no step keeps its own busy all the time."""

    def __init__(self, steps: list[Step]):
        self.steps = steps
        self.results: dict[str, Result] = {}
        self.changed = threading.Condition()
        self.busy = 0
        self.started = time.monotonic()

    def seconds(self) -> str:
        passed = int(time.monotonic() - self.started)
        return f"{passed // 60:2}:{passed % 60:02}"

    def all(self) -> Result:
        threads = [threading.Thread(target=self.one, args=(step,), daemon=True) for step in self.steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Result(*(sum(getattr(r, key) for r in self.results.values()) for key in ("passed", "failed")))

    def ready(self, step: Step) -> bool:
        names = {other.name for other in self.steps}
        return all(name in self.results for name in step.after if name in names) and (
            self.busy == 0 or self.busy + step.cores <= CORES + 1
        )

    def one(self, step: Step) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.ready(step))
            self.busy += step.cores
            broken = [name for name in step.after if name in self.results and self.results[name].failed]
            print(f"{self.seconds()}  ....  {step.title}", flush=True)
        began = time.monotonic()
        words_for_failure = ""
        try:
            needed = [name for name in broken if name in (HERE, OTHER) or "tree" in name or name.startswith("package-")]
            if needed and step.name.startswith(("hosts-", "first-steps-", "demo", "upgrade-", "package-", "packaged")):
                raise Failed(f"not run: {', '.join(needed)} failed")
            result = step.run(Log(step.name, GIVES_WAY if step.cores > 1 else ())) or Result(passed=1)
        except Failed as error:
            words_for_failure = str(error)
            try:
                result = counted(words_for_failure)
            except Failed:
                result = Result()
            result.failed = max(1, result.failed)
        except Exception:  # the others go on, and the whole must end
            result, words_for_failure = Result(failed=1), traceback.format_exc()
        go_on()
        with self.changed:
            self.results[step.name] = result
            self.busy -= step.cores
            self.report(step, result, words_for_failure, time.monotonic() - began)
            self.changed.notify_all()

    def report(self, step: Step, result: Result, failure: str, took: float) -> None:
        note = result.note or (f"{result.passed} tests" if result.passed > 1 else "")
        verdict = "FAIL" if result.failed else " ok "
        print(f"{self.seconds()}  {verdict}  {step.title}{': ' + note if note else ''} ({took:.0f} s)", flush=True)
        if failure:
            print("\n".join("              " + line for line in failure.splitlines()), flush=True)
            print(f"              all of it: {LOGS / step.name}.log", flush=True)


def end(number: int, _: object) -> None:
    """Ends all that the steps have started, and this program."""
    ENDED.set()
    print(f"ended by {signal.Signals(number).name}", flush=True)
    processes.end_children()
    os._exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="check", description="builds and tests everything")
    parser.add_argument("--fast", action="store_true", help="no containers, no other release, tidy for what changed")
    parser.add_argument("--list", action="store_true", help="list the steps and exit")
    parser.add_argument("steps", nargs="*", metavar="STEP", help="only these steps")
    options = parser.parse_args()
    known = FAST if options.fast else STEPS
    if options.list:
        for step in known:
            print(f"{step.name:20} {step.title}")
        return 0
    unknown = set(options.steps) - {step.name for step in known}
    if unknown:
        parser.error(f"no step {', '.join(sorted(unknown))}; --list names them")
    chosen = [step for step in known if not options.steps or step.name in options.steps]
    LOGS.mkdir(parents=True, exist_ok=True)
    processes.adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    with trees.locked(PROJECT / "build/check.lock"):
        total = Run(chosen).all()
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
