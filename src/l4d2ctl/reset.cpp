#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "adapters/poke/poke.hpp"
#include "adapters/store/suspensions.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/narrator.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"
#include "reconciler/schedule.hpp"
#include "specs/words.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    bool yes = false;
    std::string reason;
};

/// What a game wrote is gone for good: a person says so twice.
Result<void> confirm(const std::vector<std::string>& servers) {
    const std::string what = fmt::format(
        "everything that {} wrote (logs, bans, demos, what plugins remember)", fmt::join(servers, ", "));
    if (::isatty(STDIN_FILENO) == 0)
        return fail(Exit::Usage, fmt::format("reset removes {}: say --yes", what));
    print_error(fmt::format("This removes {}, and restarts what runs. Go on? [y/N]", what));
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
    return fail(Exit::Refused, "nothing was removed");
}

Result<void> refuse_suspended(Session& session, const std::vector<std::string>& servers, TimePoint now) {
    const auto suspensions = load_suspensions(session.paths);
    if (!suspensions) return fail(Exit::Refused, suspensions.error());
    for (const std::string& server : servers) {
        const Suspension* suspension = suspension_of(*suspensions, server, now);
        if (suspension != nullptr)
            return fail(Exit::Refused, fmt::format("server/{} was not reset: {}", server,
                                                   printable(suspension_text(*suspension))));
    }
    return {};
}

/// Stop, purge, start, for each by itself. Only what runs is started again.
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
            action.subject = {SubjectKind::Server, server};
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

Result<Exit> reset(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const auto servers = select_servers(options.selection, in_force->set);
    if (!servers) return std::unexpected(servers.error());
    if (!options.yes) {
        if (auto confirmed = confirm(*servers); !confirmed) return std::unexpected(confirmed.error());
    }
    // Under the lock: nobody else starts or stops them meanwhile.
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    const auto seen = look_at(session, in_force->desired());
    if (!seen) return std::unexpected(seen.error());
    if (auto free = refuse_suspended(session, *servers, seen->observed.now); !free)
        return std::unexpected(free.error());

    const Plan plan = plan_reset(*servers, *seen);
    Narrator narrator(*seen->machine, session.out, session.err);
    const std::vector<Outcome> outcomes = carry_out(narrator, plan);
    std::vector<std::string> subjects;
    for (const Outcome& outcome : outcomes) {
        const Action& action = plan.actions[outcome.action];
        if (outcome.done && action.verb == Verb::Purge) subjects.push_back(to_string(action.subject));
    }
    tell_event(session, subjects, "Reset",
               options.reason.empty() ? "what it wrote was removed"
                                      : "what it wrote was removed: " + options.reason);
    (void)poke(session.paths);
    const bool failed =
        std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) { return !outcome.done; });
    return failed ? Exit::Refused : Exit::Done;
}

}  // namespace

void add_reset(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "reset",
                 "Removes everything that a server wrote; one that runs is stopped and started for it",
                 "  sudo l4d2ctl reset comp1\n  sudo l4d2ctl reset comp1 --yes --reason 'taken over'",
                 [&session, options] { return reset(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--yes", options->yes, "Do not ask");
    verb.option("--reason", options->reason, "Why; events tell it");
}

}  // namespace left4me::ctl
