#include <sys/wait.h>

#include <csignal>

#include "process.hpp"
#include "support/catch.hpp"

using namespace standin;
using namespace standin::testing;

TEST_CASE("the stand-in takes its hostname from the server.cfg of its own tree") {
    Process game;
    game.write("left4dead2/cfg/server.cfg",
               "hostname \"The Parish\" // comment\nsv_consistency 1; maxplayers 8\n");
    game.start({"+map", "c5m1_waterfront"});
    const auto answer = info(game.port());
    REQUIRE(answer);
    CHECK(answer->name == "The Parish");
    CHECK(answer->map == "c5m1_waterfront");
    CHECK(answer->folder == "left4dead2");
    CHECK(answer->app == 550);
    CHECK(answer->max_players == 8);
    CHECK(answer->port == game.port());
}

TEST_CASE("the stand-in answers a query only with the right challenge") {
    Process game;
    game.start();
    const auto first = exchange(game.port(), info_request);
    REQUIRE(first);
    CHECK(first->starts_with(challenge_header));
    CHECK(first->size() == 9);
    const auto guessed = exchange(game.port(), std::string(info_request) + "\xFF\xFF\xFF\xFF");
    REQUIRE(guessed);
    CHECK(guessed->starts_with(challenge_header));
    CHECK_FALSE(exchange(game.port(),
                         "\xFF\xFF\xFF\xFF"
                         "Unknown",
                         100));
}

TEST_CASE("the stand-in logs what the game logs") {
    Process game;
    game.start({}, "hibernating");
    CHECK(game.output().find("Network: IP 127.0.0.1, mode MP, dedicated Yes, ports " +
                             std::to_string(game.port()) + " SV / 27005 CL\nServer is hibernating\n") !=
          std::string::npos);
}

TEST_CASE("the stand-in writes its logs and its ban list into its own tree") {
    Process game;
    game.start({}, "hibernating");
    CHECK(std::filesystem::exists(game.root() / "left4dead2/cfg/banned_user.cfg"));
    CHECK(std::filesystem::exists(game.root() / "left4dead2/logs/console.log"));
}

TEST_CASE("with -strictportbind, a taken port ends the stand-in") {
    Process first;
    first.start();
    Process second;
    second.start({"-port", std::to_string(first.port())}, "Couldn't allocate");
    const auto status = second.ended(30'000);
    REQUIRE(status);
    CHECK(WEXITSTATUS(*status) == 1);
    CHECK(second.output().find("Couldn't allocate dedicated server IP port " +
                               std::to_string(first.port())) != std::string::npos);
}

TEST_CASE("the stand-in stops on SIGINT and on SIGTERM") {
    const int number = GENERATE(SIGINT, SIGTERM);
    Process game;
    game.start({}, "hibernating");
    game.signal(number);
    const auto status = game.ended(30'000);
    REQUIRE(status);
    CHECK(*status == 0);
}

TEST_CASE("the stand-in ignores signals if told to") {
    Process game;
    game.start({"+standin_ignore_stop", "1"}, "hibernating");
    game.signal(SIGTERM);
    game.signal(SIGINT);
    CHECK_FALSE(game.ended(300));
    CHECK(info(game.port()));
}

TEST_CASE("the stand-in crashes at start when a file in its tree says so") {
    Process game;
    game.write("left4dead2/ems/standin.cfg", "standin_crash 1\n");
    game.start({}, "as told");
    const auto status = game.ended(30'000);
    REQUIRE(status);
    CHECK(WIFSIGNALED(*status));
    CHECK(WTERMSIG(*status) == SIGSEGV);
}

TEST_CASE("the stand-in crashes after the given time") {
    Process game;
    game.start({"+standin_crash_after", "1"}, "hibernating");
    CHECK(info(game.port()));
    const auto status = game.ended(30'000);
    REQUIRE(status);
    CHECK(WIFSIGNALED(*status));
}

TEST_CASE("the stand-in hangs, alive but silent, once told to") {
    Process game;
    game.start({}, "hibernating");
    REQUIRE(info(game.port()));
    game.write("left4dead2/ems/standin.cfg", "standin_hang 1\n");
    bool silent = false;
    for (int tries = 0; tries < 50 && !silent; ++tries) silent = !info(game.port(), 100);
    CHECK(silent);
    CHECK_FALSE(game.ended(50));
}

TEST_CASE("the remote console accepts only the right password") {
    Process game;
    game.write("left4dead2/cfg/server.cfg", "hostname Dark\nrcon_password \"se cret\"\n");
    game.start();
    const auto refused = console(game.port(), {{7, Rcon::auth, "wrong"}, {8, Rcon::execute, "status"}}, 3);
    REQUIRE(refused.size() == 2);
    CHECK(refused[1].id == -1);
    const auto allowed = console(
        game.port(), {{7, Rcon::auth, "se cret"}, {8, Rcon::execute, "status"}, {9, Rcon::response, ""}}, 5);
    REQUIRE(allowed.size() == 5);
    CHECK(allowed[1].id == 7);
    CHECK(allowed[1].type == Rcon::auth_response);
    CHECK(allowed[2].id == 8);
    CHECK(allowed[2].body.starts_with("hostname: Dark\n"));
    CHECK(allowed[3].id == 9);
    CHECK(allowed[4].body == std::string("\0\1\0\0", 4));
}

TEST_CASE("the remote console changes what a query sees") {
    Process game;
    game.write("left4dead2/cfg/server.cfg", "rcon_password x\n");
    game.start();
    console(game.port(), {{1, Rcon::auth, "x"}, {2, Rcon::execute, "standin_players 5"}}, 3);
    const auto answer = info(game.port());
    REQUIRE(answer);
    CHECK(answer->players == 5);
}
