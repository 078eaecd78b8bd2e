#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

bool starts(const ServerDraft& draft) { return draft.has(Verb::Start) || draft.has(Verb::Restart); }

bool changes_port(const ServerDraft& draft) {
    return draft.observed->mounted_port && draft.start_port() &&
           *draft.observed->mounted_port != *draft.start_port();
}

/// The plan makes this server release the port that it holds now.
bool leaves_its_port(const ServerDraft& draft) {
    return draft.has(Verb::Stop) || (starts(draft) && changes_port(draft));
}

struct Ports {
    std::map<std::uint16_t, std::vector<std::string>> holders;
    std::map<std::string, ServerDraft*> drafts;

    template <typename Function>
    void for_each_other_holder(const ServerDraft& draft, Function function) const {
        const auto found = holders.find(draft.start_port().value_or(0));
        if (found == holders.end()) return;
        for (const std::string& holder : found->second) {
            if (holder != draft.name) function(holder);
        }
    }

    bool will_be_left_by(const std::string& holder) const {
        const auto found = drafts.find(holder);
        return found != drafts.end() && leaves_its_port(*found->second);
    }
};

void hold(ServerDraft& draft, const std::string& holder) {
    for (const Verb verb : {Verb::Stop, Verb::ResetFailed, Verb::Purge, Verb::Start, Verb::Restart})
        draft.erase(verb);
    draft.steps.push_back({Verb::Hold,
                           fmt::format("port {} is still held by server/{}, which has not released it yet",
                                       draft.start_port().value_or(0), holder),
                           {},
                           HoldReason::PortInUse});
}

/// A server that must wait keeps its own port, so others may have to wait in turn: repeat until nothing
/// changes.
void hold_blocked(const Ports& ports, std::vector<ServerDraft>& drafts) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (ServerDraft& draft : drafts) {
            if (!starts(draft)) continue;
            std::string blocker;
            ports.for_each_other_holder(draft, [&](const std::string& holder) {
                if (!ports.will_be_left_by(holder)) blocker = holder;
            });
            if (blocker.empty()) continue;
            hold(draft, blocker);
            changed = true;
        }
    }
}

/// A restart onto another port in two steps, so that two servers can swap ports: both stop, then both start.
void split_restart(ServerDraft& draft) {
    const Step* one_step = draft.find(Verb::Restart);
    if (one_step == nullptr) one_step = draft.find(Verb::Start);
    Step start = *one_step;
    start.verb = Verb::Start;
    Step stop = start;
    stop.verb = Verb::Stop;
    start.while_empty.reset();
    draft.erase(Verb::Restart);
    draft.erase(Verb::Start);
    if (!draft.has(Verb::Stop)) draft.steps.push_back(std::move(stop));
    draft.steps.push_back(std::move(start));
}

}  // namespace

void settle_ports(const World& world, std::vector<ServerDraft>& drafts) {
    if (std::none_of(drafts.begin(), drafts.end(), starts)) return;
    Ports ports;
    for (const auto& [name, server] : world.observed.servers) {
        if (occupies(server.unit.active) && server.mounted_port)
            ports.holders[*server.mounted_port].push_back(name);
    }
    for (ServerDraft& draft : drafts) ports.drafts.emplace(draft.name, &draft);

    hold_blocked(ports, drafts);
    for (ServerDraft& draft : drafts) {
        if (!starts(draft)) continue;
        if (occupies(draft.observed->unit.active) && changes_port(draft)) split_restart(draft);
        ports.for_each_other_holder(
            draft, [&](const std::string& holder) { draft.starts_after_stop_of.push_back(holder); });
    }
}

}  // namespace left4me::draft
