#pragma once

#include <chrono>
#include <string>

#include "reconciler/status.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// The clock that people and NTP set, and one that only moves forward. Times in the status are of the first,
/// because people read them, and are adjusted when that clock is set.
struct ClockMark {
    TimePoint wall;                          ///< CLOCK_REALTIME
    std::chrono::microseconds since_boot{};  ///< CLOCK_BOOTTIME, which also counts while the host sleeps
    std::string boot;                        ///< /proc/sys/kernel/random/boot_id
};

ClockMark read_clock();

/// How far the clock was set between two marks. 0 for less than a second, and for marks of different boots:
/// only the clock knows how long a host was off.
std::chrono::microseconds jump_between(const ClockMark& earlier, const ClockMark& later);

/// Shifts every time in the status, so that what has waited an hour has still waited an hour.
void move_times(Status& status, std::chrono::microseconds by);

}  // namespace left4me
