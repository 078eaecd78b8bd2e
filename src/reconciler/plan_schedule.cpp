#include <fmt/format.h>

#include "reconciler/draft.hpp"
#include "reconciler/scheduled.hpp"
#include "specs/grammars/time_of_day.hpp"

namespace left4me::draft {
namespace {

/// What is remembered of the schedule; nullptr: it is not known since when the game runs, or what has been
/// dealt with.
const ScheduleMemory* memory_of(const World& world, const DesiredServer& desired,
                                const ObservedServer& observed) {
    const Remembered* const memory = world.memory.find(desired.name);
    return memory == nullptr || !observed.unit.active_since ? nullptr : &memory->schedule;
}

}  // namespace

std::optional<TimePoint> scheduled_since(const World& world, const DesiredServer& desired,
                                         const ObservedServer& observed) {
    const ScheduleMemory* const memory = memory_of(world, desired, observed);
    if (memory == nullptr) return std::nullopt;
    return restart_due_since(desired.schedule, *memory, *observed.unit.active_since, world.observed.local,
                             world.observed.now);
}

Step decide_scheduled(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                      TimePoint since) {
    const std::string text = fmt::format("the restart scheduled for {}",
                                         time_of_day_text(world.observed.local.time_of_day(since)));
    if (desired.rollout.policy == RolloutPolicy::Immediate)
        return {Verb::Restart, text + "; rollout Immediate", {}, {}, Cause::Schedule};
    Step step = when_empty(world, desired, observed,
                           {.text = text,
                            .since = since,
                            .cause = Cause::Schedule,
                            .after_deadline = Cause::Schedule,
                            .code = HoldReason::Scheduled});
    step.cause = Cause::Schedule;
    return step;
}

std::optional<Step> decide_command(const World& world, const DesiredServer& desired,
                                   const ObservedServer& observed) {
    const ScheduleMemory* const memory = memory_of(world, desired, observed);
    if (memory == nullptr || observed.console_rendering.empty() || !observed.mounted_port)
        return std::nullopt;
    for (const ScheduleEntry& entry : desired.schedule) {
        if (!entry.command) continue;
        const auto since =
            due_since(entry, *memory, *observed.unit.active_since, world.observed.local, world.observed.now);
        if (!since) continue;
        const std::string text =
            fmt::format("scheduled for {}: {}", time_of_day_text(world.observed.local.time_of_day(*since)),
                        *entry.command);
        Step step{Verb::Command, text, {}, {}, Cause::Schedule};
        step.console = ConsoleCommand{*observed.mounted_port, observed.console_rendering, *entry.command,
                                      schedule_key(entry)};
        if (!entry.when_empty) return step;
        if (is_empty(observed)) return while_empty(std::move(step), observed);
        return while_empty({Verb::Hold,
                            fmt::format("{}; {}", text, waits_text(observed)),
                            {},
                            HoldReason::Scheduled,
                            Cause::Schedule},
                           observed);
    }
    return std::nullopt;
}

}  // namespace left4me::draft
