#include <fmt/format.h>

#include "reconciler/deadline.hpp"
#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

using std::chrono::minutes;

/// Servers that run, of which the named ones are to be drained.
struct Drained : Site {
    explicit Drained(std::size_t count, const std::set<std::string>& names, Drain drain) {
        for (std::size_t index = 0; index < count; ++index)
            ask_for(desired, fmt::format("s{}", index), static_cast<std::uint16_t>(27015 + index));
        host.world.now = TimePoint(std::chrono::hours(100));
        (void)pass();
        for (auto& [name, server] : host.world.servers) {
            server.players = 3;
            server.has_console = true;
        }
        drain.at = host.world.now;
        intent.stops = {{.servers = names, .drain = drain}};
        for (const std::string& name : names) desired.servers.at(name).state = RunState::Stopped;
    }
    bool runs(const std::string& name) { return server(name).unit.active == ActiveState::Active; }
    /// As each pass leaves the requests.
    void keep_requests(const RunResult& result) {
        intent.stops = open_requests(intent.stops, result.target, result.observed, result.remaining);
    }
};

}  // namespace

TEST_CASE("a drained server is not Ready and says what it waits for, as one event") {
    Drained site(2, {"s0"}, {.by = "alice", .at = {}, .deadline = minutes(30)});
    const Status before = site.status;
    const RunResult result = site.pass();
    CHECK(site.runs("s0"));
    const Condition& waits = site.condition("s0", "Reconciling");
    CHECK(waits.reason == ConditionReason(HoldReason::Draining));
    CHECK(
        waits.message ==
        "the drain that alice asked for at 1970-01-05 04:00 UTC waits until empty: 3 players, at the latest "
        "04:30");
    CHECK(site.condition("s0", "Ready").reason == ConditionReason(HoldReason::Draining));
    std::string told;
    for (const Event& event : events_of(before, "r1", site.intent, {}, {}, site.status))
        told += event.reason + " ";
    CHECK(told == "Draining ");

    site.server("s0").players = 0;
    const RunResult stopped = site.pass();
    CHECK_FALSE(site.runs("s0"));
    CHECK(site.condition("s0", "Ready").reason == ConditionReason(StateReason::Stopped));
    REQUIRE(stopped.ended.plan.actions.size() == 1);
    CHECK(stopped.ended.plan.actions.front().by == "alice");
    CHECK(site.host.kicked.empty());
}

TEST_CASE("who comes at the last moment is not kicked by a drain") {
    Drained site(1, {"s0"}, {.by = "alice", .at = {}});
    site.server("s0").players = 0;
    site.host.joining.insert("s0");
    (void)site.pass();
    CHECK(site.runs("s0"));
    CHECK(site.host.kicked.empty());
    CHECK(site.status.servers.at("s0").remembered.backoff.failures == 0);
}

TEST_CASE("before the deadline of a drain the players are told, with the message, and then it stops") {
    Drained site(1, {"s0"},
                 {.by = "alice", .at = {}, .deadline = minutes(30), .message = "New maps; see you"});
    std::size_t told = 0;
    const auto pass = [&site, &told] {
        const Status before = site.status;
        (void)site.pass();
        for (const Event& event : events_of(before, "r1", site.intent, {}, {}, site.status))
            if (event.reason == "Draining") ++told;
    };
    pass();
    REQUIRE(site.wake());
    CHECK(std::chrono::round<minutes>(*site.wake() - site.host.world.now) == minutes(20));
    for (const int later : {20, 9, 1}) {
        CHECK(site.runs("s0"));
        site.host.world.now += minutes(later);
        pass();
    }
    CHECK(told == 1);
    REQUIRE(site.host.commands.size() == 2);
    CHECK(site.host.commands[0].second == "say \"This server is stopped in 10 minutes. New maps; see you\"");
    CHECK(site.host.commands[1].second == "say \"This server is stopped in 1 minute. New maps; see you\"");
    CHECK_FALSE(site.runs("s0"));
}

