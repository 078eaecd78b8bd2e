#include "l4d2ctl/switch_state.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/changes.hpp"
#include "l4d2ctl/server_view.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    std::shared_ptr<Patience> patience = std::make_shared<Patience>();
};

/// Fails when a suspension or a missing approval keeps a server as it is: what was asked for was not done.
Result<Exit> check_done(Session& session, const Selection& selection, RunState state) {
    const auto view = look(session);
    if (!view) return std::unexpected(view.error());
    const auto names = select_servers(selection, view->in_force.set);
    if (!names) return Exit::Done;  // the revision in force is an older one, which reconcile() has said
    std::string undone;
    for (const std::string& name : *names) {
        const auto observed = view->observed.servers.find(name);
        const bool runs =
            observed != view->observed.servers.end() && observed->second.unit.active == ActiveState::Active;
        if (runs == (state == RunState::Running)) continue;
        for (const Action* const action : actions_of(*view, name)) {
            if (action->code != HoldReason::ApprovalRequired && action->code != HoldReason::Suspended)
                continue;
            undone += fmt::format("server/{} was not {}: {}\n", name,
                                  state == RunState::Running ? "started" : "stopped", action->reason);
            break;
        }
    }
    if (undone.empty()) return Exit::Done;
    return fail(Exit::Refused, undone);
}

Result<Exit> switch_state(Session& session, Options& options, RunState state) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    const auto done = edit_and_reconcile(
        session, [&] { return propose_state(session, options.selection, state); }, *options.patience);
    return done && *done == Exit::Done ? check_done(session, options.selection, state) : done;
}

}  // namespace

void add_switch(CLI::App& app, Session& session, const Switch& kind) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(
        app, session, kind.name, kind.description,
        "  sudo l4d2ctl " + kind.name + " comp1 comp2\n  sudo l4d2ctl " + kind.name + " -l pool=competitive",
        [&session, options, state = kind.state] { return switch_state(session, *options, state); });
    add_selection(verb, options->selection, MayBeAll::No);
    add_wait_option(verb, options->patience);
}

}  // namespace left4me::ctl
