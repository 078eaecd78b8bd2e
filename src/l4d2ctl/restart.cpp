#include "operations/restart.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    operations::RestartOptions restart;
    bool cancel = false;
    std::shared_ptr<Timeout> timeout = std::make_shared<Timeout>();
};

Result<Exit> restart(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (options.cancel && (options.restart.when_empty || options.restart.staggered))
        return fail(Exit::Usage, "--cancel goes with neither --when-empty nor --stagger");
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    if (options.cancel)
        return tell_canceled(operations::cancel_restart(session, options.selection), "restart");

    const auto requested = operations::request_restart(session, options.selection, options.restart);
    if (!requested) return std::unexpected(requested.error());
    for (const auto& [server, why] : requested->not_running)
        print_error(fmt::format("server/{} is not running: {}; l4d2ctl start {}", server, why, server));
    if (requested->servers.empty()) return Exit::Refused;
    operations::Concern concern;
    for (const std::string& server : requested->servers) {
        print(fmt::format("server/{} restart requested\n", server));
        concern.insert({Kind::Server, server});
    }
    const auto done = reconcile(session, *options.timeout, concern);
    // Of all servers, or of those with a label, it is enough that the ones that run are restarted.
    const bool one_was_named = !options.selection.names.empty() && !requested->not_running.empty();
    return done && *done == Exit::Done && one_was_named ? Exit::Refused : done;
}

}  // namespace

void add_restart(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "restart",
                            "Restarts servers that run: at once, when nobody plays, or a few at a time",
                            "  sudo l4d2ctl restart comp1 --when-empty\n"
                            "  sudo l4d2ctl restart -l pool=competitive --stagger",
                            [&session, options] { return restart(session, *options); });
    add_selection(verb, options->selection, MayBeAll::Yes);
    verb.flag("--when-empty", options->restart.when_empty,
              "Each server waits until nobody plays there; an unknown number of players counts as somebody");
    verb.flag("--stagger", options->restart.staggered,
              "At most a tenth of these servers, and at least one, are down at the same time");
    verb.flag("--cancel", options->cancel, "Withdraws restarts that were asked for and still wait");
    add_wait_option(verb, options->timeout);
}

}  // namespace left4me::ctl
