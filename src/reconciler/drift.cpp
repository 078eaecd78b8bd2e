#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {

bool nothing_was_changed(const World& world, const ServerDraft& draft) {
    if (draft.back_to != nullptr) return false;
    const Remembered* memory = world.memory.find(draft.name);
    if (memory == nullptr || memory->fingerprint.empty()) return false;
    // While the target is unknown, a change cannot be detected either: leave the server alone.
    if (!draft.target->rendering) return true;
    return memory->fingerprint == fingerprint(*draft.desired(), draft.target->digest());
}

bool is_drift(const World& world, const ServerDraft& draft) {
    if (draft.target == nullptr || !nothing_was_changed(world, draft)) return false;
    // If the target is unknown, a difference that waits for its rollout was a change.
    const Remembered* memory = world.memory.find(draft.name);
    return draft.target->rendering || (memory != nullptr && !memory->held_since);
}

void report_drift(const World& world, ServerDraft& draft) {
    if (draft.target == nullptr || draft.desired()->drift != DriftPolicy::Report) return;
    const bool acts = std::any_of(draft.steps.begin(), draft.steps.end(),
                                  [](const Step& step) { return is_effect(step.verb); });
    if (!acts || !nothing_was_changed(world, draft)) return;
    const Step* const render = draft.find(Verb::Render);
    const bool is_rendered = render != nullptr && render->cause == Cause::Request;
    const bool comes_up =
        (draft.usable || is_rendered) && draft.observed->unit.enablement != Enablement::Masked;
    const bool starts = draft.has(Verb::Start) || draft.has(Verb::Restart);
    // Then a reset waits as a whole.
    if (starts && !comes_up) {
        std::erase_if(draft.steps, [](const Step& step) {
            return step.cause == Cause::Request && step.verb != Verb::Start && step.verb != Verb::Restart;
        });
    }
    for (Step& step : draft.steps) {
        if (is_asked_for(step.cause)) {
            if (step.verb != Verb::Restart && step.cause == Cause::Schedule) continue;
            if (comes_up || !starts) continue;
            step.reason += ", but it would not come up again, because its drift is only reported";
            const HoldReason code =
                step.verb == Verb::Restart ? code_of_wait(step.cause) : HoldReason::ResetPending;
            step = {Verb::Hold, std::move(step.reason), {}, code};
        } else if (is_effect(step.verb)) {
            step = {Verb::Report, std::move(step.reason), {}, HoldReason::Drift};
        }
    }
}

}  // namespace left4me::draft
