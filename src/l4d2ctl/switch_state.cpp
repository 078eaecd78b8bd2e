#include "l4d2ctl/switch_state.hpp"

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/changes.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::shared_ptr<Patience> patience = std::make_shared<Patience>();
};

Result<Exit> switch_state(Session& session, const Options& options, RunState state) {
    if (auto checked = check_name(options.server); !checked) return std::unexpected(checked.error());
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    return edit_and_reconcile(
        session, [&] { return propose_state(session, options.server, state); }, *options.patience);
}

}  // namespace

void add_switch(CLI::App& app, Session& session, const Switch& kind) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, kind.name, kind.description, "  sudo l4d2ctl " + kind.name + " comp1",
                 [&session, options, state = kind.state] { return switch_state(session, *options, state); });
    verb.argument("NAME", options->server, "The server");
    add_wait_option(verb, options->patience);
}

}  // namespace left4me::ctl
