#include "adapters/host/time_zone.hpp"

#include <cstdlib>

#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

TimePoint utc(unsigned month, unsigned day, std::chrono::minutes clock) {
    using namespace std::chrono;
    return TimePoint(sys_days(year(2026) / std::chrono::month(month) / std::chrono::day(day))) + clock;
}

}  // namespace

TEST_CASE("the host's time zone says when its clock changes") {
    REQUIRE(::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
    const LocalTime summer = local_time(utc(7, 1, 12h));
    REQUIRE(summer.changes.size() == 1);
    CHECK(summer.changes[0].offset == 2h);
    // Sunday, 29 March, 02:00 CET is 01:00 UTC.
    const LocalTime spring = local_time(utc(3, 28, 12h));
    REQUIRE(spring.changes.size() == 2);
    CHECK(spring.changes[0].offset == 1h);
    CHECK(spring.changes[1] == LocalTime::Change{utc(3, 29, 1h), 2h});
    REQUIRE(::setenv("TZ", "UTC", 1) == 0);
    CHECK(local_time(utc(3, 28, 12h)).changes.size() == 1);
    CHECK(local_time(utc(3, 28, 12h)).offset_at(utc(3, 29, 3h)) == 0s);
}
