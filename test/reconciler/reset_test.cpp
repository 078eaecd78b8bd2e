#include <algorithm>

#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// Server `a` runs as its manifest says, and alice has asked for a reset of it.
struct Reset : Site {
    explicit Reset(RunState state = RunState::Running) {
        ask_for(desired, "a", 27015);
        (void)pass();
        desired.servers.at("a").state = state;
        (void)pass();
        host.calls.clear();
        intent.resets["a"] = {
            .by = "alice", .at = host.world.now, .reason = "it was taken", .directory = "directory 0"};
    }

    std::vector<Verb> verbs() const {
        std::vector<Verb> verbs;
        for (const FakeHost::Call& call : host.calls) verbs.push_back(call.verb);
        return verbs;
    }
    Plan planned() { return plan(seen_target(), *host.observe(seen_target()), {}, intent); }
    Target seen_target() { return host.target(desired); }
    bool is_open() {
        return !open_requests(intent.resets, seen_target(), *host.observe(seen_target())).empty();
    }
};

}  // namespace

TEST_CASE("a reset stops a server, removes what it wrote and starts it again, once") {
    Reset site;
    CHECK(site.is_open());
    CHECK(site.pass().remaining.empty());
    CHECK(site.verbs() == std::vector{Verb::Stop, Verb::Purge, Verb::Start});
    CHECK(site.server("a").purges == 1);
    CHECK_FALSE(site.is_open());
    CHECK(site.pass().planned.empty());
}

TEST_CASE(
    "a reset starts a server with the rendering that its manifest asks for, whatever its rollout waits for") {
    Reset site;
    site.desired.servers.at("a").rollout.policy = RolloutPolicy::OnNextStart;
    site.desired.servers.at("a").config = "hostname new";
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("a").processes == 2);
    CHECK(site.server("a").mounted == site.server("a").renderings.at(*site.server("a").current).layers);
}

TEST_CASE("a server that is to be stopped is emptied and stays stopped") {
    Reset site(RunState::Stopped);
    CHECK(site.pass().remaining.empty());
    CHECK(site.verbs() == std::vector{Verb::Purge});
    CHECK(site.server("a").unit.active == ActiveState::Inactive);
    CHECK_FALSE(site.is_open());
}

TEST_CASE("whatever its unit does, a server is emptied once and then runs") {
    for (const ActiveState active : {ActiveState::Inactive, ActiveState::Activating, ActiveState::Active,
                                     ActiveState::Deactivating, ActiveState::Failed}) {
        Reset site;
        site.server("a").unit.active = active;
        site.ask_for_retry();
        for (int pass = 0; pass < 3; ++pass) {
            (void)site.pass();
            site.host.settle();
        }
        CAPTURE(to_string(active));
        CHECK(site.server("a").purges == 1);
        CHECK(site.server("a").unit.active == ActiveState::Active);
        CHECK(site.host.violations.empty());
        CHECK_FALSE(site.is_open());
    }
}

TEST_CASE("a running server that would not come up again is not reset, and says so") {
    Reset site;
    site.host.world.installation = false;
    (void)site.pass();
    CHECK(site.verbs().empty());
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::ResetPending));
    CHECK(site.status.last_applied_revision == "r1");
    CHECK(site.is_open());
    site.host.world.installation = true;
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("a").purges == 1);
}

TEST_CASE("a server whose drift is only reported is reset with the rendering that its manifest asks for") {
    Reset site;
    site.desired.servers.at("a").drift = DriftPolicy::Report;
    (void)site.pass();
    FakeServer& server = site.server("a");
    server.renderings.at(*server.current).damaged = {"server.env"};
    site.intent.resets.at("a").directory = "directory " + std::to_string(server.purges);
    CHECK(site.pass().remaining.empty());
    CHECK(server.renderings.at(*server.current).damaged.empty());
    CHECK(server.purges == 2);
}

TEST_CASE("the start after a reset is not forgotten when the game had to be killed to stop it") {
    Reset site;
    site.desired.servers.at("a").drift = DriftPolicy::Report;
    (void)site.pass();
    site.intent.resets.at("a").directory = "directory " + std::to_string(site.server("a").purges);
    // left4me was killed after it had removed the directory.
    site.host.stop_by_force("a");
    ++site.server("a").purges;
    REQUIRE(site.server("a").unit.active == ActiveState::Failed);
    CHECK(site.is_open());
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK_FALSE(site.is_open());
}

TEST_CASE("a reset whose removal fails keeps no server down, and waits for a person") {
    for (const DriftPolicy drift : {DriftPolicy::Correct, DriftPolicy::Report}) {
        Reset site;
        site.desired.servers.at("a").drift = drift;
        site.host.fail_call = site.host.calls.size() + 1;  // the purge, after the stop
        (void)site.pass();
        site.host.fail_call.reset();
        for (int passes = 0; passes < 5; ++passes) {
            (void)site.pass();
            CHECK(site.server("a").unit.active == ActiveState::Active);
            site.host.world.now += std::chrono::minutes(10);
        }
        CHECK(site.verbs() == std::vector{Verb::Stop, Verb::Purge, Verb::Start});
        const Condition& held = site.condition("a", "Reconciling");
        CHECK(held.reason == ConditionReason(HoldReason::ResetPending));
        CHECK(held.message.find("purge: ") != std::string::npos);
        CHECK(site.is_open());
        site.ask_for_retry();
        CHECK(site.pass().remaining.empty());
        CHECK(site.server("a").purges == 1);
        CHECK_FALSE(site.is_open());
    }
}

TEST_CASE("a suspended server is reset after its suspension") {
    Reset site;
    site.intent.suspended.servers["a"] = {.reason = "a look", .by = "bob", .since = {}, .until = {}};
    (void)site.pass();
    CHECK(site.verbs().empty());
    site.intent.suspended = {};
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("a").purges == 1);
}

TEST_CASE("a reset of all servers needs no approval") {
    Reset site;
    for (const char* name : {"b", "c"})
        ask_for(site.desired, name, static_cast<std::uint16_t>(27000 + *name));
    (void)site.pass();
    for (const char* name : {"a", "b", "c"}) {
        site.intent.resets[name] = site.intent.resets.at("a");
        site.intent.resets[name].directory = "directory " + std::to_string(site.server(name).purges);
    }
    CHECK(site.pass().remaining.empty());
    for (const char* name : {"a", "b", "c"}) CHECK(site.server(name).processes >= 2);
}

TEST_CASE("the event of a reset says who asked for it and why") {
    Reset site;
    const RunResult pass = site.pass();
    const auto events =
        events_of(pass.before, "r1", site.intent, pass.ended.plan, pass.ended.outcomes, site.status);
    const auto reset = std::find_if(events.begin(), events.end(),
                                    [](const Event& event) { return event.reason == "Reset"; });
    REQUIRE(reset != events.end());
    CHECK(reset->actor == "alice");
    CHECK(reset->message.find("it was taken") != std::string::npos);
    for (const Event& event : events) CHECK_FALSE(event.drift);
}
