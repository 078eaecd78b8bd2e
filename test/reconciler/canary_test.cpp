#include "reconciler/canary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "reconciler/deadline.hpp"
#include "reconciler/events.hpp"
#include "specs/grammars/calendar.hpp"
#include "support/catch.hpp"
#include "support/killing_host.hpp"
#include "support/random.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Three empty servers of one Blueprint, which run; their games answer.
struct Fleet : Site {
    static constexpr std::array names{"a", "b", "c"};

    Fleet() {
        host.world.is_probed = true;
        host.world.now = TimePoint(std::chrono::hours(100));
        for (std::uint16_t i = 0; i < names.size(); ++i) {
            DesiredServer& server = ask_for(desired, names[i], static_cast<std::uint16_t>(i + 1));
            server.rollout.policy = RolloutPolicy::WhenEmpty;
            server.blueprint_rollout.canary = 1;
            server.blueprint_rollout.soak = minutes(10);
        }
        converge();
        host.calls.clear();
        host.kicked.clear();
    }

    void converge() {
        for (int i = 0; i < 6; ++i) (void)pass();
    }
    /// A pass a minute, with games that answer.
    void wait(minutes time) {
        for (minutes passed{}; passed < time; ++passed) {
            host.world.now += minutes(1);
            (void)pass();
        }
    }
    void change(const std::string& config) {
        desired.revision += "'";
        for (auto& [name, server] : desired.servers) server.config = config;
    }
    bool has_change(const std::string& name) {
        const auto target = host.target(desired);
        return server(name).stack() == (*target.find(name)->rendering)->layers();
    }
    std::size_t changed() {
        return static_cast<std::size_t>(
            std::count_if(names.begin(), names.end(), [this](const char* name) { return has_change(name); }));
    }
    /// The one that got the change first.
    std::string canary() {
        for (const char* name : names) {
            if (has_change(name)) return name;
        }
        return {};
    }
    std::string message(const std::string& name) { return condition(name, "Reconciling").message; }
};

/// How a canary fails.
struct Way {
    const char* name;
    std::function<void(Fleet&, const std::string&)> happens;
};
const std::array ways{
    Way{"it crashes again and again",
        [](Fleet& fleet, const std::string& name) {
            fleet.host.crash(name);
            fleet.host.crash(name);
        }},
    Way{"its unit fails",
        [](Fleet& fleet, const std::string& name) {
            FakeServer& server = fleet.server(name);
            server.unit.active = ActiveState::Failed;
            server.unit.result = "exit-code";
            server.unit.failure = FailureKind::ExitCode;
            server.mounted.reset();
            server.in_game.reset();
        }},
    Way{"its game never answers",
        [](Fleet& fleet, const std::string& name) {
            fleet.server(name).socket = ObservedSocket{.has_answered = false, .silent = minutes(4)};
        }},
    Way{"its game hangs",
        [](Fleet& fleet, const std::string& name) {
            fleet.server(name).socket =
                ObservedSocket{.has_answered = true, .silent = seconds(61), .unread = seconds(61)};
            fleet.server(name).players.reset();
        }},
    Way{"its game does not listen",
        [](Fleet& fleet, const std::string& name) { fleet.server(name).socket.reset(); }},
};

}  // namespace

TEST_CASE("a change reaches one server, and the others when that has been healthy for the soak time") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    CHECK(fleet.changed() == 1);
    CHECK(fleet.canary() == "a");
    fleet.wait(minutes(3));
    CHECK(fleet.changed() == 1);
    CHECK(fleet.message("b") == "server.cfg changed; waits for a, which soaks for another 7 minutes");
    CHECK(fleet.condition("b", "Reconciling").reason == ConditionReason(HoldReason::CanaryPending));
    fleet.wait(minutes(8));
    CHECK(fleet.changed() == 3);
    CHECK(fleet.host.kicked.empty());
}

