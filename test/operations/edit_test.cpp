#include "operations/edit.hpp"

#include <ctime>

#include "adapters/source/revision.hpp"
#include "adapters/sources/open.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;
using left4me::test::Scratch;

namespace {

std::string server(const std::string& name, int port, const std::string& more = {}) {
    return "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: " + name +
           "}\nspec:\n  blueprint: coop\n  port: " + std::to_string(port) + "  # theirs\n" + more;
}

const std::string blueprint = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\nspec: {}\n";

/// A state directory for one test.
struct Place {
    Scratch scratch;
    Context context;

    Place() {
        context.paths.state = scratch.path() / "state";
        std::filesystem::create_directories(context.paths.status());
    }
};

/// With a source.
struct World : Place {
    World() {
        context.config.source_directory = scratch.path() / "source";
        std::filesystem::create_directories(context.config.source_directory);
        context.source = open_source(context.paths, context.config);
    }

    void have(const std::string& name, const std::string& text) const {
        scratch.write("source/" + name, text);
    }
    std::string text(const std::string& name) const { return scratch.read("source/" + name); }
    bool has(const std::string& name) const { return scratch.has("source/" + name); }

    /// The words of the effects, after the change was written.
    std::string done(const Result<Proposal>& proposal) const {
        if (!proposal) return "error: " + proposal.error().message;
        REQUIRE(context.source->commit(proposal->change, context.caller));
        // The committed source is the proposed one.
        const auto snapshot = context.source->read();
        REQUIRE(snapshot);
        CHECK(snapshot->revision == proposal->revision);
        std::string words;
        for (const Effect& effect : proposal->effects)
            words += to_string(effect.object) + " " + to_string(effect.change) + "\n";
        return words;
    }

    std::string apply(const std::string& text) const {
        return done(propose(context, {{"given.yaml", text}}));
    }
};

}  // namespace

TEST_CASE("the first manifests of a host get a file each, named after them") {
    const World world;
    CHECK(world.apply(blueprint + "---\n" + server("comp1", 27015)) ==
          "blueprint/coop created\nserver/comp1 created\n");
    CHECK(world.text("server-comp1.yaml") == server("comp1", 27015));
    CHECK(world.text("blueprint-coop.yaml") == blueprint);
}

TEST_CASE("an existing object is replaced in place, and its neighbours stay unchanged byte for byte") {
    const World world;
    const std::string head = "# our servers\n\n" + blueprint + "--- # first\n";
    const std::string tail = "---\n# the second one\n" + server("comp2", 27016);
    world.have("all.yaml", head + server("comp1", 27015) + tail);
    CHECK(world.apply(server("comp1", 27020)) == "server/comp1 configured\n");
    const std::string text = world.text("all.yaml");
    CHECK(text.starts_with("# our servers\n\n" + blueprint));
    CHECK(text.ends_with(tail));
    CHECK(text.find("port: 27020") != std::string::npos);
    CHECK(text.find("port: 27015") == std::string::npos);
    CHECK_FALSE(world.has("server-comp1.yaml"));
}

TEST_CASE("applying the same manifests again changes nothing") {
    const World world;
    const std::string text = blueprint + "---\n" + server("comp1", 27015) + "---\n" + server("comp2", 27016);
    world.have("all.yaml", text);
    CHECK(world.apply(text) == "blueprint/coop unchanged\nserver/comp1 unchanged\nserver/comp2 unchanged\n");
    CHECK(world.text("all.yaml") == text);
    // The output of `get -o yaml` lacks only the markers.
    CHECK(world.apply("---\n\n" + server("comp2", 27016) + "\n...\n") == "server/comp2 unchanged\n");
}

TEST_CASE("an error is reported at its position in the person's input, and nothing is written") {
    const World world;
    world.have("all.yaml", blueprint + "---\n" + server("comp1", 27015));
    const std::string said = world.apply("# mine\n" + server("comp2", 27015));
    CHECK(said.starts_with("error: given.yaml:7:9: "));
    CHECK(said.find("all.yaml") != std::string::npos);
    CHECK(world.text("all.yaml") == blueprint + "---\n" + server("comp1", 27015));
    CHECK_FALSE(world.has("server-comp2.yaml"));
}

