#include <fmt/format.h>

#include "reconciler/draft.hpp"
#include "specs/text.hpp"

namespace left4me::draft {

void report_shadows(ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    if (observed.shadowed == 0 || observed.unit.active != ActiveState::Active) return;
    std::string names;
    for (const std::string& name : observed.shadowed_names) {
        names += (names.empty() ? "" : ", ") + printable(name);
    }
    if (observed.shadowed > observed.shadowed_names.size()) names += ", …";
    draft.steps.push_back(
        {Verb::Report,
         fmt::format("the game changed {} {} that it may not keep ({}); its next start sets {} aside",
                     observed.shadowed, observed.shadowed == 1 ? "file" : "files", names,
                     observed.shadowed == 1 ? "it" : "them"),
         {},
         HoldReason::Shadowed});
}

}  // namespace left4me::draft
