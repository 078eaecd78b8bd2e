#include "reconciler/status.hpp"

#include "reconciler/apply_outcomes.hpp"
#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// a, running.
struct RunningSite : Site {
    RunningSite() {
        ask_for(desired, "a", 1);
        (void)pass();
    }
};

/// A server that reports drift, and that somebody stopped.
struct StoppedByHand : Site {
    StoppedByHand() {
        ask_for(desired, "a", 1).drift = DriftPolicy::Report;
        (void)pass();
        host.calls.clear();
        server("a").unit.active = ActiveState::Inactive;
        server("a").mounted.reset();
    }
};

}  // namespace

TEST_CASE("a server that runs as specified is Ready, and neither Reconciling nor Stalled") {
    const RunningSite site;
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::Running));
    CHECK(site.condition("a", "Reconciling").status == ConditionStatus::False);
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    const ServerStatus& status = site.status.servers.at("a");
    CHECK(status.generation == 1);
    CHECK(status.last_attempted_revision == "r1");
    CHECK(status.last_applied_revision == "r1");
    CHECK(site.status.last_applied_revision == "r1");
    CHECK_FALSE(status.remembered.fingerprint.empty());
}

TEST_CASE("a condition keeps the time of its last change, however often it is confirmed") {
    RunningSite site;
    const TimePoint since = site.condition("a", "Ready").last_transition;
    site.host.world.now += std::chrono::hours(1);
    (void)site.pass();
    CHECK(site.condition("a", "Ready").last_transition == since);
    CHECK(site.status.last_pass == site.host.world.now);

    // Another reason for the same status is not a transition; another status is.
    site.server("a").unit.active = ActiveState::Activating;
    (void)site.pass();
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::Starting));
    const TimePoint down_since = site.condition("a", "Ready").last_transition;
    CHECK(down_since == site.host.world.now);
    site.host.world.now += std::chrono::hours(1);
    site.server("a").unit.active = ActiveState::Inactive;
    site.host.world.installation = false;
    (void)site.pass();
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::NotRunning));
    CHECK(site.condition("a", "Ready").last_transition == down_since);
}

TEST_CASE("the generation counts changes of the specification, not edits of an overlay's files") {
    Site site;
    site.desired.overlays.emplace("o", InlineSource{});
    site.host.world.sources.emplace("o", std::string("aaaa"));
    ask_for(site.desired, "a", 1).overlays = {"o"};
    (void)site.pass();
    site.host.world.sources.insert_or_assign("o", std::string("bbbb"));
    (void)site.pass();
    CHECK(site.status.servers.at("a").generation == 1);
    site.desired.revision = "r2";
    site.desired.servers.at("a").config = "hostname y";
    (void)site.pass();
    CHECK(site.status.servers.at("a").generation == 2);
    CHECK(site.condition("a", "Ready").observed_generation == 2);
    CHECK(site.status.servers.at("a").last_applied_revision == "r2");
}

TEST_CASE("a server that cannot be started is Stalled with the host's reason, and the revision not applied") {
    Site site;
    ask_for(site.desired, "a", 1);
    ask_for(site.desired, "b", 2);
    site.host.crashing = {"a"};
    (void)site.pass();
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::UnitFailed));
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::True);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(FailureKind::ExitCode));
    CHECK(site.condition("a", "Stalled").message == "start: the game exited at once");
    CHECK(site.condition("a", "Reconciling").status == ConditionStatus::True);
    CHECK(site.status.servers.at("a").last_attempted_revision == "r1");
    CHECK(site.status.servers.at("a").last_applied_revision.empty());
    CHECK(site.status.servers.at("a").remembered.fingerprint.empty());
    CHECK(site.status.last_applied_revision.empty());
    CHECK(site.condition("b", "Ready").status == ConditionStatus::True);

    site.host.crashing.clear();
    site.host.settle();
    (void)site.pass();
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    CHECK(site.status.last_applied_revision == "r1");
}

TEST_CASE(
    "a change that waits for players leaves the server Ready, and the start of the wait is remembered") {
    RunningSite site;
    DesiredServer& server = site.desired.servers.at("a");
    server.rollout = {RolloutPolicy::WhenEmpty, std::chrono::seconds(600)};
    server.config = "hostname y";
    site.server("a").players = 4;
    (void)site.pass();
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::RolloutPending));
    const auto since = site.status.servers.at("a").remembered.held_since;
    REQUIRE(since.has_value());

    site.host.world.now += std::chrono::seconds(300);
    (void)site.pass();
    CHECK(site.status.servers.at("a").remembered.held_since == since);
    CHECK(site.host.kicked.empty());

    site.host.world.now += std::chrono::seconds(300);
    const RunResult pass = site.pass();
    CHECK(pass.remaining.empty());
    CHECK(site.host.kicked == std::vector<std::string>{"a"});
    CHECK_FALSE(site.status.servers.at("a").remembered.held_since.has_value());
}

