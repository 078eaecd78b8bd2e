"""Servers with very many layers, and layers with whatever names and sizes files have."""

from testhosts.case import STATE, HostTest, server

SOURCE = "/srv/left4dead2/odd"
# Whatever communities call their files, and what would hurt a shell, a mount option or a line of text.
NAMES = [
    "a file.vpk", "it's.cfg", 'so "quoted".cfg', "`reboot`.cfg", "$(reboot).cfg", "求生之路2 战役.vpk", "Größe.cfg", "a:b,c\\d.cfg",
    "-rf", "#comment", "a\nnewline.cfg", " leading and trailing ", "[brackets]*?.cfg", "%20.cfg", "😀.vmt",
]  # fmt: skip
FILL = r"""
use strict; use warnings;
chdir $ARGV[0] or die; mkdir "left4dead2"; mkdir "left4dead2/addons"; mkdir "left4dead2/a dir";
local $/ = "\0";
while (my $name = <STDIN>) { chomp $name; for my $at ("addons", "a dir") { open my $f, ">", "left4dead2/$at/$name" or die "$name: $!"; print $f $name } }
open my $s, ">", "left4dead2/sparse.vpk" or die; seek $s, 10 << 30, 0; print $s "x" x 1048576; truncate $s, 20 << 30 or die;
"""


class Large(HostTest):
    def put(self, overlays: list[str], more: str = "") -> None:
        """A server with these inline overlays, which have a file of their own each and one that all have."""
        documents = more
        for name in overlays:
            documents += (f"---\napiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: {name}}}\nspec: {{source: {{inline: {{files: "
                          f"{{left4dead2/addons/{name}.txt: {name}, left4dead2/cfg/all.cfg: {name}}}}}}}}}\n")  # fmt: skip
        documents += ("---\napiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: tall}\n"
                      f"spec: {{arguments: [\"+map\", c1m1_hotel], overlays: [{', '.join(overlays)}]}}\n")  # fmt: skip
        self.apply(documents + server("alpha", 27015, "tall"))
        self.assert_running("alpha", 27015)

    def test_a_server_has_every_layer_of_107_and_of_498_overlays(self):
        for count in (107, 498):
            names = [f"overlay-with-a-long-name-{number:03}" for number in range(count)]
            self.ctl("delete", "alpha", expect=None)
            self.put(names)
            layers = self.mounts("alpha")[0]
            # The instance's layer, the overlays in their order, the installation.
            self.assertEqual([layer.split("/")[1] for layer in layers if layer.startswith("overlays/")], names)
            self.assertEqual(len(layers), count + 2)
            self.assertGreater(sum(len(f"{STATE}/{layer}:") for layer in layers), 4096)
            game = f"{STATE}/runtime/alpha/merged/left4dead2"
            self.assertEqual(self.run_in("sh", "-c", f"cd {game}/addons && cat overlay-with-*.txt").stdout, "".join(names))
            self.assertEqual(self.run_in("cat", f"{game}/cfg/all.cfg").stdout, names[0])
            self.assert_converged()

    def test_names_and_holes_of_files_survive_and_an_unchanged_overlay_is_not_read_again(self):
        self.run_in("mkdir", "-p", SOURCE)
        self.write("/srv/fill.pl", FILL)
        self.run_in("perl", "/srv/fill.pl", SOURCE, text_in="\0".join(NAMES))
        odd = f"apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: odd}}\nspec: {{source: {{directory: {SOURCE}}}}}\n---\n"
        blueprint = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: odd}\nspec: {overlays: [odd], arguments: [\"+map\", c1m1_hotel]}\n"
        self.write("/etc/left4me/config.yaml", "limits: {overlayBytes: 32212254720}\n")
        self.apply(odd + blueprint + server("alpha", 27015, "odd"))
        self.until("it runs", lambda: self.properties("alpha")["ActiveState"] == "active", 60)
        merged = f"{STATE}/runtime/alpha/merged/left4dead2"
        for directory in ("addons", "a dir"):
            listed = self.run_in("sh", "-c", f'cd "{merged}/{directory}" && find . -type f -printf "%P\\0"').stdout.split("\0")
            self.assertLessEqual(set(NAMES), set(listed))
            for name in NAMES:
                self.assertEqual(self.run_in("cat", f"{merged}/{directory}/{name}").stdout, name)
        size, blocks = self.run_in("stat", "-c", "%s %b", f"{merged}/sparse.vpk").stdout.split()
        self.assertEqual(int(size), 20 << 30)
        self.assertLess(int(blocks), 4096)
        self.assertEqual(self.run_in("sh", "-c", f"tail -c +{(10 << 30) + 1} {merged}/sparse.vpk | head -c 1048577").stdout, "x" * 1048576 + "\0")
        self.assertIn("求生之路2 战役.vpk", self.ctl("tree", "alpha", "left4dead2/addons").stdout)
        # Only names and times are looked at.
        self.run_in("strace", "-f", "-o", "/run/trace", "-e", "trace=openat,openat2", "l4d2ctl", "reconcile")
        opened = self.run_in("sh", "-c", "grep -c -e sparse.vpk -e 'a file.vpk' /run/trace", expect=None).stdout.strip()
        self.assertEqual(opened, "0")
        self.assert_converged()
