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

bool is_empty(const ObservedServer& observed) {
    return observed.players && shows_empty(*observed.players) && observed.mounted_port;
}

/// Why a restart waits although it may be made when nobody plays.
std::string waits_text(const ObservedServer& observed) {
    const unsigned count = observed.players ? observed.players->count : 0;
    // An old answer that nobody plays says nothing.
    if (count == 0) return "waits until empty: number of players unknown, which counts as occupied";
    return fmt::format("waits until empty: {} player{}", count, count == 1 ? "" : "s");
}

/// It waits for players, or must be asked once more.
Step while_empty(Step step, const ObservedServer& observed) {
    step.while_empty = observed.mounted_port;
    return step;
}

Step when_empty(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                const std::string& change) {
    if (is_empty(observed)) {
        return while_empty(
            restart(fmt::format("{}; rollout WhenEmpty, and nobody is playing", change), Cause::Manifest),
            observed);
    }
    if (deadline_passed(world, desired)) {
        return restart(fmt::format("{}; rollout WhenEmpty has waited {} s, its deadline", change,
                                   desired.rollout.deadline->count()),
                       Cause::Deadline);
    }
    return while_empty(hold(fmt::format("{}; rollout WhenEmpty {}", change, waits_text(observed))), observed);
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
    const Step now{Verb::Restart, text, {}, {}, Cause::Request, request->by};
    if (!request->when_empty) return now;
    if (!is_empty(observed)) {
        return while_empty(
            {Verb::Hold, fmt::format("{}; {}", text, waits_text(observed)), {}, HoldReason::RestartPending},
            observed);
    }
    Step restart = while_empty(now, observed);
    restart.reason += ", when empty; nobody plays";
    return restart;
}

}  // namespace left4me::draft