TEST_CASE("with the clock set back an hour, a wait starts over and does not become an hour longer") {
    RunningSite site;
    site.host.world.now += std::chrono::hours(2);
    DesiredServer& server = site.desired.servers.at("a");
    server.rollout = {RolloutPolicy::WhenEmpty, std::chrono::seconds(600)};
    server.config = "hostname y";
    site.server("a").players = 4;
    (void)site.pass();
    site.host.world.now -= std::chrono::hours(1);
    (void)site.pass();
    CHECK(site.host.kicked.empty());
    site.host.world.now += std::chrono::seconds(601);
    (void)site.pass();
    CHECK(site.host.kicked == std::vector<std::string>{"a"});
}

TEST_CASE("a mass deletion stays held although the same revision starts as many new servers") {
    RunningSite site;
    ask_for(site.desired, "b", 2);
    (void)site.pass();
    site.desired.servers.clear();
    site.desired.revision = "r2";
    ask_for(site.desired, "c", 3);
    ask_for(site.desired, "d", 4);
    for (int passes = 0; passes < 3; ++passes) (void)site.pass();
    CHECK(site.server("c").unit.active == ActiveState::Active);
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::ApprovalRequired));
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::Removing));

    site.intent.approved = "r2";
    CHECK(site.pass().remaining.empty());
    CHECK_FALSE(site.status.servers.contains("a"));
    CHECK_FALSE(site.server("a").managed);
}

TEST_CASE("a held deletion and its approval outlast later revisions, until all of it is done") {
    RunningSite site;
    ask_for(site.desired, "b", 2);
    (void)site.pass();
    site.desired.servers.clear();
    site.desired.revision = "r2";
    (void)site.pass();
    site.desired.revision = "r3";
    std::uint16_t port = 3;
    for (const char* const name : {"c", "d", "e", "f"}) ask_for(site.desired, name, port++);
    for (int passes = 0; passes < 3; ++passes) (void)site.pass();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.status.servers.at("a").remembered.awaits_approval == "r2");

    site.intent.approved = "r2";
    site.host.fail_call = site.host.calls.size();
    (void)site.pass();
    site.desired.revision = "r4";
    site.host.world.now += std::chrono::hours(1);
    CHECK(site.pass().remaining.empty());
    CHECK_FALSE(site.status.servers.contains("a"));
    CHECK_FALSE(site.status.servers.contains("b"));
}

TEST_CASE("a wait for a rollout goes on while its own restart fails or cannot be made yet") {
    Site site;
    ask_for(site.desired, "a", 1);
    const RunResult pass = site.pass();
    const auto goes_on = [&](Verb verb, std::optional<HoldReason> code, std::optional<Verb> failed) {
        Memory memory = load_memory(site.status);
        Remembered& remembered = memory.servers.at("a");
        remembered.held_since = pass.observed.now;
        remembered.backoff.failures = failed ? 1 : 0;
        remembered.backoff.verb = failed;
        Plan remaining;
        remaining.actions.push_back({verb, {Kind::Server, "a"}, "because", {}, {}, code});
        return next_status(site.status, pass.target, pass.observed, memory, {}, {}, {}, remaining)
            .servers.at("a")
            .remembered.held_since.has_value();
    };
    CHECK(goes_on(Verb::Restart, {}, {}));
    CHECK(goes_on(Verb::Stop, {}, {}));
    CHECK(goes_on(Verb::Hold, HoldReason::NotInstalled, {}));
    CHECK(goes_on(Verb::Hold, HoldReason::PortInUse, {}));
    CHECK(goes_on(Verb::Hold, HoldReason::BackOff, Verb::Stop));
    // A build that waits to be tried again, or another action that failed, is no wait of that change.
    CHECK_FALSE(goes_on(Verb::Hold, HoldReason::BackOff, {}));
    CHECK_FALSE(goes_on(Verb::Hold, HoldReason::BackOff, Verb::Attach));
    CHECK_FALSE(goes_on(Verb::Hold, HoldReason::Building, {}));
}

