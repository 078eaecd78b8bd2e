"""What systemd itself says of the sandboxes of left4me's units."""

import re

from testhosts.case import HostTest
from testhosts.packages import PROJECT


class Exposure(HostTest):
    def test_no_unit_is_more_exposed_than_the_documentation_says(self):
        text = (PROJECT / "docs/security.md").read_text(encoding="utf-8").split("\n## What systemd says of each unit\n")[1]
        told = {name: float(most) for name, most in re.findall(r"^\| `(left4me\S*\.service)` \| (\d+\.\d) \|", text, re.MULTILINE)}
        units = self.run_in("sh", "-c", "cd /usr/lib/systemd/system && ls left4me*.service").stdout.split()
        self.assertEqual(sorted(told), sorted(units))
        found = {}
        for unit in units:
            said = self.run_in("systemd-analyze", "security", "--offline=true", "--no-pager", f"/usr/lib/systemd/system/{unit}").stdout
            found[unit] = float(re.search(r"exposure level for \S+: (\d+\.\d)", said)[1])
        self.assertEqual({unit: level for unit, level in found.items() if level > told[unit]}, {}, found)
