#include <fmt/format.h>

#include <algorithm>

#include "reconciler/crashes.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/health.hpp"

namespace left4me::draft {
namespace {

/// It has begun to start, and does not answer yet; of one that nobody asks, it is not known yet whether it
/// stays up.
bool comes_up(const World& world, const TargetServer& target, const ObservedServer& observed) {
    if (observed.unit.active == ActiveState::Activating) return true;
    if (observed.unit.active != ActiveState::Active) return false;
    static const Remembered nothing;
    const Remembered* const memory = world.memory.find(target.spec->name);
    return !has_stayed_up((memory == nullptr ? nothing : *memory).crashes, observed.unit,
                          world.observed.now) ||
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
