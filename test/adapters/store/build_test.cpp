// Artifacts of overlays: built, listed, pruned.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "adapters/fd.hpp"
#include "adapters/store/artifact_info.hpp"
#include "place.hpp"

using namespace left4me;

TEST_CASE("files of a manifest are written into their artifact") {
    const Place place;
    const auto source = inline_source({{"left4dead2/cfg/a.cfg", "one"}, {"left4dead2/cfg/sub/b.cfg", ""}});
    const std::string digest = wanted(place, source);
    REQUIRE(Store(place.paths).build("small", source, digest));
    CHECK(place.read("overlays/small/" + digest + "/left4dead2/cfg/a.cfg") == "one");
    CHECK(place.exists("overlays/small/" + digest + "/left4dead2/cfg/sub/b.cfg"));
    CHECK(place.mode("overlays/small/" + digest + "/left4dead2/cfg/a.cfg") == 0664);
}

TEST_CASE("building an existing artifact changes nothing") {
    const Place place;
    const auto source = inline_source({{"a", "one"}});
    const std::string digest = wanted(place, source);
    REQUIRE(Store(place.paths).build("o", source, digest));
    const auto inode = place.inode("overlays/o/" + digest + "/a");
    REQUIRE(Store(place.paths).build("o", source, digest));
    CHECK(place.inode("overlays/o/" + digest + "/a") == inode);
}

TEST_CASE("leftovers of a killed build are not an artifact, and the next build removes them") {
    const Place place;
    const auto source = inline_source({{"a", "one"}});
    const std::string digest = wanted(place, source);
    place.file("overlays/o/." + digest + "/half", "x");
    place.file("overlays/o/.0123456789abcdef/half", "x");
    CHECK(place.observe({}).artifacts.empty());
    REQUIRE(Store(place.paths).build("o", source, digest));
    CHECK(place.names("overlays/o") == std::vector<std::string>{digest, digest + ".json", digest + "/a"});
}

TEST_CASE("artifacts are listed, and similar names are not") {
    const Place place;
    for (const char* name :
         {"overlays/o/0123456789abcdef", "overlays/o/.1123456789abcdef", "overlays/o/0123456789ABCDEF",
          "overlays/O/0123456789abcdef", "overlays/.o/0123456789abcdef", "instances/comp1/0123456789abcdef",
          "instances/Comp1/0123456789abcdef", "instances/comp1/current-x"}) {
        place.directory(name);
    }
    CHECK(place.observe({}).artifacts ==
          std::set<std::string>{"instances/comp1/0123456789abcdef", "overlays/o/0123456789abcdef"});
}

TEST_CASE("a pruned artifact is gone, and the overlay's directory with the last one") {
    const Place place;
    Store store(place.paths);
    for (const char* text : {"one", "two"}) {
        const auto source = inline_source({{"sub/a", text}});
        REQUIRE(store.build("o", source, wanted(place, source)));
    }
    const auto artifacts = place.observe({}).artifacts;
    REQUIRE(artifacts.size() == 2);
    place.file("overlays/o/0123456789abcdef.json", "{}");  // of a killed build
    REQUIRE(store.prune(*artifacts.begin()));
    CHECK(place.observe({}).artifacts.size() == 1);
    REQUIRE(store.prune(*artifacts.begin()));
    REQUIRE(store.prune(*artifacts.rbegin()));
    CHECK(place.names("overlays").empty());
    REQUIRE(store.prune(*artifacts.rbegin()));  // idempotent, without the overlay's directory too
}

TEST_CASE("an artifact's size and time are told when it is published, and cost no look into it") {
    const Place place;
    Store store(place.paths);
    const auto source = inline_source({{"sub/a", "12345"}, {"b", "678"}});
    const std::string digest = wanted(place, source);
    REQUIRE(store.build("o", source, digest));
    const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY));
    const auto info = store::read_info(overlay.get(), digest);
    REQUIRE(info);
    CHECK(info->bytes == 8);
    CHECK(info->files == 2);
    CHECK(info->shared_bytes == 0);
    CHECK(place.observe({}).built == std::map<std::string, TimePoint>{{"overlays/o/" + digest, info->built}});
    place.file("overlays/o/" + digest + ".json", "{");
    CHECK_FALSE(store::read_info(overlay.get(), digest));
    place.remove("overlays/o/" + digest + ".json");  // as an earlier version left it
    CHECK(place.observe({}).built.at("overlays/o/" + digest) > TimePoint{});
}

TEST_CASE("what an overlay is rolled back to counts while it is on the host, for its config, too") {
    const Place place;
    place.file("overlays/o/0123456789abcdef/left4dead2/cfg/server.cfg", "old");
    Desired desired;
    desired.overlays["o"] = inline_source({{"left4dead2/cfg/server.cfg", "new"}});
    desired.servers["a"].overlays = desired.servers["a"].execute_configs = {"o"};
    Store store(place.paths);
    const auto input = [&](const Rollbacks& rollbacks) {
        return store.read_inputs(desired, rollbacks).overlays.at("o");
    };
    const auto back_to = [](const std::string& artifact) {
        return Rollbacks{{"o", {.artifact = artifact, .by = "alice", .at = {}}}};
    };
    CHECK(***input({}).config == "new");
    CHECK(input(back_to("0123456789abcdef")).rolled_back_to == "0123456789abcdef");
    CHECK(***input(back_to("0123456789abcdef")).config == "old");
    for (const char* other : {"1123456789abcdef", "..", "", "0123456789abcdef/left4dead2"}) {
        INFO(other);
        CHECK_FALSE(input(back_to(other)).rolled_back_to);
        CHECK(***input(back_to(other)).config == "new");
    }
}

