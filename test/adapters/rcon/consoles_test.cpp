#include "adapters/rcon/consoles.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>

#include "../../standin/process.hpp"
#include "reconciler/console.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::rcon;
using left4me::test::Scratch;
using State = ObservedConsole::State;

namespace {

constexpr const char* rendering = "instances/comp1/0123456789abcdef";

/// A game that runs with a password, and a state directory whose rendering has another or the same one.
struct World {
    Scratch scratch;
    Paths paths;
    standin::testing::Process process;
    Game game;

    explicit World(const std::string& known = "hunter2", const std::string& commands = "") {
        paths.state = scratch.path() / "state";
        paths.run = scratch.path() / "run";
        std::string config = console_config("rcon");
        const std::string placeholder = "${secret:rcon}";
        config.replace(config.find(placeholder), placeholder.size(), known);
        write_rendering(config);
        process.write("left4dead2/cfg/server.cfg", "rcon_password hunter2\n" + commands);
        process.start();
        game = {"comp1", static_cast<std::uint16_t>(process.port()), rendering};
    }

    void write_rendering(const std::string& config) const {
        (void)scratch.write(std::string("state/") + rendering + "/layer/left4dead2/cfg/server.cfg", config);
    }
};

Consoles consoles_of(const World& world) { return Consoles(world.paths, ::getuid()); }

ObservedConsole answer(Consoles& consoles, const Game& game) {
    consoles.ask(game);
    for (;;) {
        auto answers = consoles.poll();
        if (const auto found = answers.find(game.server); found != answers.end()) return found->second;
        wait_for_any(consoles.readiness());
    }
}

std::size_t tries(const World& world) {
    const std::string log = world.process.output();
    std::size_t count = 0;
    for (std::size_t at = log.find("bad rcon_password"); at != std::string::npos;
         at = log.find("bad rcon_password", at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("the console of an empty game says that nobody is there") {
    const World world;
    Consoles consoles = consoles_of(world);
    CHECK_FALSE(consoles.known(world.game));
    const auto said = answer(consoles, world.game);
    CHECK(said.state == State::Answered);
    CHECK_FALSE(shows_occupied(said));
    REQUIRE(consoles.known(world.game));
    CHECK_FALSE(shows_occupied(*consoles.known(world.game)));
    CHECK(consoles.readiness().empty());
}

TEST_CASE("players, players who are connecting and a lobby on its way make a server occupied") {
    const std::string cause =
        GENERATE("standin_players 2\n", "standin_connecting 1\n", "standin_reserved 1\n");
    const World world("hunter2", cause + "standin_bots 3\n");
    Consoles consoles = consoles_of(world);
    const auto said = answer(consoles, world.game);
    CHECK(said.state == State::Answered);
    CHECK(shows_occupied(said));
    CHECK(said.is_reserved == (cause == "standin_reserved 1\n"));
}

TEST_CASE("bots are nobody") {
    const World world("hunter2", "standin_bots 3\n");
    Consoles consoles = consoles_of(world);
    CHECK_FALSE(shows_occupied(answer(consoles, world.game)));
}

TEST_CASE("a wrong password is tried once, by whichever process, until the game is another one") {
    World world("wrong");
    {
        Consoles consoles = consoles_of(world);
        CHECK(answer(consoles, world.game).state == State::Refused);
        CHECK(answer(consoles, world.game).state == State::Refused);
        CHECK_FALSE(consoles.connect(world.game));
    }
    Consoles another = consoles_of(world);
    REQUIRE(another.known(world.game));
    CHECK(another.known(world.game)->state == State::Refused);
    CHECK(answer(another, world.game).state == State::Refused);
    CHECK(tries(world) == 1);
    // Another rendering may have another password.
    Game changed = world.game;
    changed.rendering = "instances/comp1/fedcba9876543210";
    CHECK_FALSE(another.known(changed));
}

TEST_CASE("a game that hangs, and one that is gone, say nothing, which counts as occupied") {
    World world("hunter2", "standin_hang 1\n");
    Consoles consoles = consoles_of(world);
    const auto begun = std::chrono::steady_clock::now();
    auto said = answer(consoles, world.game);
    CHECK(said.state == State::Silent);
    CHECK(shows_occupied(said));
    CHECK(std::chrono::steady_clock::now() - begun < Consoles::longest_question + std::chrono::seconds(20));
    world.process.signal(SIGKILL);
    (void)world.process.ended(5000);
    said = answer(consoles, world.game);
    CHECK(said.state == State::Silent);
}

TEST_CASE("however the answer is cut into segments, it is read") {
    const std::string how = GENERATE("standin_segments bytes\n", "standin_segments joined\n");
    const World world("hunter2", how + "standin_players 1\n");
    Consoles consoles = consoles_of(world);
    const auto said = answer(consoles, world.game);
    CHECK(said.state == State::Answered);
    CHECK(said.humans == 1);
}

TEST_CASE("an answer that is no status says nothing") {
    const World world("hunter2", "standin_status garbled\n");
    Consoles consoles = consoles_of(world);
    CHECK(answer(consoles, world.game).state == State::Silent);
}

TEST_CASE("a password is not sent to another user's program") {
    const World world("wrong");
    Consoles consoles(world.paths, ::getuid() + 1);
    CHECK(answer(consoles, world.game).state == State::Silent);
    Consoles nobodys(world.paths, std::nullopt);
    CHECK(answer(nobodys, world.game).state == State::Silent);
    CHECK(tries(world) == 0);
}

TEST_CASE("without a password of ours, nothing is sent") {
    const World world("wrong");
    world.write_rendering("rcon_password \"wrong\"\n");
    Consoles consoles = consoles_of(world);
    CHECK(answer(consoles, world.game).state == State::Silent);
    CHECK(tries(world) == 0);
}

TEST_CASE("a reserved game is asked again until its lobby has come or gone, and that is news") {
    const World world("hunter2", "standin_reserved 1\n");
    Consoles consoles = consoles_of(world);
    CHECK(answer(consoles, world.game).is_reserved);
    consoles.watch("comp1", world.game);
    const auto left = consoles.readiness().front().timeout;
    REQUIRE(left);
    CHECK(*left > std::chrono::seconds(0));
    world.process.write("left4dead2/ems/standin.cfg", "standin_reserved 0\n");
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!consoles.drain()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        CHECK(consoles.poll().empty());
        wait_for_any(consoles.readiness());
    }
    CHECK_FALSE(shows_occupied(*consoles.known(world.game)));
    consoles.watch("comp1", {});
    CHECK(consoles.readiness().empty());
}

TEST_CASE("a game that was occupied when it was asked long ago is asked at once when everybody has left") {
    const World world;
    Consoles consoles = consoles_of(world);
    REQUIRE(answer(consoles, world.game).state == State::Answered);
    auto kept = kept_answer(world.paths, "comp1");
    REQUIRE(kept);
    kept->asked -= std::chrono::seconds(15);
    kept->humans = 1;
    Consoles later = consoles_of(world);
    REQUIRE(keep_answer(world.paths, "comp1", *kept));
    REQUIRE(shows_occupied(*later.known(world.game)));
    later.watch("comp1", world.game);
    CHECK(later.readiness().front().timeout == std::chrono::milliseconds(0));
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!later.drain()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        (void)later.poll();
        wait_for_any(later.readiness());
    }
    CHECK_FALSE(shows_occupied(*later.known(world.game)));
}

TEST_CASE("what another process wrote badly is as if it was not there") {
    const World world;
    Consoles consoles = consoles_of(world);
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string(R"({"state": "Answered"})"),
          std::string(
              R"({"inode":1,"rendering":7,"asked":0,"state":"Answered","humans":0,"reserved":false})"),
          std::string(R"({"inode":1,"rendering":"x","asked":0,"state":"Empty","humans":0,"reserved":false})"),
          std::string(10'000, ' ')}) {
        (void)world.scratch.write("run/daemon/consoles/comp1.json", text);
        CHECK_FALSE(consoles.known(world.game));
    }
}
