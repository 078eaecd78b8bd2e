#include "reconciler/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/catch.hpp"
#include "support/simple_world.hpp"
#include "support/worlds.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// Steps over a fake, as in the daemon: a step, then whatever ends, then another step.
struct EngineSite {
    std::shared_ptr<Desired> desired = std::make_shared<Desired>();
    FakeHost host{FakeWorld{}};
    Engine engine{host, Status{}};

    Request request() const { return {std::make_shared<Desired>(*desired), {}, {}}; }
    StepResult step() { return *engine.step(request()); }

    /// Until nothing ends any more.
    void turn_until_quiet() {
        for (int turns = 0; turns < 1000; ++turns) {
            step();
            if (!engine.poll_completions()) return;
        }
        FAIL("the loop never comes to rest");
    }
    /// The manifest says Stopped, and the game is slow to stop.
    void hang_while_stopping(const std::string& name) {
        host.hanging = {name};
        desired->servers.at(name).state = RunState::Stopped;
        step();
        engine.poll_completions();
    }
    FakeServer& server(const std::string& name) { return host.world.servers.at(name); }
    bool is_running(const std::string& name) { return server(name).unit.active == ActiveState::Active; }
};

std::size_t count(const FakeHost& host, Verb verb, const std::string& name) {
    const auto wanted = FakeHost::Call{verb, {Kind::Server, name}};
    return static_cast<std::size_t>(std::count(host.calls.begin(), host.calls.end(), wanted));
}

}  // namespace

TEST_CASE("repeated steps bring a host to the manifests' state and then do nothing", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    ask_for(*site.desired, "b", 27016);
    site.turn_until_quiet();
    CHECK(site.is_running("a"));
    CHECK(site.is_running("b"));
    CHECK_FALSE(site.engine.busy());

    const std::size_t calls = site.host.calls.size();
    CHECK(site.step().difference.empty());
    CHECK(site.host.calls.size() == calls);
}

TEST_CASE("while one server is slow to stop, another one's drift is repaired", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "slow", 27015);
    ask_for(*site.desired, "other", 27016);
    site.turn_until_quiet();

    site.hang_while_stopping("slow");
    REQUIRE(site.engine.busy());

    reset(site.server("other").unit);
    site.server("other").mounted.reset();
    site.step();
    CHECK(site.engine.poll_completions());
    site.step();
    CHECK(site.is_running("other"));
    CHECK(site.engine.busy());
}

TEST_CASE("an action in flight is not begun a second time", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "slow", 27015);
    site.turn_until_quiet();

    site.host.hanging = {"slow"};
    site.desired->servers.at("slow").state = RunState::Stopped;
    for (int looks = 0; looks < 5; ++looks) {
        site.step();
        site.engine.poll_completions();
    }
    CHECK(count(site.host, Verb::Disable, "slow") + count(site.host, Verb::Stop, "slow") <= 2);
    CHECK_FALSE(site.engine.open_actions().empty());

    site.host.hanging.clear();
    site.turn_until_quiet();
    CHECK(site.server("slow").unit.active == ActiveState::Inactive);
    CHECK(count(site.host, Verb::Stop, "slow") == 1);
}

TEST_CASE("a change during an action in flight is applied when that has ended", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();

    site.hang_while_stopping("a");
    site.desired->servers.at("a").state = RunState::Running;
    site.desired->revision = "r2";
    site.step();
    CHECK(count(site.host, Verb::Start, "a") == 1);

    site.host.hanging.clear();
    while (site.engine.poll_completions()) site.step();
    site.turn_until_quiet();
    CHECK(site.is_running("a"));
    CHECK(site.host.violations.empty());
}

TEST_CASE("an outcome is reported once, including those of actions that could not begin because of it",
          "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.host.fail_call = 0;
    site.step();
    while (site.engine.poll_completions()) continue;
    const StepResult told = site.step();
    REQUIRE_FALSE(told.ended.outcomes.empty());
    for (const Outcome& outcome : told.ended.outcomes) {
        CHECK_FALSE(outcome.done);
        CHECK(outcome.action < told.ended.plan.actions.size());
    }
    CHECK(std::any_of(told.ended.outcomes.begin(), told.ended.outcomes.end(), [](const Outcome& outcome) {
        return outcome.reason == FailureKind::PrerequisiteFailed;
    }));
    while (site.engine.poll_completions()) continue;
    const CompletedActions again = site.step().ended;
    CHECK(std::none_of(again.outcomes.begin(), again.outcomes.end(),
                       [](const Outcome& outcome) { return outcome.reason == FailureKind::IOError; }));
}

