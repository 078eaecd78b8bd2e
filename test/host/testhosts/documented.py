"""The command lines that the pages show: in indented blocks, in blocks ```console, and in `code` within a sentence."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
PROMPT = re.compile(r"(?:[\d:]+ )?(?:old|new|alice)?[#$] ")
SAID = re.compile(r"remote: +")
OPERATORS = set("|&;<>()")
# What begins with none of these, in an indented block, is something else than a command.
PROGRAMS = re.compile(r"(sudo )?(apt-get|cd|chown|cmake|ctest|dpkg|git|install|journalctl|l4d2ctl|scp|ssh-keygen|ssh-keyscan|systemctl|systemd-\w+|"
                      r"test/host/\S+|usermod|\./\w+)\b")  # fmt: skip


@dataclass(frozen=True)
class Line:
    page: str  # relative to the project
    number: int
    text: str  # as it is typed, without a prompt
    shown: str  # "block", "console", "sentence", or "said" by a program for somebody to type

    @property
    def where(self) -> str:
        return f"{self.page}:{self.number}"


def pages(root: Path = PROJECT) -> list[Path]:
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md")), *sorted((root / "manifests").rglob("*.md"))]


def lines(page: Path, root: Path = PROJECT) -> list[Line]:
    name = str(page.relative_to(root))
    found: list[Line] = []
    fence, block, above = None, 0, ""
    numbered = list(enumerate(page.read_text().splitlines(), 1))
    paragraph: list[tuple[int, str]] = []
    for number, line in numbered:
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("```"):
            fence = line.lstrip()[3:] if fence is None else None
        elif fence is not None:
            if fence == "console":
                found += typed(name, number, line, "console", found)
        elif line and indent >= 4 and (block or not above):
            block = block or indent
            found += typed(name, number, line[block:], "block", found)
        else:
            if line:
                block = 0
            paragraph.append((number, line))
        above = line
    return sorted(found + in_sentences(name, paragraph), key=lambda one: one.number)


def in_blocks(page: Path) -> list[Line]:
    """The commands in indented blocks."""
    return [line for line in lines(page) if line.shown == "block" and PROGRAMS.match(line.text)]


def typed(name: str, number: int, line: str, shown: str, before: list[Line]) -> list[Line]:
    """A line of a block; what follows a backslash belongs to the line above."""
    if before and before[-1].shown == shown and before[-1].text.endswith("\\"):
        last = before.pop()
        return [Line(name, last.number, f"{last.text[:-1]}{line.strip()}", shown)]
    prompt = PROMPT.match(line)
    if said := SAID.match(line):
        return [Line(name, number, line[said.end() :], "said")]
    if shown == "console" and not prompt:
        return []
    return [Line(name, number, line[prompt.end() :] if prompt else line, shown)]


def in_sentences(name: str, paragraph: list[tuple[int, str]]) -> list[Line]:
    """`code` may go on in the next line."""
    text = "\n".join(line for _, line in paragraph)
    found = []
    for span in re.finditer(r"(?<!`)`([^`]+)`(?!`)", text):
        if "\n\n" not in span[1]:
            number = paragraph[text.count("\n", 0, span.start())][0]
            found.append(Line(name, number, " ".join(span[1].split()), "sentence"))
    return found


def commands(text: str) -> list[list[str]]:
    """The simple commands of a line of shell, each in words, without redirections and comments. ValueError when it is none."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="".join(OPERATORS))
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    operand = False
    for word in lexer:
        if set(word) <= OPERATORS:
            operand = "<" in word or ">" in word
            if not operand:
                found.append([])
            elif found[-1] and found[-1][-1] in ("1", "2"):
                found[-1].pop()
        elif operand:
            operand = False
        else:
            found[-1].append(word)
    return [command for command in found if command]


def parsed(text: str) -> list[list[str]]:
    """The same without sudo and variables; of what is no shell, nothing."""
    try:
        found = commands(text)
    except ValueError:
        return []
    without = [words[next((at for at, word in enumerate(words) if not re.match(r"\w+=|sudo$", word)), len(words)) :] for words in found]
    return [words for words in without if words]


def of_program(program: str, text: str) -> list[list[str]]:
    """The words after PROGRAM of each of its calls in a line, also through ssh."""
    calls = [words[2:] if words[0] == "ssh" else words for words in parsed(text)]
    return [words[1:] for words in calls if words[:1] == [program]]
