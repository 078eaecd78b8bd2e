#include "reconciler/draft.hpp"

#include "reconciler/layers.hpp"

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

const std::vector<std::string>* ServerDraft::current_layers() const {
    if (!observed->current) return nullptr;
    if (target != nullptr && target->digest() == *observed->current) {
        const auto& damaged = observed->damaged;
        const bool gone = std::find(damaged.begin(), damaged.end(), ".") != damaged.end();
        return gone ? nullptr : &(*target->rendering)->layers();
    }
    return observed->current_rendering ? &observed->current_rendering->layers : nullptr;
}

const std::vector<std::string>* ServerDraft::start_layers() const {
    if (back_to != nullptr) return &back_to->layers;
    if (as_is) return current_layers();
    return target != nullptr && target->rendering ? &(*target->rendering)->layers() : nullptr;
}

std::optional<std::uint16_t> ServerDraft::start_port() const {
    if (target == nullptr) return std::nullopt;
    if (back_to != nullptr) return back_to->port;
    if (!as_is || target->digest() == observed->current) return target->spec->port;
    return observed->current_rendering ? observed->current_rendering->port : std::nullopt;
}

bool game_is_missing(const World& world, const ServerDraft& draft) {
    if (world.observed.installation) return false;
    const std::vector<std::string>* const layers = draft.start_layers();
    if (layers == nullptr) return draft.desired() == nullptr || draft.desired()->installation.empty();
    return layers->empty() || parse_layer(layers->back()).kind == Layer::Kind::Installation;
}

HoldReason code_of_wait(Cause cause) {
    switch (cause) {
        case Cause::Request:
            return HoldReason::RestartPending;
        case Cause::Schedule:
            return HoldReason::Scheduled;
        case Cause::Slow:
            return HoldReason::Degraded;
        case Cause::Manifest:
        case Cause::Deadline:
        case Cause::Hang:
            break;
    }
    return HoldReason::RolloutPending;
}

bool is_up(ActiveState state) { return state == ActiveState::Active || state == ActiveState::Activating; }

bool occupies(ActiveState state) { return is_up(state) || state == ActiveState::Deactivating; }

}  // namespace left4me::draft