TEST_CASE("if the host cannot be read, the status stays as last reported", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();
    const std::size_t calls = site.host.calls.size();
    site.host.observe_error = "no system bus";
    const auto step = site.engine.step(site.request());
    REQUIRE_FALSE(step);
    CHECK(step.error() == "no system bus");
    CHECK(site.engine.status().servers.at("a").find("Ready")->status == ConditionStatus::True);
    CHECK(site.host.calls.size() == calls);
}

TEST_CASE("Files are being changed until all that waits is a unit", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.host.hanging = {"a"};
    site.step();
    CHECK(site.engine.changes_files());  // it is rendered
    while (site.engine.changes_files()) site.engine.poll_completions();
    CHECK(site.server("a").current);
    CHECK(site.server("a").unit.enablement == Enablement::Enabled);
    CHECK_FALSE(site.is_running("a"));
    CHECK(site.engine.busy());
}

TEST_CASE("What waited when others were let decide is decided anew", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();
    site.host.hanging = {"a"};
    site.desired->servers.clear();
    site.desired->revision = "r2";
    site.step();
    while (site.engine.changes_files()) site.engine.poll_completions();
    REQUIRE(count(site.host, Verb::Stop, "a") == 1);
    site.engine.drop_waiting();

    SECTION("the same") {}
    SECTION("something else") {
        // Another pass of somebody else followed a newer revision meanwhile, and left its status.
        ask_for(*site.desired, "a", 27015);
        site.desired->revision = "r3";
        Status theirs = site.engine.status();
        theirs.last_attempted_revision = "r3";
        site.engine.set_status(theirs);
    }
    site.host.hanging.clear();
    CHECK(site.engine.poll_completions());
    CHECK(count(site.host, Verb::Purge, "a") == 0);
    CHECK_FALSE(site.engine.busy());
    const StepResult next = site.step();
    CHECK(next.ended.outcomes.size() >= 1);
    CHECK(next.before.last_attempted_revision == site.desired->revision);
    site.turn_until_quiet();
    const bool gone = site.desired->servers.empty();
    CHECK(site.host.world.servers.at("a").runtime == !gone);
    CHECK(site.is_running("a") == !gone);
    CHECK(site.host.violations.empty());
}

TEST_CASE("A failure that ends after another pass has written its status is counted", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.host.crashing = {"a"};
    site.host.hanging = {"a"};
    site.step();
    while (site.engine.changes_files()) site.engine.poll_completions();
    site.engine.drop_waiting();
    site.engine.set_status(Status{});
    site.host.hanging.clear();
    while (site.engine.busy()) site.engine.poll_completions();
    site.step();
    CHECK(site.engine.status().servers.at("a").remembered.backoff.failures == 1);
}

TEST_CASE("All that has ended is told at the next step, also of a server that is still worked on",
          "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();
    site.hang_while_stopping("a");
    site.host.hanging.clear();
    site.host.hanging = {"b"};
    ask_for(*site.desired, "b", 27016);
    while (site.engine.poll_completions()) continue;
    const StepResult told = site.step();
    CHECK(told.news.outcomes.size() >= told.ended.outcomes.size());
    CHECK(site.step().news.outcomes.empty());
}

TEST_CASE("artifacts are pruned only when nothing is in flight", "[engine]") {
    Plan plan;
    plan.actions.push_back({Verb::Start, {Kind::Server, "a"}, "why", {}, {}, {}});
    plan.actions.push_back({Verb::Prune, {Kind::Overlay, "x"}, "why", "overlays/x/1", {}, {}});
    CHECK(part_beside(plan, {}).actions.size() == 2);
    const Plan part = part_beside(plan, {{Kind::Server, "busy"}});
    REQUIRE(part.actions.size() == 1);
    CHECK(part.actions.front().verb == Verb::Start);
}

TEST_CASE("actions that depend on a busy server wait with it", "[engine]") {
    Plan plan;
    plan.actions.push_back({Verb::Stop, {Kind::Server, "busy"}, "why", {}, {}, {}});
    plan.actions.push_back({Verb::Start, {Kind::Server, "wants-its-port"}, "why", {}, {0}, {}});
    plan.actions.push_back({Verb::Enable, {Kind::Server, "c"}, "why", {}, {}, {}});
    plan.actions.push_back({Verb::Start, {Kind::Server, "c"}, "why", {}, {2}, {}});
    const Plan part = part_beside(plan, {{Kind::Server, "busy"}});
    REQUIRE(part.actions.size() == 2);
    CHECK(part.actions[0].verb == Verb::Enable);
    CHECK(part.actions[1].after == std::vector<ActionIndex>{0});
}

