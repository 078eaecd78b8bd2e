#include "operations/reset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/question.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    bool yes = false;
    bool cancel = false;
    std::string reason;
};

/// The files of a game are lost for good, so a person must confirm.
Result<void> confirm(const std::vector<std::string>& servers) {
    const std::string what =
        fmt::format("everything that {} wrote (logs, bans, demos, plugin data)", fmt::join(servers, ", "));
    if (::isatty(STDIN_FILENO) == 0)
        return fail(Exit::Usage, fmt::format("reset removes {}: say --yes", what));
    if (agrees(fmt::format("This removes {}, and restarts running servers. Continue?", what))) return {};
    return fail(Exit::Refused, "nothing was removed");
}

Result<Exit> reset(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    if (options.cancel) return tell_canceled(operations::cancel_reset(session, options.selection), "reset");
    const auto in_force = operations::read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const auto servers = operations::select_servers(options.selection, in_force->set);
    if (!servers) return std::unexpected(servers.error());
    if (!options.yes) {
        if (auto confirmed = confirm(*servers); !confirmed) return std::unexpected(confirmed.error());
    }
    const auto requested = operations::request_reset(session, in_force->desired(), *servers, options.reason);
    if (!requested) return std::unexpected(requested.error());
    for (const std::string& server : requested->empty)
        print(fmt::format("server/{} has written nothing\n", server));
    if (requested->servers.empty()) return Exit::Done;
    operations::Concern concern;
    for (const std::string& server : requested->servers) {
        print(fmt::format("server/{} reset requested\n", server));
        concern.insert({Kind::Server, server});
    }
    return reconcile(session, {}, concern);
}

}  // namespace

void add_reset(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "reset",
                 "Removes everything that a server wrote; a running one is stopped and started again",
                 "  sudo l4d2ctl reset comp1\n  sudo l4d2ctl reset comp1 --yes --reason 'taken over'",
                 [&session, options] { return reset(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--yes", options->yes, "Do not ask");
    verb.option("--reason", options->reason, "Why; recorded in the event");
    verb.flag("--cancel", options->cancel, "Withdraws resets that were asked for and still wait");
}

}  // namespace left4me::ctl
