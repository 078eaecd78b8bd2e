#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_reconcile(CLI::App& app, Session& session) {
    auto patience = std::make_shared<Patience>();
    const auto run = [&session, patience]() -> Result<Exit> {
        if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
        const auto lock = lock_host(session);
        if (!lock) return std::unexpected(lock.error());
        return reconcile(session, *patience);
    };
    Command verb = add_verb(app, session, "reconcile", "Makes the host follow the source: one pass",
                            "  sudo l4d2ctl reconcile --wait=5m", run);
    add_wait_option(verb, patience);
}

}  // namespace left4me::ctl
