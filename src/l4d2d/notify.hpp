#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace left4me {

/// sd_notify(3); does nothing if the service manager did not ask for notifications.
void notify(const std::string& state);

/// How often WATCHDOG=1 must be sent, sd_watchdog_enabled(3).
std::optional<std::chrono::microseconds> watchdog_interval();

/// A line for the journal; systemd reads the level from its beginning, sd-daemon(3).
enum class Level { Error = 3, Warning = 4, Notice = 5, Info = 6 };
void log(Level level, const std::string& message);

}  // namespace left4me