TEST_CASE("a canary that fails stops the change, in whichever way it fails") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        Fleet fleet;
        fleet.change("hostname y");
        fleet.converge();
        REQUIRE(fleet.canary() == "a");
        fleet.host.world.now += minutes(5);
        fleet.host.crashing.insert("a");
        way.happens(fleet, "a");
        (void)fleet.pass();
        CHECK_FALSE(fleet.status.servers.at("a").remembered.trial.failure.empty());
        const auto before = fleet.server("b").processes;
        fleet.wait(minutes(60));
        CHECK_FALSE(fleet.has_change("b"));
        CHECK_FALSE(fleet.has_change("c"));
        CHECK(fleet.server("b").processes == before);
        CHECK(fleet.message("b").find("the rollout has stopped, because a, the canary, ") !=
              std::string::npos);
    }
}

TEST_CASE("how a unit has ended says nothing about a change that it was not started with") {
    Fleet fleet;
    const RunResult run = fleet.pass();
    const TargetServer& target = *run.target.find("a");
    // systemd gives up what an earlier change broke, just when the next one has been rendered.
    ObservedServer server;
    server.current = std::string(target.digest());
    server.unit.active = ActiveState::Failed;
    server.unit.failure = FailureKind::StartLimitHit;
    server.unit.result = "start-limit-hit";
    Remembered before;
    before.trial = {.rendering = "an earlier one", .healthy = {}, .failure = "crashes again and again"};
    CHECK(next_trial(before, target, server, run.observed, false) == before.trial);
    const Trial next = next_trial(before, target, server, run.observed, true);
    CHECK(next.rendering == target.digest());
    CHECK(next.failure == "its unit failed (start-limit-hit)");
}

TEST_CASE("what happens to a server after it has soaked is no failure of the change") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.wait(minutes(40));
    REQUIRE(fleet.changed() == 3);
    for (const char* name : Fleet::names) {
        fleet.server(name).socket = ObservedSocket{.has_answered = true, .silent = minutes(2)};
    }
    fleet.wait(minutes(5));
    fleet.host.crash("a");
    fleet.host.crash("a");
    fleet.wait(minutes(5));
    for (const char* name : Fleet::names) {
        CAPTURE(name);
        CHECK(fleet.status.servers.at(name).remembered.trial.failure.empty());
    }
}

TEST_CASE("another change goes to the canary that failed, and then to the others") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    fleet.host.world.now += minutes(5);
    fleet.server("a").socket = ObservedSocket{.has_answered = true, .silent = minutes(2)};
    (void)fleet.pass();
    REQUIRE_FALSE(fleet.status.servers.at("a").remembered.trial.failure.empty());
    fleet.change("hostname z");
    fleet.converge();
    CHECK(fleet.canary() == "a");
    CHECK(fleet.changed() == 1);
    fleet.wait(minutes(12));
    CHECK(fleet.changed() == 3);
}

TEST_CASE("what is unknown neither fails a canary nor proves it") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    fleet.wait(minutes(2));
    fleet.host.world.is_probed = false;
    (void)fleet.pass();
    CHECK(fleet.status.servers.at("a").remembered.trial.failure.empty());
    CHECK(fleet.changed() == 1);
}

TEST_CASE("a server that ends while a canary soaks comes up with what it had") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    REQUIRE(fleet.canary() == "a");
    fleet.server("b").unit.active = ActiveState::Inactive;
    fleet.server("b").mounted.reset();
    fleet.server("b").in_game.reset();
    (void)fleet.pass();
    CHECK(fleet.server("b").unit.active == ActiveState::Active);
    CHECK_FALSE(fleet.has_change("b"));
}

