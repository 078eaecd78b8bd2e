#include "support/fake_host.hpp"

#include <algorithm>

#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// Executes one action, whatever plan() would say.
Outcome carry_out(Site& site, Verb verb, const std::string& name, const std::string& digest = {}) {
    Plan plan;
    plan.actions = {{verb, {Kind::Server, name}, "test", digest, {}, {}}};
    (void)site.host.observe(site.host.target(site.desired));
    site.host.begin(plan, std::vector<ActionIndex>{0});
    return site.host.wait().at(0);
}

/// a and b, both running.
struct TwoServers : Site {
    TwoServers() {
        ask_for(desired, "a", 1);
        ask_for(desired, "b", 2);
        (void)pass();
    }
};

}  // namespace

TEST_CASE("the fake starts a server with its current rendering mounted, and a stop unmounts it") {
    TwoServers site;
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.server("a").mounted == site.server("a").renderings.at(*site.server("a").current).layers);
    CHECK(carry_out(site, Verb::Stop, "a").done);
    CHECK(site.server("a").unit.active == ActiveState::Inactive);
    CHECK_FALSE(site.server("a").mounted.has_value());
    CHECK(site.server("a").runtime);
}

TEST_CASE("the fake's running game keeps an overlay that is unmounted by hand, and gives it back") {
    TwoServers site;
    const auto layers = site.server("a").mounted;
    site.server("a").mounted.reset();
    CHECK(site.host.observe(site.host.target(site.desired))->servers.at("a").mounted_in_game == layers);
    CHECK(carry_out(site, Verb::Attach, "a").done);
    CHECK(site.server("a").mounted == layers);
    CHECK_FALSE(
        site.host.observe(site.host.target(site.desired))->servers.at("a").mounted_in_game.has_value());

    site.server("a").mounted.reset();
    CHECK(carry_out(site, Verb::Stop, "a").done);
    CHECK(carry_out(site, Verb::Attach, "a").done);
    CHECK_FALSE(site.server("a").mounted.has_value());
    CHECK_FALSE(site.server("a").in_game.has_value());
}

TEST_CASE("the fake does not start a masked unit, and enabling removes the mask") {
    TwoServers site;
    (void)carry_out(site, Verb::Stop, "a");
    site.server("a").unit.enablement = Enablement::Masked;
    CHECK(carry_out(site, Verb::Start, "a").reason == FailureKind::Refused);
    CHECK(carry_out(site, Verb::Restart, "a").reason == FailureKind::Refused);
    CHECK(site.server("a").unit.active == ActiveState::Inactive);
    CHECK(carry_out(site, Verb::Disable, "a").done);
    CHECK(site.server("a").unit.enablement == Enablement::Masked);
    CHECK(carry_out(site, Verb::Enable, "a").done);
    CHECK(carry_out(site, Verb::Start, "a").done);
}

TEST_CASE("the fake fails a start on a port that another server holds, and leaves nothing mounted") {
    TwoServers site;
    (void)carry_out(site, Verb::Stop, "a");
    site.server("a").renderings.at(*site.server("a").current).port = 2;
    const Outcome outcome = carry_out(site, Verb::Start, "a");
    CHECK(outcome.reason == FailureKind::ExitCode);
    CHECK(site.server("a").unit.active == ActiveState::Failed);
    CHECK(site.server("a").unit.result == "exit-code");
    CHECK_FALSE(site.server("a").mounted.has_value());
}

TEST_CASE("the fake's start limit holds until reset-failed") {
    TwoServers site;
    (void)carry_out(site, Verb::Stop, "a");
    (void)carry_out(site, Verb::ResetFailed, "a");
    site.host.crashing = {"a"};
    for (unsigned starts = 0; starts < FakeHost::start_limit; ++starts) {
        CHECK(carry_out(site, Verb::Start, "a").reason == FailureKind::ExitCode);
    }
    CHECK(carry_out(site, Verb::Start, "a").reason == FailureKind::StartLimitHit);
    site.host.crashing.clear();
    CHECK(carry_out(site, Verb::Start, "a").reason == FailureKind::StartLimitHit);
    CHECK(site.server("a").unit.result == "start-limit-hit");
    CHECK(carry_out(site, Verb::ResetFailed, "a").done);
    CHECK(site.server("a").unit.active == ActiveState::Inactive);
    CHECK(carry_out(site, Verb::Start, "a").done);
}

TEST_CASE("the fake refuses to mount over another stack") {
    TwoServers site;
    (void)carry_out(site, Verb::Stop, "a");
    site.server("a").mounted = {"/srv/elsewhere"};
    CHECK(carry_out(site, Verb::Start, "a").reason == FailureKind::ExitCode);
}

TEST_CASE("a reboot of the fake starts enabled servers from their current rendering, and nothing else") {
    TwoServers site;
    ask_for(site.desired, "c", 3);
    (void)site.pass();
    const unsigned processes = site.server("a").processes;
    site.server("b").unit.enablement = Enablement::Disabled;
    site.server("c").unit.enablement = Enablement::Masked;
    site.host.reboot();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.server("a").processes == processes + 1);
    CHECK(site.server("a").mounted.has_value());
    CHECK(site.server("b").unit.active == ActiveState::Inactive);
    CHECK_FALSE(site.server("b").mounted.has_value());
    CHECK(site.server("c").unit.active == ActiveState::Inactive);
    site.host.calls.clear();
    CHECK(site.pass().remaining.empty());
    CHECK(site.host.calls.size() == 4);  // b and c: enable, start
}

TEST_CASE("a converged site comes back from a reboot without a pass") {
    TwoServers site;
    site.host.reboot();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.pass().planned.empty());
}

