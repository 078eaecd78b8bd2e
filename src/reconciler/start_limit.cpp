#include <fmt/format.h>

#include <algorithm>

#include "reconciler/crashes.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/health.hpp"

namespace left4me::draft {
namespace {

/// It runs, and does not answer yet; of one that nobody asks, it is not known yet whether it stays up. One
/// that crashes again and again may never come up, and the others do not wait for that; neither do they for
/// one that systemd is starting again. What left4me starts is under way.
bool comes_up(const World& world, const TargetServer& target, const ObservedServer& observed) {
    static const Remembered nothing;
    const Remembered* const memory = world.memory.find(target.spec->name);
    const Crashes& crashes = (memory == nullptr ? nothing : *memory).crashes;
    if (observed.unit.active != ActiveState::Active || crashes_again(crashes)) return false;
    return !has_stayed_up(crashes, observed.unit, world.observed.now) ||
           response_of(*target.spec, observed, world.observed) == Response::NotYet;
}

}  // namespace

void limit_starts(const World& world, std::vector<ServerDraft>& drafts) {
    const auto most = world.desired().start_parallel;
    if (!most) return;
    std::size_t coming = 0;
    for (const auto& [name, target] : world.target.servers) {
        const auto seen = world.observed.servers.find(name);
        const bool is_begun = world.memory.under_way.contains(name);
        if (is_begun || (seen != world.observed.servers.end() && comes_up(world, target, seen->second)))
            ++coming;
    }
    for (ServerDraft& draft : drafts) {
        // One that is stopped for its start has had its turn.
        if (draft.has(Verb::Stop) || world.memory.under_way.contains(draft.name)) continue;
        const auto start = std::find_if(draft.steps.begin(), draft.steps.end(),
                                        [](const Step& step) { return step.verb == Verb::Start; });
        if (start == draft.steps.end() || coming++ < *most) continue;
        *start = Step{
            Verb::Hold,
            fmt::format("{}; waits until others have come up: startParallel is {}", start->reason, *most),
            {},
            HoldReason::StartPending};
        start->wait = Wait{WaitsFor::Turn};
    }
}

}  // namespace left4me::draft
