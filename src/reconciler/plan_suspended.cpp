#include <fmt/format.h>

#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {

bool is_suspended(const World& world, const std::string& server) {
    return suspension_of(world.intent.suspended, server, world.observed.now) != nullptr;
}

void leave_suspended_alone(const World& world, ServerDraft& draft) {
    const Suspension* const suspension =
        suspension_of(world.intent.suspended, draft.name, world.observed.now);
    if (suspension == nullptr || draft.steps.empty()) return;
    const auto effect = std::find_if(draft.steps.begin(), draft.steps.end(),
                                     [](const Step& step) { return is_effect(step.verb); });
    const Step& otherwise = effect == draft.steps.end() ? draft.steps.front() : *effect;
    std::string reason = fmt::format("{}; otherwise: {}, {}", suspension_text(*suspension),
                                     to_string(otherwise.verb), otherwise.reason);
    draft.steps = {{Verb::Hold, std::move(reason), {}, HoldReason::Suspended}};
}

/// An overlay that only suspended servers use stays unchanged, because suspension excludes refreshing it. An
/// overlay without any user is not affected.
bool overlay_is_suspended(const World& world, const std::string& overlay) {
    const Suspensions& suspensions = world.intent.suspended;
    if (suspension_of_all(suspensions, world.observed.now) != nullptr) return true;
    if (suspensions.servers.empty()) return false;
    bool used = false;
    for (const auto& [name, server] : world.desired().servers) {
        const std::vector<std::string> uses = server.artifacts();
        if (std::find(uses.begin(), uses.end(), overlay) == uses.end()) continue;
        if (!is_suspended(world, name)) return false;
        used = true;
    }
    return used;
}

}  // namespace left4me::draft
