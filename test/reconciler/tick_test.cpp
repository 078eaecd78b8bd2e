#include "reconciler/tick.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/choices.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// A game whose console is asked every 30 seconds.
struct Game {
    DesiredServer desired;
    ObservedServer server;
    TickMemory memory;
    TimePoint now{hours(100)};

    Game() {
        desired.health.degraded.lasts = minutes(5);
        server.unit.active = ActiveState::Active;
        start(TimePoint(hours(100)));
    }
    void start(TimePoint at) {
        server.unit.active_since = at;
        server.tick.reset();
        see();
    }
    void see() {
        now += seconds(1);
        memory = next_tick(memory, desired, server, now);
    }
    void read(double rate, int times = 1, unsigned players = 4) {
        for (int time = 0; time < times; ++time) {
            asked_ += tick_pause;
            server.tick = ObservedTick{.rate = rate, .players = players, .asked = asked_, .age = {}};
            see();
            see();  // each counts once
        }
    }
    std::optional<bool> keeps_up() const { return left4me::keeps_up(memory, server); }

  private:
    milliseconds asked_{hours(1)};
};

}  // namespace

TEST_CASE("the tick rate is that of the arguments, or that of the unmodified game") {
    CHECK(tickrate_in("L4D2_NAME=a\nL4D2_PORT=27015\nset -- -tickrate 100 +map c1m1_hotel\n") == 100);
    CHECK(tickrate_in("set -- +map c1m1_hotel -tickrate 60\n") == 60);
    CHECK(tickrate_in("set --\n") == 30);
    CHECK(tickrate_in("set -- -tickrate\n") == 30);
    CHECK(tickrate_in("set -- -tickrate fast -tickrate 60\n") == 30);
    CHECK(tickrate_in("set -- -tickrate 0\n") == 30);
    CHECK(tickrate_in("") == 30);
    Game game;
    game.desired.environment = "set -- -tickrate 100\n";
    CHECK(tickrate_of(game.desired, game.server) == 100);
    // What it was started with counts, whatever comes with the next start.
    game.server.mounted_environment = "set -- -tickrate 60\n";
    CHECK(tickrate_of(game.desired, game.server) == 60);
}

TEST_CASE("one reading neither makes nor clears a degraded game") {
    Game game;
    CHECK(game.keeps_up() == std::nullopt);
    game.read(10);
    CHECK(game.keeps_up() == std::nullopt);
    game.read(30);
    CHECK(game.keeps_up() == true);
    game.read(10, 9);
    CHECK(game.keeps_up() == true);
    game.read(30);
    game.read(10);
    CHECK(game.keeps_up() == true);
    CHECK(game.memory.slow_since == std::nullopt);
    game.read(10);
    CHECK(game.keeps_up() == false);
    const auto since = game.memory.slow_since;
    CHECK(since > game.now - seconds(3));
    game.read(30, 9);
    CHECK(game.keeps_up() == false);
    CHECK(game.memory.slow_since == since);
    game.read(10);
    game.read(30);
    CHECK(game.keeps_up() == false);
    game.read(30);
    CHECK(game.keeps_up() == true);
    CHECK(game.memory.slow_since == std::nullopt);
}

TEST_CASE("the shortest time takes two readings, too") {
    Game game;
    game.desired.health.degraded.lasts = minutes(1);
    game.read(30);
    game.read(10);
    CHECK(game.keeps_up() == true);
    game.read(10);
    CHECK(game.keeps_up() == false);
}

TEST_CASE("what is too slow depends on the tick rate, and a faster game is fine") {
    for (const auto& [rate, keeps_up] : {std::pair(23.9, false), {24.0, true}, {30.0, true}, {300.0, true}}) {
        Game game;
        game.read(rate, 10);
        CHECK(game.keeps_up() == keeps_up);
    }
    Game game;
    game.server.mounted_environment = "set -- -tickrate 100\n";
    game.read(30, 10);
    CHECK(game.keeps_up() == false);
    game.desired.health.degraded.below = 30;
    game.read(30, 10);
    CHECK(game.keeps_up() == true);
}

