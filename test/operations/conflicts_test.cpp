#include "operations/conflicts.hpp"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "adapters/store/build_files.hpp"
#include "adapters/store/rollbacks.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;

namespace {

namespace fs = std::filesystem;
using Texts = std::map<std::string, std::string>;

constexpr const char* digest = "0123456789abcdef";

/// Overlays of a host; inline ones are not on its disk.
struct Overlays {
    test::Scratch scratch;
    Paths paths;
    std::map<std::string, OverlaySource> sources;

    Overlays() { paths.state = scratch.path(); }

    void inline_overlay(const std::string& name, const Texts& files) { sources[name] = InlineSource{files}; }
    /// A directory that has been built.
    void built_overlay(const std::string& name, const Texts& files) {
        sources[name] = DirectorySource{"/srv/" + name, "/srv", {}};
        const fs::path place = paths.overlays() / name;
        for (const auto& [path, text] : files) {
            const fs::path file = place / digest / path;
            fs::create_directories(file.parent_path());
            std::ofstream(file, std::ios::binary) << text;
        }
        fs::create_directories(place / store::build_directory);
        const Fd build(::open((place / store::build_directory).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        BuildRecord record;
        record.artifact = BuiltArtifact{digest, "input"};
        record.invocation = "i";
        REQUIRE(store::write_record(build.get(), record));
    }
    std::vector<std::string> find(const std::vector<std::string>& overlays,
                                  const std::string& installation = {}) const {
        ConflictFinder finder(paths, sources);
        std::vector<std::string> texts;
        for (const Conflict& conflict : finder.find({overlays, installation}))
            texts.push_back(to_text(conflict));
        return texts;
    }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("files that overlays have with the same content are no conflict, and others are") {
    Overlays host;
    host.inline_overlay("a",
                        {{"left4dead2/cfg/same.cfg", "x"}, {"left4dead2/cfg/other.cfg", "x"}, {"only", ""}});
    host.built_overlay("b", {{"left4dead2/cfg/same.cfg", "x"}, {"left4dead2/cfg/other.cfg", "y"}});
    host.built_overlay("c", {{"left4dead2/cfg/same.cfg", "x"}, {"left4dead2/cfg/other.cfg", "y"}});
    CHECK(host.find({"b", "a"}) == Lines{"b and a have different left4dead2/cfg/other.cfg; b wins"});
    CHECK(host.find({"b", "c"}).empty());
    CHECK(host.find({"a"}).empty());
}

TEST_CASE("of an overlay that was rolled back, the artifact that servers get counts") {
    Overlays host;
    host.built_overlay("a", {{"left4dead2/cfg/a.cfg", "new"}});
    host.inline_overlay("b", {{"left4dead2/cfg/a.cfg", "old"}});
    host.scratch.write("overlays/a/fedcba9876543210/left4dead2/cfg/a.cfg", "old");
    CHECK(host.find({"a", "b"}).size() == 1);
    fs::create_directories(host.paths.status());
    REQUIRE(save_rollbacks(host.paths, {{"a", {"fedcba9876543210", "alice", TimePoint{}}}}));
    CHECK(host.find({"a", "b"}).empty());
    // One that is not there any more does not count: the overlay follows its source.
    REQUIRE(save_rollbacks(host.paths, {{"a", {"0000000000000000", "alice", TimePoint{}}}}));
    CHECK(host.find({"a", "b"}).size() == 1);
}

TEST_CASE("a server.cfg is in nobody's way: the rendered one hides those of all overlays") {
    Overlays host;
    for (const char* name : {"a", "b"})
        host.inline_overlay(name, {{"left4dead2/cfg/server.cfg", name}, {"left4dead2/cfg/other.cfg", name}});
    CHECK(host.find({"a", "b"}) == Lines{"a and b have different left4dead2/cfg/other.cfg; a wins"});
}

TEST_CASE("paths that differ only in case are told once, where they part") {
    Overlays host;
    host.inline_overlay("a", {{"left4dead2/Addons/One.vpk", "x"}, {"left4dead2/Addons/two.vpk", "x"}});
    host.built_overlay("b", {{"left4dead2/addons/one.vpk", "x"}, {"left4dead2/addons/two.vpk", "x"}});
    host.inline_overlay("c", {{"left4dead2/addons/Two.vpk", "x"}});
    CHECK(host.find({"a", "b"}) == Lines{"left4dead2/Addons and left4dead2/addons differ only in case "
                                         "(a and b); the game sees each of them"});
    CHECK(
        host.find({"b", "c"}) ==
        Lines{
            "left4dead2/addons/Two.vpk and left4dead2/addons/two.vpk differ only in case (b and c); the game "
            "sees each of them"});
}

TEST_CASE("another case than the installation has is told as well") {
    Overlays host;
    host.scratch.write("installation/left4dead2/addons/one.vpk", "");
    host.inline_overlay("a", {{"left4dead2/addons/two.vpk", "x"}, {"left4dead2/addons/one.vpk", "x"}});
    CHECK(host.find({"a"}).empty());
    host.inline_overlay("b", {{"Left4Dead2/addons/two.vpk", "x"}});
    CHECK(
        host.find({"b"}) ==
        Lines{"Left4Dead2 and left4dead2 differ only in case (b and the installation); the game sees each of "
              "them"});
}

TEST_CASE("what a blueprint has instead of the installation of version 0.1 is told as well") {
    Overlays host;
    host.built_overlay("game", {{"left4dead2/addons/one.vpk", ""}});
    host.inline_overlay("a", {{"Left4Dead2/addons/two.vpk", "x"}});
    CHECK(host.find({"a"}).empty());
    CHECK(host.find({"a"}, "game").size() == 1);
}

TEST_CASE("thousands of conflicts are few lines") {
    Overlays host;
    Texts one;
    Texts two;
    for (int i = 0; i < 3000; ++i) {
        const std::string path = "left4dead2/" + std::to_string(i % 60) + "/" + std::to_string(i) + ".cfg";
        one[path] = "one";
        two[path] = "two";
    }
    one["readme.md"] = "one";
    two["readme.md"] = "two";
    host.inline_overlay("a", one);
    host.built_overlay("b", two);
    CHECK(host.find({"a", "b"}) == Lines{"a and b have different files in left4dead2/ (3000); a wins",
                                         "a and b have different readme.md; a wins"});
    ConflictFinder finder(host.paths, host.sources);
    const auto warnings = conflict_warnings(finder, {{"competitive", {{"a", "b"}}}});
    REQUIRE(warnings.size() == 2);
    CHECK(warnings.front() ==
          "blueprint/competitive: a and b have different files in left4dead2/ (3000); a wins");
}

TEST_CASE("an overlay that is not built, or not there, has no files") {
    Overlays host;
    host.inline_overlay("a", {{"f", "x"}});
    host.sources["b"] = DirectorySource{"/srv/b", "/srv", {}};
    CHECK(host.find({"a", "b", "c"}).empty());
}
