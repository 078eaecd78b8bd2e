#include "reconciler/events.hpp"

#include <fmt/format.h>

#include "reconciler/engine.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

using Lines = std::vector<std::string>;

/// A site that lists the events of every pass: "server/a Started", warnings with "!", drift with "~".
struct EventSite : Site {
    Lines pass_and_tell() {
        const Status before = status;
        const RunResult result = pass();
        events =
            events_of(before, desired.revision, intent, result.ended.plan, result.ended.outcomes, status);
        Lines lines;
        for (const Event& event : events) {
            lines.push_back(fmt::format("{}{}{} {}", event.warning ? "!" : "", event.drift ? "~" : "",
                                        event.subject, event.reason));
        }
        return lines;
    }
    std::vector<Event> events;
};

struct UpSite : EventSite {
    UpSite() {
        host.world.now = TimePoint(std::chrono::hours(100));
        ask_for(desired, "a", 1);
        (void)pass_and_tell();
    }
};

}  // namespace

TEST_CASE("the first pass records the revision and every action") {
    EventSite site;
    ask_for(site.desired, "a", 1);
    Lines lines = site.pass_and_tell();
    // Enabling and starting end in any order.
    std::sort(lines.begin() + 2, lines.begin() + 4);
    CHECK(lines == Lines{"source NewRevision", "server/a Rendered", "server/a Enabled", "server/a Started",
                         "server/a Ready"});
    const auto started = std::find_if(site.events.begin(), site.events.end(),
                                      [](const Event& event) { return event.reason == "Started"; });
    REQUIRE(started != site.events.end());
    CHECK(started->message == "the unit is inactive, the manifest says Running");
    CHECK(started->revision == "r1");
    CHECK(started->at == *site.status.last_pass);
}

TEST_CASE("passes over a converged host record no events") {
    UpSite site;
    for (int i = 0; i < 10; ++i) {
        site.host.world.now += std::chrono::seconds(30);
        CHECK(site.pass_and_tell().empty());
    }
}

TEST_CASE("changes by hand are recorded as drift, changes of the manifests are not") {
    UpSite site;
    const TimePoint right_at = *site.status.last_pass;
    reset(site.server("a").unit);
    site.server("a").mounted.reset();
    CHECK(site.pass_and_tell() == Lines{"~server/a Started"});
    CHECK(site.events[0].right_at == right_at);

    site.desired.revision = "r2";
    site.desired.servers.at("a").config = "hostname y";
    CHECK(site.pass_and_tell() ==
          Lines{"source NewRevision", "server/a Rendered", "server/a Restarted", "server/a Pruned"});
}

TEST_CASE(
    "a change of the manifests is not drift, even if the host was observed as correct before the action's "
    "end was reported") {
    EventSite site;
    ask_for(site.desired, "a", 1);
    const auto desired = std::make_shared<const Desired>(site.desired);
    FakeHost host(site.host.world);
    Engine engine(host, Status{});
    const Request request{desired, {}, {}};
    REQUIRE(engine.step(request));
    (void)site.pass();
    host.world = site.host.world;  // systemd was done before we noticed
    REQUIRE(engine.step(request)->difference.empty());
    while (engine.poll_completions()) {
    }
    const StepResult last = *engine.step(request);
    REQUIRE_FALSE(last.ended.outcomes.empty());
    for (const Event& event :
         events_of(last.before, "r1", {}, last.ended.plan, last.ended.outcomes, engine.status()))
        CHECK_FALSE(event.drift);
}

TEST_CASE("a stop by hand is also drift if a pass saw the mount go first and held the server for it") {
    UpSite site;
    site.desired.servers.at("a").rollout = {RolloutPolicy::OnNextStart, {}};
    (void)site.pass_and_tell();
    site.server("a").mounted.reset();
    site.server("a").in_game.reset();
    (void)site.pass_and_tell();
    REQUIRE(site.status.servers.at("a").remembered.held_since);
    reset(site.server("a").unit);
    CHECK(site.pass_and_tell() == Lines{"~server/a Started", "server/a Ready"});
}

TEST_CASE("an umount by hand is recorded as drift, and the server stays ready") {
    UpSite site;
    const unsigned processes = site.server("a").processes;
    site.server("a").mounted.reset();
    CHECK(site.pass_and_tell() == Lines{"~server/a Attached"});
    CHECK(site.server("a").mounted.has_value());
    CHECK(site.server("a").processes == processes);
    CHECK(site.pass_and_tell().empty());
}

