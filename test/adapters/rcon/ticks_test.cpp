#include "adapters/rcon/ticks.hpp"

#include <unistd.h>

#include "adapters/rcon/kept_ticks.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::rcon;
using left4me::rcon::testing::World;

namespace {

using Known = std::map<std::string, ObservedTick>;

/// One process that asks for ticks.
struct Reader {
    Consoles consoles;
    Ticks ticks;

    explicit Reader(const World& world) : consoles(world.paths, ::getuid()), ticks(world.paths, consoles) {}

    Known read(const Subject& subject) {
        (void)ticks.watch({subject});
        ticks.read_due();
        return ticks.watch({subject});
    }
};

}  // namespace

TEST_CASE("a game tells how fast it runs, and another process knows it") {
    const World world("standin_players 3\nstandin_fps 24.5\n");
    Reader first(world);
    CHECK(first.ticks.watch({world.subject}).empty());
    const ObservedTick tick = first.read(world.subject).at("comp1");
    CHECK(tick.rate == 24.5);
    CHECK(tick.players == 3);
    CHECK(tick.asked.count() > 0);
    CHECK(tick.age < std::chrono::seconds(10));
    Reader second(world);
    CHECK(second.ticks.watch({world.subject}).at("comp1").asked == tick.asked);
}

TEST_CASE("a game is not asked again before it is due, by whichever process") {
    const World world("standin_players 3\n");
    Reader first(world);
    const auto asked = first.read(world.subject).at("comp1").asked;
    Reader second(world);
    for (Reader* const reader : {&first, &second}) {
        (void)reader->ticks.watch({world.subject});
        reader->ticks.poll();
        const auto readiness = reader->ticks.readiness();
        REQUIRE(readiness.size() == 1);
        CHECK(readiness.front().fd == -1);
        CHECK(*readiness.front().timeout > tick_pause - std::chrono::seconds(10));
        CHECK(reader->ticks.watch({world.subject}).at("comp1").asked == asked);
    }
    (void)first.ticks.watch({});
    CHECK(first.ticks.readiness().empty());
}

TEST_CASE("what is known of a game says nothing about the next one") {
    const World world("standin_players 3\n");
    Reader reader(world);
    REQUIRE(reader.read(world.subject).size() == 1);
    Subject next = world.subject;
    next.start = 2;
    CHECK(reader.ticks.watch({next}).empty());
}

TEST_CASE("half an answer, none, and a refused password say nothing") {
    SECTION("half") {
        const World world("standin_stats garbled\n");
        Reader reader(world);
        CHECK(reader.read(world.subject).empty());
        const auto kept = kept_tick(world.paths, "comp1");
        REQUIRE(kept);
        CHECK_FALSE(kept->said);
    }
    SECTION("refused") {
        const World world("", "another");
        Reader reader(world);
        CHECK(reader.read(world.subject).empty());
        CHECK(reader.consoles.known(world.subject.game)->state == ObservedConsole::State::Refused);
    }
}

TEST_CASE("a file that another version has written, or nobody, is none") {
    const test::Scratch scratch;
    Paths paths;
    paths.run = scratch.path();
    CHECK_FALSE(kept_tick(paths, "comp1"));
    for (const char* const text : {"", "{}", "[]", R"({"rendering": 1, "start": 1, "asked": 1})"}) {
        (void)scratch.write("daemon/ticks/comp1.json", text);
        CHECK_FALSE(kept_tick(paths, "comp1"));
    }
}
