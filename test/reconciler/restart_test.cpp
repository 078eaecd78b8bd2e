#include <fmt/format.h>

#include <algorithm>

#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/choices.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

std::string server_name(std::size_t index) { return fmt::format("s{:02}", index); }

/// Servers that run as their manifests say.
struct Crowd : Site {
    explicit Crowd(std::size_t count) {
        for (std::size_t index = 0; index < count; ++index)
            ask_for(desired, server_name(index), static_cast<std::uint16_t>(27015 + index));
        host.world.now = TimePoint(std::chrono::hours(1));
        pass();
    }
};

RestartRequest ask_for_restart(const Site& site, bool when_empty, bool staggered) {
    RestartRequest request{.by = "alice",
                           .at = site.host.world.now,
                           .when_empty = when_empty,
                           .staggered = staggered,
                           .invocations = {}};
    for (const auto& [name, server] : site.host.world.servers)
        request.invocations.emplace(name, std::to_string(server.processes));
    return request;
}

/// Sees how many servers are down whenever a restart begins.
class WatchedHost : public ForwardingHost {
  public:
    explicit WatchedHost(FakeHost& inner) : ForwardingHost(inner), inner_(inner) {}

    void begin(const Plan& plan, std::span<const ActionIndex> actions) override {
        bool restarts = false;
        for (const ActionIndex index : actions) {
            restarts = restarts || plan.actions[index].verb == Verb::Restart;
            if (plan.actions[index].verb == Verb::Restart)
                under_way_.insert(plan.actions[index].subject.name);
        }
        if (restarts) max_down = std::max(max_down, down());
        inner_.begin(plan, actions);
    }
    std::vector<Outcome> wait() override { return note(inner_.wait()); }
    std::vector<Outcome> poll_completions() override { return note(inner_.poll_completions()); }

    std::size_t max_down = 0;

  private:
    std::size_t down() const {
        return static_cast<std::size_t>(std::count_if(
            inner_.world.servers.begin(), inner_.world.servers.end(), [this](const auto& entry) {
                return under_way_.contains(entry.first) || entry.second.unit.active != ActiveState::Active;
            }));
    }
    std::vector<Outcome> note(std::vector<Outcome> outcomes) {
        for (const Outcome& outcome : outcomes)
            under_way_.erase(outcome.plan->actions[outcome.action].subject.name);
        return outcomes;
    }

    FakeHost& inner_;
    std::set<std::string> under_way_;
};

using Failure = std::optional<std::string>;

/// Steps as the daemon makes them, while players come and go and some games crash at their next start.
Failure takes_turns(Choices& choices, Site& site, bool all_come_up) {
    const std::size_t count = site.desired.servers.size();
    const auto any_server = [&]() -> FakeServer& {
        return site.server(server_name(choices.below(static_cast<std::uint32_t>(count))));
    };
    const std::map<std::string, FakeServer> before = site.host.world.servers;
    site.host.dawdling = choices.one_in(2);
    if (!all_come_up)
        site.host.crashing.insert(server_name(choices.below(static_cast<std::uint32_t>(count))));
    WatchedHost host(site.host);
    Engine engine(host, site.status);
    const Request request{std::make_shared<const Desired>(site.desired), site.intent, {}};
    std::size_t steps = 8 * count;
    for (std::size_t step = 0; step < steps; ++step) {
        if (step < 4 * count) {
            any_server().players = choices.one_of<std::optional<unsigned>>({0U, 3U, std::nullopt});
        } else {
            for (auto& [name, server] : site.host.world.servers) server.players = 0U;
        }
        if (!engine.step(request)) return "the host could not be read";
        if (choices.one_in(2)) (void)engine.poll_completions();
    }
    const std::size_t cap = std::max<std::size_t>(1, count / 10);
    if (host.max_down > cap) return fmt::format("{} of {} were down at once", host.max_down, count);
    for (const auto& [name, server] : site.host.world.servers) {
        const unsigned restarts = server.processes - before.at(name).processes;
        if (all_come_up && restarts != 1) return fmt::format("{} was restarted {} times", name, restarts);
        if (restarts > 1) return fmt::format("{} was restarted {} times", name, restarts);
    }
    return site.host.violations.empty() ? Failure() : site.host.violations.front();
}

void require_for_all(std::size_t cases, const Property& property) {
    const std::optional<Counterexample> found = find_counterexample(case_count(cases), property);
    if (found) FAIL(fmt::format("seed {}: {}", found->seed, found->message));
    SUCCEED();
}

}  // namespace

