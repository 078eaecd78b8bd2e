#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

namespace left4me {

/// When to call somebody again: when `fd` is ready for `events` (poll(2)), and at the latest after `timeout`.
/// For callers with their own event loop.
struct Readiness {
    int fd = -1;  ///< -1: wait only for the timeout
    short events = POLLIN;
    std::optional<std::chrono::milliseconds> timeout;
    /// Changes if `fd` is a different open file than before, even with the same number.
    unsigned instance = 0;
};

/// Blocks until one of them should be called again. False: only because a timeout has passed.
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
    // An interruption by a signal counts as ready: the caller checks again.
    return poll(fds.data(), fds.size(), timeout) != 0;
}

}  // namespace left4me
