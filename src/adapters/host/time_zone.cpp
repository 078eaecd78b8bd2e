#include "adapters/host/time_zone.hpp"

#include <time.h>  // NOLINT(modernize-deprecated-headers): localtime_r() is POSIX

#include <ctime>

namespace left4me {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

seconds offset_at(TimePoint time) {
    const std::time_t at = std::chrono::system_clock::to_time_t(time);
    std::tm shown{};
    return ::localtime_r(&at, &shown) == nullptr ? seconds(0) : seconds(shown.tm_gmtoff);
}

/// The first second of the other offset, between two moments that differ in it.
TimePoint change_between(TimePoint before, TimePoint after) {
    const seconds offset = offset_at(before);
    while (after - before > seconds(1)) {
        const TimePoint middle = before + std::chrono::floor<seconds>((after - before) / 2);
        (offset_at(middle) == offset ? before : after) = middle;
    }
    return after;
}

}  // namespace

LocalTime local_time(TimePoint now) {
    ::tzset();  // /etc/localtime may have changed
    LocalTime local;
    // Whole seconds, as changes are. No zone has two changes within six hours.
    TimePoint at = std::chrono::floor<seconds>(now) - days(1);
    const TimePoint last = at + days(5);
    local.changes.push_back({at, offset_at(at)});
    for (; at < last; at += hours(6)) {
        const seconds offset = offset_at(at + hours(6));
        if (offset != local.changes.back().offset)
            local.changes.push_back({change_between(at, at + hours(6)), offset});
    }
    return local;
}

}  // namespace left4me
