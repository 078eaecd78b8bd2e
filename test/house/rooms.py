#!/usr/bin/env python3
"""rooms.py [--shrink]: reports every place in src/ that breaks the rules of the house.

- An #include between two rooms, or of a library, that the table in docs/architecture.md does not allow.
- A cycle among the rooms of that table.
- A decision taken by comparing the text of an error or a reason. test/house/text_comparisons lists the ones that remain,
  with their number per file. Those numbers only go down; --shrink lowers them to what the code has.
- Printing, or an exit code, in src/operations.
- An adapter that acts in the row of a front end: what acts goes through src/operations, so that every front end does the same.
"""

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TABLE = "docs/architecture.md"
REMAINING = "test/house/text_comparisons"

# The name of a library in the table, for each beginning of an #include <…>.
LIBRARIES = {
    "yaml-cpp/": "yaml-cpp",
    "fmt/": "fmt",
    "sdbus-c++/": "sdbus-c++",
    "systemd/": "libsystemd",
    "git2": "libgit2",
    "openssl/": "OpenSSL",
    "nlohmann/": "nlohmann-json",
    "CLI/": "CLI11",
    "boost/": "Boost",
    "zlib.h": "zlib",
    "bzlib.h": "bzip2",
    "histedit.h": "libedit",
    "archive": "libarchive",
    "curl/": "libcurl",
    "libssh2": "libssh2",
}

TEXT_COMPARISONS = re.compile(
    r"""\b(reason|code|error|message|why|failure|hold|find_code)\b[\w.>()\[\]-]*\s*(
            [=!]=\s*"[A-Za-z]                                        # reason == "InUse"
          | \b(?<=[.>])?(starts_with|ends_with|contains|find|compare)\("[A-Za-z]       # message.find("Bad value")
        )
      | \bfind_code\("
      | "\s*[=!]=\s*[\w.>-]*\b(reason|code|error|message)\b         # "InUse" == reason
      | \bfind\((reasons|codes|messages|errors)\.                     # one of several texts
    """,
    re.VERBOSE,
)
PRINTING = re.compile(
    r"#include <(iostream|cstdio|stdio\.h|print|syslog\.h|fmt/(color|ostream|os)\.h)>"
    r"|\b(std::cout|std::cerr|std::clog|stdout|stderr)\b|\b(v?f?printf|fmt::print|std::print(ln)?|f?puts|putchar|fwrite|perror)\("
)
EXIT_CODES = re.compile(r"\bExit::|\bstd::exit\b|\b_?exit\(|\bEXIT_(SUCCESS|FAILURE)\b|\bexit_code\b")

# Whoever reads arguments or requests, and shows what comes of them.
FRONT_ENDS = ("src/l4d2ctl",)
ACTING = {
    f"src/adapters/{name}"
    for name in (
        "directory", "events", "machine", "metrics", "overlayfs", "source", "sources", "store", "systemd", "trigger", "watch"
    )
}  # fmt: skip


def room_of(file: Path) -> str:
    """src/ROOM, or src/adapters/ROOM and src/privileged/ROOM. Files directly in src/adapters are a room too."""
    parts = file.parts
    deep = len(parts) > 3 and parts[1] in ("adapters", "privileged")
    return "/".join(parts[: 3 if deep else 2])


def allowed(root: Path) -> dict[str, set[str]]:
    """Room → what its row in the table names in backquotes under "may use"."""
    text = (root / TABLE).read_text(encoding="utf-8")
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 3 and re.fullmatch(r"`src/[\w/-]+`", cells[0]):
            rows[cells[0].strip("`")] = set(re.findall(r"`([^`]+)`", cells[2]))
    return rows


def sources(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in (root / "src").rglob("*.[ch]pp"))


def lines(root: Path, file: Path):
    return enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1)


