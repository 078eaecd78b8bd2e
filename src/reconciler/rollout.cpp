#include <fmt/format.h>

#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

bool deadline_passed(const World& world, const DesiredServer& desired) {
    if (!desired.rollout.deadline) return false;
    const Remembered* memory = world.memory.find(desired.name);
    if (memory == nullptr || !memory->held_since) return false;
    // In the future: the clock was set back. The wait begins anew rather than being an hour longer.
    const TimePoint held_since = std::min(*memory->held_since, world.observed.now);
    return world.observed.now - held_since >= *desired.rollout.deadline;
}

Step hold(std::string reason) { return {Verb::Hold, std::move(reason), {}, HoldReason::RolloutPending}; }

Step restart(std::string reason) { return {Verb::Restart, std::move(reason), {}, {}}; }

Step when_empty(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                const std::string& change) {
    if (observed.players == 0U)
        return restart(fmt::format("{}; rollout WhenEmpty, and nobody plays", change));
    if (deadline_passed(world, desired)) {
        return restart(fmt::format("{}; rollout WhenEmpty has waited {} s, its deadline", change,
                                   desired.rollout.deadline->count()));
    }
    if (!observed.players) {
        return hold(fmt::format("{}; rollout WhenEmpty waits: number of players unknown: counts as occupied",
                                change));
    }
    return hold(fmt::format("{}; rollout WhenEmpty waits: {} player{}", change, *observed.players,
                            *observed.players == 1 ? "" : "s"));
}

}  // namespace

Step decide_rollout(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                    const std::string& change) {
    switch (desired.rollout.policy) {
        case RolloutPolicy::Immediate:
            return restart(fmt::format("{}; rollout Immediate", change));
        case RolloutPolicy::WhenEmpty:
            return when_empty(world, desired, observed, change);
        case RolloutPolicy::OnNextStart:
            break;
    }
    return hold(fmt::format("{}; rollout OnNextStart waits for the next start", change));
}

}  // namespace left4me::draft