TEST_CASE("a crash loop records one event per attempt, not per observation") {
    UpSite site;
    site.host.crashing = {"a"};
    site.server("a").unit.active = ActiveState::Failed;
    site.server("a").mounted.reset();
    CHECK(site.pass_and_tell() ==
          Lines{"~server/a ResetFailed", "!server/a StartFailed", "!server/a Crashed", "!server/a ExitCode"});
    for (int i = 0; i < 5; ++i) CHECK(site.pass_and_tell().empty());
    site.host.world.now += std::chrono::seconds(12);
    CHECK(site.pass_and_tell() == Lines{"~server/a ResetFailed", "!server/a CrashLoop"});
    CHECK(site.pass_and_tell().empty());
    site.host.world.now += std::chrono::seconds(30);
    CHECK(site.pass_and_tell() == Lines{"~server/a ResetFailed", "!server/a StartFailed"});
}

TEST_CASE("a wait or a stall is recorded once, and so is its end") {
    UpSite site;
    site.server("a").players = 2;
    site.desired.servers.at("a").rollout = {RolloutPolicy::WhenEmpty, {}};
    site.desired.servers.at("a").config = "hostname y";
    CHECK(site.pass_and_tell() == Lines{"server/a Rendered", "server/a RolloutPending"});
    CHECK(site.pass_and_tell().empty());

    UpSite stalled;
    reset(stalled.server("a").unit);
    stalled.server("a").unit.enablement = Enablement::Enabled;
    stalled.server("a").mounted.reset();
    stalled.host.world.installation = false;
    CHECK(stalled.pass_and_tell() == Lines{"!server/a NotReady", "!server/a NotInstalled"});
    CHECK(stalled.pass_and_tell().empty());
    stalled.host.world.installation = true;
    CHECK(stalled.pass_and_tell() == Lines{"~server/a Started", "server/a Ready", "server/a Recovered"});
}

TEST_CASE("errors of the source are recorded when they begin, change and end") {
    UpSite site;
    const auto tell = [&site](const std::string& error) {
        const Status before = site.status;
        site.status.source_error = error;
        Lines lines;
        for (const Event& event : events_of(before, site.desired.revision, site.intent, {}, {}, site.status))
            lines.push_back(event.reason + (event.warning ? "!" : ""));
        return lines;
    };
    CHECK(tell("a.yaml:1:2: what is this") == Lines{"SourceRejected!"});
    CHECK(tell("a.yaml:1:2: what is this").empty());
    CHECK(tell("a.yaml:9:9: and this").size() == 1);
    CHECK(tell("") == Lines{"SourceRecovered"});
}

TEST_CASE("the pass that notices the end of a suspension records it") {
    UpSite site;
    site.intent.suspended.servers["a"].until = site.host.world.now + std::chrono::hours(1);
    CHECK(site.pass_and_tell().empty());
    site.host.world.now += std::chrono::hours(1);
    CHECK(site.pass_and_tell() == Lines{"server/a Resumed"});
    CHECK(site.pass_and_tell().empty());
}

TEST_CASE("an action that never began is no event") {
    UpSite site;
    site.desired.servers.clear();
    site.desired.revision = "r2";
    site.host.fail_call = site.host.calls.size();  // disable fails: nothing is purged or unmanaged
    const Lines lines = site.pass_and_tell();
    CHECK(std::count(lines.begin(), lines.end(), "!server/a DisableFailed") == 1);
    CHECK(std::none_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("Forg") != std::string::npos || line.find("Purge") != std::string::npos;
    }));
}

TEST_CASE("a crash is an event of its own, with how many there were, and the server is Ready again later") {
    EventSite site;
    site.host.world.now = TimePoint(std::chrono::hours(100));
    site.host.up_for = std::chrono::hours(3);
    ask_for(site.desired, "a", 1);
    (void)site.pass_and_tell();
    const auto up_since = site.server("a").unit.active_since;
    site.server("a").unit.active = ActiveState::Deactivating;
    CHECK(site.pass_and_tell().empty());
    site.host.crash("a");
    site.host.crash("a");
    CHECK(site.pass_and_tell() == Lines{"!server/a Crashed", "!server/a CrashLoop"});
    CHECK(site.events[0].count == 2);
    CHECK(site.events[0].up_since == up_since);
    CHECK(site.pass_and_tell().empty());
    site.host.world.now += std::chrono::seconds(20);
    CHECK(site.pass_and_tell() == Lines{"server/a Ready", "server/a Recovered"});
}

TEST_CASE("a unit that was seen to stop is told as not ready when it has stopped and stays so") {
    UpSite site;
    site.intent.suspended.servers["a"].until = site.host.world.now + std::chrono::hours(1);
    site.server("a").unit.active = ActiveState::Deactivating;
    CHECK(site.pass_and_tell().empty());
    reset(site.server("a").unit);
    site.server("a").mounted.reset();
    CHECK(site.pass_and_tell() == Lines{"!server/a NotReady"});
    CHECK(site.pass_and_tell().empty());
}
