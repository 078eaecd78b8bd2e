"""rooms.py finds what it is there to find: each test builds a small project that breaks one rule."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rooms  # noqa: E402

TABLE = """
| room | what it is | may use |
|---|---|---|
| `src/specs` | parsing | `yaml-cpp` |
| `src/adapters/git` | a source | `src/specs` |
"""
CLEAN = {
    "docs/architecture.md": TABLE,
    "src/specs/load.hpp": "#include <string>\n",
    "src/specs/load.cpp": '#include <yaml-cpp/yaml.h>\n#include "specs/load.hpp"\n',
    "src/adapters/git/git.cpp": '#include "specs/load.hpp"\n',
}


class Rooms(unittest.TestCase):
    def errors(self, **changed: str) -> str:
        """The errors of the clean project with these files changed; `/` and `.` in names are written `__` and `_DOT_`."""
        with tempfile.TemporaryDirectory() as directory:
            names = {name.replace("__", "/").replace("_DOT_", "."): text for name, text in changed.items()}
            for name, text in {**CLEAN, **names}.items():
                path = Path(directory) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return "\n".join(rooms.errors(Path(directory)))

    def test_a_project_that_keeps_the_rules_has_no_errors(self) -> None:
        self.assertEqual(self.errors(), "")

    def test_an_include_of_a_room_that_is_not_in_the_row_is_an_error(self) -> None:
        said = self.errors(src__specs__load_DOT_hpp='#include "adapters/git/git.hpp"\n', src__adapters__git__git_DOT_hpp="")
        self.assertIn("src/specs/load.hpp:1: src/specs may not use src/adapters/git", said)

    def test_an_include_of_a_library_that_is_not_in_the_row_is_an_error(self) -> None:
        said = self.errors(src__specs__load_DOT_hpp="#include <git2.h>\n")
        self.assertIn("src/specs/load.hpp:1: src/specs may not use libgit2", said)

    def test_a_room_without_a_row_is_an_error(self) -> None:
        self.assertIn("src/web has no row", self.errors(src__web__page_DOT_cpp=""))

    def test_a_row_that_allows_more_than_is_used_is_an_error(self) -> None:
        self.assertIn("src/adapters/git does not use src/specs", self.errors(src__adapters__git__git_DOT_cpp=""))

    def test_a_cycle_in_the_table_is_an_error(self) -> None:
        table = TABLE.replace("`yaml-cpp`", "`yaml-cpp`, `src/adapters/git`")
        said = self.errors(docs__architecture_DOT_md=table)
        self.assertIn("a cycle: src/adapters/git → src/specs → src/adapters/git", said)

    def test_deciding_by_the_text_of_a_reason_is_an_error(self) -> None:
        for line in (
            'if (outcome.reason == "InUse") return;',
            'if (outcome->reason != "InUse") return;',
            'if (action.code == "BackOff") return;',
            'if ("BackOff" == action.code) return;',
            'if (taken.error() == "busy") return;',
            'if (taken.error().message.find("Bad value") != npos) return;',
            'if (error.starts_with("SourceChanged")) return;',
            'if (findings.find_code("BackOff") != nullptr) return;',
            "return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();",
        ):
            with self.subTest(line):
                self.assertIn("compares text", self.errors(src__specs__load_DOT_hpp=line + "\n"))

    def test_other_comparisons_are_allowed(self) -> None:
        for line in (
            "if (outcome.reason == Reason::InUse) return;",
            "if (error == logged_error_) return;",
            'if (fs::read_symlink(path, error) == "/dev/null") return;',
            'if (kind.name == "Server") return;',
            '// reason == "InUse" was how it was',
        ):
            with self.subTest(line):
                self.assertEqual(self.errors(src__specs__load_DOT_hpp=line + "\n"), "")

    def test_the_list_of_remaining_comparisons_must_shrink_with_the_code(self) -> None:
        listed = {"test__house__text_comparisons": "# some\n1 src/specs/load.hpp\n"}
        line = 'if (reason == "InUse") return;\n'
        self.assertEqual(self.errors(**listed, src__specs__load_DOT_hpp=line), "")
        self.assertIn("compares text", self.errors(**listed, src__specs__load_DOT_hpp=line + line))
        self.assertIn("src/specs/load.hpp has 0, not 1", self.errors(**listed))

    def test_operations_neither_print_nor_know_exit_codes(self) -> None:
        table = TABLE + "| `src/operations` | the application | |\n"
        for line in (
            'fmt::print("done\\n");',
            "std::cout << 1;",
            'fputs("done", stderr);',
            "#include <iostream>",
            "#include <cstdio>",
            "#include <print>",
        ):
            said = self.errors(docs__architecture_DOT_md=table, src__operations__edit_DOT_cpp=line + "\n")
            self.assertIn("src/operations prints nothing", said)
        for line in ("return Exit::Usage;", "std::exit(1);"):
            said = self.errors(docs__architecture_DOT_md=table, src__operations__edit_DOT_cpp=line + "\n")
            self.assertIn("src/operations knows no exit codes", said)

    def test_operations_do_not_decide_by_the_text_of_an_error(self) -> None:
        table = TABLE + "| `src/operations` | the application | |\n"
        line = 'if (read.error().message.find("vanished") != std::string::npos) return;\n'
        said = self.errors(docs__architecture_DOT_md=table, src__operations__edit_DOT_cpp=line)
        self.assertIn("src/operations/edit.cpp:1", said)
        self.assertIn("compares text", said)

    def test_a_front_end_uses_no_adapter_that_acts(self) -> None:
        table = TABLE + "| `src/l4d2ctl` | the command line | `src/adapters/{0}` |\n| `src/adapters/{0}` | acts | |\n"
        include = '#include "adapters/{0}/it.hpp"\n'
        for name in ("machine", "store", "trigger"):
            files = {f"src__adapters__{name}__it_DOT_hpp": "", "src__l4d2ctl__get_DOT_cpp": include.format(name)}
            said = self.errors(docs__architecture_DOT_md=table.format(name), **files)
            self.assertEqual(
                said, f"docs/architecture.md: src/l4d2ctl may not use src/adapters/{name}: a front end acts through src/operations"
            )


if __name__ == "__main__":
    unittest.main()
