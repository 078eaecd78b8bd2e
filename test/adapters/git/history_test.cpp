// What may be followed by itself, and what waits for a person.
#include "adapters/git/manifest_repository.hpp"
#include "adapters/git/repository.hpp"
#include "adapters/source/revision.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::test::coop;
using left4me::test::plain;
using left4me::test::Repository;

namespace {

struct World {
    Repository repository;
    Paths paths = repository.paths();
    std::string first;
    std::string second;

    World() {
        first = repository.commit({{"a.yaml", {coop}}});
        second = repository.commit({{"a.yaml", {coop}}, {"b.yaml", {plain}}});
        REQUIRE(follow().empty());
    }

    std::expected<InForce, SourceError> in_force() const {
        ManifestRepository source(repository.settings(), {});
        return revision_in_force(paths, source, {});
    }

    /// As a pass does: what is in force and in order is remembered. The trouble, if there is any.
    std::string follow() const {
        const auto now = in_force();
        REQUIRE(now);
        if (now->trouble == Trouble::None) REQUIRE(keep_last_good(paths, now->snapshot));
        return now->error;
    }

    /// The last good revision is in force, whole, and the error says what to do about `offered`.
    void holds(const std::string& offered) const {
        const auto now = in_force();
        REQUIRE(now);
        CHECK(now->trouble == Trouble::Held);
        CHECK(now->snapshot.revision == second);
        CHECK(now->set.blueprints.size() == 2);
        CHECK(now->offered == offered);
        CHECK(now->error.find("does not descend from " + second) != std::string::npos);
        CHECK(now->error.find("l4d2ctl approve " + offered) != std::string::npos);
    }
};

}  // namespace

TEST_CASE("a commit on top is followed, and so is a merge of what was there") {
    const World world;
    const std::string third = world.repository.commit({{"a.yaml", {coop}}});
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == third);
    const std::string side = world.repository.commit({{"c.yaml", {plain}}}, "side", world.first);
    const std::string merge =
        world.repository.git("commit-tree -m merge -p " + side + " -p " + third + " " + third + "^{tree}");
    world.repository.git("update-ref refs/heads/main " + merge);
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == merge);
}

TEST_CASE("a branch that is wound back waits for a person") {
    const World world;
    world.repository.git("update-ref refs/heads/main " + world.first);
    world.holds(world.first);
    REQUIRE(approve(world.paths, world.first));
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == world.first);
    // From there on it goes forward again by itself.
    world.repository.git("update-ref refs/heads/main " + world.second);
    CHECK(world.follow().empty());
}

TEST_CASE("a history that is written anew waits for a person") {
    const World world;
    world.holds(world.repository.commit({{"a.yaml", {plain}}}, "main", "none"));
}

TEST_CASE("agreement to one rewind is none to the next") {
    const World world;
    const std::string other = world.repository.commit({{"a.yaml", {plain}}}, "main", "none");
    REQUIRE(approve(world.paths, other));
    const std::string another = world.repository.commit({{"a.yaml", {"# x\n" + plain}}}, "main", "none");
    world.holds(another);
}

TEST_CASE("a repository that was made anew waits for a person") {
    const World world;
    std::filesystem::remove_all(world.repository.path());
    CHECK(world.in_force()->trouble == Trouble::Vanished);
    REQUIRE(std::system(("git init -q --bare -b main " + world.repository.path().string()).c_str()) == 0);
    CHECK(world.in_force()->trouble == Trouble::Vanished);
    world.holds(world.repository.commit({{"a.yaml", {plain}}}));
}

TEST_CASE("an invalid commit leaves the last good one in force, and its places name the commit") {
    const World world;
    const std::string bad =
        world.repository.commit({{"a.yaml", {coop}}, {"servers/b.yaml", {"kind: Nonsense\n"}}});
    const auto now = world.in_force();
    REQUIRE(now);
    CHECK(now->trouble == Trouble::Invalid);
    CHECK(now->snapshot.revision == world.second);
    CHECK(now->offered == bad);
    CHECK(now->error.starts_with(bad.substr(0, 12) + ":servers/b.yaml:1:"));
    // A commit that mends it is followed, though nobody ever followed the one between.
    world.repository.commit({{"a.yaml", {coop}}});
    CHECK(world.follow().empty());
}

TEST_CASE("a host that moves from a directory to a repository follows it at once") {
    const World world;
    REQUIRE(keep_last_good(world.paths, {"0123456789abcdef", {{"a.yaml", coop}}}));
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == world.second);
}
