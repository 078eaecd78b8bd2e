#include <fmt/format.h>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

/// Not created by left4me, so left4me must not change it, but a person should know. A unit that is only
/// masked never starts: that agrees with the manifests.
void report(ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    std::string found;
    const auto add = [&found](const std::string& word) { found += (found.empty() ? "" : ", ") + word; };
    if (observed.unit.active != ActiveState::Inactive) add(to_string(observed.unit.active));
    if (observed.unit.enablement == Enablement::Enabled) add("enabled");
    if (observed.stack()) add("mounted");
    if (found.empty()) return;
    draft.steps.push_back(
        {Verb::Report,
         fmt::format("the unit is {}, but not in the manifests and not made by left4me: left alone", found),
         {},
         HoldReason::Orphan});
}

}  // namespace

ServerDraft plan_orphan(const std::string& name, const ObservedServer& observed) {
    ServerDraft draft{name, nullptr, &observed, {}};
    if (!observed.managed) {
        report(draft);
        return draft;
    }
    const auto step = [&draft](Verb verb, std::string reason) {
        draft.steps.push_back({verb, std::move(reason), {}, {}});
    };
    const ObservedUnit& unit = observed.unit;
    const bool stop = occupies(unit.active) || observed.stack().has_value();
    if (unit.enablement == Enablement::Enabled)
        step(Verb::Disable, "the unit is enabled, but not in the manifests");
    if (stop) {
        step(Verb::Stop, occupies(unit.active)
                             ? fmt::format("the unit is {}, but not in the manifests", to_string(unit.active))
                             : "its overlay is still mounted, but it is not in the manifests");
    }
    if (unit.active == ActiveState::Failed)
        step(Verb::ResetFailed, "the unit failed and is not in the manifests");
    // A running unit may still create its runtime directories, so a Stop is reason enough.
    if (!observed.runtime.empty() || stop)
        step(Verb::Purge, "not in the manifests: what the server wrote is removed");
    step(Verb::Unmanage, "not in the manifests, and made by left4me");
    return draft;
}

}  // namespace left4me::draft
