#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/reconcile.hpp"

namespace left4me::ctl {

namespace {

/// Whether the remote could be fetched, if the source has one. The previously fetched state exists in any
/// case.
bool fetch(Session& session) {
    const auto fetched = operations::fetch(session);
    if (!fetched) {
        print_error(fmt::format("cannot fetch: {}\nthe previously fetched revision stays in force",
                                fetched.error().message));
    }
    return fetched.has_value();
}

}  // namespace

void add_reconcile(CLI::App& app, Session& session) {
    auto timeout = std::make_shared<Timeout>();
    auto first_fetch = std::make_shared<bool>(false);
    const auto run = [&session, timeout, first_fetch]() -> Result<Exit> {
        if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
            return std::unexpected(entered.error());
        const bool fetched = !*first_fetch || fetch(session);
        const auto done = reconcile(session, *timeout);
        return done && *done == Exit::Done && !fetched ? Exit::Refused : done;
    };
    Command verb =
        add_verb(app, session, "reconcile", "Makes the host follow the source, and waits until it does",
                 "  sudo l4d2ctl reconcile --wait=5m\n  sudo l4d2ctl reconcile --fetch", run);
    verb.flag("--fetch", *first_fetch, "First fetch the remote, if the source has one");
    add_wait_option(verb, timeout);
    verb.flag("--unattended", session.unattended,
              "As the timer does: recent failures are retried only when they are due");
}

}  // namespace left4me::ctl
