#include "adapters/rcon/variables.hpp"

#include <unistd.h>

#include "support/catch.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::rcon;
using left4me::rcon::testing::World;

namespace {

using Known = std::map<std::string, ObservedCvars>;
using Values = std::map<std::string, std::optional<std::string>>;

/// One process that reads cvars.
struct Reader {
    Consoles consoles;
    Variables variables;

    explicit Reader(const World& world)
        : consoles(world.paths, ::getuid()), variables(world.paths, consoles) {}

    Values read(const Subject& subject) {
        (void)variables.watch({subject});
        variables.read_due();
        const auto known = variables.watch({subject});
        return known.empty() ? Values() : known.at("comp1").values;
    }

    std::expected<void, std::string> set(const Game& game, const Cvars& cvars) {
        variables.set(game, cvars);
        for (;;) {
            variables.poll();
            if (auto ended = variables.ended(); ended.contains(game.server)) return ended.at(game.server);
            wait_for_any(variables.readiness());
        }
    }
};

}  // namespace

TEST_CASE("a game's cvars are read once, and another process knows them") {
    const World world("sv_maxrate 30000\n");
    Reader first(world);
    CHECK(first.variables.watch({world.subject}).empty());
    CHECK(first.read(world.subject) == Values{{"sv_maxrate", "30000"}, {"sv_tags", std::nullopt}});
    CHECK(first.variables.drain());
    CHECK_FALSE(first.variables.drain());
    Reader second(world);
    CHECK(second.variables.watch({world.subject}).at("comp1").values.at("sv_maxrate") == "30000");
}

TEST_CASE("what is known of a game says nothing about the next one, or about other cvars") {
    const World world("sv_maxrate 30000\n");
    Reader reader(world);
    CHECK(reader.read(world.subject).size() == 2);
    Subject restarted = world.subject;
    restarted.start = 2;
    CHECK(reader.variables.watch({restarted}).empty());
    Subject other = world.subject;
    other.names.insert("sv_minrate");
    CHECK(reader.variables.watch({other}).empty());
}

TEST_CASE("cvars that are set are read back at once") {
    const World world("sv_maxrate 30000\nsv_tags a\nstandin_fixed sv_tags\n");
    Reader reader(world);
    CHECK(reader.read(world.subject) == Values{{"sv_maxrate", "30000"}, {"sv_tags", "a"}});
    CHECK(reader.set(world.subject.game, {{"sv_maxrate", "100000"}, {"sv_tags", "b c"}}));
    // The game did not take the second one.
    CHECK(reader.variables.watch({world.subject}).at("comp1").values ==
          Values{{"sv_maxrate", "100000"}, {"sv_tags", "a"}});
}

TEST_CASE("a game that refuses the password is asked once") {
    const World world("sv_tags a\n", "wrong");
    Reader reader(world);
    CHECK(reader.read(world.subject).empty());
    CHECK(reader.read(world.subject).empty());
    CHECK(reader.set(world.subject.game, {{"sv_tags", "b"}}).error() == "refuses the password");
    const std::string log = world.process.output();
    const std::size_t tried = log.find("bad rcon_password");
    REQUIRE(tried != std::string::npos);
    CHECK(log.find("bad rcon_password", tried + 1) == std::string::npos);
}

TEST_CASE("cvars are not set in a game that nobody watches") {
    const World world("sv_tags a\n");
    Reader reader(world);
    CHECK(reader.set(world.subject.game, {{"sv_tags", "b"}}).error() == "belongs to another game by now");
    CHECK(reader.read(world.subject).at("sv_tags") == "a");
}
