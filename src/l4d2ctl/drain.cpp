#include "operations/drain.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    operations::DrainOptions drain;
};

Result<Exit> drain(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto drained = operations::drain(session, options.selection, options.drain);
    if (!drained) return std::unexpected(drained.error());
    operations::Concern concern;
    for (const std::string& server : drained->stop.servers) {
        print(fmt::format("server/{} drain requested\n", server));
        concern.insert({Kind::Server, server});
    }
    (void)std::fflush(stdout);
    return reconcile(session, std::nullopt, concern, RunState::Stopped);
}

}  // namespace

void add_drain(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "drain",
                            "Sets a server's manifest to Stopped; it stops when its last player has left",
                            "  sudo l4d2ctl drain comp1\n"
                            "  sudo l4d2ctl drain -l pool=competitive --deadline 06:00 --message 'New maps.'",
                            [&session, options] { return drain(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.option("--deadline", options->drain.deadline,
                "Stop it after 90s, 30m, 12h, 2d, or at 06:00, even if people play; default: wait for ever");
    verb.option("--message", options->drain.message,
                "What the players are told in the game, with each warning before the deadline");
}

}  // namespace left4me::ctl
