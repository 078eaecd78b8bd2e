#include "reconciler/local_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "specs/grammars/time_of_day.hpp"

namespace left4me {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;

/// When the clock shows `wanted` (of that local day) for the first time, or skips it.
std::optional<TimePoint> moment_of(const LocalTime& local, TimePoint wanted) {
    std::optional<TimePoint> earliest;
    const auto consider = [&earliest](TimePoint time) {
        if (!earliest || time < *earliest) earliest = time;
    };
    if (local.changes.empty()) return wanted;
    seconds before = local.changes.front().offset;
    for (const LocalTime::Change& change : local.changes) {
        const TimePoint shown = wanted - change.offset;
        if (local.offset_at(shown) == change.offset) consider(shown);
        const bool is_skipped = wanted >= change.from + before && wanted < change.from + change.offset;
        if (is_skipped) consider(change.from);
        before = change.offset;
    }
    return earliest;
}

}  // namespace

seconds LocalTime::offset_at(TimePoint time) const {
    if (changes.empty()) return seconds(0);
    const auto after = std::upper_bound(changes.begin(), changes.end(), time,
                                        [](TimePoint at, const Change& change) { return at < change.from; });
    return after == changes.begin() ? changes.front().offset : std::prev(after)->offset;
}

minutes LocalTime::time_of_day(TimePoint time) const {
    const TimePoint shown = time + offset_at(time);
    return floor<minutes>(shown - floor<days>(shown));
}

TimePoint LocalTime::next(minutes time_of_day, TimePoint time) const {
    return next(Calendar{every_day, time_of_day}, time);
}

TimePoint LocalTime::next(const Calendar& calendar, TimePoint time) const {
    const auto today = floor<days>(time + offset_at(time));
    // Yesterday, because the clock may have been set back since midnight.
    for (int day = -1; day <= 8; ++day) {
        const auto date = today + days(day);
        const std::chrono::weekday weekday(date);
        if (!calendar.days.test(weekday.iso_encoding() - 1)) continue;
        const auto moment = moment_of(*this, TimePoint(date) + calendar.at);
        if (moment && *moment > time) return *moment;
    }
    return time + days(7);  // never: no clock skips two days, and a calendar has at least one
}

bool is_within(const DailyWindow& window, const LocalTime& local, TimePoint time) {
    const minutes shown = local.time_of_day(time);
    if (window.from < window.until) return window.from <= shown && shown < window.until;
    return window.from <= shown || shown < window.until;
}

TimePoint first_within(const DailyWindow& window, const LocalTime& local, TimePoint time) {
    // A day may skip the window.
    for (int day = 0; day < 3 && !is_within(window, local, time); ++day) time = local.next(window.from, time);
    return time;
}

std::string local_text(const LocalTime& local, TimePoint time, TimePoint now) {
    const std::string clock = time_of_day_text(local.time_of_day(time));
    if (time >= now && time - now < days(1)) return clock;
    const std::chrono::year_month_day date(floor<days>(time + local.offset_at(time)));
    return fmt::format("{:04}-{:02}-{:02} {}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock);
}

}  // namespace left4me
