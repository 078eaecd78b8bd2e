// Which revisions are followed without approval, and which wait for a person.
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

    std::expected<ActiveRevision, SourceError> in_force() const {
        ManifestRepository source(repository.settings(), {});
        return revision_in_force(paths, source, {});
    }

    /// Like a pass: stores a valid revision in force as the last good one. Returns the error, if any.
    std::string follow() const {
        const auto now = in_force();
        REQUIRE(now);
        if (now->error_kind == SourceErrorKind::None) REQUIRE(keep_last_good(paths, now->snapshot));
        return now->error;
    }

    /// The last good revision is in force, complete, and the error says what to do about `rejected`.
    void holds(const std::string& rejected) const {
        const auto now = in_force();
        REQUIRE(now);
        CHECK(now->error_kind == SourceErrorKind::Held);
        CHECK(now->snapshot.revision == second);
        CHECK(now->set.blueprints.size() == 2);
        CHECK(now->rejected == rejected);
        CHECK(now->error.find("does not descend from " + second) != std::string::npos);
        CHECK(now->error.find("l4d2ctl approve " + rejected) != std::string::npos);
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

TEST_CASE("a rewound branch waits for a person") {
    const World world;
    world.repository.git("update-ref refs/heads/main " + world.first);
    world.holds(world.first);
    REQUIRE(approve(world.paths, world.first));
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == world.first);
    // From there on, it moves forward again without approval.
    world.repository.git("update-ref refs/heads/main " + world.second);
    CHECK(world.follow().empty());
}

TEST_CASE("a rewritten history waits for a person") {
    const World world;
    world.holds(world.repository.commit({{"a.yaml", {plain}}}, "main", "none"));
}

TEST_CASE("approving one rewind does not approve the next") {
    const World world;
    const std::string other = world.repository.commit({{"a.yaml", {plain}}}, "main", "none");
    REQUIRE(approve(world.paths, other));
    const std::string another = world.repository.commit({{"a.yaml", {"# x\n" + plain}}}, "main", "none");
    world.holds(another);
}

TEST_CASE("a recreated repository waits for a person") {
    const World world;
    std::filesystem::remove_all(world.repository.path());
    CHECK(world.in_force()->error_kind == SourceErrorKind::Vanished);
    REQUIRE(std::system(("git init -q --bare -b main " + world.repository.path().string()).c_str()) == 0);
    CHECK(world.in_force()->error_kind == SourceErrorKind::Vanished);
    world.holds(world.repository.commit({{"a.yaml", {plain}}}));
}

TEST_CASE("an invalid commit leaves the last good one in force, and its errors name the commit") {
    const World world;
    const std::string bad =
        world.repository.commit({{"a.yaml", {coop}}, {"servers/b.yaml", {"kind: Nonsense\n"}}});
    const auto now = world.in_force();
    REQUIRE(now);
    CHECK(now->error_kind == SourceErrorKind::Invalid);
    CHECK(now->snapshot.revision == world.second);
    CHECK(now->rejected == bad);
    CHECK(now->error.starts_with(bad.substr(0, 12) + ":servers/b.yaml:1:"));
    // A commit that fixes it is followed, although the one between was never followed.
    world.repository.commit({{"a.yaml", {coop}}});
    CHECK(world.follow().empty());
}

TEST_CASE("a host that switches from a directory to a repository follows it immediately") {
    const World world;
    REQUIRE(keep_last_good(world.paths, {"0123456789abcdef", {{"a.yaml", coop}}}));
    CHECK(world.follow().empty());
    CHECK(world.in_force()->snapshot.revision == world.second);
}