TEST_CASE("a drain that no pass has seen the manifests agree with outlives an older target") {
    Drained site(1, {"s0"}, {.by = "alice", .at = {}});
    site.desired.servers.at("s0").state = RunState::Running;  // read before the edit
    site.keep_requests(site.pass());
    REQUIRE(site.intent.stops.size() == 1);
    CHECK_FALSE(site.intent.stops.front().drain->begun);
    site.desired.servers.at("s0").state = RunState::Stopped;
    site.keep_requests(site.pass());
    CHECK(site.runs("s0"));
    CHECK(site.intent.stops.front().drain->begun);

    SECTION("it ends when the manifests say Running again") {
        site.desired.servers.at("s0").state = RunState::Running;
        const unsigned processes = site.server("s0").processes;
        site.keep_requests(site.pass());
        CHECK(site.intent.stops.empty());
        CHECK(site.server("s0").processes == processes);
        CHECK_FALSE(site.status.servers.at("s0").remembered.draining_since);
        site.desired.servers.at("s0").state = RunState::Stopped;
        (void)site.pass();
        CHECK_FALSE(site.runs("s0"));
    }
    SECTION("it ends when the server is down") {
        site.server("s0").players = 0;
        site.keep_requests(site.pass());
        CHECK_FALSE(site.runs("s0"));
        CHECK(site.intent.stops.empty());
    }
    SECTION("a stop after it stops at once") {
        add_request(site.intent.stops, {.servers = {"s0"}});
        (void)site.pass();
        CHECK_FALSE(site.runs("s0"));
    }
    SECTION("a reset of it does not wait") {
        site.intent.resets["s0"] = {
            .by = "bob", .at = site.host.world.now, .reason = {}, .directory = "directory 0"};
        (void)site.pass();
        CHECK_FALSE(site.runs("s0"));
        CHECK(site.server("s0").purges == 1);
    }
}

TEST_CASE("over generated drains nobody is kicked before the deadline, and every empty server stops") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto one_in = [&random](std::uint64_t n) { return random.below(n) == 0; };
        const std::size_t count = 2 + random.below(5);
        std::set<std::string> names;
        for (std::size_t index = 0; index < count; ++index)
            if (!one_in(3)) names.insert(fmt::format("s{}", index));
        if (names.empty()) names.insert("s0");
        Drain drain{.by = "alice", .at = {}};
        if (one_in(3)) drain.deadline = minutes(1 + random.below(90));
        if (!drain.deadline && one_in(3)) drain.deadline_at = minutes(random.below(24 * 60));
        Drained site(count, names, drain);
        site.intent.approved = "r1";
        for (auto& [name, server] : site.desired.servers)
            if (one_in(2)) server.rollout = {RolloutPolicy::WhenEmpty, minutes(5)};
        const Rollout rollout = rollout_of(*site.intent.stops.front().drain, {});
        const auto deadline = deadline_of(rollout, {}, site.host.world.now);
        for (int minute = 0; minute < 180; ++minute) {
            const bool all_leave = minute >= 120;
            for (auto& [name, server] : site.host.world.servers) {
                if (one_in(3)) server.players = all_leave || one_in(2) ? 0 : 3;
                if (!all_leave && one_in(6)) server.players.reset();
                server.players_age = std::chrono::seconds(!all_leave && one_in(9) ? 6 : 0);
                server.reserved = !all_leave && one_in(6);
                server.console.reset();
                site.host.joining.erase(name);
                if (!all_leave && one_in(4)) site.host.joining.insert(name);
            }
            if (one_in(20)) site.status = {};
            // Killed before or after it has noted what is left of the requests.
            const RunResult result = site.pass();
            if (!one_in(3)) site.keep_requests(result);
            const bool over = deadline && *deadline <= site.host.world.now;
            if (!over) CHECK(site.host.kicked.empty());
            site.host.kicked.clear();
            site.host.world.now += minutes(1);
        }
        for (const auto& [name, server] : site.host.world.servers)
            CHECK(site.runs(name) == !names.contains(name));
        CHECK(site.host.violations.empty());
    }
}
