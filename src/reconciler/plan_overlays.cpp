#include <fmt/format.h>

#include "reconciler/draft.hpp"
#include "reconciler/layers.hpp"

namespace left4me::draft {
namespace {

/// Why the unit is started; `build`: its source can be read.
std::string why_build(const UnitBuild& build) {
    if (build.record.artifact)
        return fmt::format("its source is not what artifact {:.4} was built from",
                           build.record.artifact->digest);
    return "it was never built on this host";
}

/// A build that is under way comes to its end, even if it is of an older request: it looks at its source
/// again before it publishes anything. Who does not want to wait cancels it.
Step plan_unit_build(const World& world, const std::string& name, const UnitBuild& build) {
    if (world.observed.builds.contains(name))
        return {Verb::Hold, "its build is under way", {}, HoldReason::Building};
    if (build.is_canceled() && !world.intent.retries(build.canceled_at))
        return {Verb::Hold,
                "its build was canceled; l4d2ctl reconcile begins it again",
                {},
                HoldReason::BuildCanceled};
    if (const auto due = unrecorded_retry(world, build))
        return {Verb::Hold,
                fmt::format("its build ended without a record (l4d2ctl logs {}); the next try is at {}",
                            artifact_owner(world.desired(), name), clock_text(*due)),
                {},
                HoldReason::BackOff};
    return {Verb::Build, why_build(build), {}, {}};
}

/// What a rollback means for its overlay; nullopt: it is at the artifact that its source asks for anyway.
std::optional<Step> plan_rollback(const World& world, const std::string& name, const Rollback& rollback) {
    const std::string resume = "l4d2ctl resume " + artifact_owner(world.desired(), name);
    const auto overlay = world.target.overlays.find(name);
    if (overlay == world.target.overlays.end())
        return Step{Verb::Hold,
                    fmt::format("no manifest names it any more; its artifact stays, {}: {} lets it go",
                                rollback_text(rollback), resume),
                    {},
                    HoldReason::RolledBack};
    if (!overlay->second.rolled_back_to)
        return Step{Verb::Report,
                    fmt::format("{}, which is not on this host any more: it follows its source ({})",
                                rollback_text(rollback), resume),
                    {},
                    HoldReason::RolledBack};
    const auto& artifact = overlay->second.artifact;
    if (artifact == rollback.artifact) return std::nullopt;
    return Step{Verb::Hold,
                fmt::format("{}; otherwise: {}", rollback_text(rollback),
                            artifact ? short_change(rollback.artifact, *artifact) : "what its source gives"),
                {},
                HoldReason::RolledBack};
}

}  // namespace

std::vector<OverlayDraft> plan_overlays(const World& world) {
    std::vector<OverlayDraft> drafts;
    for (const auto& [name, overlay] : world.target.overlays) {
        if (overlay_is_suspended(world, name)) continue;
        if (overlay.is_unbuilt()) {
            drafts.push_back({name, plan_unit_build(world, name, *overlay.build)});
            continue;
        }
        if (!overlay.artifact) {
            const InputError& error = overlay.artifact.error();
            // The servers that use it keep what they have; see plan_rendering().
            drafts.push_back({name, {Verb::Report, error.message, {}, hold_reason(error.kind)}});
            continue;
        }
        const std::string& digest = *overlay.artifact;
        if (world.observed.artifacts.contains(fmt::format("overlays/{}/{}", name, digest))) continue;
        drafts.push_back(
            {name, {Verb::Build, fmt::format("artifact {:.4} is not on this host", digest), digest, {}}});
    }
    for (const auto& [name, rollback] : world.intent.rollbacks) {
        if (overlay_is_suspended(world, name)) continue;
        if (auto step = plan_rollback(world, name, rollback)) drafts.push_back({name, *std::move(step)});
    }
    for (const auto& [name, build] : world.observed.builds) {
        const auto overlay = world.target.overlays.find(name);
        if (overlay == world.target.overlays.end() || !overlay->second.build)
            drafts.push_back({name, {Verb::Cancel, "no manifest asks for this build any more", {}, {}}});
    }
    return drafts;
}

}  // namespace left4me::draft
