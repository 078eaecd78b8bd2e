#include "reconciler/draft.hpp"

#include <algorithm>

namespace left4me::draft {

const Step* ServerDraft::find(Verb verb) const {
    const auto found =
        std::find_if(steps.begin(), steps.end(), [verb](const Step& step) { return step.verb == verb; });
    return found == steps.end() ? nullptr : &*found;
}

void ServerDraft::erase(Verb verb) {
    std::erase_if(steps, [verb](const Step& step) { return step.verb == verb; });
}

const Remembered* World::remembered(const std::string& server) const {
    const auto found = observed.remembered.find(server);
    return found == observed.remembered.end() ? nullptr : &found->second;
}

bool is_up(ActiveState state) { return state == ActiveState::Active || state == ActiveState::Activating; }

bool occupies(ActiveState state) { return is_up(state) || state == ActiveState::Deactivating; }

}  // namespace left4me::draft