TEST_CASE("two servers may swap their ports in one edit") {
    const World world;
    world.have("all.yaml", blueprint + "---\n" + server("comp1", 27015) + "---\n" + server("comp2", 27016));
    CHECK(world.apply(server("comp1", 27016) + "---\n" + server("comp2", 27015)) ==
          "server/comp1 configured\nserver/comp2 configured\n");
}

TEST_CASE("an object given twice is an error, not a race") {
    const World world;
    world.have("all.yaml", blueprint);
    CHECK(world.apply(server("comp1", 27015) + "---\n" + server("comp1", 27016))
              .starts_with("error: given.yaml:"));
}

TEST_CASE("an error in the source can be fixed by applying the object again") {
    const World world;
    world.have("all.yaml", blueprint + "---\n" + server("comp1", 80));
    CHECK(world.apply(server("comp1", 27015)) == "server/comp1 configured\n");
}

TEST_CASE("a source that has become empty is not written to") {
    const World world;
    REQUIRE(keep_last_good(world.context.paths, {"0123456789abcdef", {{"a.yaml", blueprint}}}));
    const std::string said = world.apply(blueprint);
    CHECK(said.starts_with("error: "));
    CHECK(said.find("vanished") != std::string::npos);
    CHECK_FALSE(world.has("blueprint-coop.yaml"));
}

TEST_CASE("comments alone are not a manifest") {
    const World world;
    world.have("all.yaml", blueprint);
    CHECK(world.apply("# nothing\n").starts_with("error: "));
}

TEST_CASE("stop and start change the manifest's state, and keep every comment") {
    const World world;
    world.have("all.yaml", blueprint + "---\n" + server("comp1", 27015));
    CHECK(world.done(propose_state(world.context, Selection{.names = {"comp1"}}, RunState::Running)) ==
          "server/comp1 unchanged\n");
    CHECK(world.done(propose_state(world.context, Selection{.names = {"comp1"}}, RunState::Stopped)) ==
          "server/comp1 configured\n");
    CHECK(world.text("all.yaml").find("port: 27015  # theirs\n") != std::string::npos);
    CHECK(world.text("all.yaml").find("state: Stopped") != std::string::npos);
    CHECK(world.done(propose_state(world.context, Selection{.names = {"comp1"}}, RunState::Stopped)) ==
          "server/comp1 unchanged\n");
    CHECK(world.done(propose_state(world.context, Selection{.names = {"comp1"}}, RunState::Running)) ==
          "server/comp1 configured\n");

    const auto missing = propose_state(world.context, Selection{.names = {"comp9"}}, RunState::Stopped);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::NotFound);
}

TEST_CASE("delete removes the document, and the file if it was the last one in it") {
    const World world;
    world.have("base.yaml", blueprint);
    world.have("all.yaml", server("comp1", 27015) + "---\n" + server("comp2", 27016));
    CHECK(world.done(propose_removal(world.context, {DocumentName{Kind::Server, "comp1"}})) ==
          "server/comp1 deleted\n");
    CHECK(world.text("all.yaml").find("comp1") == std::string::npos);
    CHECK(world.text("all.yaml").find("comp2") != std::string::npos);
    CHECK(world.done(propose_removal(world.context, {DocumentName{Kind::Server, "comp2"}})) ==
          "server/comp2 deleted\n");
    CHECK_FALSE(world.has("all.yaml"));
    CHECK(world.done(propose_removal(world.context, {DocumentName{Kind::Server, "comp2"}})) ==
          "server/comp2 is not there\n");
}