TEST_CASE("a staggered restart restarts every server once, and never takes down more than a tenth of them") {
    require_for_all(300, [](Choices& choices) {
        Crowd site(2 + choices.below(24));
        site.intent.restarts = {ask_for_restart(site, choices.one_in(2), true)};
        return takes_turns(choices, site, true);
    });
}

TEST_CASE("a staggered restart stops when a server does not come up again") {
    require_for_all(300, [](Choices& choices) {
        Crowd site(2 + choices.below(24));
        site.intent.restarts = {ask_for_restart(site, choices.one_in(2), true)};
        return takes_turns(choices, site, false);
    });
}

TEST_CASE("servers of one blueprint that wait for the same deadline never restart all at once") {
    require_for_all(100, [](Choices& choices) {
        Crowd site(2 + choices.below(24));
        for (auto& [name, server] : site.desired.servers) {
            server.rollout = {RolloutPolicy::WhenEmpty, std::chrono::seconds(0)};
            server.config = "hostname new";
        }
        for (auto& [name, server] : site.host.world.servers) server.players.reset();
        WatchedHost host(site.host);
        Engine engine(host, site.status);
        const Request request{std::make_shared<const Desired>(site.desired), site.intent, {}};
        const std::size_t count = site.desired.servers.size();
        for (std::size_t step = 0; step < 8 * count; ++step) {
            (void)engine.step(request);
            for (auto& [name, server] : site.host.world.servers) server.players.reset();
            if (choices.one_in(2)) (void)engine.poll_completions();
        }
        if (host.max_down > std::max<std::size_t>(1, count / 10))
            return Failure(fmt::format("{} of {} were down at once", host.max_down, count));
        for (const auto& [name, server] : site.host.world.servers) {
            if (server.processes != 2) return Failure(name + " still runs as before");
        }
        return Failure();
    });
}

TEST_CASE("players are told of a deadline at each of its moments once, then the server is restarted") {
    Crowd site(1);
    DesiredServer& server = site.desired.servers.at("s00");
    server.rollout = {RolloutPolicy::WhenEmpty, std::chrono::minutes(30)};
    server.rollout.warn = {std::chrono::minutes(10), std::chrono::minutes(1)};
    server.config = "hostname new";
    site.server("s00").has_console = true;
    site.server("s00").players = 3;
    for (int minute = 0; minute <= 29; ++minute) {
        (void)site.pass();
        (void)site.pass();
        site.host.world.now += std::chrono::minutes(1);
        // A clock that was set back warns nobody again.
        if (minute == 22) site.host.world.now -= std::chrono::minutes(1);
    }
    CHECK(site.server("s00").processes == 1);
    (void)site.pass();
    site.host.world.now += std::chrono::minutes(1);
    (void)site.pass();
    REQUIRE(site.host.commands.size() == 2);
    CHECK(site.host.commands[0].second == "say This server is restarted in 10 minutes.");
    CHECK(site.host.commands[1].second == "say This server is restarted in 1 minute.");
    CHECK(site.server("s00").processes == 2);
    CHECK(site.status.servers.at("s00").remembered.backoff.failures == 0);
}

TEST_CASE("the deadline of a restart that is planned, and fails or never begins, does not start over") {
    Crowd site(1);
    DesiredServer& server = site.desired.servers.at("s00");
    server.rollout = {RolloutPolicy::WhenEmpty, std::chrono::minutes(10)};
    server.config = "hostname new";
    site.server("s00").players = 3;
    (void)site.pass();
    const auto held_since = [&] { return site.status.servers.at("s00").remembered.held_since; };
    const std::optional<TimePoint> began = held_since();
    REQUIRE(began);
    site.host.world.now += std::chrono::minutes(11);

    // Whoever sees that it is time may be killed before the restart begins.
    Engine engine(site.host, site.status);
    const Request request{std::make_shared<const Desired>(site.desired), site.intent, {}};
    REQUIRE(engine.observe(request));
    site.status = engine.status();
    CHECK(held_since() == began);

    site.host.fail_call = site.host.calls.size();
    (void)site.pass();
    CHECK(held_since() == began);
    CHECK(site.server("s00").processes == 1);
    site.host.fail_call.reset();
    site.host.world.now += std::chrono::minutes(1);
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("s00").processes == 2);
    CHECK_FALSE(held_since());
}

TEST_CASE("an Immediate change does not take turns") {
    Crowd site(12);
    for (auto& [name, server] : site.desired.servers) server.config = "hostname new";
    WatchedHost host(site.host);
    REQUIRE(run(host, site.desired, site.intent, site.status));
    CHECK(host.max_down > 1);
}

