#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

namespace left4me {

/// When somebody should be called again: as soon as `fd` is ready for `events` (poll(2)), and in any case
/// after `timeout`. For whoever has an event loop of his own.
struct Readiness {
    int fd = -1;  ///< -1: nothing to wait for but time
    short events = POLLIN;
    std::optional<std::chrono::milliseconds> timeout;
    /// Another number when `fd` is another open file than before, though it may have the same number.
    unsigned instance = 0;
};

/// Blocks until one of them should be called again. False: only because time has passed.
inline bool wait_for_any(const std::vector<Readiness>& awaited) {
    std::vector<pollfd> fds;
    int timeout = -1;
    for (const Readiness& one : awaited) {
        if (one.fd >= 0) fds.push_back({.fd = one.fd, .events = one.events, .revents = 0});
        if (!one.timeout) continue;
        const auto limit = static_cast<int>(std::clamp<std::int64_t>(one.timeout->count(), 0, 86'400'000));
        timeout = timeout < 0 ? limit : std::min(timeout, limit);
    }
    if (fds.empty() && timeout < 0) return true;
    // Interrupted by a signal is as good as ready: whoever waits looks again.
    return poll(fds.data(), fds.size(), timeout) != 0;
}

}  // namespace left4me