TEST_CASE("a reconciler that forgets everything, at any time, gives no second server an unproven change") {
    for (int when = 0; when < 14; ++when) {
        CAPTURE(when);
        Fleet fleet;
        fleet.change("hostname y");
        for (int minute = 0; minute < 14; ++minute) {
            if (minute == when) fleet.status = {};
            fleet.host.world.now += minutes(1);
            (void)fleet.pass();
            // Its ten minutes began at the earliest when it was remembered.
            if (minute < 10) CHECK(fleet.changed() <= 1);
        }
        fleet.wait(minutes(15));
        CHECK(fleet.changed() == 3);
        CHECK(fleet.host.kicked.empty());
    }
}

TEST_CASE("a reconciler that is killed while its canary is being restarted takes no other one") {
    for (const ActiveState was : {ActiveState::Active, ActiveState::Deactivating}) {
        for (const std::string chosen : {"a", "b", "c"}) {
            CAPTURE(to_string(was), chosen);
            Fleet fleet;
            const FakeServer before = fleet.server(chosen);
            const Status status = fleet.status;
            fleet.change("hostname y");
            // The first ones are in use when the canary is chosen.
            for (const char* name : Fleet::names) fleet.server(name).players = name == chosen ? 0 : 1;
            fleet.converge();
            REQUIRE(fleet.canary() == chosen);

            // It has been rendered; its restart has not begun, or has come as far as the stop.
            FakeServer& server = fleet.server(chosen);
            server.unit.active = was;
            server.mounted = server.in_game = before.mounted;
            server.renderings.insert(before.renderings.begin(), before.renderings.end());
            fleet.status = status;
            for (const char* name : Fleet::names) fleet.server(name).players = 0;
            (void)fleet.pass();
            if (was == ActiveState::Deactivating) {
                CHECK(fleet.changed() == 0);
                server.unit.active = ActiveState::Inactive;
                server.mounted.reset();
                server.in_game.reset();
            }
            fleet.converge();
            CHECK(fleet.canary() == chosen);
            CHECK(fleet.changed() == 1);
            fleet.wait(minutes(15));
            CHECK(fleet.changed() == 3);
            CHECK(fleet.host.kicked.empty());
        }
    }
}

TEST_CASE("a person who wants it tried again lets the change go on once its canary is healthy") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    fleet.host.world.now += minutes(5);
    fleet.server("a").socket->silent = minutes(2);
    (void)fleet.pass();
    fleet.server("a").socket->silent = {};
    fleet.wait(minutes(30));
    CHECK(fleet.changed() == 1);
    fleet.ask_for_retry();
    (void)fleet.pass();
    fleet.wait(minutes(12));
    CHECK(fleet.changed() == 3);
}

namespace {

/// The manifest's own deadline for a change, or for what the schedule asks for, has passed.
bool may_be_kicked(const DesiredServer& desired, const Remembered& memory, const FakeWorld& world,
                   const std::optional<TimePoint>& up_since) {
    const auto has_passed = [&](const std::optional<TimePoint>& since) {
        const auto deadline = since ? deadline_of(desired.rollout, world.local, *since) : std::nullopt;
        return deadline && *deadline <= world.now;
    };
    return has_passed(memory.held_since) ||
           (up_since && has_passed(restart_due_since(desired.schedule, memory.schedule, *up_since,
                                                     world.local, world.now)));
}

}  // namespace

