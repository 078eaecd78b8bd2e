#pragma once

#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime() is POSIX

#include <chrono>

namespace left4me {

/// CLOCK_BOOTTIME, which nobody can set, and which counts while the host sleeps.
inline std::chrono::milliseconds since_boot() {
    timespec now{};
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds(now.tv_sec) +
                                                                 std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace left4me
