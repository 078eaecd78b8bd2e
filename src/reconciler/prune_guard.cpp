#include <fmt/format.h>

#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

/// Verbs that take a server down or remove it, except a Stop that is part of a restart.
bool takes_down(Verb verb) {
    switch (verb) {
        case Verb::Disable:
        case Verb::Stop:
        case Verb::ResetFailed:
        case Verb::Purge:
        case Verb::Unmanage:
            return true;
        default:
            return false;
    }
}

bool stops_for_good(const ServerDraft& draft) {
    return draft.has(Verb::Unmanage) || (draft.has(Verb::Stop) && !draft.has(Verb::Start));
}

/// A running server that the revision stops or deletes. A server that should already be Stopped and was
/// started by hand is drift, not an effect of the revision.
bool is_victim(const World& world, const ServerDraft& draft) {
    if (!is_up(draft.observed->unit.active) || !stops_for_good(draft)) return false;
    if (world.is_stopped_directly(draft.name)) return false;
    return draft.target == nullptr || !nothing_was_changed(world, draft);
}

std::size_t count_running(const World& world) {
    return static_cast<std::size_t>(std::count_if(
        world.observed.servers.begin(), world.observed.servers.end(), [&world](const auto& entry) {
            const auto& [name, server] = entry;
            return is_up(server.unit.active) && (server.managed || world.desired().servers.contains(name));
        }));
}

/// Once held, always held: while a revision waits, the servers that it starts change the ratio.
bool waits_already(const World& world, const ServerDraft& draft) {
    const Remembered* memory = world.memory.find(draft.name);
    return memory != nullptr && !memory->awaits_approval.empty() &&
           memory->awaits_approval == world.target.revision() && !draft.has(Verb::Start) &&
           std::any_of(draft.steps.begin(), draft.steps.end(),
                       [](const Step& step) { return takes_down(step.verb); });
}

void hold(ServerDraft& draft, const std::string& why) {
    std::string first = draft.target == nullptr ? "not in the manifests" : "the manifest says Stopped";
    std::erase_if(draft.steps, [](const Step& step) { return takes_down(step.verb); });
    draft.steps.push_back(
        {Verb::Hold, fmt::format("{}, but {}", first, why), {}, HoldReason::ApprovalRequired});
}

}  // namespace

void guard_against_mass_stop(const World& world, std::vector<ServerDraft>& drafts) {
    if (world.is_approved()) return;
    const auto victims = static_cast<std::size_t>(
        std::count_if(drafts.begin(), drafts.end(),
                      [&world](const ServerDraft& draft) { return is_victim(world, draft); }));
    const std::size_t running = victims < 2 ? 0 : count_running(world);
    const bool too_many = victims >= 2 && victims * 2 > running;

    const std::string& revision = world.target.revision();
    const std::string why =
        too_many ? fmt::format(
                       "this revision would stop or delete {} of {} running servers: it waits for "
                       "`l4d2ctl approve {}`",
                       victims, running, revision)
                 : fmt::format(
                       "this revision stops or deletes too many servers at once: it waits for `l4d2ctl "
                       "approve {}`",
                       revision);
    for (ServerDraft& draft : drafts) {
        if (world.is_stopped_directly(draft.name)) continue;
        // A revision that looks like a mistake must not delete the files of idle servers either.
        const bool caught = too_many && (is_victim(world, draft) || draft.has(Verb::Unmanage));
        if (caught || waits_already(world, draft)) hold(draft, why);
    }
}

}  // namespace left4me::draft