TEST_CASE("several servers are stopped and deleted in one edit, by name or by label") {
    const World world;
    world.have("base.yaml", blueprint);
    world.have("one.yaml",
               server("comp1", 27015) + "---\n" + server("comp2", 27016) + "---\n" + server("comp3", 27017));
    std::string labelled = server("event", 27018);
    labelled.replace(labelled.find("event}"), 6, "event, labels: {pool: event}}");
    world.have("two.yaml", labelled);
    CHECK(
        world.done(propose_state(world.context, Selection{.names = {"comp3", "comp1"}}, RunState::Stopped)) ==
        "server/comp3 configured\nserver/comp1 configured\n");
    CHECK(world.done(propose_state(world.context, Selection{.selector = "pool=event"}, RunState::Stopped)) ==
          "server/event configured\n");
    // One that does not exist: nothing is changed.
    CHECK_FALSE(propose_state(world.context, Selection{.names = {"comp2", "comp9"}}, RunState::Stopped));
    CHECK(world.done(propose_removal(world.context, Selection{.names = {"comp1", "comp9", "comp3"}})) ==
          "server/comp1 deleted\nserver/comp9 is not there\nserver/comp3 deleted\n");
    CHECK(world.text("one.yaml").find("comp2") != std::string::npos);
    CHECK(world.text("one.yaml").find("comp1") == std::string::npos);
    CHECK(world.done(propose_removal(world.context, Selection{.selector = "pool=event"})) ==
          "server/event deleted\n");
    CHECK_FALSE(world.has("two.yaml"));
}

TEST_CASE("when the last manifest is deleted, a file stays: an empty directory would be a vanished source") {
    const World world;
    world.have("only.yaml", blueprint);
    CHECK(world.done(propose_removal(world.context, {DocumentName{Kind::Blueprint, "coop"}})) ==
          "blueprint/coop deleted\n");
    CHECK(world.text("only.yaml").starts_with("#"));
    const auto snapshot = world.context.source->read();
    REQUIRE(snapshot);
    CHECK(load(snapshot->files)->blueprints.empty());
}