TEST_CASE("where a unit works goes with the last manifest that asks for it, not while it builds") {
    const Place place;
    Store store(place.paths);
    const auto source = inline_source({{"a", "one"}});
    REQUIRE(store.build("o", source, wanted(place, source)));
    REQUIRE(store.request_build("o", directory_source(place.path("source"))));
    CHECK(place.observe({}).artifacts ==
          std::set<std::string>{"overlays/o/.build", "overlays/o/" + wanted(place, source)});
    REQUIRE(store.prune("overlays/o/" + wanted(place, source)));
    CHECK(place.exists("overlays/o/.build/request"));
    {
        const Fd building(::open(place.path("overlays/o/.build").c_str(), O_RDONLY | O_DIRECTORY));
        REQUIRE(::flock(building.get(), LOCK_EX) == 0);
        const auto pruned = store.prune("overlays/o/.build");
        REQUIRE_FALSE(pruned);
        CHECK(pruned.error().kind == FailureKind::InUse);
    }
    REQUIRE(store.prune("overlays/o/.build"));
    CHECK(place.names("overlays").empty());
}

TEST_CASE("a build that was canceled is so until somebody asks for it again") {
    const Place place;
    place.file("source/a", "one");
    Desired desired;
    desired.overlays["o"] = directory_source(place.path("source"));
    Store store(place.paths);
    const auto build = [&] { return *store.read_inputs(desired).overlays.at("o").build; };
    CHECK_FALSE(store.cancel_build("o", "i"));  // nobody has asked for it yet
    REQUIRE(store.request_build("o", desired.overlays["o"]));
    CHECK_FALSE(build().is_canceled());
    REQUIRE(store.cancel_build("o", build().input));
    CHECK(build().is_canceled());
    REQUIRE(store.request_build("o", desired.overlays["o"]));
    CHECK_FALSE(build().is_canceled());
}

TEST_CASE("an overlay that a script makes has a name that a user's name can contain") {
    const Place place;
    Store store(place.paths);
    ScriptSource script{"true", ScriptNetwork::None, std::chrono::seconds(1), 1, 1, {}};
    CHECK(store.request_build(std::string(27, 'a'), script));
    const auto refused = store.request_build(std::string(28, 'a'), script);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.contains("at most 27 characters"));
    CHECK_FALSE(place.exists("overlays/" + std::string(28, 'a')));
    script.network = ScriptNetwork::Public;
    CHECK_FALSE(store.request_build(std::string(28, 'a'), script));
}

TEST_CASE("only valid names can be pruned, built or unmanaged") {
    const Place place;
    place.file("overlays/o/0123456789abcdef/a", "");
    Store store(place.paths);
    for (const char* path :
         {"", "/", "..", "overlays", "overlays/o", "overlays/o/..", "overlays/../0123456789abcdef",
          "installation", "/overlays/o/0123456789abcdef", "overlays/o/0123456789abcdef/",
          "overlays/o/0123456789abcdef/a", "state/o/0123456789abcdef", "overlays/o/0123456789ABCDEF",
          "x/overlays/o/0123456789abcdef"}) {
        INFO(path);
        CHECK_FALSE(store.prune(path));
    }
    for (const char* name : {"", "..", "a/b", "A"}) {
        CHECK_FALSE(store.build(name, inline_source({{"a", ""}}), "0123456789abcdef"));
        CHECK_FALSE(store.unmanage(name));
    }
    CHECK_FALSE(store.build("o", inline_source({{"a", ""}}), "../../etc"));
    CHECK(place.exists("overlays/o/0123456789abcdef/a"));
}

TEST_CASE("the game counts as installed if its launcher exists") {
    const Place place;
    CHECK_FALSE(place.observe({}).installation);
    place.file("installation/srcds_run", "");
    CHECK(place.observe({}).installation);
}

TEST_CASE("a symlink in the path of a source is not followed, wherever it leads") {
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

TEST_CASE("an overlay root that root made a symlink is followed") {
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

TEST_CASE("a file with a second hard link is refused, unless everybody may read it") {
    const Place place;
    place.file("secret", "hunter2");
    place.directory("source");
    std::filesystem::create_hard_link(place.path("secret"), place.path("source/a"));
    const auto source = directory_source(place.path("source"));
    CHECK_FALSE(wanted(place, source).empty());
    REQUIRE(::chmod(place.path("secret").c_str(), 0640) == 0);
    CHECK(refusal(place, source).contains("a has a second hard link"));
}

TEST_CASE("the holes of a sparse file cost no time, and are zeros") {
    const Place place;
    place.file("source/big.vpk", "begin");
    REQUIRE(::truncate(place.path("source/big.vpk").c_str(), 100LL << 30U) == 0);
    CHECK_FALSE(wanted(place, directory_source(place.path("source"))).empty());
    // The same content without holes has the same digest.
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
