#pragma once

#include <chrono>
#include <string>

#include "reconciler/status.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// The clock that people and NTP set, beside one that only moves on: what the status remembers is kept in
/// the first, because people read it, and is moved along when that clock is set.
struct ClockMark {
    TimePoint wall;                          ///< CLOCK_REALTIME
    std::chrono::microseconds since_boot{};  ///< CLOCK_BOOTTIME, which counts while the host sleeps
    std::string boot;                        ///< /proc/sys/kernel/random/boot_id
};

ClockMark read_clock();

/// By how much the clock was set between two marks. 0 for less than a second, and for marks of different
/// boots: how long a host was off, nothing but the clock knows.
std::chrono::microseconds jump_between(const ClockMark& earlier, const ClockMark& later);

/// Moves every time in the status, so that what has waited an hour has still waited an hour.
void move_times(Status& status, std::chrono::microseconds by);

}  // namespace left4me
