#include "operations/cancel.hpp"

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

Result<Exit> cancel(Session& session, const std::vector<std::string>& words) {
    const auto owner = parse_artifact_owner(words, "cancel which build? overlay/NAME or installation/NAME");
    if (!owner) return std::unexpected(owner.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto canceled = operations::cancel_build(session, *owner);
    if (!canceled) return std::unexpected(canceled.error());
    print(*canceled ? "the build of " + to_string(*owner) + " is canceled\n"
                    : to_string(*owner) + " is not being built\n");
    return Exit::Done;
}

}  // namespace

void add_cancel(CLI::App& app, Session& session) {
    auto words = std::make_shared<std::vector<std::string>>();
    Command verb =
        add_verb(app, session, "cancel",
                 "Stops the build of an overlay, until its source changes or a person asks again",
                 "  sudo l4d2ctl cancel overlay/maps", [&session, words] { return cancel(session, *words); });
    verb.arguments("OVERLAY", *words, "overlay/NAME or installation/NAME", Words::Artifacts);
}

}  // namespace left4me::ctl