TEST_CASE("an empty game hibernates, which says nothing") {
    Game game;
    game.read(30);
    game.read(2, 100, 0);
    CHECK(game.keeps_up() == true);
    game.read(10, 10);
    CHECK(game.keeps_up() == false);
    game.read(30, 100, 0);
    CHECK(game.keeps_up() == false);
}

TEST_CASE("a long time without a reading counts as no more than one") {
    Game game;
    game.read(30);
    game.read(10);
    for (int i = 0; i < 100; ++i) game.read(10, 1, 0);
    game.read(10);
    CHECK(game.keeps_up() == true);
}

TEST_CASE("nothing is known of the next game, or of one that is down") {
    Game game;
    game.read(10, 10);
    CHECK(game.keeps_up() == false);
    Game down = game;
    down.server.unit.active = ActiveState::Failed;
    down.see();
    CHECK(down.keeps_up() == std::nullopt);
    game.start(TimePoint(hours(101)));
    CHECK(game.keeps_up() == std::nullopt);
    CHECK(game.memory.in_vain == 1);
}

TEST_CASE("the more restarts have not helped, the later the next one is due") {
    Game game;
    TimePoint start(hours(100));
    for (const int pause : {0, 1, 2, 4, 8, 16, 24, 24}) {
        game.read(10, 10);
        REQUIRE(game.keeps_up() == false);
        CHECK(restart_due(game.memory) == start + hours(pause));
        start += hours(48);
        game.start(start);
    }
    // A short while in which it keeps up is no help, an hour is.
    game.read(30, 100);
    game.read(10, 10);
    CHECK(restart_due(game.memory) == start + hours(24));
    game.start(start += hours(48));
    game.read(30, 120);
    game.read(10, 10);
    game.start(start += hours(48));
    CHECK(game.memory.in_vain == 1);
    game.read(30);
    game.start(start += hours(48));
    CHECK(game.memory.in_vain == 1);
}

namespace {

/// Games on which people come and go; some do not keep up their tick, and some restarts help.
struct Community : Site {
    milliseconds asked{hours(1)};
    std::map<std::string, bool> is_sick;
    std::map<std::string, unsigned> lives;

    explicit Community(Choices& choices) {
        host.world.is_probed = true;
        host.world.now = TimePoint(hours(100));
        for (const char* name : {"a", "b", "c"}) {
            DesiredServer& asked_for = ask_for(desired, name, static_cast<std::uint16_t>(*name));
            asked_for.rollout.policy = choices.one_of(
                {RolloutPolicy::WhenEmpty, RolloutPolicy::Immediate, RolloutPolicy::OnNextStart});
            asked_for.rollout.max_players = choices.below(2) * 4;
            if (choices.one_in(2)) asked_for.rollout.deadline = seconds(60);
            asked_for.drift = choices.one_of({DriftPolicy::Correct, DriftPolicy::Report});
            asked_for.has_console = true;
            asked_for.health.degraded = {
                .below = 80, .lasts = minutes(1), .action = DegradedAction::RestartWhenEmpty};
            is_sick[name] = choices.one_in(2);
        }
        (void)pass();
        for (const char* name : {"a", "b", "c"}) {
            server(name).has_console = true;
            lives[name] = server(name).processes;
        }
        host.calls.clear();
    }

    void step(Choices& choices, seconds later) {
        host.world.now += later;
        asked += later;
        host.joining.clear();
        for (auto& [name, sick] : is_sick) {
            FakeServer& game = server(name);
            if (game.processes != std::exchange(lives[name], game.processes)) sick = choices.one_in(2);
            if (choices.one_in(6)) game.players = choices.one_in(2) ? 0 : 3;
            if (choices.one_in(20)) game.players.reset();
            game.players_age = seconds(choices.below(3) * 3);
            game.reserved = choices.one_in(8);
            game.console.reset();
            if (choices.one_in(4)) host.joining.insert(name);
            game.tick.reset();
            if (game.players != 0U)
                game.tick = ObservedTick{.rate = sick ? 10.0 : 30.0, .players = 3, .asked = asked, .age = {}};
        }
        (void)pass();
    }

