#include "reconciler/health.hpp"

#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// a and b run; the probe sees both.
struct Watched : Site {
    Watched() {
        host.world.is_probed = true;
        host.world.now = TimePoint(std::chrono::hours(100));
        for (const char* name : {"a", "b"}) {
            ask_for(desired, name, static_cast<std::uint16_t>(*name)).health = {.startup = minutes(3),
                                                                                .unresponsive = minutes(5)};
        }
        (void)pass();
        host.world.now += minutes(30);  // they have long started up
        host.calls.clear();
    }
    void silent(const std::string& name, seconds silence, std::optional<seconds> unread) {
        server(name).socket = ObservedSocket{.has_answered = true, .silent = silence, .unread = unread};
    }
    const Condition& ready(const std::string& name) { return condition(name, "Ready"); }
};

}  // namespace

TEST_CASE("a server is Ready when its game answers") {
    Watched site;
    CHECK(site.ready("a").status == ConditionStatus::True);
    CHECK(site.ready("a").message ==
          "the unit is active and enabled, its overlay mounted, and the game answers");
    // The probe has only just begun.
    site.server("a").socket = ObservedSocket{.has_answered = false, .silent = seconds(1)};
    site.server("a").unit.active_since = site.host.world.now - seconds(20);
    (void)site.pass();
    CHECK(site.ready("a").status == ConditionStatus::True);
    // The game was started again.
    site.server("a").unit.active_since = site.host.world.now;
    for (const seconds later : {seconds(0), seconds(20)}) {
        site.host.world.now += later;
        (void)site.pass();
        CHECK(site.ready("a").status == ConditionStatus::False);
        CHECK(site.ready("a").reason == ConditionReason(StateReason::JustStarted));
    }
}

TEST_CASE("a game that has not answered by the end of its time to start up does not respond") {
    Watched site;
    site.server("a").socket = ObservedSocket{.has_answered = false, .silent = minutes(3)};
    site.server("a").unit.active_since = site.host.world.now - minutes(3);
    (void)site.pass();
    CHECK(site.ready("a").reason == ConditionReason(StateReason::NotResponding));
    CHECK(site.host.calls.empty());
}

TEST_CASE("a lost answer is no silence, and without a probe nothing is known") {
    Watched site;
    site.silent("a", seconds(60), {});
    (void)site.pass();
    CHECK(site.ready("a").status == ConditionStatus::True);
    site.silent("a", minutes(60), minutes(60));
    site.host.world.is_probed = false;
    (void)site.pass();
    CHECK(site.ready("a").status == ConditionStatus::True);
    CHECK(site.host.calls.empty());
}

TEST_CASE("a game that hangs is restarted, which is a failure and kicks nobody") {
    Watched site;
    site.silent("a", minutes(6), minutes(6));
    (void)site.pass();
    CHECK(site.ready("a").status == ConditionStatus::True);
    CHECK(site.host.calls == std::vector<FakeHost::Call>{{Verb::Restart, {Kind::Server, "a"}}});
    CHECK(site.host.kicked.empty());
    const Backoff& backoff = site.status.servers.at("a").remembered.backoff;
    CHECK(backoff.failures == 1);
    CHECK(backoff.reason == FailureKind::NotResponding);
    // Again at once: it waits.
    site.silent("a", minutes(6), minutes(6));
    (void)site.pass();
    CHECK(site.host.calls.size() == 1);
    site.host.world.now += minutes(6);
    (void)site.pass();
    CHECK(site.host.calls.size() == 2);
    CHECK(site.status.servers.at("a").remembered.backoff.failures == 2);
}

TEST_CASE("a game that answers at the last moment is not restarted, and that is no failure") {
    Watched site;
    site.silent("a", minutes(6), minutes(6));
    site.host.joining.insert("a");
    const auto before = site.server("a").processes;
    (void)site.pass();
    CHECK(site.server("a").processes == before);
    CHECK(site.status.servers.at("a").remembered.backoff.failures == 0);
}
