"""Where a server's files come from: the configs of overlays, explain-path, tree, and conflicts between overlays."""

import json

from testhosts.case import STATE, HostTest, server

SOURCE = "/srv/left4dead2/rework"
CONFIG = "left4dead2/cfg/server.cfg"
MERGED = f"{STATE}/runtime/delta/merged"
STACK = (
    "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: tickrate}\n"
    "spec: {source: {inline: {files: {left4dead2/cfg/server.cfg: \"hostname tickrate\\nfps_max 0\\n\", "
    "left4dead2/cfg/shared.cfg: \"of tickrate\"}}}}\n"
    f"---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: rework}}\nspec: {{source: {{directory: {SOURCE}}}}}\n"
    "---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: stacked}\n"
    "spec: {overlays: [rework, tickrate], executeConfigs: [tickrate, rework], secrets: [rcon], arguments: [\"+map\", c1m1_hotel],\n"
    "  config: \"hostname last\\nrcon_password ${secret:rcon}\\n\"}\n"
) + server("delta", 27018, blueprint="stacked")  # fmt: skip
SECRET = "a-password-that-nobody-may-see"


class Layers(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.write(f"{SOURCE}/{CONFIG}", "hostname rework\n")
        self.write(f"{SOURCE}/left4dead2/cfg/shared.cfg", "of rework")
        self.write(f"{SOURCE}/left4dead2/addons/a b/rework.vdf", "x")
        self.write("/etc/left4me/secrets/rcon", SECRET)
        self.run_in("sh", "-c", "chown left4me: /etc/left4me/secrets/rcon && chmod 0400 /etc/left4me/secrets/rcon")
        self.apply(STACK)
        self.assert_running("delta", 27018)

    def explain(self, path: str, expect: int = 0) -> dict:
        said = self.ctl("explain-path", "delta", path, "-o", "json", expect=expect).stdout
        self.assertNotIn(SECRET, said)
        return json.loads(said)

    def tree(self, path: str) -> dict:
        return json.loads(self.ctl("tree", "delta", path, "-o", "json").stdout)

    def paths(self) -> list[str]:
        """All files and links that the game sees."""
        found = self.run_in("find", MERGED, "-mindepth", "1", "!", "-type", "d", "-printf", "%P\\n").stdout
        return found.splitlines()

    def compare_all(self) -> None:
        """Of each file that the game sees, the layer that explain-path names has the same content."""
        compared = []
        for path in self.paths():
            origin = self.explain(path)
            compared.append(f'cmp "{STATE}/{origin["provider"]["path"]}/{path}" "{MERGED}/{path}"')
        self.assertGreater(len(compared), 4)
        self.run_in("sh", "-ec", "\n".join(compared))


class Configs(Layers):
    def test_the_configs_of_overlays_run_in_order_before_the_blueprints_own(self):
        config = self.run_in("cat", f"{MERGED}/{CONFIG}").stdout
        self.assertTrue(config.startswith("exec server_tickrate.cfg\nexec server_rework.cfg\nhostname last\n"), config)
        cfg = f"{MERGED}/left4dead2/cfg"
        self.assertEqual(self.run_in("cat", f"{cfg}/server_tickrate.cfg").stdout, "hostname tickrate\nfps_max 0\n")
        self.assertEqual(self.run_in("cat", f"{cfg}/server_rework.cfg").stdout, "hostname rework\n")
        self.until("config has the last word", lambda: self.a2s(27018).get("hostname") == "last")
        self.assert_converged()

    def test_a_changed_config_of_an_overlay_is_rendered_and_a_missing_one_keeps_the_last_rendering(self):
        self.write(f"{SOURCE}/{CONFIG}", "hostname other\n")
        self.ctl("reconcile", expect=None)
        rendered = f"{STATE}/instances/delta/current/layer/left4dead2/cfg/server_rework.cfg"
        self.assertEqual(self.run_in("cat", rendered).stdout, "hostname other\n")
        before = self.life("delta")
        self.run_in("rm", f"{SOURCE}/{CONFIG}")
        self.ctl("reconcile", expect=None)
        said = self.ctl("diff", expect=1).stdout
        self.assertIn("overlay rework", said)
        self.assertIn(f"has no {CONFIG}", said)
        self.assertEqual(self.life("delta"), before)
        self.run_in("systemctl", "stop", "left4me-server@delta")
        self.ctl("reconcile", expect=None)
        self.assertEqual(self.properties("delta")["ActiveState"], "active")
        self.assertEqual(self.run_in("cat", rendered).stdout, "hostname other\n")


class ExplainPath(Layers):
    def test_explain_path_names_the_layer_whose_file_the_game_sees(self):
        self.compare_all()
        shared = self.explain("left4dead2/cfg/shared.cfg")
        self.assertEqual(shared["provider"]["overlay"], "rework")
        self.assertEqual(shared["provider"]["source"], {"directory": SOURCE})
        self.assertEqual([layer["role"] for layer in shared["layers"]], ["Provides", "Shadowed"])
        self.assertEqual(self.explain(CONFIG)["provider"]["layer"], "Rendered")
        self.assertEqual(self.explain(f"{MERGED}/srcds_run")["provider"]["layer"], "Installation")
        text = self.ctl("explain-path", "delta", "left4dead2/cfg/shared.cfg").stdout
        self.assertIn("overlay/rework", text)
        self.assertIn("shadowed", text)
        self.assertIn("did you mean 'left4dead2/cfg/shared.cfg'",
                      self.ctl("explain-path", "delta", "left4dead2/CFG/Shared.cfg", expect=4).stdout)  # fmt: skip
        self.ctl("explain-path", "delta", "../../../../etc/shadow", expect=2)
        self.ctl("explain-path", "nobody", CONFIG, expect=4)

    def test_explain_path_tells_what_the_game_wrote_removed_and_made_anew(self):
        self.write(f"{MERGED}/left4dead2/cfg/shared.cfg", "of the game")
        self.write(f"{MERGED}/left4dead2/logs/l.log", "log")
        self.run_in("rm", f"{MERGED}/srcds_run")
        self.run_in("sh", "-c", f"rm -r {MERGED}/left4dead2/addons && mkdir {MERGED}/left4dead2/addons")
        self.run_in("chmod", "-R", "a+rX", f"{MERGED}/left4dead2/addons")
        self.compare_all()
        shared = self.explain("left4dead2/cfg/shared.cfg")
        self.assertEqual((shared["provider"]["layer"], shared["kept"]), ("Own", False))
        self.assertEqual([layer["role"] for layer in shared["layers"]], ["Provides", "Shadowed", "Shadowed"])
        self.assertTrue(self.explain("left4dead2/logs/l.log")["kept"])
        removed = self.explain("srcds_run", expect=4)
        self.assertEqual((removed["provider"], removed["layers"][0]["role"]), (None, "Hides"))
        self.assertTrue(self.explain("left4dead2/addons/a b/rework.vdf", expect=4)["hiddenByDirectory"])


class Tree(Layers):
    def test_a_tree_lists_what_the_game_sees_and_the_layer_of_each_name(self):
        for path in ("", "left4dead2", "left4dead2/cfg", "left4dead2/addons"):
            with self.subTest(path):
                listed = self.tree(path)
                names = sorted(entry["name"] for entry in listed["entries"])
                self.assertEqual(names, sorted(self.run_in("ls", "-A", f"{MERGED}/{path}").stdout.splitlines()))
                self.assertEqual((listed["total"], listed["truncated"]), (len(names), False))
        cfg = {entry["name"]: entry for entry in self.tree("left4dead2/cfg")["entries"]}
        self.assertEqual(cfg["shared.cfg"]["provider"]["overlay"], "rework")
        self.assertEqual(cfg["shared.cfg"]["shadowed"], 1)
        self.assertIn("overlay/rework", self.ctl("tree", "delta", "left4dead2/cfg").stdout)
        self.ctl("tree", "delta", "srcds_run", expect=4)

    def test_a_tree_of_thousands_of_names_is_bounded(self):
        self.run_in("sh", "-c", f"mkdir {MERGED}/left4dead2/many && cd {MERGED}/left4dead2/many && seq 3000 | xargs touch")
        listed = self.tree("left4dead2/many")
        self.assertEqual((len(listed["entries"]), listed["total"], listed["truncated"]), (1000, 3000, True))


class Conflicts(Layers):
    def test_conflicts_are_described_and_warned_of_and_refuse_nothing(self):
        self.write(f"{SOURCE}/left4dead2/Cfg/other.cfg", "x")
        self.ctl("reconcile", expect=None)
        described = self.ctl("describe", "blueprint", "stacked").stdout
        self.assertIn("rework and tickrate have different left4dead2/cfg/shared.cfg; rework wins", described)
        self.assertIn("left4dead2/Cfg and left4dead2/cfg differ only in case", described)
        self.assertNotIn(CONFIG + ";", described)
        warned = self.ctl("diff", expect=None)
        self.assertIn("warning: blueprint/stacked: rework and tickrate", warned.stderr)
        self.assertNotIn("warning", warned.stdout)
        self.assertIn("warning: blueprint/stacked", self.ctl("validate", "-f", "-", text_in=STACK).stderr)
