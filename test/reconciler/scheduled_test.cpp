#include <chrono>

#include "specs/grammars/calendar.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using namespace std::chrono_literals;

namespace {

ScheduleEntry entry(const char* at, std::optional<std::string> command = {}) {
    return {at, parse_calendar(at).value(), std::move(command)};
}

/// One server that has been up since midnight of a Thursday.
struct Day : Site {
    Day() {
        DesiredServer& server = ask_for(desired, "a", 27015);
        server.rollout.policy = RolloutPolicy::WhenEmpty;
        host.world.now = TimePoint(0h);
        host.up_for = 0s;
        (void)pass();
        this->server("a").players = 0;
        this->server("a").has_console = true;
    }

    void until(TimePoint end) {
        for (; host.world.now < end; host.world.now += 5min) (void)pass();
    }
};

}  // namespace

TEST_CASE("a server is restarted once a day, at its time") {
    Day site;
    site.desired.servers.at("a").schedule = {entry("05:00")};
    site.until(TimePoint(4h + 59min));
    CHECK(site.server("a").processes == 1);
    site.until(TimePoint(29h));
    CHECK(site.server("a").processes == 2);
    site.until(TimePoint(29h + 10min));
    CHECK(site.server("a").processes == 3);
    site.until(TimePoint(53h));
    CHECK(site.server("a").processes == 3);
}

TEST_CASE("a scheduled restart waits for players, and is made once for all the days that it has waited") {
    Day site;
    site.desired.servers.at("a").schedule = {entry("05:00")};
    site.server("a").players = 2;
    site.until(TimePoint(60h));
    CHECK(site.server("a").processes == 1);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::Scheduled));
    CHECK(site.condition("a", "Ready").status == ConditionStatus::True);
    site.server("a").players = 0;
    site.until(TimePoint(76h));
    CHECK(site.server("a").processes == 2);
}

TEST_CASE("what is scheduled at the same time is given to the console one after another, and each day once") {
    Day site;
    site.desired.servers.at("a").schedule = {entry("05:00", "first"), entry("05:00", "second"),
                                             entry("Fri 06:00", "on fridays")};
    site.until(TimePoint(47h));
    using Given = std::pair<std::string, std::string>;
    CHECK(site.host.commands ==
          std::vector<Given>{
              {"a", "first"}, {"a", "second"}, {"a", "first"}, {"a", "second"}, {"a", "on fridays"}});
    CHECK(site.server("a").processes == 1);
}

TEST_CASE("an entry that is new, or was removed and is there again, does not make up for what is past") {
    Day site;
    site.until(TimePoint(6h));
    site.desired.servers.at("a").schedule = {entry("05:00")};
    site.until(TimePoint(7h));
    site.desired.servers.at("a").schedule = {};
    site.until(TimePoint(30h));
    site.desired.servers.at("a").schedule = {entry("05:00")};
    site.until(TimePoint(31h));
    CHECK(site.server("a").processes == 1);
    site.until(TimePoint(54h));
    CHECK(site.server("a").processes == 2);
}

TEST_CASE("a pass is made when something is scheduled") {
    Day site;
    site.desired.servers.at("a").schedule = {entry("05:00"), entry("04:30", "say good morning")};
    site.until(TimePoint(1h));
    CHECK(site.wake() == TimePoint(4h + 30min));
    site.until(TimePoint(4h + 31min));
    CHECK(site.wake() == TimePoint(5h));
}