TEST_CASE(
    "over generated fleets nobody is kicked before a deadline, no more than the canaries have what is "
    "unproven, and all get it") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto one_in = [&random](std::uint64_t n) { return random.below(n) == 0; };
        Site site;
        site.host.world.is_probed = true;
        site.host.world.now = TimePoint(std::chrono::hours(100));
        const std::size_t size = 2 + random.below(5);
        const unsigned canaries = 1 + static_cast<unsigned>(random.below(2));
        const Share share{1 + static_cast<unsigned>(random.below(2)), false};
        const bool rolls_back = one_in(2);
        for (std::size_t i = 0; i < size; ++i) {
            DesiredServer& server =
                ask_for(site.desired, fmt::format("s{}", i), static_cast<std::uint16_t>(i + 1));
            server.rollout.policy = RolloutPolicy::WhenEmpty;
            server.blueprint_rollout = {.canary = canaries,
                                        .max_unavailable = share,
                                        .soak = minutes(5),
                                        .rollback_on_failure = rolls_back};
            if (one_in(3)) server.rollout.deadline = minutes(30 * (1 + random.below(4)));
            if (one_in(3)) server.schedule.push_back({"05:00", parse_calendar("05:00").value()});
        }
        for (int i = 0; i < 4; ++i) (void)site.pass();
        site.host.kicked.clear();
        for (auto& [name, server] : site.desired.servers) server.config = "hostname y";
        const Target target = site.host.target(site.desired);
        const auto with_change = [&] {
            std::set<std::string> names;
            for (const auto& [name, server] : site.host.world.servers) {
                if (server.stack() == (*target.find(name)->rendering)->layers()) names.insert(name);
            }
            return names;
        };
        std::map<std::string, TimePoint> since;
        for (int minute = 0; minute < 240; ++minute) {
            site.host.world.now += minutes(1);
            for (auto& [name, server] : site.host.world.servers) {
                // In the last hour everybody leaves sooner or later.
                if (one_in(3)) server.players = minute < 180 && one_in(2) ? 3 : 0;
                if (one_in(9)) server.players.reset();
                site.host.joining.erase(name);
                if (one_in(6)) site.host.joining.insert(name);
            }
            if (minute < 180 && one_in(20)) site.status = {};
            const auto before = with_change();
            const Status known = site.status;
            const FakeWorld world = site.host.world;
            (void)site.pass();
            for (const std::string& name : std::exchange(site.host.kicked, {})) {
                CAPTURE(name, minute);
                const auto memory = known.servers.find(name);
                REQUIRE(memory != known.servers.end());
                CHECK(may_be_kicked(site.desired.servers.at(name), memory->second.remembered, world,
                                    world.servers.at(name).unit.active_since));
            }
            const auto after = with_change();
            for (const std::string& name : after) since.try_emplace(name, site.host.world.now);
            const auto proven = std::count_if(before.begin(), before.end(), [&](const std::string& name) {
                return site.host.world.now - since.at(name) >= minutes(5);
            });
            if (static_cast<unsigned>(proven) < canaries) CHECK(after.size() <= canaries);
        }
        CHECK(with_change().size() == size);
        CHECK(site.host.violations.empty());
    }
}

TEST_CASE("a failure of the canary is one event, which says what it means") {
    Fleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    fleet.host.world.now += minutes(5);
    fleet.server("a").socket.reset();
    const Status before = fleet.status;
    (void)fleet.pass();
    const auto events = events_of(before, "r2", {}, {}, {}, fleet.status);
    const auto failed = std::count_if(events.begin(), events.end(), [](const Event& event) {
        return event.subject == "server/a" && event.reason == "CanaryFailed" && event.warning &&
               event.message == "does not answer: no other running server of its Blueprint gets the change";
    });
    CHECK(failed == 1);
    const auto again = events_of(fleet.status, "r2", {}, {}, {}, fleet.status);
    CHECK(std::none_of(again.begin(), again.end(),
                       [](const Event& event) { return event.reason == "CanaryFailed"; }));
}

TEST_CASE("no more servers than maxUnavailable are down at once") {
    Fleet fleet;
    for (auto& [name, server] : fleet.desired.servers) {
        server.blueprint_rollout = {.canary = 0, .max_unavailable = Share{1, false}};
        server.rollout.policy = RolloutPolicy::Immediate;
    }
    fleet.host.up_for = seconds(0);
    fleet.change("hostname y");
    std::size_t before = 0;
    for (int step = 0; step < 12; ++step) {
        (void)fleet.pass();
        CHECK(fleet.changed() <= before + 1);
        before = fleet.changed();
        fleet.host.world.now += seconds(6);
    }
    CHECK(fleet.changed() == 3);
}

