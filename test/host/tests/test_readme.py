"""The README's examples work as shown."""

import re
from pathlib import Path

from testhosts.case import HostTest

README = Path(__file__).resolve().parents[3] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


class Readme(HostTest):
    def test_the_readme_s_example_prints_the_output_shown_below_it(self):
        (manifests,), (transcript,) = blocks("yaml"), blocks("console")
        self.write("/root/comp.yaml", manifests)
        shown = ""
        for line in transcript.splitlines():
            if line.startswith("# "):
                done = self.run_in("bash", "-c", f"cd /root && {line[2:]}")
                shown += f"{line}\n{done.stdout}"
        self.assertEqual(shown, transcript)
        self.assert_running("comp1", 27015)
        self.assert_converged()
        self.ctl("diff", "-f", "/root/comp.yaml")

    def test_every_command_in_the_readme_s_table_works(self):
        (manifests,) = blocks("yaml")
        self.write("/root/comp.yaml", manifests)
        self.run_in("bash", "-c", "install -m 0400 -o left4me /dev/stdin /etc/left4me/secrets/rcon <<<password")
        self.ctl("apply", "-f", "/root/comp.yaml")
        rows = re.findall(r"^\| [a-z].*? \| (.*) \|$", README.read_text(), re.MULTILINE)
        commands = [command for row in rows for command in re.findall(r"`(l4d2ctl [^`]*)`", row)]
        self.assertGreater(len(commands), 15)
        endless = ("--follow", "--watch", "init-repo")
        for command in commands:
            if any(word in command for word in endless):
                continue
            command = command.replace(" DIR", " /etc/left4me/manifests").replace(" FILE", " /root/comp.yaml")
            with self.subTest(command):
                self.assertIn(self.run_in("bash", "-c", command, expect=None).returncode, (0, 1))
                if "delete" in command or "stop" in command:
                    self.ctl("apply", "-f", "/root/comp.yaml")
