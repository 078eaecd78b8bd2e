#include "reconciler/schedule.hpp"

#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

using Indices = std::vector<ActionIndex>;

Action action(Verb verb, const std::string& server, Indices after = {}) {
    return {verb, {Kind::Server, server}, "because", {}, std::move(after), {}};
}

Outcome done(ActionIndex index) { return {index, true, {}, {}}; }
Outcome failed(ActionIndex index) { return {index, false, FailureKind::ExitCode, "it broke"}; }

}  // namespace

TEST_CASE("an action is ready once all its prerequisites have succeeded, and is returned once") {
    Plan plan;
    plan.actions = {action(Verb::Render, "a"), action(Verb::Render, "b"), action(Verb::Start, "a", {0, 1})};
    Schedule schedule(plan);
    CHECK(schedule.take_ready() == Indices{0, 1});
    CHECK(schedule.take_ready().empty());
    CHECK_FALSE(schedule.done());
    schedule.finished(done(1));
    CHECK(schedule.take_ready().empty());
    schedule.finished(done(0));
    CHECK(schedule.take_ready() == Indices{2});
    schedule.finished(done(2));
    CHECK(schedule.done());
}

TEST_CASE("an action that depends on a failed one never begins, and says what failed first") {
    Plan plan;
    plan.actions = {action(Verb::Stop, "a"), action(Verb::Stop, "b"), action(Verb::Purge, "a", {0}),
                    action(Verb::Purge, "b", {1}), action(Verb::Unmanage, "a", {2})};
    Schedule schedule(plan);
    (void)schedule.take_ready();
    schedule.finished(failed(0));
    schedule.finished(done(1));
    CHECK(schedule.take_ready() == Indices{3});
    schedule.finished(done(3));
    REQUIRE(schedule.done());
    const std::vector<Outcome> outcomes = schedule.outcomes();
    REQUIRE(outcomes.size() == 5);
    CHECK(outcomes[0].reason == FailureKind::ExitCode);
    CHECK(outcomes[2].reason == FailureKind::PrerequisiteFailed);
    CHECK(outcomes[2].message == "not begun, because stop server/a failed first: it broke");
    CHECK(outcomes[4].message == "not begun, because purge server/a failed first: it broke");
    CHECK(outcomes[1].done);
    CHECK(outcomes[3].done);
}

TEST_CASE("holds and reports are never begun and have no outcome") {
    Plan plan;
    plan.actions = {action(Verb::Hold, "a"), action(Verb::Report, "b")};
    Schedule schedule(plan);
    CHECK(schedule.done());
    CHECK(schedule.take_ready().empty());
    CHECK(schedule.outcomes().empty());
}

TEST_CASE("an outcome that is reported twice counts once") {
    Plan plan;
    plan.actions = {action(Verb::Stop, "a"), action(Verb::Start, "a", {0})};
    Schedule schedule(plan);
    (void)schedule.take_ready();
    schedule.finished(done(0));
    schedule.finished(done(0));
    CHECK(schedule.take_ready() == Indices{1});
    CHECK_FALSE(schedule.done());
}

TEST_CASE("a stop that hangs delays no other server") {
    Site site;
    ask_for(site.desired, "a", 1);
    ask_for(site.desired, "b", 2);
    (void)site.pass();
    site.desired.servers.at("a").state = RunState::Stopped;
    site.desired.servers.at("b").environment = "PORT=2 more";
    site.host.hanging = {"a"};
    site.host.ended.clear();
    const RunResult pass = site.pass();
    CHECK(pass.remaining.empty());
    const auto& ended = site.host.ended;
    const auto at = [&ended](const char* what) {
        return std::find(ended.begin(), ended.end(), what) - ended.begin();
    };
    CHECK(at("restart server/b") < at("stop server/a"));
    CHECK(at("prune server/b") < at("stop server/a"));
}

TEST_CASE("actions with the same verb that are ready together begin together") {
    Site site;
    for (std::uint16_t port = 1; port <= 50; ++port) ask_for(site.desired, fmt::format("s{}", port), port);
    (void)site.pass();
    // All renderings in one batch; the fake reports them one by one, and each is followed up as it ends.
    CHECK(site.host.calls.size() == 150);
    CHECK(site.host.batches <= 51);
}

TEST_CASE("a host that loses an action does not hang the pass") {
    struct Forgetful : Host {
        FakeHost host{FakeWorld{}};
        std::expected<ObservedUnits, std::string> observe_units() override { return host.observe_units(); }
        void wait_for_builds(const std::map<std::string, ObservedBuild>& builds) override {
            host.wait_for_builds(builds);
        }
        Inputs read_inputs(const Desired& desired) override { return host.read_inputs(desired); }
        std::expected<Observed, std::string> observe(const Target& target, ObservedUnits units) override {
            return host.observe(target, std::move(units));
        }
        void begin(const Plan&, std::span<const ActionIndex>) override {}
        std::vector<Outcome> wait() override { return {}; }
        std::vector<Outcome> poll_completions() override { return {}; }
    };
    Forgetful host;
    Desired desired;
    ask_for(desired, "a", 1);
    Status status;
    const RunResult result = *run(host, desired, {}, status);
    REQUIRE_FALSE(result.ended.outcomes.empty());
    CHECK(result.ended.outcomes[0].reason == FailureKind::NoAnswer);
    for (const Outcome& outcome : result.ended.outcomes) CHECK_FALSE(outcome.done);
}

TEST_CASE("a pass over a converged host observes once and calls nothing") {
    Site site;
    ask_for(site.desired, "a", 1);
    (void)site.pass();
    site.host.calls.clear();
    site.host.batches = 0;
    site.host.observations = 0;
    const FakeServer before = site.server("a");
    CHECK(site.pass().planned.empty());
    CHECK(site.host.observations == 1);
    CHECK(site.host.batches == 0);
    CHECK(site.server("a") == before);
}

TEST_CASE("a host that cannot be observed is left alone") {
    Site site;
    ask_for(site.desired, "a", 1);
    site.host.observe_error = "no system bus";
    const auto result = run(site.host, site.desired, {}, site.status);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error() == "no system bus");
    CHECK(site.host.calls.empty());
}