namespace {

struct ReturningFleet : Fleet {
    ReturningFleet() {
        for (auto& [name, server] : desired.servers) server.blueprint_rollout.rollback_on_failure = true;
        wait(minutes(11));  // what they have has soaked
        others = processes();
    }

    std::array<unsigned, 2> processes() { return {server("b").processes, server("c").processes}; }
    bool others_are_untouched() { return processes() == others; }
    /// The canary has the change and fails.
    void fail(const Way& way) {
        change("hostname y");
        converge();
        REQUIRE(canary() == "a");
        host.world.now += minutes(5);
        way.happens(*this, "a");
    }

    std::array<unsigned, 2> others{};
};

}  // namespace

TEST_CASE("a canary that fails returns to its last healthy rendering, in whichever way it fails") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        ReturningFleet fleet;
        const auto before = fleet.server("a").stack();
        fleet.fail(way);
        (void)fleet.pass();
        CHECK(fleet.server("a").stack() == before);
        const auto processes = fleet.server("a").processes;
        fleet.wait(minutes(60));
        CHECK(fleet.server("a").processes == processes);
        CHECK(fleet.condition("a", "Ready").status == ConditionStatus::True);
        CHECK(fleet.message("a").ends_with(
            "; it keeps its last healthy rendering until the next change or `l4d2ctl reconcile`"));
        CHECK(fleet.message("b").find("the rollout has stopped, because a, the canary, ") !=
              std::string::npos);
        CHECK(fleet.others_are_untouched());
        CHECK(fleet.host.kicked.empty());
        CHECK(fleet.host.violations.empty());

        fleet.change("hostname z");
        fleet.converge();
        CHECK(fleet.canary() == "a");
        CHECK(fleet.changed() == 1);
        fleet.wait(minutes(12));
        CHECK(fleet.changed() == 3);
        CHECK(fleet.server("a").renderings.size() == 1);
    }
}

TEST_CASE("players keep a canary that has failed, and it returns when they have left") {
    ReturningFleet fleet;
    fleet.fail(ways[0]);
    fleet.server("a").players = 3;
    (void)fleet.pass();
    fleet.wait(minutes(30));
    CHECK(fleet.has_change("a"));
    const Plan plan = fleet.pass().remaining;
    CHECK(std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
        return action.reason ==
               "its change has failed: crashes again and again; rollout WhenEmpty waits until empty: 3 "
               "players";
    }));
    fleet.server("a").players = 0;
    (void)fleet.pass();
    CHECK_FALSE(fleet.has_change("a"));
    CHECK(fleet.host.kicked.empty());
}

TEST_CASE("at its deadline, a canary that has failed returns although people play") {
    ReturningFleet fleet;
    for (auto& [name, server] : fleet.desired.servers) server.rollout.deadline = minutes(10);
    fleet.fail(ways[0]);
    fleet.server("a").players = 3;
    (void)fleet.pass();
    fleet.wait(minutes(9));
    CHECK(fleet.has_change("a"));
    fleet.wait(minutes(3));
    CHECK_FALSE(fleet.has_change("a"));
    CHECK(fleet.host.kicked == std::vector<std::string>{"a"});
}

TEST_CASE("one that has returned tries its change again when a person asks for that") {
    ReturningFleet fleet;
    fleet.fail(ways[2]);
    fleet.wait(minutes(30));
    REQUIRE(fleet.changed() == 0);
    fleet.ask_for_retry();
    (void)fleet.pass();
    CHECK(fleet.canary() == "a");
    fleet.wait(minutes(12));
    CHECK(fleet.changed() == 3);
}

TEST_CASE("a change that fails again after a person had it tried again stays back") {
    ReturningFleet fleet;
    fleet.fail(ways[2]);
    fleet.wait(minutes(30));
    REQUIRE(fleet.changed() == 0);
    fleet.ask_for_retry();
    (void)fleet.pass();
    REQUIRE(fleet.changed() == 1);
    fleet.host.world.now += minutes(5);
    ways[2].happens(fleet, "a");
    fleet.wait(minutes(30));
    CHECK(fleet.changed() == 0);
    CHECK(fleet.others_are_untouched());
}

