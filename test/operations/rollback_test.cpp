#include "operations/rollback.hpp"

#include <fcntl.h>

#include "adapters/fd.hpp"
#include "adapters/source/revision.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/rollbacks.hpp"
#include "operations/artifacts.hpp"
#include "operations/events.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;
using left4me::test::Scratch;

namespace {

/// Of the overlay `maps`, four artifacts in the order in which they were built; the source asks for the last.
struct World {
    Seen seen;

    World() {
        seen.observed.now = TimePoint(std::chrono::hours(100));
        int hour = 0;
        for (const char* digest :
             {"4f1c000000000001", "4f1d000000000002", "9ab0000000000003", "9ab1000000000004"})
            seen.observed.built[std::string("overlays/maps/") + digest] =
                TimePoint(std::chrono::hours(++hour));
        seen.observed.built["overlays/maps2/4f1c000000000009"] = TimePoint(std::chrono::hours(50));
        seen.target.overlays.emplace("maps", TargetOverlay{nullptr, "9ab1000000000004"});
    }

    void rollback(const std::string& digest) {
        seen.intent.rollbacks["maps"] = {.artifact = digest, .by = "alice", .at = {}};
        seen.target.overlays.at("maps").rolled_back_to = digest;
    }
    Result<std::string> choose(const std::string& digits = "") const {
        return choose_artifact(seen, "maps", digits);
    }
};

}  // namespace

TEST_CASE("a rollback without a digest goes to the artifact before the present one") {
    World world;
    CHECK(world.choose() == "9ab0000000000003");
    world.rollback("9ab0000000000003");
    CHECK(world.choose() == "4f1d000000000002");
    world.rollback("4f1c000000000001");
    const auto first = world.choose();
    REQUIRE_FALSE(first);
    CHECK(first.error().kind == ErrorKind::NotFound);
    CHECK(first.error().message.starts_with("overlay/maps has no artifact before 4f1c; there are:\n"));
}

TEST_CASE("a source that went back to an old content is rolled back to what came in between") {
    World world;
    world.seen.target.overlays.at("maps").artifact = "4f1c000000000001";
    CHECK(world.choose() == "9ab1000000000004");
}

TEST_CASE("an artifact is named by its first digits, and every mistake lists what is there") {
    const World world;
    CHECK(world.choose("4f1c") == "4f1c000000000001");
    CHECK(world.choose("9ab1000000000004") == "9ab1000000000004");
    struct Case {
        const char* digits;
        ErrorKind kind;
        const char* message;
    };
    for (const Case& wrong : {Case{"9ab", ErrorKind::InvalidArgument, "is not the beginning of a digest"},
                              Case{"../x", ErrorKind::InvalidArgument, "is not the beginning of a digest"},
                              Case{"4F1C", ErrorKind::InvalidArgument, "is not the beginning of a digest"},
                              Case{"0000", ErrorKind::NotFound,
                                   "overlay/maps has no artifact 0000; there are:\n9ab1000000000004  "},
                              Case{"9ab100000000000400", ErrorKind::NotFound, "there are"}}) {
        INFO(wrong.digits);
        const auto chosen = world.choose(wrong.digits);
        REQUIRE_FALSE(chosen);
        CHECK(chosen.error().kind == wrong.kind);
        CHECK(chosen.error().message.contains(wrong.message));
    }
    World twins;
    twins.seen.observed.built["overlays/maps/4f1c000000000005"] = {};
    const auto ambiguous = twins.choose("4f1c");
    REQUIRE_FALSE(ambiguous);
    CHECK(ambiguous.error().kind == ErrorKind::InvalidArgument);
    CHECK(ambiguous.error().message.contains("more than one artifact 4f1c"));
}

TEST_CASE("what was told of an artifact when it was published is shown, and nothing of those without it") {
    World world;
    const Scratch scratch;
    world.seen.paths.state = scratch.path();
    std::filesystem::create_directories(scratch.path() / "overlays/maps");
    const Fd overlay(::open((scratch.path() / "overlays/maps").c_str(), O_RDONLY | O_DIRECTORY));
    const store::ArtifactInfo info{
        .built = TimePoint(std::chrono::hours(4)), .files = 3, .bytes = 2048, .shared_bytes = 1024};
    REQUIRE(store::write_info(overlay.get(), "9ab1000000000004", info));
    const auto artifacts = artifacts_of(world.seen, "maps");
    REQUIRE(artifacts.size() == 4);
    CHECK(artifacts.front().info == info);
    CHECK_FALSE(artifacts.back().info);
    CHECK(artifact_info(world.seen, "overlays/maps/9ab1000000000004") == info);
    CHECK_FALSE(artifact_info(world.seen, "instances/maps/9ab1000000000004"));
    CHECK(artifacts_text(world.seen, "maps")
              .starts_with("9ab1000000000004  built 4d ago, 2.0 KiB (1.0 KiB shared); what its source asks "
                           "for\n9ab0000000000003  built 4d ago\n"));
    CHECK(artifact_json(artifacts.front())["sharedBytes"] == 1024);
    CHECK(artifact_json(artifacts.back())["bytes"] == nullptr);
}

TEST_CASE("sizes are told in the unit that fits") {
    CHECK(rounded_size(0) == "0 bytes");
    CHECK(rounded_size(1023) == "1023 bytes");
    CHECK(rounded_size(1536) == "1.5 KiB");
    CHECK(rounded_size(20ULL << 30U) == "20.0 GiB");
}

TEST_CASE("an overlay is resumed once, and rollbacks that cannot be read are an error") {
    Scratch scratch;
    Context context;
    context.paths.state = scratch.path() / "state";
    context.paths.run = scratch.path() / "run";
    std::filesystem::create_directories(context.paths.status());
    std::filesystem::create_directories(context.paths.run);
    context.config.source_directory = scratch.path() / "source";
    context.caller = {.name = "Alice", .email = "alice@host1", .message = {}};
    context.purpose = "a test";
    context.source = open_source(context.paths, context.config);
    REQUIRE(
        save_rollbacks(context.paths, {{"maps", {.artifact = "4f1c000000000001", .by = "bob", .at = {}}}}));
    const auto resumed = resume_overlays(context, Kind::Overlay, {"maps", "tickrate"});
    REQUIRE(resumed);
    CHECK(resumed->overlays == std::vector<std::string>{"maps"});
    CHECK(resumed->not_rolled_back == std::vector<std::string>{"tickrate"});
    CHECK(load_rollbacks(context.paths) == Rollbacks{});
    const auto events = EventFeed(context, "").past();
    REQUIRE(events.size() == 1);
    CHECK(events.front().subject == "overlay/maps");
    CHECK(events.front().reason == "Resumed");
    CHECK(events.front().actor == "alice");

    scratch.write("state/state/rollbacks.json", "{");
    const auto damaged = resume_overlays(context, Kind::Overlay, {"maps"});
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().kind == ErrorKind::StateFailed);
    CHECK(load_intent(context.paths).suspended.all->reason.contains("rollbacks.json is damaged"));
}
