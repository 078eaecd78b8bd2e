#include "l4d2ctl/switch_state.hpp"

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    std::shared_ptr<Timeout> timeout = std::make_shared<Timeout>();
};

Result<Exit> switch_state(Session& session, Options& options, RunState state) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    return edit_servers_and_reconcile(
        session, [&] { return operations::propose_state(session, options.selection, state); },
        *options.timeout, state);
}

}  // namespace

void add_switch(CLI::App& app, Session& session, const Switch& kind) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(
        app, session, kind.name, kind.description,
        "  sudo l4d2ctl " + kind.name + " comp1 comp2\n  sudo l4d2ctl " + kind.name + " -l pool=competitive",
        [&session, options, state = kind.state] { return switch_state(session, *options, state); });
    add_selection(verb, options->selection, MayBeAll::No);
    add_wait_option(verb, options->timeout);
}

}  // namespace left4me::ctl
