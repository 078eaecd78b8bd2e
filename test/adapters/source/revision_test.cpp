#include "adapters/source/revision.hpp"

#include "adapters/directory/manifest_directory.hpp"
#include "adapters/files.hpp"
#include "adapters/store/rollbacks.hpp"
#include "adapters/store/suspensions.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;

namespace {

const std::string good = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\nspec: {}\n";

struct World {
    Scratch scratch;
    Paths paths;
    std::filesystem::path source = scratch.path() / "source";

    World() {
        paths.state = scratch.path() / "state";
        std::filesystem::create_directories(paths.status());
        scratch.write("source/a.yaml", good);
        REQUIRE(keep_last_good(paths, *ManifestDirectory(source, Limits{}).read()));
    }

    std::expected<ActiveRevision, SourceError> in_force() const {
        ManifestDirectory from(source, Limits{});
        return revision_in_force(paths, from, Limits{});
    }
};

}  // namespace

TEST_CASE("an invalid revision leaves the last good one in force, whole, and says what is wrong") {
    const World world;
    const std::string revision = ManifestDirectory(world.source, Limits{}).read()->revision;
    world.scratch.write("source/b.yaml", "kind: Nonsense\n");
    const auto in_force = world.in_force();
    REQUIRE(in_force);
    CHECK(in_force->error_kind == SourceErrorKind::Invalid);
    CHECK(in_force->snapshot.revision == revision);
    CHECK(in_force->set.blueprints.contains("coop"));
    CHECK(in_force->error.find("b.yaml:1:") != std::string::npos);
}

TEST_CASE("a vanished source leaves the last good revision in force") {
    const World world;
    std::filesystem::remove_all(world.source);
    SECTION("deleted") {}
    SECTION("empty, as an unmounted file system leaves it") {
        std::filesystem::create_directory(world.source);
    }
    const auto in_force = world.in_force();
    REQUIRE(in_force);
    CHECK(in_force->error_kind == SourceErrorKind::Vanished);
    CHECK(in_force->set.blueprints.contains("coop"));
}

TEST_CASE("an upgrade with stricter rules keeps the followed revision in force") {
    const World world;
    // Accepted by version 0.1: an unlisted secret, and an option after a space.
    world.scratch.write(
        "source/a.yaml",
        "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\n"
        "spec: {arguments: [\"-insecure -port 1\"], config: 'rcon_password ${secret:rcon}'}\n");
    const Snapshot snapshot = *ManifestDirectory(world.source, Limits{}).read();
    REQUIRE(keep_last_good(world.paths, snapshot));
    const auto in_force = world.in_force();
    REQUIRE(in_force);
    CHECK(in_force->error_kind == SourceErrorKind::Invalid);
    CHECK(in_force->set.blueprints.at("coop").config == "rcon_password ${secret:rcon}");
    CHECK(in_force->error.contains("add `secrets: [rcon]` to the spec"));
    CHECK(in_force->error.contains("'-port' is left4me's own"));
}

TEST_CASE("without a last good revision there is nothing to follow") {
    const World world;
    world.scratch.write("source/b.yaml", "kind: Nonsense\n");
    SECTION("there never was one") { std::filesystem::remove(world.paths.status() / "last-good"); }
    SECTION("it is damaged") {
        const std::string text = world.scratch.read("state/state/last-good");
        world.scratch.write("state/state/last-good", text.substr(0, text.size() / 2));
    }
    const auto in_force = world.in_force();
    REQUIRE_FALSE(in_force);
    CHECK(in_force.error().error_kind == SourceErrorKind::Invalid);
}

TEST_CASE("agreement is to one revision, not to the next") {
    const World world;
    REQUIRE(approve(world.paths, "0123456789abcdef"));
    CHECK(is_approved(world.paths, "0123456789abcdef"));
    CHECK_FALSE(is_approved(world.paths, "0123456789abcde0"));
    CHECK_FALSE(is_approved(world.paths, ""));
}

TEST_CASE("suspensions and approvals are stored apart from the manifests") {
    const World world;
    CHECK(load_intent(world.paths) == Intent{});
    REQUIRE(approve(world.paths, "r2"));
    Suspensions suspensions;
    suspensions.servers["comp1"].reason = "trying a map";
    REQUIRE(save_suspensions(world.paths, suspensions));
    CHECK(load_intent(world.paths) == Intent{suspensions, "r2"});
}

TEST_CASE("rollbacks are stored apart from the manifests; if they are damaged, nothing is touched") {
    const World world;
    const Rollbacks rollbacks{
        {"maps", {.artifact = "4f1c0d2e9ab05577", .by = "alice", .at = {}, .reason = "crashes"}}};
    REQUIRE(save_rollbacks(world.paths, rollbacks));
    CHECK(load_intent(world.paths).rollbacks == rollbacks);
    REQUIRE(write_file(world.paths.status() / "rollbacks.json", "[1]"));
    const Intent intent = load_intent(world.paths);
    CHECK(intent.rollbacks.empty());
    REQUIRE(intent.suspended.all);
    CHECK(intent.suspended.all->reason.contains("rollbacks.json is damaged"));
}
