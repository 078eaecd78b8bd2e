#include "reconciler/plan.hpp"

#include "reconciler/draft.hpp"

namespace left4me {
namespace {

/// Every server in the manifests or on the host, each once, in the order of names.
std::vector<draft::ServerDraft> plan_servers(const draft::World& world) {
    static const ObservedServer never_seen;
    std::vector<draft::ServerDraft> drafts;
    const auto keep = [&](draft::ServerDraft draft) {
        if (!draft.steps.empty()) drafts.push_back(std::move(draft));
    };
    auto target = world.target.servers.begin();
    auto observed = world.observed.servers.begin();
    while (target != world.target.servers.end() || observed != world.observed.servers.end()) {
        const bool only_observed =
            target == world.target.servers.end() ||
            (observed != world.observed.servers.end() && observed->first < target->first);
        if (only_observed) {
            keep(draft::plan_orphan(observed->first, observed->second));
            ++observed;
            continue;
        }
        const bool seen = observed != world.observed.servers.end() && observed->first == target->first;
        keep(draft::plan_server(world, target->second, seen ? observed->second : never_seen));
        ++target;
        if (seen) ++observed;
    }
    return drafts;
}

}  // namespace

Plan plan(const Target& target, const Observed& observed, const Memory& memory, const Intent& intent) {
    const draft::World world{target, observed, memory, intent};
    std::vector<draft::ServerDraft> servers = plan_servers(world);
    std::vector<draft::OverlayDraft> overlays = draft::plan_overlays(world);
    for (draft::ServerDraft& server : servers) {
        draft::leave_suspended_alone(world, server);
        draft::report_drift(world, server);
    }
    draft::guard_against_mass_stop(world, servers);
    for (draft::ServerDraft& server : servers) draft::hold_back_off(world, server);
    for (draft::OverlayDraft& overlay : overlays) draft::hold_back_off(world, overlay);
    draft::limit_restarts(world, servers);
    for (draft::ServerDraft& server : servers) draft::merge_restarts(server);
    draft::settle_ports(world, servers);
    for (draft::ServerDraft& server : servers) draft::leave_out_needless_attach(server);
    std::vector<draft::PruneDraft> prunes = draft::plan_prune(world, servers);
    return draft::assemble(world, std::move(overlays), std::move(servers), std::move(prunes));
}

}  // namespace left4me
