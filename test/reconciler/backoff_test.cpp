#include "reconciler/backoff.hpp"

#include <set>

#include "reconciler/wake.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

using namespace std::chrono_literals;

/// a crashes whenever it is started; b is fine.
struct CrashingSite : Site {
    CrashingSite() {
        host.world.now = TimePoint(100h);
        ask_for(desired, "a", 1);
        ask_for(desired, "b", 2);
        host.crashing = {"a"};
    }
    const Backoff& backoff() const { return status.servers.at("a").remembered.backoff; }
    std::size_t starts() const {
        return static_cast<std::size_t>(std::count(host.calls.begin(), host.calls.end(),
                                                   FakeHost::Call{Verb::Start, {Kind::Server, "a"}}));
    }
};

}  // namespace

TEST_CASE("delays double from ten seconds to five minutes, and differ from server to server by a tenth") {
    CHECK(backoff_delay("a", 0) == 0s);
    for (const auto& [failures, seconds] : std::vector<std::pair<unsigned, int>>{
             {1, 10}, {2, 20}, {3, 40}, {4, 80}, {5, 160}, {6, 300}, {99, 300}}) {
        CAPTURE(failures);
        CHECK(backoff_delay("a", failures) >= std::chrono::seconds(seconds) * 9 / 10);
        CHECK(backoff_delay("a", failures) <= std::chrono::seconds(seconds) * 11 / 10);
        CHECK(backoff_delay("a", failures) == backoff_delay("a", failures));
    }
    std::set<std::chrono::microseconds> delays;
    for (int i = 0; i < 100; ++i) delays.insert(backoff_delay("comp" + std::to_string(i), 6));
    CHECK(delays.size() > 80);
}

TEST_CASE("a server that crashes immediately ends in a CrashLoop with growing delays") {
    CrashingSite site;
    (void)site.pass();
    CHECK(site.backoff().failures == 1);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(FailureKind::ExitCode));
    std::chrono::microseconds last{0};
    for (unsigned failures = 2; failures <= 6; ++failures) {
        site.host.world.now = *site.backoff().retry_at;
        const std::size_t before = site.starts();
        (void)site.pass();
        CHECK(site.starts() == before + 1);
        CHECK(site.backoff().failures == failures);
        CHECK(site.condition("a", "Stalled").reason == ConditionReason(StateReason::CrashLoop));
        CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::BackOff));
        const auto delay = *site.backoff().retry_at - *site.backoff().failed_at;
        CHECK(delay > last);
        last = delay;
    }
    CHECK(site.condition("b", "Ready").status == ConditionStatus::True);
}

TEST_CASE("a failed action is not retried before its time, however often the host is observed") {
    CrashingSite site;
    (void)site.pass();
    const std::size_t calls = site.host.calls.size();
    const Condition stalled = site.condition("a", "Stalled");
    for (int i = 0; i < 20; ++i) {
        site.host.world.now += 400ms;
        (void)site.pass();
    }
    CHECK(site.host.calls.size() == calls);
    CHECK(site.condition("a", "Stalled") == stalled);
}

TEST_CASE("a failed unit is restarted immediately, the second time only after its delay") {
    Site site;
    site.host.world.now = TimePoint(100h);
    ask_for(site.desired, "a", 1);
    (void)site.pass();
    const auto crash = [&site] {
        site.server("a").unit.active = ActiveState::Failed;
        site.server("a").mounted.reset();
    };
    crash();
    (void)site.pass();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    crash();
    (void)site.pass();
    CHECK(site.server("a").unit.active == ActiveState::Failed);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::BackOff));
    site.host.world.now += 11s;
    (void)site.pass();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    // It runs, but must stay up first.
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(StateReason::CrashLoop));
    site.host.world.now += 23s;
    (void)site.pass();
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
}

TEST_CASE("the corrective restart does not count as a second failure") {
    CrashingSite site;
    (void)site.pass();
    site.host.crashing.clear();
    site.host.world.now = *site.backoff().retry_at;
    CHECK(site.pass().remaining.empty());
    CHECK(site.backoff().failures == 1);
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
}

TEST_CASE("a clean stop by hand is not a failure: it is corrected immediately, every time") {
    Site site;
    ask_for(site.desired, "a", 1);
    (void)site.pass();
    for (int i = 0; i < 4; ++i) {
        reset(site.server("a").unit);
        site.server("a").unit.enablement = Enablement::Enabled;
        site.server("a").mounted.reset();
        site.server("a").starts = 0;
        CHECK(site.pass().remaining.empty());
    }
    CHECK(site.status.servers.at("a").remembered.backoff == Backoff{});
}

TEST_CASE("ten minutes without a failure reset the count") {
    CrashingSite site;
    for (int i = 0; i < 4; ++i) {
        (void)site.pass();
        site.host.world.now = *site.backoff().retry_at;
    }
    CHECK(site.backoff().failures == 4);
    site.host.crashing.clear();
    (void)site.pass();
    CHECK(site.backoff().failures == 4);
    site.host.world.now += 9min;
    (void)site.pass();
    CHECK(site.backoff() == Backoff{});
}

TEST_CASE("a changed manifest, or a person's request, is tried immediately") {
    CrashingSite site;
    (void)site.pass();
    site.ask_for_retry();
    const RunResult insisted = site.pass();
    CHECK(site.starts() == 2);
    CHECK(site.backoff().failures == 2);
    REQUIRE(insisted.remaining.actions.size() == 1);
    CHECK(insisted.remaining.actions.front().code == HoldReason::BackOff);
    site.host.crashing.clear();
    site.desired.servers.at("a").config = "hostname y";
    CHECK(site.pass().remaining.empty());
    CHECK(site.backoff() == Backoff{});
}

