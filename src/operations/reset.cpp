#include "operations/reset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/store/suspensions.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"
#include "operations/reconcile.hpp"
#include "operations/view.hpp"
#include "reconciler/schedule.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

Result<void> refuse_suspended(const Context& context, const std::vector<std::string>& servers,
                              TimePoint now) {
    const auto suspensions = load_suspensions(context.paths);
    if (!suspensions) return fail(ErrorKind::StateFailed, suspensions.error());
    for (const std::string& server : servers) {
        const Suspension* suspension = suspension_of(*suspensions, server, now);
        if (suspension != nullptr)
            return fail(ErrorKind::Suspended, fmt::format("server/{} was not reset: {}", server,
                                                          printable(suspension_text(*suspension))));
    }
    return {};
}

/// Stop, purge, start, each separately. Only running servers are started again.
Plan plan_reset(const std::vector<std::string>& servers, const Seen& seen) {
    Plan plan;
    plan.revision = seen.plan.revision;
    for (const std::string& server : servers) {
        const auto observed = seen.observed.servers.find(server);
        const ActiveState active =
            observed == seen.observed.servers.end() ? ActiveState::Inactive : observed->second.unit.active;
        const bool runs = active != ActiveState::Inactive && active != ActiveState::Failed;
        const auto step = [&plan, &server](Verb verb, std::string reason, bool first) {
            Action action;
            action.verb = verb;
            action.subject = {Kind::Server, server};
            action.reason = std::move(reason);
            if (!first) action.after.push_back(plan.actions.size() - 1);
            plan.actions.push_back(std::move(action));
        };
        if (runs) step(Verb::Stop, "to empty what it wrote", true);
        step(Verb::Purge, "reset: what it wrote is removed", !runs);
        if (runs) step(Verb::Start, "it ran before", false);
    }
    return plan;
}

}  // namespace

Result<CompletedActions> reset(Context& context, Desired desired, const std::vector<std::string>& servers,
                               const std::string& reason) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto seen = look_at(context, std::move(desired));
    if (!seen) return std::unexpected(seen.error());
    if (auto free = refuse_suspended(context, servers, seen->observed.now); !free)
        return std::unexpected(free.error());

    CompletedActions ended{plan_reset(servers, *seen), {}};
    ended.outcomes = carry_out(*seen->machine, ended.plan);
    std::vector<std::string> subjects;
    for (const Outcome& outcome : ended.outcomes) {
        const Action& action = ended.plan.actions[outcome.action];
        if (outcome.done && action.verb == Verb::Purge) subjects.push_back(to_string(action.subject));
    }
    record_event(context, subjects, "Reset",
                 reason.empty() ? "what it wrote was removed" : "what it wrote was removed: " + reason);
    (void)trigger(context);
    return ended;
}

}  // namespace left4me::operations
