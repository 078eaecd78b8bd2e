#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "reconciler/time.hpp"
#include "specs/grammars/calendar.hpp"
#include "specs/manifest.hpp"

namespace left4me {

/// What the host's clocks on the wall show, for some days around now: plan() has no access to the time zone.
/// Empty: UTC.
struct LocalTime {
    struct Change {
        TimePoint from;
        std::chrono::seconds offset{};  ///< local time minus UTC, from then on

        bool operator==(const Change&) const = default;
    };
    std::vector<Change> changes;  ///< ascending; the first holds for what is before it, too

    std::chrono::seconds offset_at(TimePoint time) const;
    /// Of its day, as the clock shows it.
    std::chrono::minutes time_of_day(TimePoint time) const;
    /// The first moment after `time` at which the clock shows this time of day. A time that the clock shows
    /// twice on one day counts once, and one that it skips counts as the moment of the skip.
    TimePoint next(std::chrono::minutes time_of_day, TimePoint time) const;
    /// The same on the days of the week that the calendar names.
    TimePoint next(const Calendar& calendar, TimePoint time) const;
};

bool is_within(const DailyWindow& window, const LocalTime& local, TimePoint time);
/// `time` if the window is open then, else when it opens next.
TimePoint first_within(const DailyWindow& window, const LocalTime& local, TimePoint time);

/// `06:00` if that is less than a day after `now`, else `2026-03-01 06:00`; by the host's clock.
std::string local_text(const LocalTime& local, TimePoint time, TimePoint now);

}  // namespace left4me
