// The lock file beside the manifests, as edits write it.
#include "adapters/source/revision.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/build_files.hpp"
#include "operations/edit.hpp"
#include "operations/pins.hpp"
#include "operations/upstream.hpp"
#include "reconciler/pinning.hpp"
#include "specs/lock.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;
using left4me::test::Scratch;

namespace {

const std::string first_commit(40, 'a');
const std::string other_commit(40, 'b');

std::string overlay(const std::string& name, const std::string& ref) {
    return "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: " + name +
           "}\nspec: {source: {git: {url: \"https://example.org/o\", ref: " + ref + "}}}\n";
}

std::string identity(const std::string& ref) {
    GitSource source;
    source.url = "https://example.org/o";
    source.ref = ref;
    return pin_identity(source).value();
}

struct World {
    Scratch scratch;
    Context context;

    World() {
        context.paths.state = scratch.path() / "state";
        std::filesystem::create_directories(context.paths.status());
        context.config.source_directory = scratch.path() / "source";
        std::filesystem::create_directories(context.config.source_directory);
        context.source = open_source(context.paths, context.config);
    }

    void have(const std::string& name, const std::string& text) const {
        scratch.write("source/" + name, text);
    }
    std::string text() const { return scratch.read("source/left4me.lock"); }
    bool has(const std::string& name) const { return scratch.has("source/" + name); }
    ManifestSet set() const {
        const auto in_force = revision_in_force(context.paths, *context.source, context.config.limits);
        REQUIRE(in_force);
        CHECK(in_force->error.empty());
        return in_force->set;
    }

    std::string lock(const std::map<std::string, LockedInput>& pins) const {
        const auto proposal = propose_lock(context, pins);
        if (!proposal) return "error: " + proposal.error().message;
        const auto committed = context.source->commit(proposal->change, context.caller);
        REQUIRE(committed);
        CHECK(*committed == proposal->revision);
        std::string words;
        for (const Effect& effect : proposal->effects)
            words += to_string(effect.object) + " " + to_string(effect.change) + "\n";
        return words + (proposal->change.empty() ? "nothing written\n" : "");
    }
};

}  // namespace

TEST_CASE("pins are written into the lock file, and the other pins stay") {
    const World world;
    world.have("a.yaml", overlay("one", "main") + "---\n" + overlay("two", "main"));
    CHECK(world.lock({{"one", {identity("main"), GitPin{first_commit}}}}) == "overlay/one configured\n");
    CHECK(world.text() == write_lock({{"one", {identity("main"), GitPin{first_commit}}}}));
    CHECK(world.lock({{"two", {identity("main"), GitPin{other_commit}}}}) == "overlay/two configured\n");
    CHECK(world.set().lock.at("one").pin == Pin(GitPin{first_commit}));
    CHECK(world.set().lock.at("two").pin == Pin(GitPin{other_commit}));
    CHECK(world.lock({{"two", {identity("main"), GitPin{other_commit}}}}) ==
          "overlay/two unchanged\nnothing written\n");
    CHECK(pin_of(make_desired(world.set(), "r").overlays.at("two")) == Pin(GitPin{other_commit}));
}

TEST_CASE("stale pins are dropped, and a pin of what the manifests do not say any more is not written") {
    const World world;
    world.have("a.yaml", overlay("one", "main") + "---\n" + overlay("two", "main"));
    CHECK(world.lock({}) == "nothing written\n");
    CHECK_FALSE(world.has("left4me.lock"));
    (void)world.lock({{"one", {identity("main"), GitPin{first_commit}}},
                      {"two", {identity("main"), GitPin{first_commit}}}});
    world.have("a.yaml", overlay("one", "stable") + "---\n" + overlay("two", "main"));
    CHECK(stale_pins(world.set()).size() == 1);
    CHECK(world.lock({{"one", {identity("main"), GitPin{first_commit}}}}).empty());
    CHECK(stale_pins(world.set()).empty());
    CHECK(world.set().lock.size() == 1);
    CHECK(world.lock({{"gone", {identity("main"), GitPin{first_commit}}}}) == "nothing written\n");
}

