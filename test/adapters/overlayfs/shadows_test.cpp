// What left4me reports about a running game's changes to its tree.
#include "adapters/overlayfs/shadows.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "adapters/fd.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

/// comp1, mounted.
struct Playing : World {
    std::vector<std::string> layers;

    Playing() {
        file("overlays/o2/0123456789abcdef/left4dead2/addons/sourcemod/plugins/admin.smx", "plugin");
        file("overlays/o2/0123456789abcdef/left4dead2/cfg/rates.cfg", "rates");
        layers = legitimate("comp1", digest_a, 3);
        REQUIRE(mount_server(settings, "comp1", MountApi::Options));
    }
    Shadows look(const std::vector<std::string>& patterns = {}) const {
        const Fd state(::open(settings.state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        return find_shadows(state.get(), "comp1",
                            patterns.empty() ? Writable(default_writable) : Writable(patterns), layers);
    }
    static std::string merged(const std::string& name) { return "runtime/comp1/merged/" + name; }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("files that a game may write are not reported") {
    const Playing world;
    CHECK(world.look().count == 0);
    world.file(Playing::merged("left4dead2/logs/l.log"), "x");
    world.file(Playing::merged("left4dead2/cfg/banned_user.cfg"), "x");
    world.file(Playing::merged("left4dead2/addons/sourcemod/data/sqlite/x.sq3"), "x");
    // Set aside at the next start, but it hides nothing and is no code.
    world.file(Playing::merged("left4dead2/stats.txt"), "x");
    CHECK(world.look().count == 0);
}

TEST_CASE("files that hide files of layers, and code, are reported by name") {
    const Playing world;
    world.file(Playing::merged("left4dead2/cfg/server.cfg"), "taken, and of another length");
    CHECK(world.look().names == Names{"left4dead2/cfg/server.cfg"});
    CHECK(world.look().count == 1);
    world.file(Playing::merged("srcds_run"), "taken");
    world.file(Playing::merged("left4dead2/addons/sourcemod/plugins/admin.smx"), "taken");
    world.file(Playing::merged("left4dead2/addons/sourcemod/plugins/evil.smx"), "taken");
    world.file(Playing::merged("left4dead2/addons/evil.vdf"), "taken");
    world.remove(Playing::merged("left4dead2/cfg/rates.cfg"));
    const Shadows shadows = world.look();
    CHECK(shadows.count == 6);
    CHECK(shadows.names.size() == 5);
    CHECK(world.look({"left4dead2"}).count == 2);  // server.cfg and srcds_run
}

TEST_CASE("a recreated directory that hides the rendered file is noticed") {
    const Playing world;
    world.remove(Playing::merged("left4dead2/cfg"));
    SECTION("with nothing in it") { world.directory(Playing::merged("left4dead2/cfg")); }
    SECTION("not even made anew") {}
    SECTION("as a link") { world.symlink(Playing::merged("left4dead2/cfg"), "logs"); }
    const Shadows shadows = world.look();
    CHECK(shadows.count >= 1);
}

TEST_CASE("scanning a game with any number of files and any depth takes bounded time") {
    const Playing world;
    world.directory("runtime/comp1/upper/junk");
    for (int i = 0; i < 6000; ++i) world.file("runtime/comp1/upper/junk/" + std::to_string(i), "");
    std::string deep = "runtime/comp1/upper/deep";
    for (int i = 0; i < 100; ++i) deep += "/d";
    world.directory(deep);
    world.directory("runtime/comp1/upper/left4dead2");
    world.symlink("runtime/comp1/upper/left4dead2/x", "/");
    REQUIRE(::mkfifo(world.path("runtime/comp1/upper/left4dead2/f.so").c_str(), 0666) == 0);
    CHECK(world.look().more);
}