TEST_CASE("an object that others refer to cannot be deleted, and they are named") {
    const World world;
    world.have("all.yaml", blueprint + "---\n" + server("comp1", 27015) + "---\n" + server("comp2", 27016));
    const auto refused = propose_removal(world.context, {DocumentName{Kind::Blueprint, "coop"}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::StillReferenced);
    CHECK(refused.error().message.find("server/comp1, server/comp2") != std::string::npos);
}

TEST_CASE("an Installation that Blueprints use because it is the default cannot be deleted") {
    const World world;
    world.have("all.yaml", blueprint +
                               "---\napiVersion: left4me/v1\nkind: Installation\n"
                               "metadata: {name: default}\nspec: {}\n");
    const auto refused = propose_removal(world.context, {DocumentName{Kind::Installation, "default"}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::StillReferenced);
    CHECK(refused.error().message.find("blueprint/coop") != std::string::npos);
}

TEST_CASE("the offender can be deleted from an invalid source") {
    const World world;
    world.have("all.yaml", server("comp1", 27015));  // its blueprint does not exist
    world.have("base.yaml", blueprint);
    world.have("bad.yaml", server("comp2", 27015));
    CHECK(world.done(propose_removal(world.context, {DocumentName{Kind::Server, "comp2"}})) ==
          "server/comp2 deleted\n");
}

TEST_CASE("applying two hundred servers takes linear time") {
    const World world;
    std::string text = blueprint;
    for (int i = 0; i < 200; ++i) text += "---\n" + server("s" + std::to_string(i), 27000 + i);
    world.have("all.yaml", text);
    const std::clock_t begun = std::clock();
    REQUIRE(propose(world.context, {{"given.yaml", text}}));
    // A few parses of 200 documents, not 200 times 200, which took minutes.
    CHECK(std::clock() - begun < 20 * CLOCKS_PER_SEC);
}

namespace {

/// The same with a repository, of which one directory counts.
struct GitWorld : Place {
    GitWorld() {
        context.paths.run = scratch.path() / "run";
        std::filesystem::create_directories(context.paths.run);
        context.config.git.emplace();
        context.config.git->repository = scratch.path() / "m.git";
        context.config.git->directory = "hosts/eu";
        context.source = open_source(context.paths, context.config);
        context.caller = {.name = "Alice", .email = "alice@host1", .message = {}};
        context.purpose = "l4d2ctl apply";
        REQUIRE(git("init -q --bare -b main") == 0);
    }

    int git(const std::string& words) const {
        const std::string where = scratch.path().string();
        // NOLINTNEXTLINE(cert-env33-c): the shell of a test
        return std::system(
            ("git --git-dir=" + where + "/m.git " + words + " >" + where + "/said 2>&1").c_str());
    }
    std::string said(const std::string& words) const {
        REQUIRE(git(words) == 0);
        return scratch.read("said");
    }
    Result<Proposal> apply(const std::string& text) {
        return commit(context, [&] { return propose(context, {{"given.yaml", text}}); });
    }
};

}  // namespace

TEST_CASE("the first manifests of a repository become its first commit, with their author") {
    GitWorld world;
    const auto done = world.apply(blueprint + "---\n" + server("comp1", 27015));
    REQUIRE(done);
    CHECK(done->revision + "\n" == world.said("rev-parse main"));
    CHECK(world.said("log --format=%an:%s main") == "Alice:blueprint/coop created, and 1 more\n");
    CHECK(world.said("ls-tree -r --name-only main") ==
          "hosts/eu/blueprint-coop.yaml\nhosts/eu/server-comp1.yaml\n");
}

TEST_CASE("applying the same manifests again makes no commit") {
    GitWorld world;
    REQUIRE(world.apply(blueprint + "---\n" + server("comp1", 27015)));
    const std::string before = world.said("rev-parse main");
    const auto again = world.apply(server("comp1", 27015));
    REQUIRE(again);
    CHECK(again->revision + "\n" == before);
    CHECK(world.said("rev-parse main") == before);
}

TEST_CASE("an edit is redone on top of a concurrent push") {
    GitWorld world;
    REQUIRE(world.apply(blueprint + "---\n" + server("comp1", 27015)));
    int made = 0;
    const auto done = commit(world.context, [&] {
        auto proposal = propose_state(world.context, Selection{.names = {"comp1"}}, RunState::Stopped);
        if (++made == 1) {
            const auto other = propose(world.context, {{"given.yaml", server("comp2", 27016)}});
            REQUIRE(other);
            REQUIRE(world.context.source->commit(other->change, world.context.caller));
        }
        return proposal;
    });
    REQUIRE(done);
    CHECK(made == 2);
    CHECK(done->set.servers.size() == 2);
    CHECK(done->set.servers.at("comp1").state == RunState::Stopped);
    CHECK(world.said("rev-list --count main") == "3\n");
}

TEST_CASE("an edit gives up if the branch keeps moving, and says so") {
    GitWorld world;
    REQUIRE(world.apply(blueprint));
    int made = 0;
    const auto done = commit(world.context, [&] {
        auto proposal = propose(world.context, {{"given.yaml", server("comp1", 27015)}});
        auto other = propose(world.context, {{"given.yaml", server("other", 28000 + made++)}});
        REQUIRE(world.context.source->commit(other->change, world.context.caller));
        return proposal;
    });
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::CommitFailed);
    CHECK(made < 100);
}

TEST_CASE("a missing repository refuses edits") {
    GitWorld world;
    REQUIRE(world.apply(blueprint));
    REQUIRE(keep_last_good(world.context.paths, *world.context.source->read()));
    std::filesystem::remove_all(world.scratch.path() / "m.git");
    REQUIRE(world.git("init -q --bare -b main") == 0);
    const auto refused = world.apply(server("comp1", 27015));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::SourceUnavailable);
    CHECK(refused.error().message.find("vanished") != std::string::npos);
    CHECK(world.git("rev-parse -q --verify main") != 0);
}