    bool is_slow(const std::string& name) const {
        return condition(name, "TickHealthy").status == ConditionStatus::False;
    }
};

std::optional<std::string> never_kicked_and_restarted_in_the_end(Choices& choices) {
    Community site(choices);
    const unsigned steps = 20 + choices.below(60);
    for (unsigned step = 0; step < steps; ++step) {
        site.step(choices, seconds(30));
        if (!site.host.kicked.empty()) return "kicked from " + site.host.kicked.front();
        if (!site.host.violations.empty()) return site.host.violations.front();
    }
    // Everybody leaves; only a restart tells whether it has helped.
    for (unsigned step = 0; step < 12; ++step) {
        site.host.world.now += hours(3);
        site.host.joining.clear();
        for (auto& [name, sick] : site.is_sick) {
            FakeServer& game = site.server(name);
            game.players = 0;
            game.players_age = {};
            game.reserved = false;
            game.console.reset();
            game.tick.reset();
        }
        (void)site.pass();
    }
    for (const auto& [name, sick] : site.is_sick) {
        if (site.is_slow(name)) return fmt::format("{} is empty, too slow and was not restarted", name);
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a degraded game is never restarted while people may play, and in the end it is") {
    const auto found = find_counterexample(case_count(1000), never_kicked_and_restarted_in_the_end);
    if (found) FAIL(fmt::format("seed {}: {}", found->seed, found->message));
}

TEST_CASE("a degraded game has a condition, events and a reason for its restart") {
    Choices choices(std::vector<std::uint32_t>{});
    Community site(choices);
    site.desired.servers.at("a").health.degraded.action = DegradedAction::Report;
    const auto pass_with = [&](double rate, unsigned players) {
        site.host.world.now += tick_pause;
        site.asked += tick_pause;
        for (const char* name : {"a", "b"}) {
            site.server(name).players = players;
            site.server(name).tick =
                ObservedTick{.rate = rate, .players = players, .asked = site.asked, .age = {}};
        }
        const Status before = site.status;
        RunResult result = site.pass();
        return events_of(before, "r1", site.intent, result.ended.plan, result.ended.outcomes, site.status);
    };
    CHECK(site.condition("a", "TickHealthy").reason == ConditionReason(StateReason::NotMeasured));
    (void)pass_with(30, 3);
    CHECK(site.condition("a", "TickHealthy").status == ConditionStatus::True);
    CHECK(site.condition("a", "TickHealthy").message == "the game keeps up its 30 frames per second");
    (void)pass_with(10, 3);
    const auto events = pass_with(10, 3);
    REQUIRE(events.size() == 2);
    for (const Event& event : events) {
        CHECK(event.reason == "Degraded");
        CHECK(event.warning);
        CHECK(event.message == "the game runs with less than 80% of its 30 frames per second");
    }
    for (const char* name : {"a", "b"}) {
        CHECK(site.condition(name, "TickHealthy").reason == ConditionReason(HoldReason::Degraded));
        CHECK(site.condition(name, "Ready").status == ConditionStatus::True);
        CHECK(site.condition(name, "Stalled").status == ConditionStatus::False);
    }
    CHECK(site.condition("b", "Reconciling").message ==
          "the game runs with less than 80% of its 30 frames per second; waits until empty: 3 players");
    CHECK(site.condition("a", "Reconciling").status == ConditionStatus::False);
    CHECK(site.host.calls.empty());
    const auto then = pass_with(2, 0);
    REQUIRE(then.size() >= 1);
    CHECK(then.front().reason == "Restarted");
    CHECK(then.front().message ==
          "the game runs with less than 80% of its 30 frames per second, and nobody is playing");
    CHECK(site.host.calls == std::vector<FakeHost::Call>{{Verb::Restart, {Kind::Server, "b"}}});
    CHECK(site.host.kicked.empty());
    CHECK(site.condition("a", "TickHealthy").status == ConditionStatus::False);
    CHECK(site.condition("b", "TickHealthy").status == ConditionStatus::Unknown);
    (void)pass_with(30, 3);
    const auto recovered = pass_with(30, 3);
    CHECK(std::any_of(recovered.begin(), recovered.end(), [](const Event& event) {
        return event.subject == "server/a" && event.reason == "KeepsUp" && !event.warning;
    }));
}
