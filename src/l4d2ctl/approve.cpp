#include <fmt/format.h>

#include <algorithm>

#include "adapters/poke/poke.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

/// Of a commit id, as git prints it where it is short.
constexpr std::size_t shortest = 7;

Result<Exit> agree(Session& session, const std::string& revision) {
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    // Agreeing to something else than what stands there now is a misunderstanding that would stop servers.
    const std::string& stands = in_force->offered.empty() ? in_force->snapshot.revision : in_force->offered;
    if (revision.size() < shortest || !stands.starts_with(revision)) {
        return fail(
            Exit::NotFound,
            fmt::format("the source's revision is {}, not {}; look at l4d2ctl diff again", stands, revision));
    }
    if (auto approved = approve(session.paths, stands); !approved)
        return fail(Exit::Refused, approved.error());
    (void)poke(session.paths);
    print(fmt::format("revision {} approved\n", stands));
    return reconcile(session, std::nullopt);
}

}  // namespace

void add_approve(CLI::App& app, Session& session) {
    auto revision = std::make_shared<std::string>();
    Command verb =
        add_verb(app, session, "approve",
                 "Agrees to a revision that stops more than half of the running servers, or winds back",
                 "  sudo l4d2ctl approve 4f1c0d2e9ab05577",
                 [&session, revision] { return agree(session, *revision); });
    verb.argument("REVISION", *revision, "As l4d2ctl diff names it");
}

}  // namespace left4me::ctl
