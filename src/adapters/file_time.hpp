#pragma once

#include <chrono>
#include <ctime>

namespace left4me {

/// A time of stat(2), as a TimePoint.
inline std::chrono::sys_time<std::chrono::microseconds> time_of(const timespec& time) {
    const std::chrono::sys_time<std::chrono::nanoseconds> exact(std::chrono::seconds(time.tv_sec) +
                                                                std::chrono::nanoseconds(time.tv_nsec));
    return std::chrono::floor<std::chrono::microseconds>(exact);
}

}  // namespace left4me
