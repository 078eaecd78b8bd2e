// Generations of overlays: built, listed, collected.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "place.hpp"

using namespace left4me;

TEST_CASE("a directory is copied into its generation, with modes for the game's group") {
    const Place place;
    place.file("source/left4dead2/addons/plugin.so", std::string(300'000, 'p'));
    place.file("source/left4dead2/run.sh", "#!/bin/sh\n");
    ::chmod(place.path("source/left4dead2/run.sh").c_str(), 0700);
    place.symlink("source/left4dead2/link", "addons/plugin.so");
    const auto source = directory_source(place.path("source"));
    const std::string generation = wanted(place, source);
    REQUIRE(::chmod(place.path("overlays").c_str(), 02750) == 0);
    REQUIRE(Store(place.paths).build("rework", source, generation));

    const std::string built = "overlays/rework/" + generation;
    CHECK(place.names(built) == place.names("source"));
    CHECK(place.read(built + "/left4dead2/addons/plugin.so") == std::string(300'000, 'p'));
    CHECK(std::filesystem::read_symlink(place.path(built + "/left4dead2/link")) == "addons/plugin.so");
    CHECK(place.mode("overlays/rework") == 02750);
    CHECK(place.mode(built) == 02775);
    CHECK(place.mode(built + "/left4dead2") == 02775);
    CHECK(place.mode(built + "/left4dead2/addons/plugin.so") == 0664);
    CHECK(place.mode(built + "/left4dead2/run.sh") == 0775);
    CHECK(place.names("overlays").size() == place.names(built).size() + 2);  // nothing else is left
}

TEST_CASE("files of a manifest are written into their generation") {
    const Place place;
    const auto source = inline_source({{"left4dead2/cfg/a.cfg", "one"}, {"left4dead2/cfg/sub/b.cfg", ""}});
    const std::string generation = wanted(place, source);
    REQUIRE(Store(place.paths).build("small", source, generation));
    CHECK(place.read("overlays/small/" + generation + "/left4dead2/cfg/a.cfg") == "one");
    CHECK(place.exists("overlays/small/" + generation + "/left4dead2/cfg/sub/b.cfg"));
    CHECK(place.mode("overlays/small/" + generation + "/left4dead2/cfg/a.cfg") == 0664);
}

TEST_CASE("building what is built changes nothing") {
    const Place place;
    const auto source = inline_source({{"a", "one"}});
    const std::string generation = wanted(place, source);
    REQUIRE(Store(place.paths).build("o", source, generation));
    const auto inode = place.inode("overlays/o/" + generation + "/a");
    REQUIRE(Store(place.paths).build("o", source, generation));
    CHECK(place.inode("overlays/o/" + generation + "/a") == inode);
}

TEST_CASE("a source that changed since it was looked at is not built") {
    const Place place;
    place.file("source/a", "one");
    const auto source = directory_source(place.path("source"));
    const std::string generation = wanted(place, source);
    place.file("source/a", "two");
    const auto built = Store(place.paths).build("o", source, generation);
    REQUIRE_FALSE(built);
    CHECK(built.error().kind == FailureKind::SourceChanged);
    CHECK(place.names("overlays/o").empty());
    CHECK(place.observe({}).generations.empty());
}

TEST_CASE("what a killed build left is not a generation, and the next build removes it") {
    const Place place;
    const auto source = inline_source({{"a", "one"}});
    const std::string generation = wanted(place, source);
    place.file("overlays/o/." + generation + "/half", "x");
    place.file("overlays/o/.0123456789abcdef/half", "x");
    CHECK(place.observe({}).generations.empty());
    REQUIRE(Store(place.paths).build("o", source, generation));
    CHECK(place.names("overlays/o") == std::vector<std::string>{generation, generation + "/a"});
}

TEST_CASE("generations are listed, and nothing that only looks like one") {
    const Place place;
    for (const char* name :
         {"overlays/o/0123456789abcdef", "overlays/o/.1123456789abcdef", "overlays/o/0123456789ABCDEF",
          "overlays/O/0123456789abcdef", "overlays/.o/0123456789abcdef", "instances/comp1/0123456789abcdef",
          "instances/Comp1/0123456789abcdef", "instances/comp1/current-x"}) {
        place.directory(name);
    }
    CHECK(place.observe({}).generations ==
          std::set<std::string>{"instances/comp1/0123456789abcdef", "overlays/o/0123456789abcdef"});
}

TEST_CASE("a collected generation is gone, and the overlay's directory with the last one") {
    const Place place;
    Store store(place.paths);
    for (const char* text : {"one", "two"}) {
        const auto source = inline_source({{"sub/a", text}});
        REQUIRE(store.build("o", source, wanted(place, source)));
    }
    const auto generations = place.observe({}).generations;
    REQUIRE(generations.size() == 2);
    REQUIRE(store.collect(*generations.begin()));
    CHECK(place.observe({}).generations.size() == 1);
    REQUIRE(store.collect(*generations.begin()));
    REQUIRE(store.collect(*generations.rbegin()));
    CHECK(place.names("overlays").empty());
    REQUIRE(store.collect(*generations.rbegin()));  // idempotent, without the overlay's directory too
}

TEST_CASE("nothing but a generation can be collected, built or forgotten") {
    const Place place;
    place.file("overlays/o/0123456789abcdef/a", "");
    Store store(place.paths);
    for (const char* path :
         {"", "/", "..", "overlays", "overlays/o", "overlays/o/..", "overlays/../0123456789abcdef",
          "installation", "/overlays/o/0123456789abcdef", "overlays/o/0123456789abcdef/",
          "overlays/o/0123456789abcdef/a", "state/o/0123456789abcdef", "overlays/o/0123456789ABCDEF",
          "x/overlays/o/0123456789abcdef"}) {
        INFO(path);
        CHECK_FALSE(store.collect(path));
    }
    for (const char* name : {"", "..", "a/b", "A"}) {
        CHECK_FALSE(store.build(name, inline_source({{"a", ""}}), "0123456789abcdef"));
        CHECK_FALSE(store.forget(name));
    }
    CHECK_FALSE(store.build("o", inline_source({{"a", ""}}), "../../etc"));
    CHECK(place.exists("overlays/o/0123456789abcdef/a"));
}

TEST_CASE("the game is there when its launcher is") {
    const Place place;
    CHECK_FALSE(place.observe({}).installation);
    place.file("installation/srcds_run", "");
    CHECK(place.observe({}).installation);
}

TEST_CASE("a symlink on the way to a source is not followed, whoever it leads to") {
    const Place place;
    place.file("etc/secrets/rcon", "hunter2");
    place.file("root/real/a", "one");
    place.symlink("root/link", "real");
    place.symlink("root/out", place.path("etc/secrets"));
    const auto below = [&](const std::string& path) {
        return OverlaySource(DirectorySource{place.path(path), place.path("root"), {}});
    };
    CHECK_FALSE(wanted(place, below("root/real")).empty());
    for (const char* path : {"root/link", "root/out"}) {
        INFO(path);
        CHECK(
            refusal(place, below(path)).starts_with(place.path(path) + " is a symlink; name the directory"));
    }
    place.directory("root/deep");
    place.symlink("root/deep/out", place.path("etc"));
    CHECK(refusal(place, below("root/deep/out/secrets")).contains("/root/deep/out is a symlink"));
}

TEST_CASE("a root that root itself made a symlink is followed") {
    const Place place;
    place.file("disk/a/file", "one");
    place.symlink("root", "disk");
    CHECK_FALSE(wanted(place, DirectorySource{place.path("root/a"), place.path("root"), {}}).empty());
}

TEST_CASE("an overlay's source may take no more than its limits") {
    const Place place;
    place.file("source/a", std::string(10'000, 'a'));
    place.file("source/sub/b", "");
    const auto limited = [&](SourceLimits limits) {
        return OverlaySource(DirectorySource{place.path("source"), place.path(""), limits});
    };
    CHECK_FALSE(wanted(place, limited({.bytes = 20'000, .entries = 3})).empty());
    CHECK(refusal(place, limited({.bytes = 9'999, .entries = 3})).contains("more than 9999 bytes"));
    CHECK(refusal(place, limited({.bytes = 20'000, .entries = 2})).contains("more than 2 files"));
}

TEST_CASE("a file with a second name is refused, unless everybody may read it") {
    const Place place;
    place.file("secret", "hunter2");
    place.directory("source");
    std::filesystem::create_hard_link(place.path("secret"), place.path("source/a"));
    const auto source = directory_source(place.path("source"));
    CHECK_FALSE(wanted(place, source).empty());
    REQUIRE(::chmod(place.path("secret").c_str(), 0640) == 0);
    CHECK(refusal(place, source).contains("a has another name (a hard link)"));
}

TEST_CASE("a sparse file costs neither time nor disk, and its holes are zeros") {
    const Place place;
    place.file("source/big.vpk", "begin");
    REQUIRE(::truncate(place.path("source/big.vpk").c_str(), 100LL << 30U) == 0);
    const auto source = directory_source(place.path("source"));
    const std::string generation = wanted(place, source);
    REQUIRE(Store(place.paths).build("o", source, generation));
    struct stat status{};
    REQUIRE(::stat(place.path("overlays/o/" + generation + "/big.vpk").c_str(), &status) == 0);
    CHECK(status.st_size == 100LL << 30U);
    CHECK(status.st_blocks * 512 < 4 << 20U);

    // The same content without holes has the same name.
    place.file("holes/a", std::string(3 << 20U, '\0') + "end");
    place.file("zeros/a", std::string(3 << 20U, '\0') + "end");
    place.remove("holes/a");
    place.file("holes/a", "");
    REQUIRE(::truncate(place.path("holes/a").c_str(), 3 << 20U) == 0);
    std::ofstream(place.path("holes/a"), std::ios::app) << "end";
    CHECK(wanted(place, directory_source(place.path("holes"))) ==
          wanted(place, directory_source(place.path("zeros"))));
    place.file("other/a", std::string(4 << 20U, '\0') + "end");
    CHECK(wanted(place, directory_source(place.path("other"))) !=
          wanted(place, directory_source(place.path("zeros"))));
}