TEST_CASE("in any world, and however steps and completions interleave, repeated steps converge like a pass",
          "[engine][property]") {
    for (std::uint64_t seed = 0; seed < case_count(3000); ++seed) {
        Random random(seed);
        Choices choices(seed);
        const Case generated = make_case(choices, {.plain = true});
        FakeHost host(generated.world, seed);
        Engine engine(host, generated.previous);
        const Request request{std::make_shared<const Desired>(generated.desired), generated.intent, {}};
        // Steps happen at any time, also while actions are in flight.
        for (int turn = 0; turn < 60; ++turn) {
            REQUIRE(engine.step(request));
            if (random.below(2) == 0) engine.poll_completions();
            if (random.below(8) == 0) host.settle();
        }
        for (int turn = 0; turn < 40; ++turn) {
            host.settle();
            while (engine.poll_completions()) continue;
            REQUIRE(engine.step(request));
        }
        while (engine.poll_completions()) continue;
        const StepResult last = *engine.step(request);
        INFO("seed " << seed << "\n" << describe(generated) << describe(last.difference));
        CHECK(host.violations == std::vector<std::string>{});
        REQUIRE(last.difference.empty());
    }
}

TEST_CASE("a server that crashes immediately is retried at growing intervals and never slows the others",
          "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "broken", 27015);
    ask_for(*site.desired, "fine", 27016);
    site.host.crashing = {"broken"};
    // Ten minutes, woken every second as if something happened all the time.
    std::vector<TimePoint> tries;
    for (int second = 0; second < 600; ++second) {
        const std::size_t before = count(site.host, Verb::Start, "broken");
        site.step();
        while (site.engine.poll_completions()) site.step();
        if (count(site.host, Verb::Start, "broken") > before) tries.push_back(site.host.world.now);
        site.host.world.now += std::chrono::seconds(1);
    }
    CHECK(site.is_running("fine"));
    CHECK(count(site.host, Verb::Start, "fine") == 1);
    REQUIRE(tries.size() >= 4);
    CHECK(tries.size() <= 8);
    for (std::size_t i = 2; i + 1 < tries.size(); ++i) {
        CHECK(tries[i + 1] - tries[i] > (tries[i] - tries[i - 1]) * 5 / 4);
    }
    const Condition& stalled = *site.engine.status().servers.at("broken").find("Stalled");
    CHECK(stalled.status == ConditionStatus::True);
    CHECK(stalled.reason == ConditionReason(StateReason::CrashLoop));
}

TEST_CASE("a step returns when the passage of time will make a difference", "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "broken", 27015);
    site.host.crashing = {"broken"};
    StepResult last = site.step();
    for (int turns = 0; turns < 20; ++turns) {
        while (site.engine.poll_completions()) continue;
        last = site.step();
    }
    REQUIRE(last.wake);
    CHECK(*last.wake > last.observed.now);
    const std::size_t tried = count(site.host, Verb::Start, "broken");
    site.host.world.now = *last.wake;
    site.step();
    CHECK(count(site.host, Verb::Start, "broken") + count(site.host, Verb::ResetFailed, "broken") > tried);
}

TEST_CASE("a failure is counted once, however the completions of its correction fall between steps",
          "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();
    site.host.dawdling = true;
    for (unsigned failures = 1; failures <= 3; ++failures) {
        site.host.world.now += std::chrono::minutes(2);
        site.server("a").unit.active = ActiveState::Failed;
        site.server("a").unit.result = "signal";
        site.server("a").mounted.reset();
        for (int turns = 0; turns < 10; ++turns) {
            site.step();
            site.engine.poll_completions();
        }
        CHECK(site.is_running("a"));
        CHECK(site.engine.status().servers.at("a").remembered.backoff.failures == failures);
    }
}

TEST_CASE("a stop that somebody waits for is not cancelled; the server is started once it has stopped",
          "[engine]") {
    EngineSite site;
    ask_for(*site.desired, "a", 27015);
    site.turn_until_quiet();
    site.server("a").unit.active = ActiveState::Deactivating;
    const std::size_t calls = site.host.calls.size();
    CHECK_FALSE(site.step().difference.empty());
    CHECK(site.host.calls.size() == calls);
    site.host.settle();
    site.turn_until_quiet();
    CHECK(site.is_running("a"));
}

TEST_CASE("only what has not reached its unit, and what waited for that, is in vain", "[engine]") {
    const auto ended = [](std::vector<Outcome> outcomes) {
        return CompletedActions{{}, std::move(outcomes)};
    };
    const auto failed = [](FailureKind reason) {
        Outcome outcome;
        outcome.reason = reason;
        return outcome;
    };
    Outcome done;
    done.done = true;
    const Outcome masked = failed(FailureKind::HelperFailed);
    const Outcome waited = failed(FailureKind::PrerequisiteFailed);
    CHECK(reached_no_unit(ended({masked, waited})));
    CHECK_FALSE(reached_no_unit(ended({})));
    CHECK_FALSE(reached_no_unit(ended({masked, failed(FailureKind::ExitCode)})));
    CHECK_FALSE(reached_no_unit(ended({masked, done})));
}
