#include <fmt/format.h>

#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

bool deadline_passed(const World& world, const DesiredServer& desired) {
    if (!desired.rollout.deadline) return false;
    const Remembered* memory = world.memory.find(desired.name);
    if (memory == nullptr || !memory->held_since) return false;
    // In the future: the clock was set back. The wait starts over instead of becoming an hour longer.
    const TimePoint held_since = std::min(*memory->held_since, world.observed.now);
    return world.observed.now - held_since >= *desired.rollout.deadline;
}

Step hold(std::string reason) { return {Verb::Hold, std::move(reason), {}, HoldReason::RolloutPending}; }

Step restart(std::string reason, Cause cause) { return {Verb::Restart, std::move(reason), {}, {}, cause}; }

/// What players make a restart wait for.
std::string occupied_text(const ObservedServer& observed) {
    if (!observed.players) return "number of players unknown: counts as occupied";
    return fmt::format("{} player{}", *observed.players, *observed.players == 1 ? "" : "s");
}

Step when_empty(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                const std::string& change) {
    if (observed.players == 0U)
        return restart(fmt::format("{}; rollout WhenEmpty, and nobody is playing", change), Cause::Manifest);
    if (deadline_passed(world, desired)) {
        return restart(fmt::format("{}; rollout WhenEmpty has waited {} s, its deadline", change,
                                   desired.rollout.deadline->count()),
                       Cause::Deadline);
    }
    return hold(fmt::format("{}; rollout WhenEmpty waits: {}", change, occupied_text(observed)));
}

}  // namespace

Step decide_rollout(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                    const std::string& change) {
    switch (desired.rollout.policy) {
        case RolloutPolicy::Immediate:
            return restart(fmt::format("{}; rollout Immediate", change), Cause::Manifest);
        case RolloutPolicy::WhenEmpty:
            return when_empty(world, desired, observed, change);
        case RolloutPolicy::OnNextStart:
            break;
    }
    return hold(fmt::format("{}; rollout OnNextStart waits for the next start", change));
}

std::optional<Step> decide_request(const World& world, const std::string& server,
                                   const ObservedServer& observed) {
    const RestartRequest* const request = request_for(world.intent.restarts, server);
    if (request == nullptr || !is_restart_due(*request, server, observed)) return std::nullopt;
    const std::string text = request_text(*request);
    if (request->when_empty && observed.players != 0U) {
        return Step{Verb::Hold,
                    fmt::format("{}, when empty; waits: {}", text, occupied_text(observed)),
                    {},
                    HoldReason::RestartPending};
    }
    return Step{Verb::Restart,
                request->when_empty ? text + ", when empty; nobody plays" : text,
                {},
                {},
                Cause::Request,
                request->by};
}

}  // namespace left4me::draft