def include_errors(root: Path) -> list[str]:
    table = allowed(root)
    errors = []
    used: dict[str, set[str]] = {room: set() for room in table}
    for file in sources(root):
        room = room_of(file)
        if room not in table:
            errors.append(f"{file}: {room} has no row in {TABLE}")
            continue
        for number, line in lines(root, file):
            needs = None
            if match := re.match(r'\s*#\s*include "([^"]+)"', line):
                here, there = file.parent / match[1], Path("src") / match[1]
                target = there if (root / there).is_file() else here
                if not (root / target).is_file():
                    errors.append(f"{file}:{number}: there is no {match[1]}")
                    continue
                needs = room_of(target)
            elif match := re.match(r"\s*#\s*include <([^>]+)>", line):
                needs = next((name for start, name in LIBRARIES.items() if match[1].startswith(start)), None)
            if needs is None or needs == room:
                continue
            used[room].add(needs)
            if needs not in table[room]:
                errors.append(f"{file}:{number}: {room} may not use {needs}; {TABLE} lists what it may use")
    for room, names in table.items():
        for name in sorted(names - used[room]):
            if name in table or name in LIBRARIES.values():
                if (root / room).is_dir() and any((root / room).rglob("*.[ch]pp")):
                    errors.append(f"{TABLE}: {room} does not use {name}: remove it from the row")
            else:
                errors.append(f"{TABLE}: {room} may use {name}, which is neither a room of the table nor a known library")
        if not (root / room).is_dir():
            errors.append(f"{TABLE}: there is no {room}")
    return errors + cycle_errors(table)


def cycle_errors(table: dict[str, set[str]]) -> list[str]:
    """A room must not be able to reach itself."""
    errors, done = [], set()

    def visit(room: str, path: list[str]) -> None:
        if room in path:
            errors.append(f"{TABLE}: a cycle: {' → '.join([*path[path.index(room):], room])}")
        elif room not in done and room in table:
            for name in sorted(table[room]):
                visit(name, [*path, room])
            done.add(room)

    for room in sorted(table):
        visit(room, [])
    return errors


def text_comparisons(root: Path) -> dict[str, list[str]]:
    """File → the places where it compares the text of an error or a reason."""
    found: dict[str, list[str]] = {}
    for file in sources(root):
        for number, line in lines(root, file):
            for _ in TEXT_COMPARISONS.findall(line.split("//")[0]):
                found.setdefault(str(file), []).append(f"{file}:{number}: {line.strip()}")
    return found


def remaining(root: Path) -> dict[str, int]:
    text = (root / REMAINING).read_text(encoding="utf-8") if (root / REMAINING).is_file() else ""
    entries = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: int(count) for count, name in entries}


def text_errors(root: Path) -> list[str]:
    found, listed = text_comparisons(root), remaining(root)
    errors = []
    for name in sorted(found.keys() | listed.keys()):
        there, most = len(found.get(name, [])), listed.get(name, 0)
        if there > most:
            errors += [f"{place}  (compares text; use the enum)" for place in found[name]]
        elif there < most:
            errors.append(f"{REMAINING}: {name} has {there}, not {most}: run test/house/rooms.py --shrink")
    return errors


def shrink(root: Path) -> None:
    found, listed = text_comparisons(root), remaining(root)
    counts = {name: min(count, len(found.get(name, []))) for name, count in listed.items()}
    head = [line for line in (root / REMAINING).read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    kept = [f"{count} {name}" for name, count in sorted(counts.items()) if count]
    (root / REMAINING).write_text("\n".join([*head, *kept]) + "\n", encoding="utf-8")


def operations_errors(root: Path) -> list[str]:
    errors = []
    for file in sources(root):
        if room_of(file) != "src/operations":
            continue
        for number, line in lines(root, file):
            code = line.split("//")[0]
            if PRINTING.search(code):
                errors.append(f"{file}:{number}: src/operations prints nothing: {line.strip()}")
            if EXIT_CODES.search(code):
                errors.append(f"{file}:{number}: src/operations knows no exit codes: {line.strip()}")
    return errors


def front_end_errors(root: Path) -> list[str]:
    table = allowed(root)
    return [
        f"{TABLE}: {room} may not use {name}: a front end acts through src/operations"
        for room in FRONT_ENDS
        for name in sorted(table.get(room, set()) & ACTING)
    ]


def errors(root: Path = PROJECT) -> list[str]:
    return include_errors(root) + text_errors(root) + operations_errors(root) + front_end_errors(root)


if __name__ == "__main__":
    if sys.argv[1:] == ["--shrink"]:
        shrink(PROJECT)
    elif sys.argv[1:]:
        sys.exit(__doc__)
    found = errors()
    print("\n".join(found) or "the rooms are as docs/architecture.md says")
    sys.exit(1 if found else 0)
