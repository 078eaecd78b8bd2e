#include <fmt/format.h>

#include "reconciler/draft.hpp"

namespace left4me::draft {

std::vector<OverlayDraft> plan_overlays(const World& world) {
    static const ObservedOverlay never_seen;
    std::vector<OverlayDraft> drafts;
    for (const auto& [name, source] : world.desired.overlays) {
        if (overlay_is_suspended(world, name)) continue;
        const auto found = world.observed.overlays.find(name);
        const ObservedOverlay& overlay = found == world.observed.overlays.end() ? never_seen : found->second;
        if (!overlay.wanted) {
            // The servers that use it keep what they have; see plan_rendering().
            drafts.push_back({name, {Verb::Report, overlay.wanted.error(), {}, code::source_unavailable}});
            continue;
        }
        const std::string& generation = *overlay.wanted;
        if (world.observed.generations.contains(fmt::format("overlays/{}/{}", name, generation))) continue;
        drafts.push_back(
            {name,
             {Verb::Build, fmt::format("generation {:.4} is not on this host", generation), generation, {}}});
    }
    return drafts;
}

}  // namespace left4me::draft
