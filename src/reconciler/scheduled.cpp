#include "reconciler/scheduled.hpp"

#include <algorithm>

namespace left4me {

std::string schedule_key(const ScheduleEntry& entry) {
    return entry.at + " " + entry.command.value_or("Restart");
}

ScheduleMemory next_schedule_memory(const std::vector<ScheduleEntry>& schedule, const ScheduleMemory& before,
                                    TimePoint now) {
    ScheduleMemory memory;
    for (const ScheduleEntry& entry : schedule) {
        std::string key = schedule_key(entry);
        const auto known = before.find(key);
        memory.emplace(std::move(key), known == before.end() ? now : known->second);
    }
    return memory;
}

std::optional<TimePoint> due_since(const ScheduleEntry& entry, const ScheduleMemory& memory,
                                   TimePoint active_since, const LocalTime& local, TimePoint now) {
    const auto counted = memory.find(schedule_key(entry));
    if (counted == memory.end()) return std::nullopt;
    TimePoint from = std::max(counted->second, active_since);
    if (entry.command && !entry.when_empty) from = std::max<TimePoint>(from, now - command_grace);
    const TimePoint moment = local.next(entry.times, from);
    return moment <= now ? std::optional(moment) : std::nullopt;
}

std::optional<TimePoint> restart_due_since(const std::vector<ScheduleEntry>& schedule,
                                           const ScheduleMemory& memory, TimePoint active_since,
                                           const LocalTime& local, TimePoint now) {
    std::optional<TimePoint> earliest;
    for (const ScheduleEntry& entry : schedule) {
        if (entry.command) continue;
        const auto due = due_since(entry, memory, active_since, local, now);
        if (due && (!earliest || *due < *earliest)) earliest = due;
    }
    return earliest;
}

}  // namespace left4me
