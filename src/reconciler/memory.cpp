#include "reconciler/memory.hpp"

#include "reconciler/backoff.hpp"

namespace left4me {

void recall(Observed& observed, const Status& previous) {
    for (const auto& [name, status] : previous.servers) observed.remembered[name] = status.remembered;
    observed.remembered_overlays = previous.overlays;
}

void learn(Observed& observed, const Desired& desired, const Plan& attempted,
           std::span<const Outcome> outcomes) {
    for (const Action& action : attempted.actions) {
        if (action.code != "ApprovalRequired") continue;
        observed.remembered[action.subject.name].awaits_approval = attempted.revision;
    }
    for (const auto& [subject, mishap] : mishaps_of(attempted, outcomes)) {
        const std::string& name = subject.name;
        if (subject.kind == SubjectKind::Overlay) {
            Backoff& backoff = observed.remembered_overlays[name];
            backoff = next_backoff(backoff, name, asked_of_overlay(observed, name), &mishap, observed.now);
            continue;
        }
        const auto named = desired.servers.find(name);
        const auto seen = observed.servers.find(name);
        const std::string asked = asked_of(named == desired.servers.end() ? nullptr : &named->second,
                                           seen == observed.servers.end() ? ObservedServer{} : seen->second);
        Backoff& backoff = observed.remembered[name].backoff;
        backoff = next_backoff(backoff, name, asked, &mishap, observed.now);
    }
}

Plan plan_rest(const Desired& desired, const Observed& observed) {
    if (!desired.insist) return plan(desired, observed);
    Desired calm = desired;
    calm.insist = false;
    return plan(calm, observed);
}

}  // namespace left4me
