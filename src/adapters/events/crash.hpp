#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reconciler/time.hpp"

namespace left4me {

/// How a game's process ended.
struct ProcessEnd {
    TimePoint at{};
    std::string how;  ///< "signal 11", "exit status 1"

    bool operator==(const ProcessEnd&) const = default;
};

/// From the fields of systemd's message: EXIT_CODE= is "exited", "killed" or "dumped", EXIT_STATUS= the
/// status or the number of the signal.
std::string end_text(std::string_view exit_code, std::string_view exit_status);

/// "signal 11 after 3 h"; without `up_since` only "signal 11".
std::string crash_text(const ProcessEnd& end, const std::optional<TimePoint>& up_since);

/// The latest end of the server's game since then that PID 1 has told the journal of (systemd 252 and 257 do
/// not tell of exit status 0). nullopt: none, or no journal.
std::optional<ProcessEnd> last_end(const std::string& server, TimePoint since);

}  // namespace left4me
