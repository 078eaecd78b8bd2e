#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/units.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

/// What PID 1 reports about one server's unit beyond ListUnits.
struct UnitProperties {
    std::string active;
    std::string result;
    std::string detail;                    ///< which of the unit's commands failed, as text; empty: none did
    std::uint64_t inactive_exit_usec = 0;  ///< CLOCK_MONOTONIC: when its last start began

    ActiveState active_state() const;
};

/// What PID 1 reports about a unit's process. Requested property by property: all of them are some 300 per
/// unit, and take ten times as long.
struct UnitProcess {
    std::uint32_t main_pid = 0;
    std::uint32_t restarts = 0;
    std::uint64_t state_change_usec = 0;   ///< CLOCK_REALTIME
    std::vector<std::uint8_t> invocation;  ///< InvocationID: 16 bytes, or none before the first start
};

ActiveState parse_active_state(const std::string& word);

/// Asks at once for everything of one unit. `on_properties` gets null and the error when PID 1 does not tell.
/// PID 1 answers for units that are not loaded, too. `unit`: its whole name.
void ask_properties(Bus& bus, const std::string& unit,
                    std::function<void(const UnitProperties*, const BusError*)> on_properties);

/// `on_process` gets null and the error if PID 1 does not answer.
void ask_process(Bus& bus, const std::string& server,
                 std::function<void(const UnitProcess*, const BusError*)> on_process);

/// Only the Result, corrected as in UnitProperties; cheap enough for every failed unit of a host.
void ask_result(Bus& bus, const std::string& server,
                std::function<void(const std::string& result)> on_result);

/// Since when a unit is Active, and how it came to be.
struct UnitActivation {
    std::uint64_t active_enter_usec = 0;  ///< CLOCK_REALTIME; 0: PID 1 does not tell
    std::uint32_t restarts = 0;           ///< NRestarts
};

void ask_activation(Bus& bus, const std::string& server,
                    std::function<void(const UnitActivation&)> on_activation);

/// When PID 1 last read its unit files, CLOCK_REALTIME; 0 if it does not tell.
void ask_unit_files_read(Bus& bus, std::function<void(std::uint64_t usec)> on_time);

/// `unit`: the whole name of a service, slice or scope.
void ask_limits(Bus& bus, const std::string& unit, std::function<void(const UnitLimits&)> on_limits);

/// Corrects a Result of systemd 252 and 257: if a unit has failed for another reason, hitting the start limit
/// leaves that reason in Result. But our units fail permanently right after their ExecStopPost, unless they
/// waited RestartSec= for a restart that was then refused.
std::string corrected_result(const std::string& result, std::uint64_t stop_post_exit_usec,
                             std::uint64_t inactive_enter_usec, std::uint64_t restart_usec);

}  // namespace left4me
