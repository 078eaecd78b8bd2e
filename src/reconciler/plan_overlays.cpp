#include <fmt/format.h>

#include "reconciler/draft.hpp"

namespace left4me::draft {

std::vector<OverlayDraft> plan_overlays(const World& world) {
    std::vector<OverlayDraft> drafts;
    for (const auto& [name, overlay] : world.target.overlays) {
        if (overlay_is_suspended(world, name)) continue;
        if (!overlay.artifact) {
            // The servers that use it keep what they have; see plan_rendering().
            drafts.push_back(
                {name, {Verb::Report, overlay.artifact.error().message, {}, HoldReason::SourceUnavailable}});
            continue;
        }
        const std::string& generation = *overlay.artifact;
        if (world.observed.generations.contains(fmt::format("overlays/{}/{}", name, generation))) continue;
        drafts.push_back(
            {name,
             {Verb::Build, fmt::format("generation {:.4} is not on this host", generation), generation, {}}});
    }
    return drafts;
}

}  // namespace left4me::draft
