#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/events/system_journal.hpp"
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

/// How games ended, from the journal, which is opened once for many servers.
class GameEnds {
  public:
    GameEnds();
    /// The latest end of the server's game since then that PID 1 has told the journal of (systemd 252 and 257
    /// do not tell of exit status 0). nullopt: none, or no journal.
    std::optional<ProcessEnd> last(const std::string& server, TimePoint since) const;

  private:
    Journal journal_;
};

}  // namespace left4me
