#include <fmt/format.h>

#include <algorithm>
#include <set>

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
    return draft.target == nullptr || !nothing_was_changed(world, draft);
}

std::size_t count_running(const World& world) {
    return static_cast<std::size_t>(std::count_if(
        world.observed.servers.begin(), world.observed.servers.end(), [&world](const auto& entry) {
            const auto& [name, server] = entry;
            return is_up(server.unit.active) && (server.managed || world.desired().servers.contains(name));
        }));
}

bool takes_down(const ServerDraft& draft) {
    return !draft.has(Verb::Start) && std::any_of(draft.steps.begin(), draft.steps.end(),
                                                  [](const Step& step) { return takes_down(step.verb); });
}

bool is_most(std::size_t victims, std::size_t running) { return victims >= 2 && victims * 2 > running; }

/// The earlier revision whose stop or deletion of this server was held; empty: none.
const std::string& held_revision(const World& world, const ServerDraft& draft) {
    static const std::string none;
    const Remembered* const memory = world.memory.find(draft.name);
    return memory == nullptr || !takes_down(draft) ? none : memory->awaits_approval;
}

/// The revision whose approval decides about this server: the one that was the first to ask for this. A
/// deletion is more than the stop that was asked for before.
const std::string& deciding_revision(const World& world, const ServerDraft& draft) {
    const std::string& held = held_revision(world, draft);
    const bool more =
        draft.target == nullptr && !held.empty() && !world.memory.find(draft.name)->awaits_removal;
    return held.empty() || more ? world.target.revision() : held;
}

void hold(ServerDraft& draft, const std::string& why, const std::string& to_approve) {
    std::string first = draft.target == nullptr ? "not in the manifests" : "the manifest says Stopped";
    std::erase_if(draft.steps, [](const Step& step) { return takes_down(step.verb); });
    Step step{Verb::Hold,
              fmt::format("{}, but {}: it waits for `l4d2ctl approve {}`", first, why, to_approve),
              {},
              HoldReason::ApprovalRequired};
    step.to_approve = to_approve;
    step.wait = Wait{WaitsFor::Person};
    draft.steps.push_back(std::move(step));
}

/// Servers that commands of their own took down, each command judged by itself. A command that was held is a
/// part of its revision: it is not judged anew by what is left of it.
std::set<std::string> stopped_by_name(const World& world, const std::vector<ServerDraft>& drafts,
                                      std::size_t running) {
    std::set<std::string> names;
    for (const StopRequest& request : world.intent.stops) {
        if (request.waits) continue;
        std::set<std::string> asked;
        std::size_t victims = 0;
        for (const ServerDraft& draft : drafts) {
            if (!request.asks_for(draft.name, draft.target)) continue;
            asked.insert(draft.name);
            if (is_victim(world, draft)) ++victims;
        }
        if ((request.drain && request.drain->begun) || !is_most(victims, running)) names.merge(asked);
    }
    return names;
}

}  // namespace

void guard_against_mass_stop(const World& world, std::vector<ServerDraft>& drafts) {
    if (world.is_approved()) return;
    std::vector<ServerDraft*> judged;
    for (ServerDraft& draft : drafts) {
        if (takes_down(draft)) judged.push_back(&draft);
    }
    if (judged.empty()) return;
    const std::size_t running = count_running(world);
    const std::set<std::string> by_name = stopped_by_name(world, drafts, running);
    const std::string& approved = world.intent.approved;
    std::erase_if(judged, [&](const ServerDraft* draft) {
        return by_name.contains(draft->name) ||
               (!approved.empty() && deciding_revision(world, *draft) == approved);
    });
    const auto victims = static_cast<std::size_t>(std::count_if(
        judged.begin(), judged.end(), [&](const ServerDraft* draft) { return is_victim(world, *draft); }));
    const bool too_many = is_most(victims, running);
    for (ServerDraft* const draft : judged) {
        // A revision that looks like a mistake must not delete the files of idle servers either.
        const bool caught = too_many && (is_victim(world, *draft) || draft->has(Verb::Unmanage));
        if (!caught && held_revision(world, *draft).empty()) continue;
        const std::string& revision = deciding_revision(world, *draft);
        if (revision != world.target.revision()) {
            hold(*draft, "an earlier revision stops or deletes too many servers at once", revision);
        } else if (too_many) {
            hold(*draft,
                 fmt::format("this revision would stop or delete {} of {} running servers", victims, running),
                 revision);
        } else {
            hold(*draft, "this revision stops or deletes too many servers at once", revision);
        }
    }
}

}  // namespace left4me::draft
