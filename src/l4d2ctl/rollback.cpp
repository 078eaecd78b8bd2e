#include "operations/rollback.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string overlay;
    std::string digest;
    std::string reason;
    std::shared_ptr<Timeout> timeout = std::make_shared<Timeout>();
};

Result<Exit> roll_back(Session& session, const Options& options) {
    const auto owner =
        parse_artifact_owner({options.overlay}, "roll back what? overlay/NAME or installation/NAME");
    if (!owner) return std::unexpected(owner.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto done = operations::roll_back(session, *owner, options.digest, options.reason);
    if (!done) return std::unexpected(done.error());
    print(fmt::format("{} {}\n", to_string(*owner), printable(rollback_text(done->rollback))));
    (void)std::fflush(stdout);
    return reconcile_servers(session, *options.timeout, done->servers);
}

}  // namespace

void add_rollback(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "rollback",
                            "Keeps an overlay or the game at an earlier artifact until it is resumed; "
                            "servers follow their rollout",
                            "  sudo l4d2ctl rollback overlay/maps --reason 'the third map crashes'\n"
                            "  sudo l4d2ctl rollback overlay/maps 4f1c\n"
                            "  sudo l4d2ctl resume overlay/maps",
                            [&session, options] { return roll_back(session, *options); });
    verb.argument("OVERLAY", options->overlay, "overlay/NAME or installation/NAME", Words::Artifacts);
    verb.optional_argument("DIGEST", options->digest,
                           "The first digits of an artifact, as l4d2ctl describe shows them; default: the "
                           "one before the present");
    verb.option("--reason", options->reason, "Why; shown to everybody");
    add_wait_option(verb, options->timeout);
}

}  // namespace left4me::ctl
