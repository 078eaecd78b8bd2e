#include "reconciler/local_time.hpp"

#include "reconciler/deadline.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

TimePoint utc(unsigned month, unsigned day, std::chrono::minutes clock) {
    using namespace std::chrono;
    return TimePoint(sys_days(year(2026) / std::chrono::month(month) / std::chrono::day(day))) + clock;
}

/// Central Europe in spring: on 29 March, the clock goes from 02:00 to 03:00.
const LocalTime spring{{{utc(3, 28, 0h), 1h}, {utc(3, 29, 1h), 2h}}};
/// And in autumn: on 25 October, from 03:00 back to 02:00.
const LocalTime autumn{{{utc(10, 24, 0h), 2h}, {utc(10, 25, 1h), 1h}}};

Rollout when_empty() {
    Rollout rollout;
    rollout.policy = RolloutPolicy::WhenEmpty;
    return rollout;
}

}  // namespace

TEST_CASE("the clock on the wall is that of the time zone") {
    CHECK(spring.time_of_day(utc(3, 29, 59min)) == 1h + 59min);
    CHECK(spring.time_of_day(utc(3, 29, 60min)) == 3h);
    CHECK(autumn.time_of_day(utc(10, 25, 59min)) == 2h + 59min);
    CHECK(autumn.time_of_day(utc(10, 25, 60min)) == 2h);
    CHECK(LocalTime{}.time_of_day(utc(3, 29, 13h + 5min)) == 13h + 5min);
    CHECK(spring.time_of_day(utc(3, 28, 23h + 30min)) == 30min);
}

TEST_CASE("a time of day comes once a day, also on the days on which the clock changes") {
    CHECK(spring.next(6h, utc(3, 28, 12h)) == utc(3, 29, 4h));
    CHECK(spring.next(1h, utc(3, 28, 12h)) == utc(3, 29, 0h));
    // The clock skips 02:30.
    CHECK(spring.next(2h + 30min, utc(3, 28, 12h)) == utc(3, 29, 1h));
    CHECK(spring.next(2h + 30min, utc(3, 29, 1h)) == utc(3, 30, 30min));
    // It shows 02:30 twice.
    CHECK(autumn.next(2h + 30min, utc(10, 24, 12h)) == utc(10, 25, 30min));
    CHECK(autumn.next(2h + 30min, utc(10, 25, 30min)) == utc(10, 26, 1h + 30min));
    CHECK(LocalTime{}.next(6h, utc(3, 28, 6h)) == utc(3, 29, 6h));
    CHECK(LocalTime{}.next(6h, utc(3, 28, 6h) - 1us) == utc(3, 28, 6h));
}

TEST_CASE("every next time of day is later, and less than 26 hours away") {
    for (const LocalTime& local : {spring, autumn, LocalTime{}}) {
        for (std::chrono::minutes wanted = 0min; wanted < 24h; wanted += 30min) {
            const TimePoint begin = local.changes.empty() ? utc(3, 28, 0h) : local.changes[0].from;
            for (TimePoint at = begin; at < begin + 72h; at += 17min) {
                const TimePoint next = local.next(wanted, at);
                CHECK(next > at);
                CHECK(next - at < 26h);
            }
        }
    }
}

TEST_CASE("a calendar names days of the week, by the host's clock") {
    // 2026-03-29 is a Sunday.
    const Calendar mondays{0b0000001, 5h};
    CHECK(LocalTime{}.next(mondays, utc(3, 29, 12h)) == utc(3, 30, 5h));
    CHECK(LocalTime{}.next(mondays, utc(3, 30, 5h)) == utc(4, 6, 5h));
    CHECK(spring.next(mondays, utc(3, 28, 12h)) == utc(3, 30, 3h));
    const Calendar weekend{0b1100000, 30min};
    // Here it is Sunday already: 00:30 has passed.
    CHECK(spring.next(weekend, utc(3, 28, 23h + 45min)) == utc(4, 3, 22h + 30min));
    CHECK(spring.next(weekend, utc(3, 28, 12h)) == utc(3, 28, 23h + 30min));
}

TEST_CASE("every next moment of a calendar is later, on one of its days, and none is left out") {
    for (const LocalTime& local : {spring, autumn, LocalTime{}}) {
        const TimePoint begin = local.changes.empty() ? utc(3, 28, 0h) : local.changes[0].from;
        for (unsigned days = 1; days < 128; days += 3) {
            const Calendar calendar{days, 2h + 30min};
            for (TimePoint at = begin; at < begin + 120h; at += 97min) {
                const TimePoint next = local.next(calendar, at);
                CHECK(next > at);
                CHECK(next - at < 170h);
                CHECK(local.next(calendar, next - 1us) == next);
                const std::chrono::weekday day(
                    std::chrono::floor<std::chrono::days>(next + local.offset_at(next)));
                CHECK(calendar.days.test(day.iso_encoding() - 1));
            }
        }
    }
}

TEST_CASE("a window may reach over midnight") {
    const DailyWindow night{23h, 6h};
    CHECK(is_within(night, LocalTime{}, utc(3, 1, 23h)));
    CHECK(is_within(night, LocalTime{}, utc(3, 1, 5h + 59min)));
    CHECK_FALSE(is_within(night, LocalTime{}, utc(3, 1, 6h)));
    CHECK_FALSE(is_within(night, LocalTime{}, utc(3, 1, 22h + 59min)));
    const DailyWindow morning{4h, 8h};
    CHECK(is_within(morning, LocalTime{}, utc(3, 1, 4h)));
    CHECK_FALSE(is_within(morning, LocalTime{}, utc(3, 1, 8h)));
    CHECK(first_within(morning, LocalTime{}, utc(3, 1, 5h)) == utc(3, 1, 5h));
    CHECK(first_within(morning, LocalTime{}, utc(3, 1, 8h)) == utc(3, 2, 4h));
}

TEST_CASE("on a day on which the clock skips the window, it does not open") {
    const DailyWindow skipped{2h, 3h};
    for (TimePoint at = utc(3, 28, 12h); at < utc(3, 29, 23h); at += 1min)
        CHECK_FALSE(is_within(skipped, spring, at));
    CHECK(first_within(skipped, spring, utc(3, 28, 12h)) == utc(3, 30, 0h));
}

TEST_CASE("a deadline is a duration or a time of day, and waits for the window") {
    Rollout rollout = when_empty();
    CHECK_FALSE(deadline_of(rollout, spring, utc(3, 28, 12h)));
    rollout.deadline = 12h;
    CHECK(deadline_of(rollout, spring, utc(3, 28, 12h)) == utc(3, 29, 0h));
    rollout.window = DailyWindow{4h, 8h};
    CHECK(deadline_of(rollout, spring, utc(3, 28, 12h)) == utc(3, 29, 2h));
    rollout.deadline.reset();
    rollout.deadline_at = 6h;
    CHECK(deadline_of(rollout, spring, utc(3, 28, 12h)) == utc(3, 29, 4h));
    rollout.policy = RolloutPolicy::OnNextStart;
    CHECK_FALSE(deadline_of(rollout, spring, utc(3, 28, 12h)));
}

TEST_CASE("a moment is told by the host's clock, with its date if it is far") {
    CHECK(local_text(spring, utc(3, 29, 4h), utc(3, 28, 12h)) == "06:00");
    CHECK(local_text(spring, utc(3, 30, 4h), utc(3, 28, 12h)) == "2026-03-30 06:00");
    CHECK(local_text(LocalTime{}, utc(3, 28, 4h), utc(3, 28, 12h)) == "2026-03-28 04:00");
}
