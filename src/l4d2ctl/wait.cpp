#include "operations/wait.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    std::string condition = "ready";
    std::string timeout;
};

Result<Exit> wait(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    const auto timeout = parse_timeout(options.timeout);
    if (!timeout) return std::unexpected(timeout.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const auto in_force = operations::read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const auto servers = operations::select_servers(options.selection, in_force->set);
    if (!servers) return std::unexpected(servers.error());
    if (auto waited = operations::wait_until_ready(session, *servers, *timeout); !waited)
        return std::unexpected(waited.error());
    return Exit::Done;
}

}  // namespace

void add_wait(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "wait", "Waits until servers are ready; exits 6 when it takes too long",
                 "  l4d2ctl wait comp1 --for=ready --timeout=90s\n  l4d2ctl wait -l pool=competitive",
                 [&session, options] { return wait(session, *options); });
    add_selection(verb, options->selection, MayBeAll::Yes);
    verb.option("--for", options->condition, "ready", {"ready"});
    verb.option("--timeout", options->timeout, "At most this long: 90s, 5m (default 2m)");
}

}  // namespace left4me::ctl