TEST_CASE("a held deletion that is taken back is forgotten") {
    RunningSite site;
    ask_for(site.desired, "b", 2);
    (void)site.pass();
    const Desired before = site.desired;
    site.desired.servers.clear();
    site.desired.revision = "r2";
    (void)site.pass();
    site.desired = before;
    CHECK(site.pass().remaining.empty());
    CHECK(site.status.servers.at("a").remembered.awaits_approval.empty());
}

TEST_CASE("drift that is only reported is Stalled and is not corrected") {
    StoppedByHand site;
    (void)site.pass();
    (void)site.pass();
    CHECK(site.host.calls.empty());
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::Drift));
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::NotRunning));

    // A change of the manifest is not drift.
    site.desired.servers.at("a").config = "hostname y";
    CHECK(site.pass().remaining.empty());
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
}

TEST_CASE("a server whose overlay only its game still has is Ready and Reconciling") {
    Site site;
    ask_for(site.desired, "a", 1);
    (void)site.pass();
    site.server("a").mounted.reset();
    site.host.fail_call = site.host.calls.size();
    (void)site.pass();
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(FailureKind::IOError));
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::BackOff));
    site.host.settle();
    CHECK(site.pass().remaining.empty());
    CHECK(site.condition("a", "Reconciling").status == ConditionStatus::False);
}

TEST_CASE(
    "a game that changed its own files is Stalled and Ready, nothing is done, and the revision is applied") {
    RunningSite site;
    const FakeWorld before = site.host.world;
    site.server("a").shadowed = 2;
    const RunResult result = site.pass();
    CHECK(result.ended.outcomes.empty());
    REQUIRE(result.remaining.actions.size() == 1);
    CHECK(result.remaining.actions.front().verb == Verb::Report);
    CHECK(result.remaining.actions.front().reason ==
          "the game changed 2 files that it may not keep (left4dead2/cfg/server.cfg, …); its next start sets "
          "them aside");
    CHECK(site.server("a").processes == before.servers.at("a").processes);
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::Shadowed));

    // Changes of the manifests are still applied meanwhile, and changes by hand are drift.
    site.desired.revision = "r2";
    (void)site.pass();
    CHECK(site.status.last_applied_revision == "r2");
    CHECK(site.status.servers.at("a").last_applied_revision == "r2");
    site.server("a").unit.enablement = Enablement::Disabled;
    const RunResult mended = site.pass();
    REQUIRE(mended.ended.outcomes.size() == 1);
    CHECK(mended.ended.plan.actions[mended.ended.outcomes[0].action].drift);

    // A start has set it aside: reported once.
    const Status then = site.status;
    site.server("a").shadowed = 0;
    site.server("a").set_aside = "a start set aside 2 entries";
    const RunResult after = site.pass();
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    std::vector<std::string> told;
    for (const Event& event :
         events_of(then, "r2", site.intent, after.ended.plan, after.ended.outcomes, site.status))
        told.push_back(event.reason);
    CHECK(told == std::vector<std::string>{"Recovered", "SetAside"});
    const Status told_of = site.status;
    const RunResult again = site.pass();
    CHECK(events_of(told_of, "r2", site.intent, again.ended.plan, again.ended.outcomes, site.status).empty());
}

TEST_CASE("a server that needs a person is Stalled: no game, no secret") {
    Site site;
    ask_for(site.desired, "a", 1);
    ask_for(site.desired, "b", 2);
    site.host.world.installation = false;
    site.desired.servers.at("b").config = "rcon_password ${secret:rcon}";
    (void)site.pass();
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::NotInstalled));
    CHECK(site.condition("b", "Stalled").reason == ConditionReason(HoldReason::SourceUnavailable));
    CHECK(site.condition("b", "Stalled").message == "secret rcon: no such file");
}

TEST_CASE("a unit that left4me did not create has no status, and an error of the source is kept") {
    RunningSite site;
    site.host.world.servers["x"].unit.active = ActiveState::Active;
    site.status.source_error = "git: no such branch";
    (void)site.pass();
    CHECK_FALSE(site.status.servers.contains("x"));
    CHECK(site.status.source_error == "git: no such branch");
}

TEST_CASE("losing the status is safe for a server whose drift is only reported") {
    StoppedByHand site;
    site.status = {};
    (void)site.pass();
    (void)site.pass();
    CHECK(site.host.calls.empty());
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::Drift));

    site.desired.servers.at("a").config = "hostname y";
    CHECK(site.pass().remaining.empty());
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
}

TEST_CASE("verbs of earlier versions are read") {
    CHECK(parse_verb("forget") == Verb::Unmanage);
    CHECK(parse_verb("collect") == Verb::Prune);
    CHECK(parse_verb(to_string(Verb::Prune)) == Verb::Prune);
}
