// `refresh` of an overlay: when its pin is moved forward.
#include "reconciler/refresh.hpp"

#include <algorithm>

#include "reconciler/events.hpp"
#include "reconciler/wake.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using namespace std::chrono_literals;

namespace {

const Subject overlay{Kind::Overlay, "o"};
const TimePoint midnight = TimePoint(24h * 400);

/// Server `a` with the overlay `o`, which is built, and is refreshed at 04:00.
struct RefreshSite : Site {
    RefreshSite() {
        host.world.now = midnight + 12h;
        desired.overlays.emplace("o", DirectorySource{});
        desired.refreshes["o"] = Calendar{every_day, 4h};
        ask_for(desired, "a", 1).overlays = {"o"};
        host.world.sources.insert_or_assign("o", "aaaa");
        (void)run(host, desired, intent, status, Builds::AreAwaited);
    }

    RunResult pass_at(TimePoint time) {
        host.world.now = time;
        return pass();
    }
    auto refreshes() const {
        return std::count(host.calls.begin(), host.calls.end(), FakeHost::Call{Verb::Refresh, overlay});
    }
    std::optional<TimePoint> wake() {
        return earliest_wake(host.target(desired), intent, status, {}, host.world.now);
    }
    void fail_next() { host.fail_call = host.calls.size(); }
    const Action* left(const RunResult& result) const {
        const auto found = std::find_if(result.remaining.actions.begin(), result.remaining.actions.end(),
                                        [](const Action& action) { return action.subject == overlay; });
        return found == result.remaining.actions.end() ? nullptr : &*found;
    }
};

}  // namespace

TEST_CASE("an overlay is refreshed at its time, once a day, and not when it is first asked for") {
    RefreshSite site;
    CHECK(site.pass().remaining.empty());
    CHECK(site.refreshes() == 0);
    CHECK(site.wake() == midnight + 28h);
    (void)site.pass_at(midnight + 28h - 1s);
    CHECK(site.refreshes() == 0);
    CHECK(site.pass_at(midnight + 28h).remaining.empty());
    CHECK(site.refreshes() == 1);
    CHECK(site.wake() == midnight + 52h);
    (void)site.pass_at(midnight + 51h);
    CHECK(site.refreshes() == 1);
    (void)site.pass_at(midnight + 52h);
    CHECK(site.refreshes() == 2);
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.host.violations.empty());
}

TEST_CASE("times at which the host was off are made up for once") {
    RefreshSite site;
    (void)site.pass_at(midnight + 24h * 10 + 9h);
    CHECK(site.refreshes() == 1);
    (void)site.pass_at(midnight + 24h * 10 + 10h);
    CHECK(site.refreshes() == 1);
    CHECK(site.wake() == midnight + 24h * 11 + 4h);
}

TEST_CASE("a clock that is set back postpones a refresh by a day at most") {
    RefreshSite site;
    (void)site.pass_at(midnight + 24h * 300);
    CHECK(site.refreshes() == 1);
    (void)site.pass_at(midnight + 24h + 9h);
    CHECK(site.refreshes() == 1);
    (void)site.pass_at(midnight + 52h);
    CHECK(site.refreshes() == 2);
}

TEST_CASE("a refresh that fails is tried again later, says so, and the servers do not notice") {
    RefreshSite site;
    site.fail_next();
    const RunResult failed = site.pass_at(midnight + 28h);
    CHECK(site.refreshes() == 1);
    const Action* const hold = site.left(failed);
    REQUIRE(hold != nullptr);
    CHECK(hold->code == HoldReason::RefreshFailed);
    CHECK(hold->reason.starts_with("its refresh of 04:00 failed"));
    CHECK(site.status.last_applied_revision == site.desired.revision);
    CHECK(site.status.overlays.empty());  // no build has failed
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    const TimePoint retry = *site.status.refreshes.at("o").backoff.retry_at;
    CHECK(retry > midnight + 28h);
    CHECK(site.wake() == retry);
    (void)site.pass_at(retry - 1s);
    CHECK(site.refreshes() == 1);
    CHECK(site.pass_at(retry).remaining.empty());
    CHECK(site.refreshes() == 2);
    CHECK(site.status.refreshes.at("o").backoff == Backoff{});
    CHECK(site.wake() == midnight + 52h);
}

TEST_CASE("a person who asks for a pass does not wait for the next try of a refresh") {
    RefreshSite site;
    site.fail_next();
    (void)site.pass_at(midnight + 28h);
    site.ask_for_retry();
    CHECK(site.pass().remaining.empty());
    CHECK(site.refreshes() == 2);
    // What is not due is not asked for, whoever asks.
    (void)site.pass();
    CHECK(site.refreshes() == 2);
}

TEST_CASE("while an overlay is built, or everything is suspended, it is not refreshed") {
    RefreshSite site;
    site.host.world.sources.insert_or_assign("o", "bbbb");
    site.host.hanging = {"o"};
    (void)site.pass_at(midnight + 28h);
    (void)site.pass();
    CHECK(site.refreshes() == 0);
    site.host.hanging.clear();
    site.host.end_builds();
    site.intent.suspended.all = Suspension{};
    (void)site.pass();
    CHECK(site.refreshes() == 0);
    site.intent.suspended.all.reset();
    (void)site.pass();
    CHECK(site.refreshes() == 1);
}

TEST_CASE("what is no longer asked for is forgotten") {
    RefreshSite site;
    CHECK(site.status.refreshes.size() == 1);
    site.desired.refreshes.clear();
    (void)site.pass_at(midnight + 24h * 10);
    CHECK(site.status.refreshes.empty());
    CHECK(site.refreshes() == 0);
}

TEST_CASE("a refresh is told of, and a failure that repeats is told of once") {
    RefreshSite site;
    std::vector<std::string> told;
    const auto pass_at = [&](TimePoint time) {
        const Status before = site.status;
        const RunResult result = site.pass_at(time);
        for (const Event& event : events_of(before, site.desired.revision, site.intent, result.ended.plan,
                                            result.ended.outcomes, site.status))
            told.push_back(event.subject + " " + event.reason);
    };
    site.fail_next();
    pass_at(midnight + 28h);
    site.fail_next();
    pass_at(*site.status.refreshes.at("o").backoff.retry_at);
    pass_at(*site.status.refreshes.at("o").backoff.retry_at);
    CHECK(told == std::vector<std::string>{"overlay/o RefreshFailed", "overlay/o Refreshed"});
}
