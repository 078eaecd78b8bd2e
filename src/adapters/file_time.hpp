#pragma once

#include <chrono>
#include <ctime>

namespace left4me {

/// A time of stat(2), as a TimePoint.
inline std::chrono::sys_time<std::chrono::microseconds> time_of(const timespec& time) {
    using Time = std::chrono::sys_time<std::chrono::microseconds>;
    return Time(std::chrono::floor<std::chrono::microseconds>(std::chrono::seconds(time.tv_sec) +
                                                              std::chrono::nanoseconds(time.tv_nsec)));
}

}  // namespace left4me
