#include <fmt/format.h>

#include "reconciler/canary.hpp"
#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

const ObservedRendering* find_rendering(const ObservedServer& observed, const std::string& digest) {
    if (observed.current == digest)
        return observed.current_rendering ? &*observed.current_rendering : nullptr;
    const auto found = observed.earlier.find(digest);
    return found == observed.earlier.end() ? nullptr : &found->second;
}

}  // namespace

bool plan_return(const World& world, ServerDraft& draft) {
    const DesiredServer& desired = *draft.target->spec;
    const Remembered* const memory = world.memory.find(draft.name);
    if (!desired.blueprint_rollout.rollback_on_failure || desired.state != RunState::Running ||
        memory == nullptr || !has_failed(memory->trial, draft.target->digest()))
        return false;
    const Trial& trial = memory->trial;
    draft.back_to = find_rendering(*draft.observed, trial.fallback);
    if (draft.back_to != nullptr && !is_usable(world, draft.back_to->layers)) draft.back_to = nullptr;
    if (draft.back_to == nullptr) return false;
    draft.usable = draft.as_is = true;
    if (draft.observed->current != trial.fallback) {
        draft.steps.push_back(
            {Verb::Revert,
             fmt::format("its change has failed: {}; back to its last healthy rendering", trial.failure),
             trial.fallback,
             {}});
    }
    draft.steps.push_back(
        {Verb::Hold,
         fmt::format(
             "its change has failed: {}; it keeps its last healthy rendering until the next change or "
             "`l4d2ctl reconcile`",
             trial.failure),
         {},
         HoldReason::CanaryPending});
    return true;
}

}  // namespace left4me::draft
