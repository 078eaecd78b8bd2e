// What a server's tree shows, told from its layers: compared with what the kernel shows.
#include "adapters/overlayfs/merged.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "adapters/fd.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

namespace fs = std::filesystem;

/// comp1, mounted over three layers and an installation.
struct Mounted : World {
    std::vector<std::string> names;  ///< of the layers with the upper directory, as in LayerStack
    std::vector<Fd> opened;
    LayerStack stack;

    explicit Mounted(const std::function<void(const World&)>& fill = {}) {
        const std::vector<std::string> lower = legitimate("comp1", digest_a, 4);
        names = {"runtime/comp1/upper"};
        names.insert(names.end(), lower.begin(), lower.end());
        for (std::size_t i = 1; i < names.size(); ++i) {
            file(names[i] + "/everywhere", "everywhere in " + names[i]);
            file(names[i] + "/left4dead2/cfg/all.cfg", "all.cfg in " + names[i]);
            file(names[i] + "/left4dead2/only in " + std::to_string(i), "x");
        }
        file(names[2] + "/thing/a", "a directory here");
        file(names[3] + "/thing", "a file there");
        file(names[4] + "/thing/b", "a directory again");
        file(names[2] + "/plain", "a file here");
        file(names[3] + "/plain/c", "a directory there");
        file(names[3] + "/gone/d", "d");
        file(names[4] + "/gone/e", "e");
        file(names[4] + "/left4dead2/Addons/x", "another case");
        file(names[3] + "/left4dead2/addons/x", "x");
        symlink(names[3] + "/link", "left4dead2/cfg");
        file(names[4] + "/link/f", "f");
        if (fill) fill(*this);
        REQUIRE(mount_server(settings, "comp1", MountApi::Options));
        for (const std::string& name : names) stack.layers.push_back(open(name));
    }

    int open(const std::string& name) {
        opened.emplace_back(::open(path(name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        REQUIRE(opened.back());
        return opened.back().get();
    }
    std::string merged(const std::string& name = "") const { return path("runtime/comp1/merged/" + name); }

    /// Every path that some layer or the merged tree has.
    std::set<std::string> paths() const {
        std::set<std::string> all;
        std::vector<std::string> roots{merged()};
        for (const std::string& name : names) roots.push_back(path(name));
        for (const std::string& root : roots) {
            for (const auto& entry : fs::recursive_directory_iterator(root))
                all.insert(entry.path().lexically_relative(root).string());
        }
        return all;
    }
};

/// For every path, the layer that is named has what the kernel shows.
void check_all(const Mounted& world) {
    for (const std::string& path : world.paths()) {
        INFO(path);
        const auto shown = fs::symlink_status(world.merged(path));
        const PathInLayers found = find_in_layers(world.stack, path);
        const auto provider = found.provider();
        CHECK(provider.has_value() == fs::exists(shown));
        if (!provider || !fs::exists(shown)) continue;
        const std::string at = world.names[*provider] + "/" + path;
        CHECK(fs::symlink_status(world.path(at)).type() == shown.type());
        if (fs::is_regular_file(shown)) CHECK(world.read(at) == world.read("runtime/comp1/merged/" + path));
        if (!fs::is_directory(shown)) continue;
        std::set<std::string> kernel;
        for (const auto& entry : fs::directory_iterator(world.merged(path)))
            kernel.insert(entry.path().filename().string());
        const auto listed = list_merged(world.stack, path);
        REQUIRE(listed);
        std::set<std::string> ours;
        for (const MergedName& name : listed->names) {
            ours.insert(name.name);
            CHECK(find_in_layers(world.stack, path + "/" + name.name).provider() == name.provider);
        }
        CHECK(ours == kernel);
    }
}

}  // namespace

TEST_CASE("of every path, the layer that is named has what the kernel shows") {
    const Mounted world;
    check_all(world);
    CHECK(find_in_layers(world.stack, "everywhere").provider() == 1);
    CHECK_FALSE(find_in_layers(world.stack, "plain/c").provider());
    CHECK(find_in_layers(world.stack, "plain/c").layers[3].file == LayerFile::File);
    CHECK_FALSE(find_in_layers(world.stack, "link/f").provider());
    CHECK_FALSE(find_in_layers(world.stack, "thing/b").provider());
    CHECK_FALSE(find_in_layers(world.stack, "nothing/at/all").provider());
}

TEST_CASE("what the game wrote, removed and made anew is told as the kernel shows it") {
    Mounted world;
    world.file("runtime/comp1/merged/everywhere", "the game's");
    world.remove("runtime/comp1/merged/plain");
    world.remove("runtime/comp1/merged/gone");
    world.file("runtime/comp1/merged/gone/new", "new");
    world.remove("runtime/comp1/merged/left4dead2/cfg");
    world.file("runtime/comp1/merged/left4dead2/cfg", "a file now");
    world.file("runtime/comp1/merged/left4dead2/logs/l.log", "log");
    SECTION("by somebody who can read overlayfs' attributes") {}
    SECTION("by what the mounted tree lacks") { world.stack.merged = world.open("runtime/comp1/merged"); }
    check_all(world);
    CHECK(find_in_layers(world.stack, "plain").layers[0].file == LayerFile::Whiteout);
    CHECK_FALSE(find_in_layers(world.stack, "gone/d").provider());
    CHECK(find_in_layers(world.stack, "everywhere").provider() == 0);
}

TEST_CASE("a layer that cannot be opened hides what is below it, for nobody can tell what it has") {
    Mounted world;
    world.stack.layers[1] = -1;
    const PathInLayers found = find_in_layers(world.stack, "everywhere");
    CHECK(found.layers[1].file == LayerFile::Unreadable);
    CHECK(found.layers[2].file == LayerFile::File);
    CHECK_FALSE(found.provider());
    CHECK_FALSE(list_merged(world.stack, "left4dead2/cfg"));
    world.file("runtime/comp1/merged/everywhere", "the game's");
    CHECK(find_in_layers(world.stack, "everywhere").provider() == 0);
}

TEST_CASE("no link is followed out of a layer") {
    const Mounted world([](const World& host) {
        host.file("outside/secret", "s");
        host.symlink("installation/left4dead2/out", host.path("outside"));
    });
    CHECK_FALSE(find_in_layers(world.stack, "left4dead2/out/secret").provider());
    CHECK_FALSE(list_merged(world.stack, "left4dead2/out"));
    CHECK(find_in_layers(world.stack, "left4dead2/out").layers[4].file == LayerFile::Link);
}