TEST_CASE("an invalid lock file keeps the last good revision in force and is named") {
    const World world;
    world.have("a.yaml", overlay("one", "main"));
    const auto read = [&] {
        return revision_in_force(world.context.paths, *world.context.source, world.context.config.limits);
    };
    auto in_force = read();
    REQUIRE(in_force);
    REQUIRE(keep_last_good(world.context.paths, in_force->snapshot));
    world.have("left4me.lock", "apiVersion: left4me/v1\nkind: Lock\noverlays: {one: {pin: {}}}\n");
    in_force = read();
    REQUIRE(in_force);
    CHECK(in_force->error_kind == SourceErrorKind::Invalid);
    CHECK(in_force->error.contains("left4me.lock:3:17: overlays['one'].source is missing"));
    CHECK(in_force->set.lock.empty());
    CHECK(world.lock({{"one", {identity("main"), GitPin{first_commit}}}}).contains("left4me.lock:3:17: "));
    // Files of this name deeper in the source are not ours.
    std::filesystem::create_directory(world.context.config.source_directory / "deeper");
    world.have("deeper/left4me.lock", "what?");
    world.have("left4me.lock", write_lock({}));
    in_force = read();
    REQUIRE(in_force);
    CHECK(in_force->error.empty());
}

TEST_CASE("a source with nothing but a lock file has vanished, and the last manifest is not removed") {
    const World world;
    world.have("left4me.lock", write_lock({}));
    const auto alone = world.context.source->read();
    REQUIRE_FALSE(alone);
    CHECK(alone.error().error_kind == SourceErrorKind::Vanished);
    CHECK(world.context.source->is_blank());
    world.have("a.yaml", overlay("one", "main"));
    const auto removal = propose_removal(world.context, {{Kind::Overlay, "one"}});
    REQUIRE(removal);
    REQUIRE(world.context.source->commit(removal->change, world.context.caller));
    CHECK(world.has("a.yaml"));
    CHECK(world.context.source->read());
}

TEST_CASE("a lock file among the manifests that are applied is left out") {
    const World world;
    world.have("a.yaml", overlay("one", "main"));
    (void)world.lock({{"one", {identity("main"), GitPin{first_commit}}}});
    const auto applied = propose(
        world.context, {{"given/left4me.lock", "nonsense"}, {"given/b.yaml", overlay("two", "main")}});
    REQUIRE(applied);
    CHECK(applied->set.lock.size() == 1);
    CHECK(applied->change.write.size() == 1);
}

TEST_CASE("what an artifact was built from is told only of that artifact") {
    const World world;
    const GitSource source = [] {
        GitSource git;
        git.url = "https://example.org/o";
        return git;
    }();
    const auto place = world.context.paths.overlays() / "one" / ".build";
    CHECK_FALSE(built_pin(world.context.paths, "one", source));
    std::filesystem::create_directories(place);
    const Fd directory = store::open_build_directory(world.context.paths, "one");
    REQUIRE(directory);
    REQUIRE(store::write_built_pin(directory.get(), GitPin{first_commit}));
    CHECK_FALSE(built_pin(world.context.paths, "one", source));
    BuildRecord record;
    record.artifact = BuiltArtifact{std::string(16, 'a'), fingerprint(source), first_commit,
                                    pinned_inputs(source, GitPin{first_commit})};
    REQUIRE(store::write_record(directory.get(), record));
    CHECK(store::read_record(directory.get()) == record);
    CHECK(built_pin(world.context.paths, "one", source) == Pin(GitPin{first_commit}));
    REQUIRE(store::write_built_pin(directory.get(), GitPin{other_commit}));
    CHECK_FALSE(built_pin(world.context.paths, "one", source));
    GitSource other = source;
    other.ref = "other";
    CHECK_FALSE(built_pin(world.context.paths, "one", other));
}

TEST_CASE("a pin is asked for by the kind of what has it, or by its name alone") {
    World world;
    world.have("maps.yaml", overlay("maps", "main"));
    world.have("stable.yaml",
               "apiVersion: left4me/v1\nkind: Installation\nmetadata: {name: stable}\nspec: {}\n");
    const auto compared = [&world](std::optional<Kind> kind, const std::string& name) {
        const auto pins = compare_pins(world.context, {{kind, name}}, PinsOf::Artifacts);
        return pins ? pins->at(0).overlay : pins.error().message;
    };
    CHECK(compared(Kind::Overlay, "maps") == "maps");
    CHECK(compared(std::nullopt, "maps") == "maps");
    CHECK(compared(Kind::Installation, "maps") == "installation/maps is not there");
    CHECK(compared(Kind::Installation, "stable") == "stable");
    CHECK(compared(std::nullopt, "stable") == "stable");
    CHECK(compared(Kind::Overlay, "stable") == "overlay/stable is not there");
    CHECK(compared(std::nullopt, "none") == "there is no overlay or installation none");
}
