#include <fmt/format.h>

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/refresh.hpp"

namespace left4me::draft {
namespace {

/// Its unit builds, or is about to: it is asked afterwards.
bool is_built_now(const World& world, const std::string& overlay, const std::vector<OverlayDraft>& drafts) {
    return world.observed.builds.contains(overlay) ||
           std::any_of(drafts.begin(), drafts.end(), [&overlay](const OverlayDraft& draft) {
               return draft.name == overlay && is_effect(draft.step.verb);
           });
}

}  // namespace

std::vector<OverlayDraft> plan_refreshes(const World& world, const std::vector<OverlayDraft>& overlays) {
    std::vector<OverlayDraft> drafts;
    const TimePoint now = world.observed.now;
    for (const auto& [name, calendar] : world.desired().refreshes) {
        const auto memory = world.memory.refreshes.find(name);
        if (memory == world.memory.refreshes.end() || overlay_is_suspended(world, name)) continue;
        const Refreshed& refreshed = memory->second;
        if (world.observed.local.next(calendar, refreshed.at) > now) continue;
        if (is_built_now(world, name, overlays)) continue;
        if (!is_retried(world.intent, refreshed.backoff) &&
            refresh_due(calendar, refreshed, world.observed.local) > now) {
            drafts.push_back({name,
                              {Verb::Hold,
                               fmt::format("its refresh of {} {}; the last time: {}", to_text(calendar),
                                           backoff_text(refreshed.backoff), refreshed.backoff.message),
                               {},
                               HoldReason::RefreshFailed}});
            continue;
        }
        drafts.push_back({name,
                          {Verb::Refresh,
                           fmt::format("it is to have what upstream has at {}", to_text(calendar)),
                           {},
                           {}}});
    }
    return drafts;
}

}  // namespace left4me::draft
