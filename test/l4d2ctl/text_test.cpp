#include "specs/text.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/progress.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/terminal.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::ctl;

namespace {

const Terminal file{.person = false, .colour = false, .width = std::string::npos};

Action action(Verb verb, const std::string& name, const std::string& reason) {
    Action made;
    made.verb = verb;
    made.subject = {Kind::Server, name};
    made.reason = reason;
    return made;
}

}  // namespace

TEST_CASE("a diff is readable text with aligned columns") {
    Plan plan;
    plan.actions = {action(Verb::Start, "comp1", "the unit is inactive"),
                    action(Verb::Enable, "a", "not enabled"),
                    action(Verb::Hold, "coop", "layers differ (tickrate 4f1c → 9ab0)")};
    plan.differing_servers = 3;
    plan.agreeing_servers = 17;
    Observed observed;
    ObservedServer& comp2 = observed.servers["comp2"];
    comp2.unit.active = ActiveState::Active;
    comp2.players = ObservedPlayers{.count = 3, .max = 8, .map = {}, .age = {}};
    plan.actions.push_back(action(Verb::Restart, "comp2", "server.cfg changed"));
    CHECK(plan_text(plan, observed, file) ==
          "server/comp1   start     the unit is inactive\n"
          "server/a       enable    not enabled\n"
          "server/coop    hold      layers differ (tickrate 4f1c → 9ab0)\n"
          "server/comp2   restart   server.cfg changed\n"
          "restart comp2: 3 players, now\n"
          "3 servers differ, 17 agree\n");
    CHECK(plan_text(Plan{}, observed, file).empty());
}

TEST_CASE("one server differs, in the singular") {
    Plan plan;
    plan.actions = {action(Verb::Start, "comp1", "why")};
    plan.differing_servers = 1;
    plan.agreeing_servers = 2;
    CHECK(count_text(plan) == "1 server differs, 2 agree");
}

TEST_CASE("colour is only for terminals, and marks what interrupts a game") {
    const Terminal terminal{.person = true, .colour = true, .width = 80};
    CHECK(terminal.paint(Paint::Red, "stop") == "\033[31mstop\033[0m");
    CHECK(file.paint(Paint::Red, "stop") == "stop");
    CHECK(paint_of(Verb::Restart) == Paint::Red);
    CHECK(paint_of(Verb::Render) == Paint::Plain);
}

TEST_CASE("a reason cannot control the terminal") {
    CHECK(printable("a\033[2Jb\x7f\tc\n") == "a?[2Jb?\tc\n");
    CHECK(action_line(action(Verb::Hold, "a", "x\033]0;y\a"), {}, file).find('\033') == std::string::npos);
}

TEST_CASE("a table is truncated at its last column, never inside a character") {
    const Terminal narrow{.person = true, .colour = false, .width = 30};
    const std::vector<std::vector<Cell>> rows{{{"NAME"}, {"WHY"}},
                                              {{"comp1"}, {"läuft nicht, weil es abgestürzt ist"}}};
    CHECK(table(rows, narrow) == "NAME   WHY\ncomp1  läuft nicht, weil es a…\n");
    CHECK(table(rows, file) == "NAME    WHY\ncomp1   läuft nicht, weil es abgestürzt ist\n");
    CHECK(shorten("→→→→", 3) == "→→…");
    CHECK(shorten("→→→", 3) == "→→→");
}

TEST_CASE("an empty last cell leaves no blanks at the end of its line") {
    CHECK(table({{{"A"}, {"B"}}, {{"x"}, {""}}}, file) == "A   B\nx\n");
}

TEST_CASE("a section is indented below its title, and an empty one is not printed") {
    const Terminal plain;
    CHECK(section("Log", "one\n  two\n\nthree\n\n", plain) == "\nLog\n  one\n    two\n\n  three\n");
    CHECK(section("Log", "", plain).empty());
    CHECK(section("Log", "\n", plain).empty());
}

