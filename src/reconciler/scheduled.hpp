#pragma once

#include <map>
#include <optional>
#include <string>

#include "reconciler/desired.hpp"
#include "reconciler/local_time.hpp"

namespace left4me {

/// From when on the times of each entry of a server's schedule count, by schedule_key(): from when it was
/// first seen, and for a command from when it was given last.
using ScheduleMemory = std::map<std::string, TimePoint>;

/// "05:00 Restart", "Mon 06:30 sm_reloadadmins".
std::string schedule_key(const ScheduleEntry& entry);

/// What is remembered of a schedule that is in force now.
ScheduleMemory next_schedule_memory(const std::vector<ScheduleEntry>& schedule, const ScheduleMemory& before,
                                    TimePoint now);

/// A command that is this late is not given any more, unless it waits for players.
inline constexpr std::chrono::minutes command_grace{10};

/// The time of the entry that has come since the game was started and has not been dealt with; nullopt: none.
/// A restart, whoever made it, deals with all earlier ones.
std::optional<TimePoint> due_since(const ScheduleEntry& entry, const ScheduleMemory& memory,
                                   TimePoint active_since, const LocalTime& local, TimePoint now);

/// The earliest such time of the entries that ask for a restart.
std::optional<TimePoint> restart_due_since(const std::vector<ScheduleEntry>& schedule,
                                           const ScheduleMemory& memory, TimePoint active_since,
                                           const LocalTime& local, TimePoint now);

}  // namespace left4me
