#include "l4d2d/notify.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdio>

namespace left4me {

void notify(const std::string& state) { (void)sd_notify(0, state.c_str()); }

std::optional<std::chrono::microseconds> watchdog_interval() {
    std::uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return std::nullopt;
    return std::chrono::microseconds(static_cast<std::int64_t>(usec));
}

void log(Level level, const std::string& message) {
    const bool terminal = isatty(STDERR_FILENO) == 1;
    const std::string before = terminal ? "" : fmt::format("<{}>", static_cast<int>(level));
    for (std::size_t at = 0; at < message.size();) {
        const std::size_t end = std::min(message.find('\n', at), message.size());
        if (end > at) fmt::print(stderr, "{}{}\n", before, message.substr(at, end - at));
        at = end + 1;
    }
}

}  // namespace left4me
