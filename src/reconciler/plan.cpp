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

struct Drafts {
    std::vector<draft::ServerDraft> servers;
    std::vector<draft::OverlayDraft> overlays;
};

/// Everything but what is pruned, which follows from it.
Drafts decide(const draft::World& world) {
    Drafts drafts{plan_servers(world), draft::plan_overlays(world)};
    for (draft::ServerDraft& server : drafts.servers) {
        draft::leave_suspended_alone(world, server);
        draft::report_drift(world, server);
    }
    draft::guard_against_mass_stop(world, drafts.servers);
    for (draft::ServerDraft& server : drafts.servers) {
        draft::wait_for_players(world, server);
        draft::hold_back_off(world, server);
    }
    for (draft::OverlayDraft& overlay : drafts.overlays) draft::hold_back_off(world, overlay);
    draft::send_canaries(world, drafts.servers);
    for (draft::OverlayDraft& refresh : draft::plan_refreshes(world, drafts.overlays))
        drafts.overlays.push_back(std::move(refresh));
    draft::limit_restarts(world, drafts.servers);
    for (draft::ServerDraft& server : drafts.servers) draft::merge_restarts(server);
    draft::settle_ports(world, drafts.servers);
    // What waits for its port takes nobody's turn.
    draft::limit_starts(world, drafts.servers);
    for (draft::ServerDraft& server : drafts.servers) draft::leave_out_needless_attach(server);
    return drafts;
}

}  // namespace

Plan plan(const Target& target, const Observed& observed, const Memory& memory, const Intent& intent) {
    const draft::World world{target, observed, memory, intent};
    Drafts drafts = decide(world);
    std::vector<draft::PruneDraft> prunes = draft::plan_prune(world, drafts.servers);
    return draft::assemble(world, draft::plan_tuning(world), std::move(drafts.overlays),
                           std::move(drafts.servers), std::move(prunes));
}

std::vector<ArtifactVerdict> judge_artifacts(const Target& target, const Observed& observed,
                                             const Memory& memory, const Intent& intent) {
    const draft::World world{target, observed, memory, intent};
    return draft::explain_prune(world, decide(world).servers);
}

}  // namespace left4me