TEST_CASE("one pass makes a staggered restart of forty servers") {
    Crowd site(40);
    site.intent.restarts = {ask_for_restart(site, false, true)};
    WatchedHost host(site.host);
    const auto pass = run(host, site.desired, site.intent, site.status);
    REQUIRE(pass);
    CHECK(pass->remaining.empty());
    CHECK(host.max_down == 4);
}

TEST_CASE("a request is over when all of its servers run again, or are not wanted any more") {
    Crowd site(3);
    site.intent.restarts = {ask_for_restart(site, false, true)};
    const auto open = [&] {
        Target target = site.host.target(site.desired);
        target.restarts = servers_of(site.intent.restarts);
        return open_requests(site.intent.restarts, target, *site.host.observe(target));
    };
    CHECK(open() == site.intent.restarts);
    site.server("s00").processes = 2;
    site.server("s01").processes = 2;
    CHECK(open() == site.intent.restarts);
    site.desired.servers.at("s02").state = RunState::Stopped;
    CHECK(open().empty());
    site.server("s01").unit.active = ActiveState::Activating;
    CHECK(open() == site.intent.restarts);
    site.desired.servers.erase("s01");
    CHECK(open().empty());
}

TEST_CASE("a withdrawn request restarts nothing, and the rest of it stays") {
    Crowd site(2);
    site.intent.restarts = {ask_for_restart(site, true, false)};
    CHECK(withdraw(site.intent.restarts, {"s00", "unknown"}) == std::set<std::string>{"s00"});
    CHECK(request_for(site.intent.restarts, "s00") == nullptr);
    CHECK(request_for(site.intent.restarts, "s01") != nullptr);
    CHECK(withdraw(site.intent.restarts, {"s01"}).size() == 1);
    CHECK(site.intent.restarts.empty());
}

TEST_CASE(
    "a restart that waits is told once, does not keep the revision from being applied, and has no deadline") {
    Crowd site(1);
    site.server("s00").players.reset();
    site.intent.restarts = {ask_for_restart(site, true, false)};
    site.pass();
    CHECK(site.condition("s00", "Reconciling").reason == ConditionReason(HoldReason::RestartPending));
    CHECK(site.status.last_applied_revision == "r1");
    CHECK_FALSE(site.status.servers.at("s00").remembered.held_since);
    site.server("s00").players = 0;
    const RunResult pass = site.pass();
    REQUIRE(pass.ended.plan.actions.size() == 1);
    CHECK(pass.ended.plan.actions.front().by == "alice");
    const auto events =
        events_of(pass.before, "r1", site.intent, pass.ended.plan, pass.ended.outcomes, site.status);
    REQUIRE_FALSE(events.empty());
    CHECK(events.front().reason == "Restarted");
    CHECK(events.front().actor == "alice");
}

TEST_CASE("what a person asked for is decided by the unit, the players and the request alone") {
    for (const ActiveState active : {ActiveState::Inactive, ActiveState::Activating, ActiveState::Active,
                                     ActiveState::Deactivating, ActiveState::Failed}) {
        for (const std::optional<unsigned> players :
             {std::optional<unsigned>(), std::optional(0U), std::optional(3U)}) {
            for (const bool when_empty : {false, true}) {
                for (const char* invocation : {"1", "0", ""}) {
                    Crowd site(1);
                    FakeServer& server = site.server("s00");
                    server.unit.active = active;
                    server.players = players;
                    if (active != ActiveState::Active) server.mounted.reset();
                    RestartRequest request = ask_for_restart(site, when_empty, false);
                    request.invocations["s00"] = invocation;
                    site.intent.restarts = {request};
                    Target target = site.host.target(site.desired);
                    target.restarts = {"s00"};
                    const Plan planned = plan(target, *site.host.observe(target), {}, site.intent);
                    const auto has = [&](Verb verb) {
                        return std::any_of(planned.actions.begin(), planned.actions.end(),
                                           [verb](const Action& action) { return action.verb == verb; });
                    };
                    CAPTURE(to_string(active), players.value_or(99), when_empty, invocation);
                    const bool due = active == ActiveState::Active && std::string(invocation) == "1";
                    const bool now = !when_empty || players == 0U;
                    CHECK(has(Verb::Restart) == (due && now));
                    CHECK(has(Verb::Hold) == (due && !now));
                }
            }
        }
    }
}