TEST_CASE("kinds are known by every name that kubectl's users try") {
    for (const char* word : {"server", "servers", "srv", "Server"}) CHECK(parse_kind(word) == Kind::Server);
    CHECK(parse_kind("bp") == Kind::Blueprint);
    CHECK(parse_kind("Overlays") == Kind::Overlay);
    CHECK_FALSE(parse_kind("pod"));
    const auto target = parse_target({"server/comp1"});
    REQUIRE(target);
    CHECK(target->kind == Kind::Server);
    CHECK(target->names == std::vector<std::string>{"comp1"});
    const auto several = parse_target({"servers", "a", "b", "a"});
    REQUIRE(several);
    CHECK(several->names == std::vector<std::string>{"a", "b"});
    CHECK(parse_target({"server/a", "srv/b"})->names == std::vector<std::string>{"a", "b"});
    CHECK_FALSE(parse_target({"server/a", "overlay/b"}));
    CHECK_FALSE(parse_target({"server/"}));
    CHECK_FALSE(parse_target({"server", "../x"}));
    CHECK_FALSE(parse_target({"server/a", "b"}));
    CHECK_FALSE(parse_target({"all", "comp1"}));
}

TEST_CASE("a server may be named with or without its kind") {
    CHECK(parse_server_name("coop") == "coop");
    CHECK(parse_server_name("server/coop") == "coop");
    CHECK(parse_server_name("servers/coop") == "coop");
    for (const char* word : {"", "server/", "overlay/coop", "server/../x", "a/b", "Coop"}) {
        INFO(word);
        CHECK_FALSE(parse_server_name(word).has_value());
    }
}

TEST_CASE("servers can be chosen in only one way at a time") {
    const auto settled = [](Selection selection) { return settle(selection).has_value(); };
    CHECK(settled({.names = {"a", "server/b"}}));
    CHECK(settled({.selector = "pool=x"}));
    CHECK(settled({.all = true}));
    CHECK_FALSE(settled({}));
    CHECK_FALSE(settled({.names = {"a"}, .all = true}));
    CHECK_FALSE(settled({.names = {"a"}, .selector = "pool=x"}));
    CHECK_FALSE(settled({.selector = "pool="}));
    CHECK_FALSE(settled({.names = {"overlay/a"}}));
}

TEST_CASE("COLUMNS limits the width of a table, also in files") {
    ::setenv("COLUMNS", "60", 1);
    CHECK(Terminal::of(1).width == 60);
    ::setenv("COLUMNS", "wide", 1);
    CHECK(Terminal::of(1).width != 60);
    ::unsetenv("COLUMNS");
}

TEST_CASE("a failure is reported with the host's own message and the command that shows more") {
    const Outcome outcome{0, false, FailureKind::StartLimitHit,
                          "start of the service was attempted too often"};
    CHECK(failure_text(action(Verb::Start, "comp1", "why"), outcome, file) ==
          "server/comp1: start failed (StartLimitHit): start of the service was attempted too often\n"
          "  → l4d2ctl logs comp1\n");
}

TEST_CASE("a failure that is the same for many servers is reported once") {
    Plan plan;
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < 70; ++i) {
        plan.actions.push_back(action(Verb::Start, "m" + std::to_string(i), "why"));
        outcomes.push_back({i, i == 3, FailureKind::NoReply, "the helper did not answer"});
    }
    outcomes.back().message = "something else";
    CHECK(failures_text(plan, outcomes, file) ==
          "server/m0 and 67 others: start failed (NoReply): the helper did not answer\n"
          "  → journalctl -u left4me-helper\n"
          "server/m69: start failed (NoReply): something else\n"
          "  → journalctl -u left4me-helper\n");
}

TEST_CASE("an exit code tells scripts what kind of error it was") {
    using operations::ErrorKind;
    CHECK(exit_for(ErrorKind::InvalidManifest) == Exit::Invalid);
    CHECK(exit_for(ErrorKind::StillReferenced) == Exit::Invalid);
    CHECK(exit_for(ErrorKind::NotFound) == Exit::NotFound);
    CHECK(exit_for(ErrorKind::HostUnavailable) == Exit::Refused);
    CHECK(exit_for(ErrorKind::TimedOut) == Exit::TimedOut);
    const Failure failure = operations::Error{ErrorKind::InvalidArgument, "90 of what?"};
    CHECK(failure.code == Exit::Usage);
    CHECK(failure.message == "90 of what?");
}
