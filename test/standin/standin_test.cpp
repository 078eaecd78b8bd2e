#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "people.hpp"
#include "process.hpp"
#include "support/catch.hpp"

using namespace standin;
using namespace standin::testing;

namespace {

bool becomes(const Process& game, const std::function<bool(const Info&)>& condition) {
    for (int tries = 0; tries < 100; ++tries) {
        const auto said = info(game.port());
        if (said && condition(*said)) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

}  // namespace

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
                         "Nothing",
                         100));
}

TEST_CASE("the stand-in takes a challenge in each of the ways in which clients send it") {
    Process game;
    game.start({"+standin_players", "2"});
    const Asker asker(game.port());
    const auto first = asker.ask(info_request);
    REQUIRE(first);
    const std::string challenge = first->substr(challenge_header.size());
    const std::string none = "\xFF\xFF\xFF\xFF";
    CHECK(asker.ask(std::string(info_request) + none) == *first);
    CHECK(decode(asker.ask(std::string(info_request) + challenge).value_or("")));
    CHECK(decode(asker.ask(std::string(info_request) + challenge + none).value_or("")));
    for (const auto request : {players_request, rules_request}) {
        CHECK(asker.ask(request) == *first);
        CHECK(asker.ask(std::string(request) + none) == *first);
        const auto answer = asker.ask(std::string(request) + challenge);
        REQUIRE(answer);
        CHECK(answer->at(4) == (request == players_request ? '\x44' : '\x45'));
        CHECK(asker.ask(std::string(request) + challenge + none).value_or("").substr(0, 5) ==
              answer->substr(0, 5));
    }
}

TEST_CASE("the stand-in sends the fields of INFO that L4D2 sends") {
    Process game;
    game.write("left4dead2/cfg/server.cfg", "sv_tags \"versus,loot\"\n");
    game.start();
    REQUIRE(becomes(game, [](const Info&) { return true; }));
    CHECK(becomes(game, [](const Info& said) { return said.keywords == "coop,empty,versus,loot,secure"; }));
    game.write("left4dead2/ems/standin.cfg", "standin_connecting 1\n");
    CHECK(becomes(game, [](const Info& said) { return said.keywords == "coop,versus,loot,secure"; }));
    CHECK(becomes(game, [](const Info& said) { return said.players == 1; }));
}

TEST_CASE("the stand-in splits what is larger than a datagram") {
    std::vector<ListedPlayer> many(100, {"a player with a name", 1, 2});
    const auto whole = encode(many);
    const auto parts = datagrams(whole, 7, 1248, false);
    REQUIRE(parts.size() == (whole.size() + 1247) / 1248);
    CHECK(parts[1].substr(0, 12) == std::string("\xFE\xFF\xFF\xFF\x07\0\0\0\x03\x01\xE0\x04", 12));
    CHECK(parts[0].substr(12) + parts[1].substr(12) + parts[2].substr(12) == whole);
    CHECK(datagrams(whole, 7, 1248, true).size() == 1);
    CHECK(datagrams("short", 7, 1248, true) == std::vector<std::string>{"short"});
}

TEST_CASE("the stand-in drops queries above sv_max_queries_sec without a word") {
    Process game;
    game.start({"+sv_max_queries_sec", "1", "+sv_max_queries_window", "20"});
    for (int i = 0; i < 20; ++i) CHECK(exchange(game.port(), info_request));
    for (int i = 0; i < 4; ++i) CHECK_FALSE(exchange(game.port(), info_request, 100));
}

TEST_CASE("who is on the stand-in when it stops is recorded, and when it is killed, too") {
    const int number = GENERATE(SIGTERM, SIGKILL);
    Process game;
    game.start({"+standin_players", "1", "+standin_connecting", "1", "+standin_reserved", "1"});
    REQUIRE(becomes(game, [](const Info& said) { return said.players == 2; }));
    game.signal(number);
    REQUIRE(game.ended(30'000));
    game.start({}, "hibernating");
    const auto said = game.output();
    CHECK(said.find("standin: kicked by " +
                    std::string(number == SIGTERM ? "a stop" : "what ended the game before") +
                    ": Zoey 1 for ") != std::string::npos);
    CHECK(said.find(" ms, connecting\n") != std::string::npos);
    CHECK(said.find(" ms, on its way\n") != std::string::npos);
    const std::string word = "standin: kicked";
    CHECK(said.find(word, said.rfind("Console initialized.")) ==
          (number == SIGTERM ? said.npos : said.find(word)));
}

TEST_CASE("a seed decides who visits the stand-in, and everybody leaves again") {
    const auto visits = [](unsigned seed) {
        std::vector<std::size_t> counts;
        People people;
        people.follow(Script{.seed = seed, .quiet = 2, .stay = 2, .group = 4, .connect = 1, .lobby = 1});
        // No time passes but what it asks for.
        auto now = Clock::now() + std::chrono::hours(1);
        for (int i = 0; i < 200; ++i) {
            people.advance(now);
            counts.push_back(people.here().size() + (people.is_reserved() ? 100 : 0));
            now += std::chrono::milliseconds(500);
        }
        return counts;
    };
    const auto seen = visits(7);
    CHECK(seen == visits(7));
    CHECK(seen != visits(8));
    for (const std::size_t count : {0U, 1U, 100U}) CHECK(std::count(seen.begin(), seen.end(), count) > 0);
    CHECK(*std::max_element(seen.begin(), seen.end()) == 100);
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
    game.start({"+standin_crash_after", "5"}, "hibernating");
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