TEST_CASE("what a person had retried backs off as always if it fails later") {
    CrashingSite site;
    (void)site.pass();
    site.host.world.now = *site.backoff().retry_at;
    (void)site.pass();
    REQUIRE(site.backoff().failures == 2);
    const TimePoint retry = *site.backoff().retry_at;
    SECTION("it cannot be started") {
        site.ask_for_retry();
        for (int i = 0; i < 5; ++i) {
            (void)site.pass();
            CHECK(site.starts() == 3);
            site.host.world.now += 1s;
        }
        CHECK(site.backoff().failures == 3);
    }
    SECTION("it is started, and crashes") {
        site.host.crashing.clear();
        site.ask_for_retry();
        CHECK(site.pass().remaining.empty());
        CHECK(site.starts() == 3);
        site.host.world.now += 1s;
        site.server("a").unit.active = ActiveState::Failed;
        site.server("a").mounted.reset();
        for (int i = 0; i < 5; ++i) {
            (void)site.pass();
            CHECK(site.starts() == 3);
        }
        CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::BackOff));
        site.host.world.now = retry;
        CHECK(site.pass().remaining.empty());
        CHECK(site.starts() == 4);
    }
}

TEST_CASE("an overlay that cannot be built backs off, and its servers are neither stopped nor started") {
    Site site;
    site.host.world.now = TimePoint(100h);
    site.desired.overlays.emplace("o", InlineSource{});
    site.host.world.sources.emplace("o", std::string("aaaa"));
    ask_for(site.desired, "a", 1).overlays = {"o"};
    (void)site.pass();
    site.host.world.sources.insert_or_assign("o", std::string("bbbb"));
    site.host.fail_call = site.host.calls.size();
    (void)site.pass();
    REQUIRE(site.status.overlays.contains("o"));
    CHECK(site.status.overlays.at("o").reason == FailureKind::IOError);
    CHECK(site.status.servers.at("a").remembered.backoff == Backoff{});
    const std::size_t calls = site.host.calls.size();
    const RunResult held = site.pass();
    CHECK(site.host.calls.size() == calls);
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::BackOff));
    const auto wake =
        earliest_wake(held.target, site.intent, site.status, held.remaining, site.host.world.now);
    REQUIRE(wake);
    CHECK(*wake == *site.status.overlays.at("o").retry_at);
    site.host.world.now = *wake;
    CHECK(site.pass().remaining.empty());
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
}

TEST_CASE("a lost bus is not a failure of the servers") {
    Plan plan;
    for (const char* name : {"a", "b", "c", "o"})
        plan.actions.push_back({Verb::Start, {Kind::Server, name}, "because", {}, {}, {}});
    const std::vector<Outcome> outcomes{{0, false, FailureKind::Disconnected, "the bus went away"},
                                        {1, false, FailureKind::PrerequisiteFailed, "not begun"},
                                        {2, false, FailureKind::SourceChanged, "look again"},
                                        {3, false, FailureKind::JobTimeout, "it took too long"}};
    const auto mishaps = failures_of(plan, outcomes);
    REQUIRE(mishaps.size() == 1);
    CHECK(mishaps.begin()->first.name == "o");
    CHECK(mishaps.begin()->second.reason == FailureKind::JobTimeout);
}

TEST_CASE("the next wake-up is the earliest of retries, deadlines and ends of suspensions") {
    CrashingSite site;
    RunResult pass = site.pass();
    const auto wake = [&] {
        return earliest_wake(pass.target, site.intent, site.status, pass.remaining, site.host.world.now);
    };
    CHECK(wake() == site.backoff().retry_at);
    site.intent.suspended.servers["b"].until = site.host.world.now + 3s;
    CHECK(wake() == site.host.world.now + 3s);
    site.intent.suspended.servers["b"].until = site.host.world.now;  // has ended
    CHECK(wake() == site.backoff().retry_at);

    Site waiting;
    ask_for(waiting.desired, "a", 1);
    pass = waiting.pass();
    CHECK_FALSE(
        earliest_wake(pass.target, waiting.intent, waiting.status, pass.remaining, waiting.host.world.now));
    waiting.server("a").players = 3;
    waiting.desired.servers.at("a").rollout = {RolloutPolicy::WhenEmpty, 600s};
    waiting.desired.servers.at("a").config = "hostname y";
    pass = waiting.pass();
    const auto deadline =
        earliest_wake(pass.target, waiting.intent, waiting.status, pass.remaining, waiting.host.world.now);
    REQUIRE(deadline);
    REQUIRE(waiting.status.servers.at("a").remembered.held_since);
    CHECK((*deadline - *waiting.status.servers.at("a").remembered.held_since).count() == 600'000'000);
}

TEST_CASE("a suspended server shows it in its conditions, and is corrected when the suspension ends") {
    Site site;
    ask_for(site.desired, "a", 1);
    (void)site.pass();
    site.intent.suspended.servers["a"] = {"map testing", "alice", site.host.world.now,
                                          site.host.world.now + 1h};
    reset(site.server("a").unit);
    site.server("a").mounted.reset();
    const std::size_t calls = site.host.calls.size();
    (void)site.pass();
    CHECK(site.host.calls.size() == calls);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::Suspended));
    CHECK(site.condition("a", "Ready").reason == ConditionReason(StateReason::NotRunning));
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    site.host.world.now += 1h;
    CHECK(site.pass().remaining.empty());
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
}
