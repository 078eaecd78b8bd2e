"""Pages of docs/ that show what a person types and sees: the tests type the same, and see the same.

In a block ```console, a line that begins with `# ` is typed by root on the host, in /root, and one with `alice$ ` by
alice on her own machine. `old# ` and `new# `: root on the host that is replaced, and on the one in its place. The lines below are what is printed; `…` stands for any text, and alone on a line for any lines.
What only looks is typed again until it shows that: a person looks again, too. A block ```yaml is a file whose name ends the
sentence above it: on the host, or with `~/` on alice's machine."""

import re
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"
LOOKS = re.compile(r"(ssh alice@HOST )?l4d2ctl (get|describe|diff|status|events|history|players|logs|tree|explain-path)\b|git log")


@dataclass
class Command:
    who: str  # "alice", "root", or root on another host: "old", "new"
    text: str
    line: int
    shown: list[str] = field(default_factory=list)

    def only_looks(self) -> bool:
        return bool(LOOKS.match(self.text))

    def matches(self, said: str) -> bool:
        parts = ["(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in self.shown]
        # git pads what the other side says.
        return re.fullmatch("".join(parts), re.sub(r" +$", "", said, flags=re.MULTILINE)) is not None


@dataclass
class File:
    path: str
    text: str
    line: int


def steps(page: Path) -> list[Command | File]:
    """What the page has its reader do, in order."""
    found: list[Command | File] = []
    above = ""
    lines = enumerate(page.read_text().splitlines(), 1)
    for number, line in lines:
        if line in ("```console", "```yaml"):
            block = []
            for _, inside in lines:
                if inside == "```":
                    break
                block.append(inside)
            if line == "```yaml":
                if name := re.search(r"`([^`]+)`:$", above):
                    found.append(File(name[1], "\n".join(block) + "\n", number))
            else:
                found += commands(block, number)
        elif line:
            above = line
    return found


def commands(block: list[str], first: int) -> list[Command]:
    found: list[Command] = []
    for number, line in enumerate(block, first + 1):
        if typed := re.match(r"(?:(old|new)?# |(alice)\$ )(.*)", line):
            found.append(Command(typed[1] or typed[2] or "root", typed[3], number))
        elif found and found[-1].text.endswith("\\"):
            found[-1].text += "\n" + line
        elif found:
            found[-1].shown.append(line)
    return found


class Reader:
    """Follows a page word by word on a host, which `run_in` and `write` of a HostTest act on. AssertionError when something else is
    printed than the page shows."""

    def follow(self, name: str) -> None:
        page = DOCS / name
        found = steps(page)
        assert len(found) > 4, "the page shows hardly anything"
        replaced = False
        for step in found:
            if isinstance(step, File):
                self.lay_down(step)
                continue
            if step.who == "new" and not replaced:
                self.replace_host()
                replaced = True
            self.type(step, f"{page.name}:{step.line}")

    def lay_down(self, file: File) -> None:
        self.write(file.path if file.path.startswith("/") else f"/root/{file.path}", file.text)

    def say(self, step: Command) -> str:
        """What is printed. Whoever types stays in the directory that they went to."""
        return self.run_in(*as_root(step.text), expect=None).stdout

    def type(self, step: Command, where: str) -> None:
        if step.text.startswith("systemctl restart"):
            self.wait_for_reload()
        deadline = time.monotonic() + (60 if step.only_looks() else 0)
        while True:
            said = self.say(step)
            if step.matches(said):
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(0.3)
        expected = "\n".join(step.shown)
        raise AssertionError(f"{where}: {shlex.quote(step.text)}\n--- the page shows\n{expected}\n--- is printed\n{said}")

    def wait_for_reload(self) -> None:
        """left4me has systemd reloaded two seconds after it has enabled servers. Until then, Debian 13's systemctl warns of every
        unit; no person types that fast."""
        deadline = time.monotonic() + 30
        while self.run_in("systemctl", "show", "-P", "NeedDaemonReload", "left4me").stdout == "yes\n":
            assert time.monotonic() < deadline, "systemd is not reloaded"
            time.sleep(0.1)


def as_root(text: str) -> tuple[str, ...]:
    return ("env", "HOME=/root", "DEBIAN_FRONTEND=noninteractive", "bash", "-c", typed(text))


def typed(text: str) -> str:
    return f'cd ~ && cd "$(cat .cwd 2>/dev/null || pwd)" && {{ {text}\n}} 2>&1; pwd >~/.cwd'