TEST_CASE("a change that failed is tried again when it comes back after it was taken back") {
    ReturningFleet fleet;
    const std::string before = fleet.desired.servers.at("a").config;
    fleet.fail(ways[2]);
    fleet.wait(minutes(30));
    REQUIRE(fleet.changed() == 0);
    fleet.change(before);
    fleet.converge();
    CHECK(fleet.changed() == 3);
    fleet.change("hostname y");
    fleet.converge();
    CHECK(fleet.canary() == "a");
    fleet.wait(minutes(12));
    CHECK(fleet.changed() == 3);
}

TEST_CASE("without an earlier rendering, a canary that has failed stays as it is") {
    ReturningFleet fleet;
    fleet.change("hostname y");
    fleet.converge();
    auto& renderings = fleet.server("a").renderings;
    std::erase_if(renderings, [&](const auto& entry) { return entry.first != fleet.server("a").current; });
    fleet.host.world.now += minutes(5);
    ways[2].happens(fleet, "a");
    fleet.wait(minutes(5));
    CHECK(fleet.canary() == "a");
    CHECK(fleet.others_are_untouched());
}

TEST_CASE("the return of a canary is an event") {
    ReturningFleet fleet;
    fleet.fail(ways[2]);
    const Status before = fleet.status;
    const RunResult pass = fleet.pass();
    const auto events = events_of(before, "r2", {}, pass.ended.plan, pass.ended.outcomes, fleet.status);
    const auto returned = std::count_if(events.begin(), events.end(), [](const Event& event) {
        return event.subject == "server/a" && event.reason == "Reverted" &&
               event.message == "its change has failed: does not answer; back to its last healthy rendering";
    });
    CHECK(returned == 1);
}

TEST_CASE(
    "killed at any instant, with or without its memory, it leaves a failed canary where it was healthy") {
    for (const Way& way : ways) {
        for (const bool forgets : {false, true}) {
            for (std::size_t kill_at = 0;; ++kill_at) {
                CAPTURE(way.name, forgets, kill_at);
                ReturningFleet fleet;
                const auto before = fleet.server("a").stack();
                fleet.change("hostname y");
                KillingHost mortal(fleet.host, kill_at);
                bool was_killed = false;
                Status status = fleet.status;
                // A change that fails does so whenever it is tried.
                const auto fails = [&] {
                    const std::string name = fleet.canary();
                    if (!name.empty() && fleet.server(name).unit.active == ActiveState::Active)
                        way.happens(fleet, name);
                };
                for (int minute = 0; minute < 6 && !was_killed; ++minute) {
                    try {
                        (void)run(mortal, fleet.desired, {}, status);
                    } catch (const Killed&) {
                        was_killed = true;
                    }
                    fleet.host.world.now += minutes(5);
                    fails();
                }
                fleet.status = forgets ? Status{} : status;
                for (int minute = 0; minute < 30; ++minute) {
                    fails();
                    (void)fleet.pass();
                    fleet.host.world.now += minutes(1);
                    CHECK(fleet.changed() <= 1);
                }
                (void)fleet.pass();
                CHECK(fleet.server("a").stack() == before);
                CHECK(fleet.changed() == 0);
                for (const char* name : Fleet::names)
                    CHECK(fleet.condition(name, "Ready").status == ConditionStatus::True);
                // Whoever has forgotten everything may try the change on another one.
                if (!forgets) CHECK(fleet.others_are_untouched());
                CHECK(fleet.host.kicked.empty());
                CHECK(fleet.host.violations.empty());
                if (!was_killed) {
                    CHECK(kill_at >= 5);
                    break;
                }
            }
        }
    }
}
