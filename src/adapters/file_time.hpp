#pragma once

#include <chrono>
#include <ctime>

#include "reconciler/time.hpp"

namespace left4me {

/// A time of stat(2).
inline TimePoint time_of(const timespec& time) {
    return TimePoint(std::chrono::floor<TimePoint::duration>(std::chrono::seconds(time.tv_sec) +
                                                             std::chrono::nanoseconds(time.tv_nsec)));
}

}  // namespace left4me
