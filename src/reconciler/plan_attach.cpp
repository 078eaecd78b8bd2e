#include "reconciler/draft.hpp"

namespace left4me::draft {

void plan_attach(ServerDraft& draft) {
    if (!draft.observed->mounted_in_game) return;
    draft.steps.push_back({Verb::Attach, "its overlay was unmounted by hand; the game still has it", {}, {}});
}

void leave_out_needless_attach(ServerDraft& draft) {
    if (draft.has(Verb::Stop) || draft.has(Verb::Restart)) draft.erase(Verb::Attach);
}

}  // namespace left4me::draft
