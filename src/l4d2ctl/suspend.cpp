#include "operations/suspend.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/rollback.hpp"
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

/// Takes the overlays out of what was named, which are resumed after a rollback.
Result<Target> take_overlays(std::vector<std::string>& words) {
    std::vector<std::string> given;
    std::erase_if(words, [&given](const std::string& word) {
        const std::size_t slash = word.find('/');
        const auto kind = slash == std::string::npos ? std::nullopt : parse_kind(word.substr(0, slash));
        if (!kind || !has_artifacts(*kind)) return false;
        given.push_back(word);
        return true;
    });
    if (given.empty()) return Target();
    return parse_target(given);
}

Result<Exit> resume_overlays(Session& session, const Target& overlays) {
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto resumed = operations::resume_overlays(session, *overlays.kind, overlays.names);
    if (!resumed) return std::unexpected(resumed.error());
    const char* const kind = to_string(*overlays.kind);
    for (const std::string& overlay : resumed->not_rolled_back)
        print(fmt::format("{}/{} is not rolled back\n", kind, overlay));
    for (const std::string& overlay : resumed->overlays) print(fmt::format("{}/{} resumed\n", kind, overlay));
    (void)std::fflush(stdout);
    return reconcile_servers(session, std::nullopt, resumed->servers);
}

Result<Exit> resume(Session& session, Options& options) {
    const auto overlays = take_overlays(options.selection.names);
    if (!overlays) return std::unexpected(overlays.error());
    if (!overlays->names.empty()) {
        const Selection& others = options.selection;
        if (!others.names.empty() || !others.selector.empty() || others.all)
            return fail(Exit::Usage, "resume overlays, or servers: not both at once");
        return resume_overlays(session, *overlays);
    }
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
    Command verb = add_verb(app, session, "resume",
                            "Ends a suspension, or a rollback, and makes the host follow the source",
                            "  sudo l4d2ctl resume comp1\n  sudo l4d2ctl resume --all\n"
                            "  sudo l4d2ctl resume overlay/maps",
                            [&session, options] { return resume(session, *options); });
    verb.arguments("NAME", options->selection.names,
                   "The servers; or, after a rollback, overlay/NAME or installation/NAME",
                   Words::ServersOrArtifacts);
    add_selector(verb, options->selection);
    verb.flag("--all", options->selection.all,
              "Everything, including single servers; what was rolled back stays");
}

}  // namespace left4me::ctl
