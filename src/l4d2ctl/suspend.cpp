#include "operations/suspend.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/wait.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    std::string reason;
    std::string duration;
};

/// What is said of each server, or of everything.
void tell(bool everything, const std::vector<std::string>& servers, const std::string& what) {
    if (everything) print(fmt::format("everything {}\n", what));
    for (const std::string& server : servers) print(fmt::format("server/{} {}\n", server, what));
}

Result<Exit> suspend(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    std::optional<std::chrono::milliseconds> duration;
    if (!options.duration.empty()) {
        const auto parsed = operations::parse_timeout(options.duration);
        if (!parsed) return std::unexpected(parsed.error());
        duration = *parsed;
    }
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto suspended = operations::suspend(session, options.selection, options.reason, duration);
    if (!suspended) return std::unexpected(suspended.error());
    tell(options.selection.all, suspended->servers, printable(suspension_text(suspended->suspension)));
    return Exit::Done;
}

Result<Exit> resume(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto resumed = operations::resume(session, options.selection);
    if (!resumed) return std::unexpected(resumed.error());
    for (const std::string& server : resumed->not_suspended) {
        print(
            fmt::format("server/{} is not suspended{}\n", server,
                        resumed->all_suspended ? " by itself, but everything is; l4d2ctl resume --all" : ""));
    }
    if (!resumed->anything) {
        if (options.selection.all) print("nothing is suspended\n");
        return Exit::Done;
    }
    tell(options.selection.all, resumed->servers, "resumed");
    operations::Concern concern;
    for (const std::string& server : resumed->servers) concern.insert({Kind::Server, server});
    return reconcile(session, std::nullopt, concern);
}

}  // namespace

void add_suspend(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "suspend",
                            "Makes left4me leave a server, or everything, alone until it is resumed",
                            "  sudo l4d2ctl suspend comp1 --reason 'trying a map' --for 2h\n"
                            "  sudo l4d2ctl suspend --all --reason 'moving house'",
                            [&session, options] { return suspend(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--all", options->selection.all, "Everything: left4me changes nothing on this host");
    verb.required_option("--reason", options->reason, "Why; shown to everybody");
    verb.option("--for", options->duration, "End automatically after this time: 90s, 30m, 12h, 2d");
}

void add_resume(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "resume", "Ends a suspension, and makes the host follow the source",
                            "  sudo l4d2ctl resume comp1\n  sudo l4d2ctl resume --all",
                            [&session, options] { return resume(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--all", options->selection.all, "Everything, including single servers");
}

}  // namespace left4me::ctl
