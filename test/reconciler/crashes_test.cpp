#include "reconciler/crashes.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using namespace std::chrono_literals;

namespace {

/// a, asked for at a host whose units become active at the very moment.
struct YoungSite : Site {
    YoungSite() {
        host.world.now = TimePoint(100h);
        host.up_for = 0s;
        ask_for(desired, "a", 1);
    }
    RunResult pass_after(std::chrono::seconds time) {
        host.world.now += time;
        return pass();
    }
    /// It crashes after `time`, and somebody looks.
    void crash_after(std::chrono::seconds time) {
        host.world.now += time;
        host.crash("a");
        (void)pass();
    }
    ConditionStatus ready() const { return condition("a", "Ready").status; }
    ConditionReason reason() const { return condition("a", "Ready").reason; }
};

}  // namespace

TEST_CASE("a server that has just started is Ready only when it has stayed up for five seconds") {
    YoungSite site;
    const RunResult run = site.pass();
    CHECK(site.ready() == ConditionStatus::False);
    CHECK(site.reason() == ConditionReason(StateReason::JustStarted));
    CHECK(unready_text(run.remaining) == "; 1 has only just started");
    CHECK(site.wake() == *site.server("a").unit.active_since + 5s);
    (void)site.pass_after(4s);
    CHECK(site.ready() == ConditionStatus::False);
    CHECK(unready_text(site.pass_after(1s).remaining).empty());
    CHECK(site.ready() == ConditionStatus::True);
    CHECK_FALSE(site.wake());
}

TEST_CASE("a game that crashes at each start is never Ready, however often systemd starts it again") {
    YoungSite site;
    (void)site.pass();
    for (int i = 0; i < 30; ++i) {
        site.crash_after(1s);
        CHECK(site.ready() == ConditionStatus::False);
    }
    CHECK(site.reason() == ConditionReason(StateReason::CrashLoop));
    CHECK(unready_text(site.pass().remaining) == "; 1 crashes again and again");
}

TEST_CASE("a crash loop is one trouble, also between the attempts, until the server has stayed up") {
    YoungSite site;
    (void)site.pass();
    const auto stalled = [&site] { return site.condition("a", "Stalled"); };
    site.crash_after(1s);
    CHECK(stalled().status == ConditionStatus::False);
    for (int i = 0; i < 3; ++i) {
        site.crash_after(1s);
        CHECK(stalled().reason == ConditionReason(StateReason::CrashLoop));
        CHECK(stalled().message == fmt::format("crashed {} times", i + 2));
        site.server("a").unit.active = ActiveState::Activating;  // systemd's next attempt
        (void)site.pass();
        CHECK(stalled().reason == ConditionReason(StateReason::CrashLoop));
        site.server("a").unit.active = ActiveState::Active;
    }
    (void)site.pass_after(60s);
    CHECK(stalled().status == ConditionStatus::False);
}

TEST_CASE("a server that became active just after it was looked at has not stayed up") {
    YoungSite site;
    (void)site.pass();
    site.server("a").unit.active_since = site.host.world.now + 1s;
    (void)site.pass();
    CHECK(site.reason() == ConditionReason(StateReason::JustStarted));
}

TEST_CASE("each crash in a row doubles the time that a server must stay up, to one minute at most") {
    YoungSite site;
    (void)site.pass();
    // Too slow for systemd's limit of starts.
    for (const auto& [crashes_in, needed] : {std::pair{14s, 10s}, {15s, 20s}, {30s, 40s}, {50s, 60s}}) {
        site.crash_after(crashes_in);
        (void)site.pass_after(needed - 1s);
        CHECK(site.ready() == ConditionStatus::False);
        (void)site.pass_after(1s);
        CHECK(site.ready() == ConditionStatus::True);
    }
    site.crash_after(1s);
    (void)site.pass_after(60s);
    CHECK(site.ready() == ConditionStatus::True);
}

TEST_CASE("crashes are forgotten after ten minutes without one, and when something else is asked") {
    YoungSite site;
    (void)site.pass();
    for (int i = 0; i < 4; ++i) site.crash_after(1s);
    (void)site.pass_after(10min);
    site.crash_after(1s);
    CHECK(site.status.servers.at("a").remembered.crashes.in_a_row == 1);

    for (int i = 0; i < 4; ++i) site.crash_after(1s);
    site.desired.servers.at("a").config = "hostname y";
    (void)site.pass();
    (void)site.pass_after(5s);
    CHECK(site.ready() == ConditionStatus::True);
}

TEST_CASE("crashes that nobody looked at are counted, stops and starts that somebody asked for are not") {
    YoungSite site;
    (void)site.pass();
    site.host.world.now += 1s;
    for (int i = 0; i < 3; ++i) site.host.crash("a");
    (void)site.pass();
    CHECK(site.status.servers.at("a").remembered.crashes.in_a_row == 3);

    YoungSite stopped;
    (void)stopped.pass();
    reset(stopped.server("a").unit);
    stopped.server("a").unit.enablement = Enablement::Enabled;
    stopped.server("a").mounted.reset();
    (void)stopped.pass_after(1s);
    CHECK(stopped.status.servers.at("a").remembered.crashes.in_a_row == 0);
    CHECK(stopped.reason() == ConditionReason(StateReason::JustStarted));
}

TEST_CASE("a game that had to be killed because it did not stop in time has not crashed") {
    YoungSite site;
    (void)site.pass();
    for (int i = 0; i < 3; ++i) {
        site.host.world.now += 1s;
        site.host.stop_by_force("a");
        (void)site.pass();
        CHECK(site.server("a").unit.active == ActiveState::Active);
        CHECK(site.status.servers.at("a").remembered.crashes.in_a_row == 0);
        CHECK(site.status.servers.at("a").remembered.backoff == Backoff{});
        CHECK(site.reason() == ConditionReason(StateReason::JustStarted));
    }
}

TEST_CASE("a server that was up before left4me looked for the first time has no crashes of old") {
    YoungSite site;
    (void)site.pass();
    for (int i = 0; i < 3; ++i) site.host.crash("a");
    site.status = {};
    (void)site.pass_after(1h);
    (void)site.pass();
    CHECK(site.status.servers.at("a").remembered.crashes.in_a_row == 0);
    CHECK(site.ready() == ConditionStatus::True);
}

TEST_CASE("a clock that is set back makes no server wait for it to catch up") {
    YoungSite site;
    (void)site.pass();
    site.host.world.now -= 24h;
    (void)site.pass();
    CHECK(site.ready() == ConditionStatus::True);
}
