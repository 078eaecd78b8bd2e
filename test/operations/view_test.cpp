#include "operations/players.hpp"
#include "operations/selection.hpp"
#include "operations/server_view.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::operations;

TEST_CASE("ages are short and never negative") {
    using namespace std::chrono_literals;
    const TimePoint then = TimePoint(1'700'000'000s);
    CHECK(age_text(then, then - 5s) == "0s");
    CHECK(age_text(then, then + 59s) == "59s");
    CHECK(age_text(then, then + 61min) == "1h01m");
    CHECK(age_text(then, then + 59min) == "59m");
    CHECK(age_text(then, then + 30h) == "30h");
    CHECK(age_text(then, then + 72h) == "3d");
    CHECK(time_text(then) == "2023-11-14T22:13:20Z");
}

TEST_CASE("a server without players is told from one that does not answer and from one that does not run") {
    View view;
    for (const char* name : {"empty", "silent", "down", "full"})
        view.observed.servers[name].unit.active = ActiveState::Active;
    view.observed.now = TimePoint(std::chrono::seconds(100));
    view.observed.servers["empty"].players =
        ObservedPlayers{.count = 0, .max = 8, .map = "c1m1_hotel", .age = {}};
    view.observed.servers["full"].players =
        ObservedPlayers{.count = 8, .max = 8, .map = "\x1b[31m", .age = std::chrono::seconds(40)};
    ObservedServer& down = view.observed.servers["down"];
    down.unit.active = ActiveState::Inactive;
    down.players = view.observed.servers["full"].players;

    CHECK(players_text(view, "empty") == "0/8");
    CHECK(players_text(view, "full") == "8/8");
    CHECK(players_text(view, "silent") == "?");
    CHECK(players_text(view, "down") == "-");
    CHECK(players_text(view, "unknown") == "-");
    CHECK(map_text(view, "empty") == "c1m1_hotel");
    CHECK(map_text(view, "full").find('\x1b') == std::string::npos);
    CHECK(map_text(view, "silent") == "?");
    CHECK(map_text(view, "down") == "-");

    const Json told = players_json(view, {"empty", "full", "silent", "down"});
    CHECK(told["players"] == 8);
    CHECK(told["servers"][0] == Json{{"name", "empty"},
                                     {"state", "Answers"},
                                     {"players", 0},
                                     {"maxPlayers", 8},
                                     {"map", "c1m1_hotel"},
                                     {"askedAt", "1970-01-01T00:01:40Z"},
                                     {"answeredAfter", 0.0},
                                     {"framesPerSecond", nullptr},
                                     {"tickrate", nullptr},
                                     {"measuredAt", nullptr}});
    CHECK(told["servers"][1]["askedAt"] == "1970-01-01T00:01:00Z");
    CHECK(told["servers"][2] == Json{{"name", "silent"},
                                     {"state", "NoAnswer"},
                                     {"players", nullptr},
                                     {"maxPlayers", nullptr},
                                     {"map", nullptr},
                                     {"askedAt", nullptr},
                                     {"answeredAfter", nullptr},
                                     {"framesPerSecond", nullptr},
                                     {"tickrate", nullptr},
                                     {"measuredAt", nullptr}});
    CHECK(told["servers"][3]["state"] == "NotRunning");
}

TEST_CASE("servers are chosen by name, by labels or all") {
    ManifestSet set;
    set.servers["a"].metadata.labels = {{"pool", "x"}};
    set.servers["b"].metadata.labels = {{"pool", "y"}};
    set.servers["c"];
    CHECK(select_servers({.names = {"c", "a"}}, set) == std::vector<std::string>{"c", "a"});
    CHECK(select_servers({.selector = "pool=x"}, set) == std::vector<std::string>{"a"});
    CHECK(select_servers({.selector = "pool!=x"}, set) == std::vector<std::string>{"b", "c"});
    CHECK(select_servers({.all = true}, set)->size() == 3);
    CHECK(select_servers({.selector = "pool=z"}, set).error().kind == ErrorKind::NotFound);
    CHECK(select_servers({.names = {"a", "d"}}, set).error().kind == ErrorKind::NotFound);
}