TEST_CASE("the fake fails the selected call without its effect") {
    Site site;
    ask_for(site.desired, "a", 1);
    site.host.fail_call = 1;
    const RunResult pass = site.pass();
    REQUIRE(site.host.calls.size() == 3);
    CHECK(site.host.calls[1].verb == Verb::Enable);
    CHECK(site.server("a").unit.enablement == Enablement::Disabled);
    CHECK(site.server("a").unit.active == ActiveState::Active);
    site.host.settle();
    CHECK(site.pass().remaining.empty());
}

TEST_CASE("a hanging action of the fake ends last, and much later") {
    TwoServers site;
    site.host.hanging = {"a"};
    site.desired.servers.clear();
    site.intent.approved = "r1";
    const TimePoint before = site.host.world.now;
    site.host.ended.clear();
    (void)site.pass();
    CHECK(site.host.world.now - before >= std::chrono::seconds(90));
    const auto& ended = site.host.ended;
    CHECK(std::find(ended.begin(), ended.end(), "stop server/b") <
          std::find(ended.begin(), ended.end(), "stop server/a"));
}

TEST_CASE("the fake records an action on a server that is neither desired nor managed") {
    TwoServers site;
    site.host.world.servers["x"].unit.active = ActiveState::Active;
    (void)carry_out(site, Verb::Stop, "x");
    REQUIRE(site.host.violations.size() == 1);
    CHECK(site.host.violations[0] == "stop server/x: neither in the manifests nor made by left4me");
}

TEST_CASE("the fake records the removal of an artifact in use") {
    TwoServers site;
    const std::string current = *site.server("a").current;
    CHECK(carry_out(site, Verb::Prune, "a", "instances/a/" + current).reason == FailureKind::InUse);
    CHECK(carry_out(site, Verb::Purge, "a").reason == FailureKind::Refused);
    (void)carry_out(site, Verb::Unmanage, "a");
    CHECK(site.host.violations.size() == 2);
}

TEST_CASE("the fake records who was kicked") {
    TwoServers site;
    site.server("a").players = 3;
    (void)carry_out(site, Verb::Restart, "a");
    (void)carry_out(site, Verb::Restart, "b");
    CHECK(site.host.kicked == std::vector<std::string>{"a"});
    CHECK(site.server("a").processes == 2);
}

TEST_CASE("the fake makes a restart while empty only if nobody has come") {
    TwoServers site;
    for (const char* name : {"a", "b"}) {
        DesiredServer& server = site.desired.servers.at(name);
        server.rollout.policy = RolloutPolicy::WhenEmpty;
        server.config = "hostname y";
        site.server(name).players = 0;
    }
    site.host.joining = {"a"};
    const RunResult pass = site.pass();
    CHECK(site.host.kicked.empty());
    CHECK(site.server("a").processes == 1);
    CHECK(site.server("b").processes == 2);
    // It waits again, as if it had never been tried: no failure, and no new wait for its deadline.
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::RolloutPending));
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    CHECK(site.status.servers.at("a").remembered.backoff.failures == 0);
    const auto events =
        events_of(pass.before, "r1", site.intent, pass.ended.plan, pass.ended.outcomes, site.status);
    CHECK(std::any_of(events.begin(), events.end(), [](const Event& event) {
        return event.subject == "server/a" && event.reason == "Postponed" && !event.warning;
    }));
}

TEST_CASE("a server that a lobby has reserved waits for the lobby, and is tried once") {
    TwoServers site;
    DesiredServer& server = site.desired.servers.at("a");
    server.rollout.policy = RolloutPolicy::WhenEmpty;
    server.config = "hostname y";
    site.server("a").players = 0;
    site.server("a").reserved = true;
    for (int i = 0; i < 3; ++i) (void)site.pass();
    CHECK(site.host.kicked.empty());
    CHECK(site.server("a").processes == 1);
    const auto is_restart = [](const FakeHost::Call& call) { return call.verb == Verb::Restart; };
    CHECK(std::count_if(site.host.calls.begin(), site.host.calls.end(), is_restart) == 1);
    CHECK(site.condition("a", "Reconciling").message.ends_with("a lobby has reserved the server"));
    site.server("a").reserved = false;
    site.server("a").console.reset();
    (void)site.pass();
    CHECK(site.server("a").processes == 2);
}

TEST_CASE("when the reconciler dies, systemd's jobs complete, and at most one rendering is incomplete") {
    TwoServers site;
    site.desired.servers.at("a").config = "hostname y";
    const std::string before = *site.server("a").current;
    const Target target = site.host.target(site.desired);
    Plan plan;
    plan.actions = {{Verb::Render,
                     {Kind::Server, "a"},
                     "test",
                     std::string(target.find("a")->digest()),
                     {},
                     {},
                     false,
                     {},
                     *target.find("a")->rendering},
                    {Verb::Stop, {Kind::Server, "b"}, "test", {}, {}, {}}};
    const std::vector<ActionIndex> both{0, 1};
    site.host.begin(plan, both);
    site.host.reconciler_died();
    CHECK(site.host.wait().empty());
    CHECK(site.server("b").unit.active == ActiveState::Inactive);
    CHECK(site.server("a").current == before);
}

TEST_CASE("the order in which the fake's actions end depends only on the seed") {
    const auto order = [](std::uint64_t seed) {
        Desired desired;
        for (std::uint16_t port = 1; port <= 8; ++port) ask_for(desired, fmt::format("s{}", port), port);
        FakeHost host(FakeWorld{}, seed);
        Status status;
        (void)run(host, desired, {}, status);
        return host.ended;
    };
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
}
