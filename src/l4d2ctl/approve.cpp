#include "operations/approve.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

Result<Exit> agree(Session& session, const std::string& revision) {
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto approved = operations::approve(session, revision);
    if (!approved) return std::unexpected(approved.error());
    print(fmt::format("revision {} approved\n", *approved));
    (void)std::fflush(stdout);
    return reconcile(session, std::nullopt);
}

}  // namespace

void add_approve(CLI::App& app, Session& session) {
    auto revision = std::make_shared<std::string>();
    Command verb =
        add_verb(app, session, "approve",
                 "Approves a revision that stops more than half of the running servers, or winds back",
                 "  sudo l4d2ctl approve 4f1c0d2e9ab05577",
                 [&session, revision] { return agree(session, *revision); });
    verb.argument("REVISION", *revision, "As l4d2ctl diff names it");
}

}  // namespace left4me::ctl
