#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::string condition = "ready";
    std::string timeout;
};

Result<Exit> wait(Session& session, const Options& options) {
    if (auto checked = check_name(options.server); !checked) return std::unexpected(checked.error());
    const auto patience = parse_patience(options.timeout);
    if (!patience) return std::unexpected(patience.error());
    if (auto entered = enter(session, Access::Read); !entered) return std::unexpected(entered.error());
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    if (!in_force->set.servers.contains(options.server)) {
        return fail(Exit::NotFound, fmt::format("server/{} is not in the manifests", options.server));
    }
    return wait_until_ready(session, {options.server}, *patience);
}

}  // namespace

void add_wait(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "wait", "Waits until a server is ready; exits 6 when it takes too long",
                 "  l4d2ctl wait comp1 --for=ready --timeout=90s",
                 [&session, options] { return wait(session, *options); });
    verb.argument("NAME", options->server, "The server");
    verb.option("--for", options->condition, "ready", {"ready"});
    verb.option("--timeout", options->timeout, "At most this long: 90s, 5m (default 2m)");
}

}  // namespace left4me::ctl
