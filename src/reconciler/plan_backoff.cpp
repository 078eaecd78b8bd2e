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

/// Without the steps that need what is held: the new generation of an overlay.
void hold_for_overlay(ServerDraft& draft, const OverlayDraft& overlay) {
    const bool starts = draft.has(Verb::Start) || draft.has(Verb::Restart);
    if (!starts && !draft.has(Verb::Render)) return;
    if (starts) {
        for (const Verb verb : {Verb::Stop, Verb::ResetFailed, Verb::Start, Verb::Restart}) draft.erase(verb);
    }
    draft.erase(Verb::Render);
    // With no rendering at all, a boot would only fail.
    if (!draft.observed->current) draft.erase(Verb::Enable);
    draft.steps.push_back(
        {Verb::Hold, fmt::format("overlay/{} {}", overlay.name, overlay.step.reason), {}, code::back_off});
}

}  // namespace

void hold_back_off(const World& world, ServerDraft& draft) {
    const Remembered* const memory = world.remembered(draft.name);
    if (world.desired.insist || memory == nullptr || !memory->backoff.retry_at || !acts(draft)) return;
    if (!backs_off(memory->backoff, asked_of(draft.desired, *draft.observed), world.observed.now)) return;
    std::erase_if(draft.steps, [](const Step& step) { return is_effect(step.verb); });
    draft.steps.push_back({Verb::Hold, backoff_text(memory->backoff), {}, code::back_off});
}

void hold_back_off(const World& world, std::vector<OverlayDraft>& overlays,
                   std::vector<ServerDraft>& servers) {
    if (world.desired.insist || world.observed.remembered_overlays.empty()) return;
    for (OverlayDraft& overlay : overlays) {
        const auto memory = world.observed.remembered_overlays.find(overlay.name);
        if (overlay.step.verb != Verb::Build || memory == world.observed.remembered_overlays.end()) continue;
        if (!backs_off(memory->second, overlay.step.generation, world.observed.now)) continue;
        overlay.step = {Verb::Hold, backoff_text(memory->second), {}, code::back_off};
        for (ServerDraft& server : servers) {
            if (server.desired == nullptr) continue;
            const std::vector<std::string>& used = server.desired->overlays;
            if (std::find(used.begin(), used.end(), overlay.name) != used.end())
                hold_for_overlay(server, overlay);
        }
    }
}

}  // namespace left4me::draft
