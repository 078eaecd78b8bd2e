#include <fmt/format.h>

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

bool acts(const ServerDraft& draft) {
    return std::any_of(draft.steps.begin(), draft.steps.end(),
                       [](const Step& step) { return is_effect(step.verb); });
}

}  // namespace

bool is_unwritten(const World& world, const std::string& overlay) {
    const auto found = world.target.overlays.find(overlay);
    const std::string* const artifact = found == world.target.overlays.end() ? nullptr : found->second.used();
    return artifact != nullptr &&
           !world.observed.artifacts.contains(fmt::format("overlays/{}/{}", overlay, *artifact));
}

const Backoff* build_backoff(const World& world, const std::string& overlay) {
    const auto memory = world.memory.overlays.find(overlay);
    if (memory == world.memory.overlays.end() || is_retried(world.intent, memory->second)) return nullptr;
    const std::string spec_hash = overlay_spec_hash(world.target, overlay);
    return backs_off(memory->second, spec_hash, world.observed.now) ? &memory->second : nullptr;
}

std::optional<TimePoint> unrecorded_retry(const World& world, const UnitBuild& build) {
    // When it ended is not known, but that was before anything else could be asked of its unit.
    return world.intent.retries(build.requested) ? std::nullopt : build.unrecorded_retry(world.observed.now);
}

const Backoff* render_backoff(const World& world, const ServerDraft& draft) {
    const Remembered* const memory = world.memory.find(draft.name);
    if (memory == nullptr || memory->backoff.verb != Verb::Render) return nullptr;
    if (is_retried(world.intent, memory->backoff)) return nullptr;
    if (!backs_off(memory->backoff, server_spec_hash(draft.target), world.observed.now)) return nullptr;
    return &memory->backoff;
}

void hold_back_off(const World& world, ServerDraft& draft) {
    const Remembered* const memory = world.memory.find(draft.name);
    if (memory == nullptr || !memory->backoff.retry_at || !acts(draft)) return;
    if (is_retried(world.intent, memory->backoff)) return;
    // A rendering that could not be written does not keep a server down that can run without it:
    // plan_rendering().
    if (memory->backoff.verb == Verb::Render) return;
    // A reset that failed is held by plan_reset(), and keeps no server down either.
    if (memory->backoff.verb == Verb::Purge && draft.target != nullptr &&
        draft.desired()->state == RunState::Running)
        return;
    if (!backs_off(memory->backoff, server_spec_hash(draft.target), world.observed.now)) return;
    std::erase_if(draft.steps, [](const Step& step) { return is_effect(step.verb); });
    draft.steps.push_back({Verb::Hold, backoff_text(memory->backoff), {}, HoldReason::BackOff});
}

void hold_back_off(const World& world, OverlayDraft& draft) {
    if (draft.step.verb != Verb::Build) return;
    if (const Backoff* const backoff = build_backoff(world, draft.name))
        draft.step = {Verb::Hold,
                      backoff->message.empty()
                          ? backoff_text(*backoff)
                          : fmt::format("{}; the last time: {}", backoff_text(*backoff), backoff->message),
                      {},
                      HoldReason::BackOff};
}

}  // namespace left4me::draft
